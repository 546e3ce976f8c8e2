"""What Bybit's refusals mean: one table of codes, and `check`, which raises what an answer says.

Documents: bybit-exchange.github.io/docs/v5/error, and the codes that ccxt maps besides. A row such as `403`
is the status of an answer without a code, `403 frequent` one whose text says more.
"""

from collections.abc import Iterator, Mapping

import msgspec

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Answer
from chatbot.exchanges._parse import Refusal

WAIT_SECONDS = 60
# "Terminate all HTTP sessions and wait for at least 10 minutes" (rate limit page); a ban usually lasts 30.
LIMITED_SECONDS, BANNED_SECONDS = 600, 1800
FREQUENT = "frequent"


def _codes(*spans: str) -> Iterator[str]:
    """Write out spans of numbers: `175000:175003` is four codes."""
    for span in " ".join(spans).split():
        first, _, last = span.partition(":")
        yield from (str(number) for number in range(int(first), int(last or first) + 1))


def _same(refusal: Refusal, *spans: str) -> dict[str, Refusal]:
    return dict.fromkeys(_codes(*spans), refusal)


# Codes of orders, positions, loans, transfers and withdrawals, which nothing we send can meet.
WRITING = (
    "-10009 -6029 -6025 -6017 -2015 -2013 -1197 -1140 -1103 -1021 -1004 7001 12137 12141 12201 20001",
    "20003:20023 20031 20070:20071 20084 30001 30003:30005 30007:30037 30041:30045 30049:30052 30054",
    "30057 30063 30067:30068 30074:30075 30078 30133:30136 34026 34036 35015 40004 110001 110003:110073",
    "110075:110080 110082 110083 110085:110087 110092:110094 130000 130006 130021 130074 140001",
    "140003:140070 131001 131002 131075:131091 131093:131099 131202:131215 131217 131227:131229",
    "131231:131232 141004 141025 170005 170010 170011 170019 170031 170033:170037 170105 170115:170117",
    "170121 170124 170130:170137 170139:170151 170157 170159 170190:170204 170206 170207 170209 170210",
    "170212 170213 170215:170221 170223 170224 170226:170230 170241 170310:170313 170371:170372 170709",
    "175000:175010 175012:175017 175027 176001:176040 176132:176139 176201 177000:177005 177007:177015",
    "177019 181000:181014 181017 182000 182021 3100116 3100181 3100198 3100326 3200300 3200316 3200317",
    "3200320 3200403 3400045 3400052:3400054 3400071 3400139 3400208:3400213 3401010 3500402:3500405",
)
ERRORS: Mapping[str, Refusal] = {
    **_same(Refusal(Trouble.BAD_KEY), "401 10003 10007"),
    **_same(Refusal(Trouble.BAD_SECRET), "10004"),
    **_same(Refusal(Trouble.EXPIRED), "33004"),
    **_same(Refusal(Trouble.IP_BLOCKED), "10010"),
    **_same(Refusal(Trouble.NO_PERMISSION), "10005"),
    **_same(Refusal(Trouble.CLOCK_OR_NONCE), "10002"),
    **_same(Refusal(Trouble.RATE_LIMIT, wait=WAIT_SECONDS), "429 10006 10018 170222 177006"),
    f"403 {FREQUENT}": Refusal(Trouble.RATE_LIMIT, wait=LIMITED_SECONDS),
    **_same(Refusal(Trouble.RATE_LIMIT, wait=BANNED_SECONDS), "10009"),
    # 131092: "User status is abnormal".
    **_same(Refusal(Trouble.ACCOUNT_BLOCKED), "10008 10027 131092"),
    # Compliance rules; an account that has not been upgraded to a Unified Trading Account.
    **_same(Refusal(Trouble.USER_ACTION), "10020 10024 10028"),
    **_same(Refusal(Trouble.USER_ACTION, subject="verification"), "131004"),
    **_same(Refusal(Trouble.REGION), "403"),
    **_same(
        Refusal(Trouble.MAINTENANCE),
        "500 502 503 504 5004 10000 10016 131003 131200 131201 131216 131230 170001 170007 170032 170234",
        "340099 3100197 3400214",
    ),
    **_same(Refusal(Trouble.UNKNOWN), "400 404 10001 10014 10017 10029 100028", *WRITING),
}


class _Outcome(msgspec.Struct):
    ret_code: int | str | None = msgspec.field(default=None, name="retCode")
    older_code: int | str | None = msgspec.field(default=None, name="ret_code")


def check(answer: Answer, subject: str = "") -> None:
    """Raise the `ExchangeError` that an answer means; return when it is a success.

    `subject` names what was asked for, so that a missing permission can be told by name.
    """
    code = _code(answer)
    if code == "0" and answer.status < 400:
        return
    meant = ERRORS.get(code) if code != "0" else None
    raise _refused(answer, meant or _by_status(answer), f"Bybit {code!a}", subject)


def _code(answer: Answer) -> str:
    try:
        outcome = msgspec.json.decode(answer.body, type=_Outcome, strict=False)
    except (msgspec.ValidationError, RecursionError):
        meant = Refusal(Trouble.UNREACHABLE)
    except msgspec.DecodeError:
        meant = Refusal(Trouble.MAINTENANCE)
    else:
        code = outcome.ret_code if outcome.ret_code is not None else outcome.older_code
        if code is not None or answer.status >= 400:
            return str(code if code is not None else "").strip()[:12]
        meant = Refusal(Trouble.UNREACHABLE)
    # A gateway's answers are pages; those that refuse say so by their status alone.
    raise _refused(answer, _by_status(answer) if answer.status >= 400 else meant, "not an answer of Bybit")


def _by_status(answer: Answer) -> Refusal:
    if answer.status == 403 and FREQUENT.encode() in answer.body.lower():
        return ERRORS[f"403 {FREQUENT}"]
    known = ERRORS.get(str(answer.status))
    return known or Refusal(Trouble.MAINTENANCE if answer.status >= 500 else Trouble.UNKNOWN)


def _refused(answer: Answer, refusal: Refusal, what: str, subject: str = "") -> ExchangeError:
    return ExchangeError(
        refusal.trouble,
        f"{what} (HTTP {answer.status})",
        wait=max(refusal.wait, answer.wait),
        subject=refusal.subject or subject,
    )
