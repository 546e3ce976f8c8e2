"""The practice Bybit's protocol: key, time, signature, address and right checked, errors in Bybit's envelope.

Written from the documents and on purpose not from our client, so that one mistake is not made twice.
"""

import hmac
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatbot.practice._faults import Faults, outages
from chatbot.practice._ledger import Key
from chatbot.practice.bybit.account import PracticeBybit, milliseconds
from chatbot.practice.bybit.market import PUBLIC
from chatbot.practice.bybit.payloads import PRIVATE, BadQuery, Build

PATHS = (*PUBLIC, *PRIVATE)
NEEDS = {
    "/v5/account/wallet-balance": "balances",
    "/v5/asset/transfer/query-account-coins-balance": "account",
    "/v5/execution/list": "fills",
    "/v5/account/transaction-log": "fills",
    "/v5/user/query-api": "",
}
USUAL_WINDOW = 5000
COUNTRY = "The Amazon CloudFront distribution is configured to block access from your country."
PAGE = "<HTML><HEAD><TITLE>ERROR</TITLE></HEAD><BODY><H1>{status} ERROR</H1>{text}</BODY></HTML>"


def _many(*spans: str) -> list[str]:
    codes: list[str] = []
    for span in " ".join(spans).split():
        first, _, last = span.partition(":")
        codes += [str(number) for number in range(int(first), int(last or first) + 1)]
    return codes


# Codes of orders, positions, loans and withdrawals: by number only, their texts would be nobody's rehearsal.
WRITING = (
    "-10009 -6029 -6025 -6017 -2015 -2013 -1197 -1140 -1103 -1021 -1004 7001 12137 12141 12201 20001",
    "20003:20023 20031 20070:20071 20084 30001 30003:30005 30007:30037 30041:30045 30049:30052 30054 30057",
    "30063 30067:30068 30074:30075 30078 30133:30136 34026 34036 35015 40004",
    "110001 110003:110073 110075:110080 110082 110083 110085:110087 110092:110094",
    "130000 130006 130021 130074 140001 140003:140070",
    "131001 131002 131075:131091 131093:131099 131202:131215 131217 131227:131229 131231:131232 141004",
    "141025 170005 170010 170011 170019 170031 170033:170037 170105 170115:170117 170121 170124",
    "170130:170137 170139:170151 170157 170159 170190:170204 170206 170207 170209 170210 170212 170213",
    "170215:170221 170223 170224 170226:170230 170241 170310:170313 170371:170372 170709 175000:175010",
    "175012:175017 175027 176001:176040 176132:176139 176201 177000:177005 177007:177015 177019",
    "181000:181014 181017 182000 182021 3100116 3100181 3100198 3100326 3200300 3200316 3200317 3200320",
    "3200403 3400045 3400052:3400054 3400071 3400139 3400208:3400213 3401010 3500402:3500405",
)
# code: (HTTP status, text). A status alone is an answer without an envelope, from a gateway.
ERRORS: Mapping[str, tuple[int, str]] = {
    "400": (400, "Bad request"),
    "401": (401, "Unauthorized"),
    "403": (403, COUNTRY),
    "403 frequent": (403, "access too frequent"),
    "404": (404, "Not found"),
    "429": (429, "Too many requests"),
    "500": (500, "Internal Server Error"),
    "502": (502, "Bad Gateway"),
    "503": (503, "Service Unavailable"),
    "504": (504, "Gateway Timeout"),
    "5004": (200, "Server Timeout"),
    "10000": (200, "Server Timeout"),
    "10001": (200, "Request parameter error."),
    "10002": (200, "invalid request, please check your server timestamp or recv_window param"),
    "10003": (200, "API key is invalid."),
    "10004": (200, "Error sign, please check your signature generation algorithm."),
    "10005": (200, "Permission denied, please check your API key permissions."),
    "10006": (200, "Too many visits. Exceeded the API Rate Limit."),
    "10007": (200, "User authentication failed."),
    "10008": (200, "Common banned, please check your account mode"),
    "10009": (200, "IP has been banned."),
    "10010": (200, "Unmatched IP, please check your API key's bound IP addresses."),
    "10014": (200, "Invalid duplicate request."),
    "10016": (200, "Server error."),
    "10017": (200, "Route not found."),
    "10018": (200, "Exceeded the IP Rate Limit."),
    "10020": (200, "your account is not a unified margin account, please update your account"),
    "10024": (200, "Compliance rules triggered"),
    "10027": (200, "Transactions are banned."),
    "10028": (200, "The API can only be accessed by unified account users."),
    "10029": (200, "The requested symbol is invalid, please check symbol whitelist"),
    "33004": (200, "Your api key has expired."),
    "100028": (200, "The API cannot be accessed by unified account users."),
    "131003": (200, "Internal error"),
    "131004": (200, "KYC needed"),
    "131092": (200, "User status is abnormal"),
    "131200": (200, "Service error"),
    "131201": (200, "Internal error"),
    "131216": (200, "Query balance error"),
    "131230": (200, "The system is busy, please try again later"),
    "170001": (200, "Internal error."),
    "170007": (200, "Timeout waiting for response from backend server."),
    "170032": (200, "Network error. Please try again later"),
    "170222": (200, "Too many requests in this time frame."),
    "170234": (200, "System Error"),
    "177006": (200, "Request frequency limit"),
    "340099": (200, "Server error"),
    "3100197": (200, "Temporary banned due to the upgrade to UTA"),
    "3400214": (200, "Server error, please try again later"),
    **dict.fromkeys(_many(*WRITING), (200, "Refused.")),
}


