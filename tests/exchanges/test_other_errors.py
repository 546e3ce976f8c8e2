"""What refusals that come through ccxt mean: driven over HTTP, and row by row through ccxt's own handlers."""

import json

import ccxt.async_support as ccxt
import pytest

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.other import errors
from chatbot.exchanges.other.unified import BALANCES, Library
from tests.support.clock import VirtualClock
from tests.support.venues import KEY, SECRET, venue
from tests.support.venues import exchange as opened_as

HTML = "<!DOCTYPE html><html><body>Error</body></html>"
# Exchange, HTTP status, body, what it means: the rows of the measured table, and what ccxt gets wrong in it.
ROWS = [
    ("kraken", 200, {"error": ["EAPI:Invalid key"]}, Trouble.BAD_KEY),
    ("kraken", 200, {"error": ["EGeneral:Permission denied"]}, Trouble.NO_PERMISSION),
    ("kraken", 200, {"error": ["EAPI:Invalid nonce"]}, Trouble.CLOCK_OR_NONCE),
    ("kraken", 200, {"error": ["EAPI:Rate limit exceeded"]}, Trouble.RATE_LIMIT),
    ("binanceus", 401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, Trouble.BAD_KEY),
    ("binanceus", 400, {"code": -1022, "msg": "Signature for this request is not valid."}, Trouble.BAD_SECRET),
    ("binanceus", 451, {"code": 0, "msg": "Service unavailable from a restricted location"}, Trouble.REGION),
    ("bybiteu", 200, {"retCode": 10010, "retMsg": "Unmatched IP, please check your API key's bound IP addresses."}, Trouble.IP_BLOCKED),
    ("bybiteu", 200, {"retCode": 33004, "retMsg": "Your api key has expired."}, Trouble.EXPIRED),
    ("bybiteu", 200, {"retCode": 10003, "retMsg": "API key is invalid."}, Trouble.BAD_KEY),
    ("bybiteu", 403, HTML, Trouble.REGION),
    ("okxus", 401, {"code": "50110", "msg": "Your IP is not included in your API key's IP whitelist."}, Trouble.IP_BLOCKED),
    ("okxus", 401, {"code": "50111", "msg": "Invalid OK-ACCESS-KEY"}, Trouble.BAD_KEY),
    ("okxus", 401, {"code": "50105", "msg": "Request header OK-ACCESS-PASSPHRASE incorrect."}, Trouble.BAD_SECRET),
    ("okxus", 401, {"code": "50119", "msg": "API key doesn't exist"}, Trouble.BAD_KEY),
    ("kucoin", 400, {"code": "400006", "msg": "The requested ip address is not in the api whitelist"}, Trouble.IP_BLOCKED),
    ("kucoin", 400, {"code": "400003", "msg": "KC-API-KEY not exists"}, Trouble.BAD_KEY),
    ("kucoin", 400, {"code": "400004", "msg": "Invalid KC-API-PASSPHRASE"}, Trouble.BAD_SECRET),
    ("kucoin", 400, {"code": "400007", "msg": "Access denied, require more permission."}, Trouble.NO_PERMISSION),
    ("kucoin", 400, {"code": "400002", "msg": "KC-API-TIMESTAMP Invalid"}, Trouble.CLOCK_OR_NONCE),
    ("kucoin", 200, {"code": "411100", "msg": "User are frozen."}, Trouble.ACCOUNT_BLOCKED),
    ("kucoin", 429, {"code": "429000", "msg": "Too many requests"}, Trouble.RATE_LIMIT),
    ("mexc", 400, {"code": 10072, "msg": "Api key info invalid"}, Trouble.BAD_KEY),
    ("mexc", 400, {"code": 700006, "msg": "IP [1.2.3.4] not in the ip white list"}, Trouble.IP_BLOCKED),
    ("mexc", 403, {"code": 700007, "msg": "No permission to access the endpoint."}, Trouble.NO_PERMISSION),
    ("htx", 200, {"code": 1002, "message": "forbidden"}, Trouble.NO_PERMISSION),
    ("bitget", 400, {"code": "40018", "msg": "Invalid IP"}, Trouble.IP_BLOCKED),
    ("bitget", 400, {"code": "40037", "msg": "Apikey does not exist"}, Trouble.BAD_KEY),
    ("bitget", 400, {"code": "40014", "msg": "Incorrect permissions, need spot read permissions"}, Trouble.NO_PERMISSION),
    ("gateeu", 403, {"label": "IP_FORBIDDEN", "message": "IP not in whitelist"}, Trouble.IP_BLOCKED),
    ("gateeu", 403, {"label": "FORBIDDEN", "message": "API key does not have the required permission"}, Trouble.NO_PERMISSION),
    ("gateeu", 401, {"label": "INVALID_KEY", "message": "Invalid key provided"}, Trouble.BAD_KEY),
    ("cryptocom", 401, {"code": 40103, "message": "IP_ILLEGAL"}, Trouble.IP_BLOCKED),
    ("cryptocom", 401, {"code": 40101, "message": "UNAUTHORIZED"}, Trouble.BAD_KEY),
    ("bitvavo", 403, {"errorCode": 307, "error": "This key does not allow access from this IP."}, Trouble.IP_BLOCKED),
    ("bitvavo", 403, {"errorCode": 309, "error": "The signature is invalid."}, Trouble.BAD_SECRET),
    ("whitebit", 401, {"code": 10, "message": "Unauthorized request."}, Trouble.BAD_KEY),
    ("whitebit", 422, {"code": 2, "message": "This action is unauthorized. Enable your key in API settings"}, Trouble.NO_PERMISSION),
    ("krakenfutures", 200, {"result": "error", "error": "nonceBelowThreshold"}, Trouble.CLOCK_OR_NONCE),
]  # fmt: skip


