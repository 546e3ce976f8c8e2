"""The practice OKX's protocol: headers, clock, passphrase, signature, addresses and rights are checked.

Written from the documents and on purpose not from our client, so that one mistake is not made twice.
"""

import base64
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatbot.practice._faults import Faults, outages
from chatbot.practice._ledger import Key
from chatbot.practice.okx.account import PracticeOKX
from chatbot.practice.okx.markets import PUBLIC
from chatbot.practice.okx.payloads import NOBODY, PRIVATE, BadQuery, Build

PREFIX = "/api/v5/"
WINDOW = timedelta(seconds=30)
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LATER = "Please try again later."
# code: (HTTP status, message), as in the documents' tables; who asks with a key that is unknown or may not
# is answered with 401, whatever the table says. What only traders or borrowers meet has no text here.
ERRORS: Mapping[str, tuple[int, str]] = {
    **dict.fromkeys(
        (
            *("50016", "50017", "50018", "50020", "50021", "50023", "50024", "50025", "50028", "50032"),
            *("50033", "50036", "50037", "50038", "50039", "50042", "50044", "50045", "50047", "50048"),
            *("50049", "50050", "50052", "50053", "50055", "50056", "50057", "50058", "50063", "50064"),
            *("50067", "50069", "50071", "50072", "50075", "50076", "50077", "50116", "50122", "51001"),
            *("51015", "58000", "58006"),
        ),
        (200, "Refused"),
    ),
    "1": (200, "Operation failed."),
    "2": (200, "Bulk operation partially succeeded."),
    "4088": (200, "You can't trade or deposit until you've verified your identity again."),
    "50000": (400, "Body for POST request cannot be empty."),
    "50001": (503, f"Service temporarily unavailable. {LATER}"),
    "50002": (400, "JSON syntax error"),
    "50004": (400, "API endpoint request timeout."),
    "50005": (410, "API endpoint is inactive or unavailable."),
    "50006": (400, 'Invalid Content-Type. Please use "application/JSON".'),
    "50007": (200, "User blocked."),
    "50008": (200, "User doesn't exist."),
    "50009": (200, "Account is frozen due to stop-out."),
    "50010": (200, "User ID cannot be empty."),
    "50011": (429, "Too Many Requests"),
    "50012": (200, "Account status invalid. Check account status"),
    "50013": (429, f"Systems are busy. {LATER}"),
    "50014": (400, "Parameter instType can not be empty."),
    "50015": (400, "Either parameter quoteCcy or instId is required"),
    "50019": (200, "Account frozen and related operations restricted due to auto-deleveraging (ADL)."),
    "50022": (200, "Account frozen and related operations restricted due to forced liquidation."),
    "50026": (500, "System error. Try again later"),
    "50027": (200, "This account is restricted from trading."),
    "50029": (200, "Your account has triggered OKX risk control."),
    "50030": (200, "You don't have permission to use this API endpoint"),
    "50035": (403, "This endpoint requires that APIKey must be bound to IP"),
    "50040": (200, "Too frequent operations, please try again later"),
    "50041": (200, "Your user ID hasn't been allowlisted."),
    "50046": (200, f"This feature is temporarily unavailable. {LATER}"),
    "50051": (200, "Due to compliance restrictions in your country or region, you cannot use this feature."),
    "50059": (200, "Before you continue, you'll need to complete additional steps."),
    "50060": (
        200,
        "For security and compliance purposes, please complete the identity verification process.",
    ),
    "50061": (200, "You've reached the maximum order rate limit for this account."),
    "50062": (200, "This feature is currently unavailable."),
    "50100": (400, "API frozen, please contact customer service."),
    "50101": (401, "APIKey does not match current environment."),
    "50102": (401, "Timestamp request expired."),
    "50103": (401, 'Request header "OK-ACCESS-KEY" cannot be empty.'),
    "50104": (401, 'Request header "OK-ACCESS-PASSPHRASE" cannot be empty.'),
    "50105": (401, 'Request header "OK-ACCESS-PASSPHRASE" incorrect.'),
    "50106": (401, 'Request header "OK-ACCESS-SIGN" cannot be empty.'),
    "50107": (401, 'Request header "OK-ACCESS-TIMESTAMP" cannot be empty.'),
    "50108": (401, "Exchange ID does not exist."),
    "50109": (401, "Exchange domain does not exist."),
    "50110": (401, "Your IP is not included in your API key's IP whitelist."),
    "50111": (401, "Invalid OK-ACCESS-KEY."),
    "50112": (401, "Invalid OK-ACCESS-TIMESTAMP."),
    "50113": (401, "Invalid signature."),
    "50114": (401, "Invalid authorization."),
    "50115": (405, "Invalid request method."),
    "50118": (200, "To link the app using your API key, your broker needs to share their IP."),
    "50119": (401, "API key doesn't exist"),
    "50120": (401, "This API key doesn't have permission to use this function"),
    "50121": (403, "You can't access our services through the IP address"),
    "51000": (400, "Parameter error"),
    "58004": (200, "Account blocked"),
    "58007": (200, f"Asset API abnormal. {LATER}"),
    "58011": (200, "Please verify your account in order to use the services."),
    "58102": (200, "Rate limit reached. Please refer to API docs and throttle requests accordingly."),
    "59506": (200, "APIKey does not exist"),
    "59508": (200, "The sub account is suspended"),
    "59519": (200, "You can't use this function/feature while it's frozen"),
}
NEEDS = {
    "account/config": "account",
    "account/balance": "balances",
    "asset/balances": "balances",
    "trade/fills": "fills",
    "trade/fills-history": "fills",
}
# Known to the exchange and refused here, whoever asks.
WRITES = ("trade/order", "asset/withdrawal", "asset/transfer")
FAULTS: Faults = outages(
    {"code": "0", "data": [{"details": [{"ccy": "BTC", "availBal": "0.4", "cashBal": "0.5"}]}], "msg": ""},
    empty={"code": "0", "data": [], "msg": ""},
    elsewhere=f"{PREFIX}public/time",
)