def _envelope(practice: PracticeBybit, code: int, text: str, result: Any) -> dict[str, Any]:
    return {
        "retCode": code,
        "retMsg": text,
        "result": result,
        "retExtInfo": {},
        "time": milliseconds(practice.clock()),
    }


FAULTS: Faults = outages(
    {
        "retCode": 0,
        "retMsg": "OK",
        "result": {
            "list": [
                {
                    "accountType": "UNIFIED",
                    "totalEquity": "",
                    "coin": [{"coin": "BTC", "walletBalance": "0.5", "locked": "0"}],
                }
            ]
        },
        "retExtInfo": {},
        "time": 1672125441042,
    },
    empty={"retCode": 0, "retMsg": "OK", "result": {"list": []}, "retExtInfo": {}, "time": 1672125441042},
    elsewhere="/v5/market/time",
)


def error(practice: PracticeBybit, code: str) -> Response:
    """Answer with a documented error."""
    status, text = ERRORS[code]
    if status >= 400:
        return Response(PAGE.format(status=status, text=text), status, media_type="text/html")
    return JSONResponse(_envelope(practice, int(code), text, {}), status)


async def answer(practice: PracticeBybit, request: Request) -> Response:
    """Answer a request to `/v5/…` as Bybit would."""
    path = request.url.path
    practice.requests.append((request.method, path))
    fault = practice.fault_for(path)
    if fault:
        return FAULTS[fault]() if fault in FAULTS else error(practice, fault)
    code, key = _refusal(practice, request)
    if code:
        return error(practice, code)
    return _respond(PUBLIC.get(path) or PRIVATE[path], practice, key, request)


def _refusal(practice: PracticeBybit, request: Request) -> tuple[str, Key]:
    """Return the error code for a request, empty when all is well. Nothing here writes, whoever asks."""
    path = request.url.path
    if request.method != "GET":
        return "10017", Key("", frozenset())
    if path in PUBLIC:
        return "", Key("", frozenset())
    if practice.over_limit():
        return "10006", Key("", frozenset())
    code, key = _authenticated(practice, request)
    if not code and NEEDS[path] not in {"", *key.permissions}:
        code = "10005"
    return code, key


def _respond(build: Build, practice: PracticeBybit, key: Key, request: Request) -> Response:
    try:
        result = build(practice, key, request.query_params)
    except BadQuery as bad:
        return error(practice, str(bad))
    now = milliseconds(practice.clock())
    limits = {"X-Bapi-Limit": "50", "X-Bapi-Limit-Status": "49", "X-Bapi-Limit-Reset-Timestamp": str(now)}
    return JSONResponse(_envelope(practice, 0, "OK", result), headers=limits)


def _authenticated(practice: PracticeBybit, request: Request) -> tuple[str, Key]:
    headers = request.headers
    key = practice.keys.get(headers.get("x-bapi-api-key", ""))
    nobody = Key("", frozenset())
    if key is None or not key.active:
        return "10003", nobody
    stamp, window = headers.get("x-bapi-timestamp", ""), headers.get("x-bapi-recv-window", str(USUAL_WINDOW))
    if not _plain_number(stamp) or not _plain_number(window):
        return "10001", nobody
    now = milliseconds(practice.clock())
    if not now - int(window) <= int(stamp) < now + 1000:
        return "10002", nobody
    if not _signed(
        request, key, f"{stamp}{headers['x-bapi-api-key']}{headers.get('x-bapi-recv-window', '')}"
    ):
        return "10004", nobody
    if key.expires_at is not None and not key.addresses and key.expires_at <= practice.clock():
        return "33004", nobody
    if key.addresses and (request.client is None or request.client.host not in key.addresses):
        return "10010", nobody
    return "", key


def _plain_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 16


def _signed(request: Request, key: Key, head: str) -> bool:
    text = head.encode() + request.scope["query_string"]
    expected = hmac.new(key.secret.encode(), text, "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), request.headers.get("x-bapi-sign", "").lower().encode())