def judged(name: str, status: int, body: object) -> ExchangeError:
    """Feed an answer to ccxt's own handlers, as the guard does, and return what we make of it."""
    text = body if isinstance(body, str) else json.dumps(body)
    instance = getattr(ccxt, name)()
    parsed = instance.parse_json(text)
    seen = errors.look(status, "text/html" if text.startswith("<") else "application/json", text, parsed, 0)
    try:
        instance.handle_errors(status, "", "path", "GET", {}, text, parsed, {}, None)
        instance.handle_http_status_code(status, "", "path", "GET", "")
    except ccxt.BaseError as error:
        kinds = tuple(kind.__name__ for kind in type(error).__mro__)
        return errors.refused(name, seen, kinds, "balances")
    assert errors.hidden(name, parsed) or parsed is None
    return errors.refused(name, seen, ("BadResponse",), "balances")


@pytest.mark.parametrize(("name", "status", "body", "trouble"), ROWS)
def test_each_row_of_the_table_has_its_meaning(name, status, body, trouble):
    """A wrong address, a missing tick and a dead key are told apart, whatever class ccxt puts them in."""
    error = judged(name, status, body)

    assert error.trouble is trouble
    assert (error.subject == "balances") is (trouble is Trouble.NO_PERMISSION)
    assert error.wait >= 60 or trouble is not Trouble.RATE_LIMIT


@pytest.mark.parametrize(
    ("kind", "status", "text", "trouble"),
    [
        (ccxt.AuthenticationError, 401, "", Trouble.BAD_KEY),
        (ccxt.AuthenticationError, 401, "ip is not on the white list", Trouble.IP_BLOCKED),
        (ccxt.AuthenticationError, 401, "your api key has expired", Trouble.EXPIRED),
        (ccxt.AuthenticationError, 401, "timestamp too old", Trouble.CLOCK_OR_NONCE),
        (ccxt.AuthenticationError, 401, "signature mismatch", Trouble.BAD_SECRET),
        (ccxt.PermissionDenied, 403, "", Trouble.NO_PERMISSION),
        (ccxt.AccountNotEnabled, 403, "", Trouble.USER_ACTION),
        (ccxt.AccountSuspended, 403, "", Trouble.ACCOUNT_BLOCKED),
        (ccxt.ManualInteractionNeeded, 200, "", Trouble.USER_ACTION),
        (ccxt.RestrictedLocation, 200, "", Trouble.REGION),
        (ccxt.RateLimitExceeded, 200, "", Trouble.RATE_LIMIT),
        (ccxt.DDoSProtection, 200, "", Trouble.RATE_LIMIT),
        (ccxt.InvalidNonce, 200, "", Trouble.CLOCK_OR_NONCE),
        (ccxt.OnMaintenance, 200, "", Trouble.MAINTENANCE),
        (ccxt.ExchangeNotAvailable, 503, "", Trouble.MAINTENANCE),
        (ccxt.ExchangeNotAvailable, 404, "", Trouble.UNKNOWN),
        (ccxt.RequestTimeout, 0, "", Trouble.UNREACHABLE),
        (ccxt.NullResponse, 200, "", Trouble.UNREACHABLE),
        (ccxt.BadRequest, 400, "", Trouble.UNKNOWN),
        (ccxt.ExchangeError, 200, "", Trouble.UNKNOWN),
        (ccxt.NotSupported, 0, "", Trouble.UNKNOWN),
    ],
)
def test_an_exchange_without_a_row_goes_by_class_and_words(kind, status, text, trouble):
    """The tree of ccxt's errors, with what the exchange's own words add."""
    kinds = tuple(one.__name__ for one in kind.__mro__)

    assert errors.refused("coinmate", errors.Seen(status, (), text), kinds, "fills").trouble is trouble