def error(code: str) -> Response:
    """Answer with a documented error; those about the key itself carry no data at all."""
    status, message = ERRORS[code]
    if status == 401:
        return JSONResponse({"msg": message, "code": code}, status)
    return JSONResponse({"code": code, "data": [], "msg": message}, status)


async def answer(practice: PracticeOKX, request: Request) -> Response:
    """Answer a request to `/api/v5/…` as OKX would."""
    name = request.url.path.removeprefix(PREFIX).strip("/")
    practice.requests.append((request.method, request.url.path))
    fault = practice.fault_for(name)
    if fault:
        return FAULTS[fault]() if fault in FAULTS else error(fault)
    if name in PUBLIC:
        good = request.method == "GET"
        return _respond(PUBLIC[name], practice, NOBODY, request) if good else error("50115")
    if practice.over_limit():
        return error("50011")
    code = _refusal(practice, request)
    if code:
        return error(code)
    key = practice.keys[request.headers["ok-access-key"]]
    if name in WRITES or NEEDS.get(name, "") not in key.permissions:
        return error("50120")
    return _respond(PRIVATE[name], practice, key, request) if request.method == "GET" else error("50115")


def _respond(build: Build, practice: PracticeOKX, key: Key, request: Request) -> Response:
    try:
        data = build(practice, key, request.query_params)
    except BadQuery as bad:
        return error(str(bad))
    return JSONResponse({"code": "0", "data": data, "msg": ""})


def _refusal(practice: PracticeOKX, request: Request) -> str:
    """Return the error code for a private request, empty when it is from who it says."""
    headers = request.headers
    name = headers.get("ok-access-key", "")
    # A key that ran out is deleted, and then nobody knows it.
    key = practice.keys.get(name, Key("", frozenset(), active=False))
    checks: list[tuple[str, Callable[[], bool]]] = [
        ("50103", lambda: bool(name)),
        ("50106", lambda: bool(headers.get("ok-access-sign"))),
        ("50107", lambda: bool(headers.get("ok-access-timestamp"))),
        ("50104", lambda: bool(headers.get("ok-access-passphrase"))),
        ("50112", lambda: bool(STAMP.fullmatch(headers["ok-access-timestamp"]))),
        ("50102", lambda: _in_time(practice, headers["ok-access-timestamp"])),
        ("50119", lambda: key.active and (key.expires_at is None or practice.clock() < key.expires_at)),
        ("50101", lambda: headers.get("x-simulated-trading", "0") == "0"),
        ("50113", lambda: _signed(request, key.secret)),
        ("50105", lambda: _same(key.passphrase, headers["ok-access-passphrase"])),
        ("50110", lambda: not key.addresses or _address(request) in key.addresses),
    ]
    return next((code for code, fine in checks if not fine()), "")


def _in_time(practice: PracticeOKX, text: str) -> bool:
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return False
    return abs(practice.clock() - at) <= WINDOW


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _signed(request: Request, secret: str) -> bool:
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    text = f"{request.headers['ok-access-timestamp']}{request.method}{path}"
    expected = base64.b64encode(hmac.new(secret.encode(), text.encode(), "sha256").digest()).decode()
    return _same(expected, request.headers["ok-access-sign"])


def _same(one: str, two: str) -> bool:
    return hmac.compare_digest(one.encode(), two.encode())
