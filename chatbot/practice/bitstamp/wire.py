"""The practice Bitstamp's protocol: headers, nonce, clock, signature and permission checked, answers signed.

Written from the documents and on purpose not from our client, so that one mistake is not made twice.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatbot.practice._faults import HTML, Faults, outages
from chatbot.practice._ledger import Key
from chatbot.practice.bitstamp.account import PracticeBitstamp
from chatbot.practice.bitstamp.payloads import BY_PAIR, INVALID_OFFSET, PRIVATE, PUBLIC, BadQuery, Build

PREFIX = "/api/v2/"
HOST = "www.bitstamp.net"
FORM = "application/x-www-form-urlencoded"
LONGEST_URL = 2000
WINDOW = timedelta(seconds=150)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# How far the numbered response codes of the reference go, by the HTTP status they come with.
NUMBERED = {400: 85, 403: 10, 404: 8, 500: 23}
# code: (HTTP status, reason), as in the documents; a text is what older services answer without a code.
ERRORS: Mapping[str, tuple[int, str]] = {
    **{
        f"{status}.{number:03}": (status, "Request rejected")
        for status, last in NUMBERED.items()
        for number in range(1, last + 1)
    },
    "API0001": (403, "API key not found"),
    "API0002": (403, "IP address not allowed"),
    "API0003": (403, "No permission found"),
    "API0004": (403, "Invalid nonce"),
    "API0005": (403, "Invalid signature"),
    "API0006": (403, "Your account is frozen"),
    "API0008": (403, "Authentication failed"),
    "API0009": (403, "Please update your profile with your FATCA information, before using API."),
    "API0010": (403, "Invalid X-Auth-Version"),
    "API0011": (403, "Wrong API key format"),
    "API0012": (403, "X-Auth header is missing"),
    "API0013": (403, "X-Auth-Signature header is missing"),
    "API0014": (403, "X-Auth-Nonce header is missing"),
    "API0015": (403, "X-Auth-Timestamp header is missing"),
    "API0016": (403, "X-Auth-Version header is missing"),
    "API0017": (403, "X-Auth-Timestamp header is out of boundaries"),
    "API0018": (403, "X-Auth-Timestamp header is invalid"),
    "API0019": (403, "Content-Type header is invalid"),
    "API0020": (400, "Content-Type header must be absent when there is no body"),
    "API0021": (414, "The URL is too long"),
    "API5506": (400, "Not a derivatives account"),
    "400.002": (429, "Request rejected due to exceeded rate limit."),
    "400.067": (429, "Request rejected due to exceeded client rate limit."),
    "400.068": (429, "Request rejected due to exceeded market rate limit."),
    "403.001": (403, "User verification failed."),
    "403.004": (403, "Trading is currently unavailable for your account."),
    "404.004": (404, "Trade account not found"),
    "405.001": (405, "GET method not allowed."),
    "410.001": (410, "Requested endpoint is deprecated."),
    "API key not found": (403, ""),
    "Authentication failed": (403, ""),
    "IP address not allowed": (403, ""),
    "Invalid nonce": (403, ""),
    INVALID_OFFSET: (400, ""),
    "Invalid signature": (403, ""),
    "Missing key, signature and nonce parameters": (403, ""),
    "No permission found": (403, ""),
    "Please update your profile with your FATCA information, before using API.": (403, ""),
    "Trading is currently unavailable for your account.": (403, ""),
    "Wrong API key format": (403, ""),
    "Your account is frozen": (403, ""),
    "Bitstamp.net is under scheduled maintenance. We'll be back soon.": (200, ""),
}
FAULTS: Faults = outages(
    [{"currency": "btc", "total": "0.5", "available": "0.4", "reserved": "0.1"}],
    empty=[],
    elsewhere=f"{PREFIX}ticker/",
)
# A good answer without its signature, with that of another request, and with another's secret.
SIGNATURE_FAULTS = frozenset({"unsigned", "replayed", "forged"})
MISSING = {
    "x-auth": "API0012",
    "x-auth-signature": "API0013",
    "x-auth-nonce": "API0014",
    "x-auth-timestamp": "API0015",
    "x-auth-version": "API0016",
}
NEEDS = {
    "account_balances": {"balances"},
    "user_transactions": {"fills"},
    "open_orders/all": {"orders", "trade"},
    "fees/trading": {"balances"},
    "withdrawal-requests": {"list_withdrawals"},
    "websockets_token": {"balances", "fills"},
}


def error(code: str) -> Response:
    """Answer with a documented error."""
    status, reason = ERRORS[code]
    if not reason:
        return JSONResponse({"error": code}, status)
    return JSONResponse({"status": "error", "reason": reason, "code": code}, status)


async def answer(practice: PracticeBitstamp, request: Request) -> Response:
    """Answer a request to `/api/v2/…` as Bitstamp would, and sign the answer for a key it knows."""
    name = request.url.path.removeprefix(PREFIX).strip("/")
    practice.requests.append((request.method, request.url.path))
    body = await request.body()
    fault = practice.fault_for(name)
    response = _spoilt(fault) or _answer(practice, request, name, body)
    key = practice.keys.get(request.headers.get("x-auth", "").removeprefix("BITSTAMP "))
    if key is not None and fault != "unsigned":
        _sign(response, request, key, fault)
    return response


def _spoilt(fault: str) -> Response | None:
    if fault in FAULTS:
        return FAULTS[fault]()
    return error(fault) if fault in ERRORS else None


def _answer(practice: PracticeBitstamp, request: Request, name: str, body: bytes) -> Response:
    head, _, pair = name.rpartition("/")
    if head in BY_PAIR:
        name = head
    else:
        pair = ""
    if not request.url.path.endswith("/") or not (
        name in PUBLIC or name in PRIVATE or request.method == "POST"
    ):
        return Response(HTML, 404, media_type="text/html")
    if name in PUBLIC:
        return (
            _respond(PUBLIC[name], practice, {"pair": pair}) if request.method == "GET" else error("405.001")
        )
    if request.method != "POST":
        return error("405.001")
    code = _refusal(practice, request, body) or _denied(practice, request, name)
    query = {**dict(parse_qsl(body.decode("latin-1"))), "pair": pair}
    return error(code) if code else _respond(PRIVATE[name], practice, query)


def _respond(build: Build, practice: PracticeBitstamp, query: Mapping[str, str]) -> Response:
    try:
        return JSONResponse(build(practice, query))
    except BadQuery as bad:
        if str(bad) in ERRORS:
            return error(str(bad))
        return JSONResponse({"status": "error", "reason": {"__all__": [str(bad)]}}, 400)


def _denied(practice: PracticeBitstamp, request: Request, name: str) -> str:
    """Return the code for a missing permission; there is no write here, so nobody may do any."""
    key = practice.keys[request.headers["x-auth"].removeprefix("BITSTAMP ")]
    return "" if key.permissions & NEEDS.get(name, set()) else "API0003"


def _refusal(practice: PracticeBitstamp, request: Request, body: bytes) -> str:
    """Return the error code for a private request, empty when all is well; the nonce is then used up."""
    missing = next((code for name, code in MISSING.items() if name not in request.headers), "")
    scheme, _, name = request.headers.get("x-auth", "").partition(" ")
    checks: list[tuple[str, Callable[[], bool]]] = [
        ("400.002", lambda: not practice.over_limit()),
        ("API0021", lambda: len(str(request.url)) <= LONGEST_URL),
        (missing, lambda: not missing),
        ("API0010", lambda: request.headers["x-auth-version"] == "v2"),
        ("API0011", lambda: scheme == "BITSTAMP" and name.isascii() and name.isalnum()),
        ("API0001", lambda: name in practice.keys and practice.keys[name].active),
        ("API0020", lambda: bool(body) or "content-type" not in request.headers),
        ("API0019", lambda: not body or request.headers.get("content-type") == FORM),
        ("API0018", lambda: bool(re.fullmatch("[0-9]{1,15}", request.headers["x-auth-timestamp"]))),
        ("API0017", lambda: _in_time(practice, int(request.headers["x-auth-timestamp"]))),
        ("API0005", lambda: _signed(request, practice.keys[name].secret, body)),
        ("API0004", lambda: _fresh(practice, name, request.headers["x-auth-nonce"])),
    ]
    return next((code for code, fine in checks if not fine()), "")


def _in_time(practice: PracticeBitstamp, milliseconds: int) -> bool:
    return abs(practice.clock().timestamp() - milliseconds / 1000) <= WINDOW.total_seconds()


def _fresh(practice: PracticeBitstamp, key: str, nonce: str) -> bool:
    return bool(UUID.fullmatch(nonce)) and practice.take(key, nonce)


def _signed(request: Request, secret: str, body: bytes) -> bool:
    query = request.scope["query_string"].decode("latin-1")
    target = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    headers = {name: request.headers.get(name, "") for name in (*MISSING, "content-type", "host")}
    rest = (
        f"{target}{headers['content-type']}{headers['x-auth-nonce']}"
        f"{headers['x-auth-timestamp']}{headers['x-auth-version']}"
    )
    # The production host is signed, whatever the address. ccxt signs the address it was given, and cuts
    # off only `https://`; a server that is reached under that address takes it for its own.
    return any(
        hmac.compare_digest(
            _digest(secret, f"{headers['x-auth']}{request.method}{host}{rest}".encode() + body),
            headers["x-auth-signature"].lower().encode(),
        )
        for host in (HOST, headers["host"], f"http://{headers['host']}")
    )


def _sign(response: Response, request: Request, key: Key, fault: str) -> None:
    if not isinstance(getattr(response, "body", None), bytes):
        return
    nonce = "another" if fault == "replayed" else request.headers.get("x-auth-nonce", "")
    secret = "another" if fault == "forged" else key.secret
    text = f"{nonce}{request.headers.get('x-auth-timestamp', '')}{response.headers.get('content-type', '')}"
    signature = _digest(secret, text.encode() + bytes(response.body))
    response.headers["X-Server-Auth-Signature"] = signature.decode()


def _digest(secret: str, text: bytes) -> bytes:
    return hmac.new(secret.encode(), text, "sha256").hexdigest().encode()