def test_every_class_of_ccxt_has_a_meaning():
    """Whatever a new release raises is one of our troubles, never a traceback."""
    for kind in vars(ccxt).values():
        if isinstance(kind, type) and issubclass(kind, ccxt.BaseError):
            kinds = tuple(one.__name__ for one in kind.__mro__)
            assert errors.refused("coinmate", errors.Seen(200), kinds, "").trouble in set(Trouble)


@pytest.mark.parametrize(
    ("status", "body", "kind", "trouble"),
    [
        (200, HTML, "text/html", Trouble.MAINTENANCE),
        (503, HTML, "text/html", Trouble.MAINTENANCE),
        (403, HTML, "text/html", Trouble.REGION),
        (451, "", "text/plain", Trouble.REGION),
        (429, "slow down", "text/plain", Trouble.RATE_LIMIT),
        (200, "", "application/json", Trouble.UNREACHABLE),
        (200, '{"code":"200000"', "application/json", Trouble.UNREACHABLE),
        (200, '{"code":"200000","data":[{"currency":"BTC","type":"trade_hf","balance":"NaN","available":"NaN"}]}', "application/json", Trouble.UNREACHABLE),
        (200, '{"code":"200000","data":[{"currency":"BTC","type":"trade_hf","balance":"1e99","available":"1"}]}', "application/json", Trouble.UNREACHABLE),
        (200, '["no"]', "application/json", Trouble.UNKNOWN),
        (200, '{"code":"200000","data":' + "[" * 5000 + "]" * 5000 + "}", "application/json", Trouble.UNREACHABLE),
        (302, "", "text/plain", Trouble.UNREACHABLE),
    ],
)  # fmt: skip
async def test_a_bad_answer_is_an_outage_and_then_over(status, body, kind, trouble):
    """Nonsense is an outage, a web page is maintenance or a closed region; the next good answer is read."""
    async with venue("kucoin") as state:
        exchange = opened_as("kucoin", VirtualClock(), state.origin)
        state.fail("api/v1/accounts", status, body, kind, location="/elsewhere")
        with pytest.raises(ExchangeError) as raised:
            await exchange.client(state.credentials, 0).balances()
        assert await exchange.client(state.credentials, 0).balances()
        await exchange.close()

    assert raised.value.trouble is trouble
    assert raised.value.wait >= 60 or trouble is not Trouble.RATE_LIMIT


async def test_how_long_to_wait_is_taken_from_the_answer():
    """Retry-After counts when it asks for more than our usual minute."""
    async with venue("kucoin") as state:
        exchange = opened_as("kucoin", VirtualClock(), state.origin)
        await exchange._library.markets()
        state.fail("api/v1/accounts", 429, {"code": "429000", "msg": "Too many"}, **{"retry-after": "120"})
        with pytest.raises(ExchangeError) as raised:
            await exchange.client(state.credentials, 0).balances()
        with pytest.raises(ExchangeError) as held:
            await exchange.client(state.credentials, 0).balances()
        await exchange.close()

    assert (raised.value.trouble, raised.value.wait) == (Trouble.RATE_LIMIT, 120)
    assert held.value.trouble is Trouble.RATE_LIMIT
    assert len(state.signed()) == 3


async def test_the_reason_quotes_nothing_of_a_request():
    """The messages of ccxt hold signed addresses; ours name the exchange, a code and a status."""
    async with venue("bitvavo") as state:
        exchange = opened_as("bitvavo", VirtualClock(), state.origin)
        state.fail(
            "balance", 400, {"errorCode": 309, "error": f"{KEY} {SECRET} bad signature in {state.origin}"}
        )
        with pytest.raises(ExchangeError) as raised:
            await exchange.client(state.credentials, 0).balances()
        await exchange.close()

    assert raised.value.reason == "bitvavo 309 (HTTP 400)"
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


async def test_a_secret_of_another_form_is_told_as_such():
    """Where the secret has to be base64 or a key file, a plain text is a wrong secret and no bug of ours."""
    library = Library("kraken", VirtualClock(), "http://127.0.0.1:9")
    with library.key(Credentials(Secret(KEY), Secret("abcde")), 0) as key:
        key._instance.markets, key._instance.markets_by_id = {"BTC/USD": {}}, {"XXBTZUSD": []}
        with pytest.raises(ExchangeError) as raised:
            await key.read(BALANCES)
    await library.wire.close()

    assert raised.value.trouble is Trouble.BAD_SECRET
    assert raised.value.__context__ is None
