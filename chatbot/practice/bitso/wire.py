"""The practice Bitso's protocol: key, nonce, signature and permission checked, errors with their own status.

Written from the documents and on purpose not from our client, so that one mistake is not made twice.
"""

import hmac
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatbot.practice._faults import Faults, outages
from chatbot.practice.bitso.account import PracticeBitso
from chatbot.practice.bitso.payloads import PRIVATE, PUBLIC, BadQuery, Build

PREFIX = "/api/v3/"
# code: (HTTP status, message), as in the documents' table of errors.
ERRORS: Mapping[str, tuple[int, str]] = {
    "0101": (500, "Unknown error"),
    "0104": (400, "Cannot perform request - nonce must be higher than the last one"),
    "0201": (401, "Invalid Nonce or Invalid Credentials"),
    "0202": (401, "API key is not authorized to execute the requested method"),
    **dict.fromkeys(
        ("0203", "0204", "0205", "0208", "0209", "0210", "0211"), (401, "Sign in on the web page")
    ),
    "0206": (401, "Invalid nonce type"),
    "0207": (401, "Invalid nonce value"),
    "0212": (401, "Access denied"),
    "0213": (401, "IP address not allowed"),
    "0215": (401, "Invalid signature"),
    "0216": (401, "Account restricted"),
    "0301": (400, "Unknown OrderBook"),
    "0303": (400, "Required field missing"),
    "0304": (400, "The field is either invalid or missing"),
    "0320": (400, "Invalid pagination parameters"),
    "0326": (400, "API key is not active"),
    "0330": (400, "Withdrawals are locked"),
    "0701": (400, "Account not verified"),
    "0702": (400, "Required KYC information missing"),
    "0703": (400, "Withdrawals are suspended"),
    "0705": (400, "Account suspended"),
    "0706": (400, "Terms and conditions must be accepted"),
    "0709": (400, "Required KYC data missing"),
    "0801": (420, "Too many requests"),
    "0802": (420, "Too many attempts"),
    "0901": (400, "Method not allowed"),
    "1000": (400, "API is disabled at this time"),
    "1004": (400, "Deprecated"),
    "1008": (400, "Trading is temporarily disabled"),
    "1103": (400, "Method is temporarily disabled"),
}
NEEDS = {
    "balance": "balances",
    "account_status": "account",
    "user_trades": "fills",
    "fees": "balances",
    "ledger": "balances",
    "withdrawals": "balances",
    "open_orders": "trade",
}
# Known to the exchange and refused here, whoever asks.
WRITES = ("orders", "withdrawals/crypto")
FAULTS: Faults = {
    **outages(
        {"success": True, "payload": {"balances": [{"currency": "btc", "available": "0.4", "total": "0.5"}]}},
        empty={"success": True, "payload": {"balances": []}},
        elsewhere=f"{PREFIX}ticker/",
    ),
    # In an envelope that is well so far.
    "deep": lambda: Response('{"success": true, "payload": ' + "[" * 100_000, media_type="application/json"),
}


def error(code: str) -> Response:
    """Answer with a documented error."""
    status, message = ERRORS[code]
    return JSONResponse({"success": False, "error": {"code": code, "message": message}}, status)


async def answer(practice: PracticeBitso, request: Request) -> Response:
    """Answer a request to `/api/v3/…` as Bitso would."""
    name = request.url.path.removeprefix(PREFIX).strip("/")
    practice.requests.append((request.method, request.url.path))
    fault = practice.fault_for(name)
    if fault:
        return FAULTS[fault]() if fault in FAULTS else error(fault)
    if request.method != "GET":
        return error(_refusal(practice, request, "trade") or "0202")
    if name in PUBLIC:
        return _respond(PUBLIC[name], practice, request)
    if name not in PRIVATE:
        return error("0901")
    code = _refusal(practice, request, NEEDS[name])
    return error(code) if code else _respond(PRIVATE[name], practice, request)


def _respond(build: Build, practice: PracticeBitso, request: Request) -> Response:
    try:
        return JSONResponse({"success": True, "payload": build(practice, request.query_params)})
    except BadQuery as bad:
        return error(str(bad))


def _refusal(practice: PracticeBitso, request: Request, permission: str) -> str:
    """Return the error code for a private request, empty when all is well; the nonce is then used up."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    name, _, signed = rest.partition(":")
    nonce, _, signature = signed.partition(":")
    key = practice.keys.get(name)
    if practice.over_limit():
        return "0801"
    if scheme != "Bitso" or key is None:
        return "0201"
    if not key.active:
        return "0326"
    if not (nonce.isascii() and nonce.isdigit() and len(nonce) <= 19):
        return "0206"
    if int(nonce) <= key.nonce:
        return "0207"
    if not _signed(request, key.secret, nonce, signature):
        return "0215"
    key.nonce = int(nonce)
    return "" if permission in key.permissions else "0202"


def _signed(request: Request, secret: str, nonce: str, signature: str) -> bool:
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    expected = hmac.new(secret.encode(), f"{nonce}{request.method}{path}".encode(), "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())
