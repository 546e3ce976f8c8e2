"""The practice Binance's protocol: key, time, signature, address and tick checked, errors as documented.

Written from the documents and on purpose not from our client, so that one mistake is not made twice.
"""

import hmac
import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatbot.practice._faults import HTML, Faults, outages
from chatbot.practice._ledger import Key
from chatbot.practice.binance.account import READS, PracticeBinance
from chatbot.practice.binance.payloads import PRIVATE, PUBLIC, SAMPLE, WEIGHTS, BadQuery, now_ms

USUAL_WINDOW, LARGEST_WINDOW, MOST_AHEAD = 5_000, 60_000, 1_000
KEY_FORMAT = re.compile(r"[0-9A-Za-z]{64}")
# Real paths that write; nobody who rehearses here can do anything with them.
WRITES = ("/api/v3/order", "/sapi/v1/capital/withdraw/apply")
PATHS = (*PUBLIC, *PRIVATE, *WRITES)
PLACED = "See the documents of orders."
# code: (HTTP status, msg), the words of errors.md and of the wallet API; statuses come without a code.
ERRORS: Mapping[str, tuple[int, str]] = {
    "-1000": (500, "An unknown error occurred while processing the request."),
    "-1001": (500, "Internal error; unable to process your request. Please try again."),
    "-1002": (401, "You are not authorized to execute this request."),
    "-1003": (429, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."),
    "-1004": (503, "Server is busy, please wait and try again"),
    "-1005": (403, "No such IP has been white listed"),
    "-1006": (500, "An unexpected response was received from the message bus. Execution status unknown."),
    "-1007": (504, "Timeout waiting for response from backend server. Send status unknown."),
    "-1008": (503, "Server is currently overloaded with other requests. Please try again in a few minutes."),
    "-1011": (403, "This IP cannot access this route."),
    "-1015": (429, "Too many new orders; current limit is 100 orders per 10 SECOND."),
    "-1016": (503, "This service is no longer available."),
    "-1021": (400, "Timestamp for this request is outside of the recvWindow."),
    "-1022": (400, "Signature for this request is not valid."),
    "-1034": (400, "Too many concurrent connections; current limit is '10'."),
    "-1099": (401, "Not found, authenticated, or authorized"),
    "-1100": (400, "Illegal characters found in a parameter."),
    "-1102": (400, "A mandatory parameter was not sent, was empty/null, or malformed."),
    "-1121": (400, "Invalid symbol."),
    "-1122": (400, "Invalid symbolStatus."),
    "-1127": (400, "More than 24 hours between startTime and endTime."),
    "-1128": (400, "Combination of optional parameters invalid."),
    "-1131": (400, "recvWindow must be less than 60000."),
    "-2008": (401, "Invalid Api-Key ID."),
    "-2014": (401, "API-key format invalid."),
    "-2015": (401, "Invalid API-key, IP, or permissions for action."),
    "-2017": (400, "API Keys are locked on this account."),
    "-3000": (500, "Internal server error."),
    "-3001": (400, "Please enable 2FA first."),
    "-3022": (400, "You account's trading is banned."),
    "-3044": (400, "System busy."),
    "-4004": (400, "You don't login or auth."),
    "-4005": (400, "Too many new requests."),
    "-4013": (400, "2FA is not opened."),
    "-4044": (400, "This is a blacklist country."),
    "-4046": (400, "Agreement not confirmed."),
    "-6009": (400, "Request frequency too high"),
    "-10001": (400, "The system is under maintenance, please try again later."),
    "-12014": (400, "More than 1 request in 2 seconds"),
    "403": (403, HTML),
    "418": (418, "Way too much request weight used; IP banned until 1795000120000."),
    "429": (429, "Too many requests."),
    "451": (451, "Service unavailable from a restricted location according to 'b. Eligibility'."),
    "500": (500, HTML),
    "502": (502, HTML),
    "503": (503, HTML),
    "504": (504, HTML),
    # Of orders, and of requests that a client should not make.
    **{
        f"-{number}": (400, PLACED)
        for number in (
            *(1010, 1013, 1014, 1020, 1101, 1103, 1104, 1105, 1106, 1108, 1111, 1112, *range(1114, 1121)),
            *(1125, 1130, 1134, 1135, 1145, 1151, 1158, 1160, 1165, 1166, 1168, 1194, *range(1196, 1200)),
            *(1210, 1211, 1220, *range(1222, 1226), 2010, 2011, 2013, 2016, 2021, 2022, 2026, 2038, 2039),
        )
    },
}
BANNED = {"418": -1003, "429": -1003, "451": 0}
NEEDS: Mapping[str, frozenset[str]] = {
    "/api/v3/account": frozenset({"balances"}),
    "/api/v3/myTrades": frozenset({"fills"}),
    "/api/v3/openOrders": frozenset({"fills", "orders"}),
    "/sapi/v1/account/apiRestrictions": READS | {"orders"},
}
FAULTS: Faults = outages(json.loads(SAMPLE), empty={"makerCommission": 10}, elsewhere="/api/v3/time")


def error(code: str) -> Response:
    """Answer with a documented error."""
    status, text = ERRORS[code]
    if text is HTML:
        return Response(text, status, media_type="text/html")
    return JSONResponse({"code": BANNED.get(code) if code in BANNED else int(code), "msg": text}, status)


async def answer(practice: PracticeBinance, request: Request) -> Response:
    """Answer a request to one of `PATHS` as Binance would."""
    path = request.url.path
    practice.requests.append((request.method, path))
    fault = practice.fault_for(path)
    if fault:
        return FAULTS[fault]() if fault in FAULTS else error(fault)
    if practice.over_weight(WEIGHTS.get(path, 1)):
        return error("-1003")
    code, key = _refusal(practice, request, path)
    response = error(code) if code else _respond(practice, request, path, key)
    response.headers["X-MBX-USED-WEIGHT-1M"] = str(practice.used)
    return response


def _respond(practice: PracticeBinance, request: Request, path: str, key: Key | None) -> Response:
    build = PUBLIC.get(path) or PRIVATE[path]
    try:
        return JSONResponse(build(practice, key, request.query_params))
    except BadQuery as bad:
        return error(str(bad))


def _refusal(practice: PracticeBinance, request: Request, path: str) -> tuple[str, Key | None]:
    """Return the error code for a request, empty when all is well. Nothing here writes, whoever asks."""
    if path in PUBLIC:
        return ("" if request.method == "GET" else "-1002"), None
    name = request.headers.get("x-mbx-apikey", "")
    if not KEY_FORMAT.fullmatch(name):
        return "-2014", None
    key = practice.keys.get(name)
    if key is None:
        return "-2008", None
    code = _unsigned(practice, request, key)
    if code:
        return code, None
    if not _may(practice, request, key) or request.method != "GET" or path in WRITES:
        return "-2015", None
    return ("" if NEEDS[path] & key.permissions else "-2015"), key


def _may(practice: PracticeBinance, request: Request, key: Key) -> bool:
    host = request.client.host if request.client else ""
    alive = key.expires_at is None or practice.clock() < key.expires_at
    return key.active and alive and (not key.addresses or host in key.addresses)


def _unsigned(practice: PracticeBinance, request: Request, key: Key) -> str:
    """Return the error code for what is wrong with time and signature, empty when nothing is."""
    text = request.scope["query_string"].decode("latin-1")
    signed, mark, given = text.rpartition("&signature=")
    sent = dict(parse_qsl(signed))
    stamp, window = sent.get("timestamp", ""), sent.get("recvWindow", str(USUAL_WINDOW))
    if not mark or not _is_number(stamp) or not _is_number(window):
        return "-1102"
    if int(window) > LARGEST_WINDOW:
        return "-1131"
    now = now_ms(practice)
    if int(stamp) >= now + MOST_AHEAD or now - int(stamp) > int(window):
        return "-1021"
    expected = hmac.new(key.secret.encode(), signed.encode("latin-1"), "sha256").hexdigest()
    return "" if hmac.compare_digest(expected.encode(), given.lower().encode("latin-1")) else "-1022"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 16
