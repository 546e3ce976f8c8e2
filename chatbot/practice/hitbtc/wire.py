"""The practice HitBTC's protocol: key, timestamp, signature and right checked, errors with their own status.

Written from the documents and on purpose not from our client, so that one mistake is not made twice.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import UTC

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatbot.practice._faults import Faults, outages
from chatbot.practice._ledger import Key
from chatbot.practice.hitbtc.account import PracticeHitBTC, stamp
from chatbot.practice.hitbtc.payloads import PRIVATE, PUBLIC, TEMPLATED, BadQuery, Build

PREFIX = "/api/3/"
USUAL_WINDOW, LARGEST_WINDOW = 10_000, 60_000
DENIED = "Authorization is required or has been failed"
FORBIDDEN = "Action is forbidden for this API key"
# code: (HTTP status, message, description), as in the documents' tables; after a space comes what we call a
# code whose text says more. Those texts are made up: the documents name none.
ERRORS: Mapping[str, tuple[int, str, str]] = {
    "403": (401, "Action is forbidden for account", ""),
    "403 address": (401, "Action is forbidden for account", "IP address is not in the white list"),
    "429": (429, "Too many requests", "Action is being rate limited for account"),
    "500": (500, "Internal Server Error", ""),
    "503": (503, "Service Unavailable", "Try it again later"),
    "504": (504, "Gateway Timeout", "Check the result of your request later"),
    "600": (400, "Action not allowed", ""),
    "1001": (401, "Authorization required", ""),
    "1002": (401, DENIED, ""),
    "1002 address": (401, DENIED, "IP address is not in the white list"),
    "1002 signature": (401, DENIED, "Signature verification failed"),
    "1002 timestamp": (401, DENIED, "Timestamp is outside of the window"),
    "1003": (403, FORBIDDEN, "Check permissions for API key"),
    "1003 address": (403, FORBIDDEN, "IP address is not in the white list"),
    "1004": (401, "Unsupported authorization method", ""),
    "1004 timestamp": (401, "Unsupported authorization method", "Timestamp is not a number"),
    "1005": (401, "Authorization failed", ""),
    "1005 address": (401, "Authorization failed", "IP address is not in the white list"),
    "1005 timestamp": (401, "Authorization failed", "Timestamp is outside of the window"),
    "2001": (400, "No such symbol", "Try get /public/symbol, to get list of all available symbols."),
    "2002": (400, "Currency not found", ""),
    "10001": (400, "Validation error", "see more in the message"),
    "10021": (400, "User disabled", ""),
    "20010": (400, "Exchange temporary closed", ""),
    "20044": (400, "Permission denied", ""),
    "21003": (400, "Account is suspended", ""),
    "21004": (400, "Account is suspended", ""),
    "20001": (400, "Insufficient funds", "Check that the funds are sufficient, given commissions"),
    "20002": (400, "Order not found", ""),
    "20003": (400, "Limit exceeded", "Withdrawal limit exceeded"),
    # Known by number only, from the list that ccxt maps: codes of orders and withdrawals.
    **dict.fromkeys(
        (
            *("800", "2003", "2010", "2011", "2012", "2020", "2022", "2024", "10022", "20004", "20005"),
            *("20006", "20007", "20008", "20009", "20011", "20012", "20014", "20016", "20018", "20031"),
            *("20032", "20033", "20034", "20040", "20041", "20042", "20043", "20045", "20047", "20048"),
            *("20049", "20080", "21001", "22004", "22008"),
        ),
        (400, "Refused", ""),
    ),
}
# Here an empty list of balances is a good answer, for an account that holds nothing; an object is none.
FAULTS: Faults = outages(
    [{"currency": "BTC", "available": "0.5", "reserved": "0"}], empty={}, elsewhere=f"{PREFIX}public/ticker"
)
NEEDS = {
    "spot/balance": "balances",
    "spot/history/trade": "fills",
    "spot/order": "trade",
    "spot/fee": "trade",
    "wallet/balance": "transfer",
    "wallet/transactions": "transfer",
    "sub-account": "",
}


def error(practice: PracticeHitBTC, request: Request, code: str) -> Response:
    """Answer with a documented error."""
    status, message, description = ERRORS[code]
    told = {"code": int(code.partition(" ")[0]), "message": message}
    body = {
        "timestamp": stamp(practice.clock()),
        "error": told | ({"description": description} if description else {}),
        "path": request.url.path,
        "requestId": "00000000-00000001",
    }
    return JSONResponse(body, status)


async def answer(practice: PracticeHitBTC, request: Request) -> Response:
    """Answer a request to `/api/3/…` as HitBTC would."""
    name, part = _split(request.url.path.removeprefix(PREFIX))
    practice.requests.append((request.method, request.url.path))
    fault = practice.fault_for(name)
    if fault:
        return FAULTS[fault]() if fault in FAULTS else error(practice, request, fault)
    code = _refusal(practice, request, name)
    if code:
        return error(practice, request, code)
    return _respond(PUBLIC.get(name) or PRIVATE[name], practice, request, part)


def _split(path: str) -> tuple[str, str]:
    """Part `spot/fee/BTCUSDT` into its endpoint and what is asked for."""
    name, _, part = path.rpartition("/")
    return (name, part) if name in TEMPLATED else (path, "")


def _refusal(practice: PracticeHitBTC, request: Request, name: str) -> str:
    """Return the error code for a request, empty when all is well. Nothing here writes, whoever asks."""
    if name in PUBLIC and request.method == "GET":
        return ""
    if practice.over_limit():
        return "429"
    code, key = _authenticated(practice, request)
    if key is None:
        return code
    if request.method != "GET" or name not in PRIVATE:
        return "1003" if "trade" not in key.permissions else "600"
    return "" if NEEDS[name] in {"", *key.permissions} else "1003"


def _respond(build: Build, practice: PracticeHitBTC, request: Request, part: str) -> Response:
    try:
        return JSONResponse(build(practice, request.query_params, part))
    except BadQuery as bad:
        return error(practice, request, str(bad))


def _authenticated(practice: PracticeHitBTC, request: Request) -> tuple[str, Key | None]:
    scheme, _, packed = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return "1001", None
    # The real exchange takes Basic too; it sends the secret itself, so nobody should rehearse it.
    if scheme != "HS256":
        return "1004", None
    try:
        parts = base64.b64decode(packed, validate=True).decode("ascii").split(":")
    except (binascii.Error, UnicodeDecodeError):
        return "1002", None
    if len(parts) not in {3, 4} or not all(_plain_number(text) for text in parts[2:]):
        return "1002", None
    key = practice.keys.get(parts[0])
    if key is None or not key.active or not _signed(request, key.secret, parts):
        return "1002", None
    return ("", key) if _in_time(practice, parts) else ("1002 timestamp", None)


def _plain_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 16


def _in_time(practice: PracticeHitBTC, parts: list[str]) -> bool:
    window = int(parts[3]) if len(parts) == 4 else USUAL_WINDOW
    now = practice.clock().astimezone(UTC).timestamp() * 1000
    return window <= LARGEST_WINDOW and abs(now - int(parts[2])) <= window


def _signed(request: Request, secret: str, parts: list[str]) -> bool:
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    text = f"{request.method}{path}{''.join(parts[2:])}"
    expected = hmac.new(secret.encode(), text.encode(), "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), parts[1].encode())
