"""The practice Kraken's protocol: key, address, signature, nonce, counter and right checked, in that order.

Written from the documents and on purpose not from our client, so that one mistake is not made twice. Refusals
come with HTTP 200, as at the real exchange.
"""

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatbot.practice._faults import Faults, outages
from chatbot.practice._ledger import Key
from chatbot.practice.kraken.account import PracticeKraken
from chatbot.practice.kraken.payloads import PRIVATE, PUBLIC, BadQuery

OPEN, SIGNED = "/0/public/", "/0/private/"
NEEDS: Mapping[str, frozenset[str]] = {
    "Balance": frozenset({"balances"}),
    "BalanceEx": frozenset({"balances"}),
    "TradesHistory": frozenset({"fills"}),
    "GetApiKeyInfo": frozenset(),
    # Known to the exchange and refused here, whoever asks.
    "AddOrder": frozenset({"trade"}),
    "CancelOrder": frozenset({"trade"}),
    "WalletTransfer": frozenset({"transfer"}),
    "Withdraw": frozenset({"withdraw"}),
}
COSTS = {"TradesHistory": 2}
FOREIGN_ADDRESS = "EAPI:IP address not allowed"
# Message: (HTTP status, the message as it is sent). The documents list some without saying who may meet them;
# the one about an address is made up, no document names it.
ERRORS: Mapping[str, tuple[int, str]] = {
    message: (200, message)
    for message in (
        "EAPI:Bad request",
        "EAPI:Feature disabled",
        FOREIGN_ADDRESS,
        "EAPI:Invalid key",
        "EAPI:Invalid nonce",
        "EAPI:Invalid signature",
        "EAPI:Rate limit exceeded",
        "EAccount:Invalid permissions",
        "EAuth:Account temporary disabled",
        "EAuth:Account unconfirmed",
        "EAuth:Rate limit exceeded",
        "EAuth:Too many requests",
        "EBM:limit exceeded:CAL",
        "EDatabase:Internal error",
        "EFunding:Invalid amount",
        "EFunding:Max fee exceeded",
        "EFunding:No funding method",
        "EFunding:Too many addresses",
        "EFunding:Unknown asset",
        "EFunding:Unknown withdraw key",
        "EGeneral:Internal error",
        "EGeneral:Invalid arguments",
        "EGeneral:Invalid arguments:Index unavailable",
        "EGeneral:Permission denied",
        "EGeneral:Temporary lockout",
        "EGeneral:Too many requests",
        "EGeneral:Unknown method",
        "EOrder:Cancel pending",
        "EOrder:Cannot open opposing position",
        "EOrder:Cannot open position",
        "EOrder:Cost minimum not met",
        "EOrder:Domain rate limit exceeded",
        "EOrder:Insufficient funds",
        "EOrder:Insufficient initial margin",
        "EOrder:Insufficient margin",
        "EOrder:Invalid order",
        "EOrder:Invalid price",
        "EOrder:Margin allowance exceeded",
        "EOrder:Margin level too low",
        "EOrder:Margin position size exceeded",
        "EOrder:Order minimum not met",
        "EOrder:Order not editable",
        "EOrder:Orders limit exceeded",
        "EOrder:Positions limit exceeded",
        "EOrder:Rate limit exceeded",
        "EOrder:Reduce only:No position exists",
        "EOrder:Reduce only:Non-PC",
        "EOrder:Reduce only:Position is closed",
        "EOrder:Scheduled orders limit exceeded",
        "EOrder:Tick size check failed",
        "EOrder:Trading agreement required",
        "EOrder:Unknown order",
        "EOrder:Unknown position",
        "EQuery:Invalid asset pair",
        "EQuery:Unknown asset",
        "EQuery:Unknown asset pair",
        "EService:Busy",
        "EService:Deadline elapsed",
        "EService:Market in cancel_only mode",
        "EService:Market in limit_only mode",
        "EService:Market in post_only mode",
        "EService:Throttled",
        "EService:Unavailable",
        "ESession:Invalid session",
        "ETrade:Invalid request",
        "ETrade:Locked",
        "ETrade:User Locked",
    )
}
FAULTS: Faults = outages(
    {"error": [], "result": {"XXBT": {"balance": "0.5", "hold_trade": "0.1"}}},
    empty={"error": []},
    elsewhere=f"{OPEN}Time",
)


def error(message: str) -> Response:
    """Answer with a documented error."""
    status, text = ERRORS[message]
    return JSONResponse({"error": [text]}, status)


async def answer(practice: PracticeKraken, request: Request) -> Response:
    """Answer a request to `/0/…` as Kraken would."""
    practice.requests.append((request.method, request.url.path))
    name = request.url.path.rpartition("/")[2]
    fault = practice.fault_for(name)
    if fault:
        return FAULTS[fault]() if fault in FAULTS else error(fault)
    try:
        if request.url.path.startswith(OPEN):
            return _public(practice, request, name)
        return _private(practice, request, name, await request.body())
    except BadQuery as bad:
        return error(str(bad))


def _public(practice: PracticeKraken, request: Request, name: str) -> Response:
    if request.method != "GET":
        return error("EGeneral:Unknown method")
    return _success(PUBLIC[name](practice, request.query_params))


def _private(practice: PracticeKraken, request: Request, name: str, body: bytes) -> Response:
    given = dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
    refusal = _refusal(practice, request, name, body, given)
    if refusal:
        return error(refusal)
    if name not in PRIVATE:
        return error("EAPI:Feature disabled")
    return _success(PRIVATE[name](practice, {**given, "api_key": request.headers["api-key"]}))


def _success(result: Any) -> Response:
    return JSONResponse({"error": [], "result": result})


def _refusal(
    practice: PracticeKraken, request: Request, name: str, body: bytes, given: Mapping[str, str]
) -> str:
    """Return the message that refuses a signed request, empty when all is well; the nonce is then used up."""
    key = practice.keys.get(request.headers.get("api-key", ""))
    if key is None or not key.active or (key.expires_at and key.expires_at <= practice.clock()):
        return "EAPI:Invalid key"
    if not _at_home(key, request):
        return FOREIGN_ADDRESS
    nonce = given.get("nonce", "")
    plain = nonce.isascii() and nonce.isdigit() and int(nonce[:20]) < 2**64
    if request.method != "POST" or not plain:
        return "EAPI:Bad request" if request.method != "POST" else "EAPI:Invalid nonce"
    if not _signed(request, key, nonce, body):
        return "EAPI:Invalid signature"
    if int(nonce) <= key.nonce:
        return "EAPI:Invalid nonce"
    key.nonce = int(nonce)
    if practice.count(request.headers["api-key"], COSTS.get(name, 1)):
        return "EAPI:Rate limit exceeded"
    return "" if key.permissions >= NEEDS[name] else "EGeneral:Permission denied"


def _at_home(key: Key, request: Request) -> bool:
    caller = request.client.host if request.client else ""
    if not key.addresses:
        return True
    return any(ipaddress.ip_address(caller) in ipaddress.ip_network(each) for each in key.addresses)


def _signed(request: Request, key: Key, nonce: str, body: bytes) -> bool:
    inner = hashlib.sha256(nonce.encode() + body).digest()
    mac = hmac.new(base64.b64decode(key.secret), request.url.path.encode() + inner, hashlib.sha512)
    expected = base64.b64encode(mac.digest())
    return hmac.compare_digest(expected, request.headers.get("api-sign", "").encode())
