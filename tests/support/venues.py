"""Three exchanges as ccxt meets them, on loopback: their documented payloads, their signatures checked by hand.

KuCoin signs with a passphrase, asks for the market, answers 20 fills newest first within seven days of the
start. Bitvavo asks for the market. WhiteBIT wants a rising nonce in each signed body and lists only the newest
fills, whatever was asked for.
"""

import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.exchanges.other import find
from chatbot.ports.context import Clock
from tests.support.practice import serve

KEY, SECRET, PASSPHRASE = "66f0a1b2c3d4e5f60718293a", "8c2f7d1e-90ab-4cde-8f01-23456789abcd", "Passphr4se!"
WEEK = 7 * 24 * 3600 * 1000
PAIRS = (("BTC", "USDT"), ("ETH", "USDT"), ("BTC", "EUR"), ("ETH", "EUR"))


@dataclass
class Venue:
    """What an exchange holds, what it was asked, and what it shall answer instead next time."""

    name: str
    origin: str = ""
    balances: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {"BTC": ("0.75", "0.25"), "USDT": ("100.000000000000000001", "0")}
    )
    fills: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    queries: list[Mapping[str, str]] = field(default_factory=list)
    faults: deque[tuple[str, Response]] = field(default_factory=deque)
    nonces: list[int] = field(default_factory=list)
    refused: str = ""

    @property
    def credentials(self) -> Credentials:
        third = Secret(PASSPHRASE) if self.name == "kucoin" else None
        return Credentials(Secret(KEY), Secret(SECRET), third)

    def fail(self, part: str, status: int, body: Any, kind: str = "application/json", **headers: str) -> None:
        """Answer the next request whose path holds `part` with this."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.faults.append((part, Response(text, status, headers, kind)))

    def fill(
        self,
        at: int,
        *,
        market: str = "BTC-USDT",
        amount: str = "0.5",
        price: str = "20000.1",
        side: str = "buy",
    ) -> str:
        """Add a fill and return its id."""
        number = f"{len(self.fills) + 1:024x}"
        self.fills.append(
            {"id": number, "at": at, "market": market, "amount": amount, "price": price, "side": side}
        )
        return number

    def signed(self) -> list[str]:
        """Return the paths of all requests that need a key."""
        return [path for path, key in self.requests if key]

    def listed(self, market: str | None, since: int = 0, until: int = 10**15) -> list[dict[str, Any]]:
        found = [f for f in self.fills if market in {None, f["market"]} and since <= f["at"] <= until]
        return sorted(found, key=lambda f: (f["at"], f["id"]), reverse=True)


def _digest(text: str, kind: str = "sha256", secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), text.encode(), getattr(hashlib, kind)).digest()


def _target(request: Request) -> str:
    return request.scope["raw_path"].decode() + (f"?{request.url.query}" if request.url.query else "")


def kucoin_guard(request: Request, body: bytes) -> dict[str, str] | None:
    """Say what is wrong with a signed request to KuCoin."""
    head = request.headers
    if head["KC-API-KEY"] != KEY:
        return {"code": "400003", "msg": "KC-API-KEY not exists"}
    if head["KC-API-PASSPHRASE"] != base64.b64encode(_digest(PASSPHRASE)).decode():
        return {"code": "400004", "msg": "Invalid KC-API-PASSPHRASE"}
    text = head["KC-API-TIMESTAMP"] + request.method + _target(request) + body.decode()
    if head["KC-API-SIGN"] != base64.b64encode(_digest(text)).decode():
        return {"code": "400005", "msg": "Invalid KC-API-SIGN"}
    return None


def kucoin(venue: Venue, path: str, query: Mapping[str, str]) -> Any:
    """Answer as KuCoin's documents say."""
    market = {"enableTrading": True, "isMarginEnabled": False, "baseMinSize": "0.00001", "quoteMinSize": "0.1", "baseMaxSize": "10000", "quoteMaxSize": "99999999", "baseIncrement": "0.00000001", "quoteIncrement": "0.000001", "priceIncrement": "0.1", "feeCurrency": "USDT", "market": "USDS", "priceLimitRate": "0.1"}  # fmt: skip
    symbols = [
        {"symbol": f"{b}-{q}", "name": f"{b}-{q}", "baseCurrency": b, "quoteCurrency": q, **market}
        for b, q in PAIRS
    ]
    tickers = [{"symbol": f"{b}-{q}", "symbolName": f"{b}-{q}", "buy": "20000", "sell": "20001", "last": "20000.5" if b == "BTC" else "1500.25", "vol": "1", "volValue": "1", "takerFeeRate": "0.001", "makerFeeRate": "0.001", "takerCoefficient": "1", "makerCoefficient": "1"} for b, q in PAIRS]  # fmt: skip
    currencies: list[dict[str, Any]] = [
        {
            "currency": c,
            "name": c,
            "fullName": c,
            "precision": 8,
            "confirms": None,
            "contractAddress": None,
            "isMarginEnabled": False,
            "isDebitEnabled": False,
            "chains": [],
        }
        for c in ("BTC", "ETH", "USDT", "EUR")
    ]
    since = int(query.get("startAt", 0))
    until = min(int(query.get("endAt", since + WEEK)), since + WEEK)
    items = [{"id": int(f["id"], 16), "symbol": f["market"], "tradeId": int(f["id"], 16), "orderId": f"o{f['id']}", "counterOrderId": "x", "side": f["side"], "liquidity": "taker", "forceTaker": False, "price": f["price"], "size": f["amount"], "funds": "10000.05", "fee": "10.00005", "feeRate": "0.001", "feeCurrency": "USDT", "stop": "", "tradeType": "TRADE", "type": "limit", "createdAt": f["at"], "tax": "0", "taxRate": "0"} for f in venue.listed(query.get("symbol"), since, until)][:20]  # fmt: skip
    answers: dict[str, Any] = {
        "/api/v2/symbols": symbols, "/api/v1/symbols": symbols, "/api/v3/currencies": currencies,
        "/api/v1/market/allTickers": {"time": 1, "ticker": tickers}, "/api/v1/contracts/active": [],
        "/api/v1/timestamp": 1790000000000, "/api/ua/v1/account/mode": {"selfAccountMode": "CLASSIC"},
        "/api/v1/hf/accounts/opened": True, "/api/v1/hf/fills": {"items": items, "lastId": 1},
        "/api/v1/accounts": [{"id": f"a{c}", "currency": c, "type": "trade_hf", "balance": f"{_sum(*pair)}", "available": pair[0], "holds": pair[1]} for c, pair in venue.balances.items()],
    }  # fmt: skip
    return {"code": "200000", "data": answers[path]} if path in answers else None


def _sum(*parts: str) -> str:
    from decimal import Decimal

    return str(sum(map(Decimal, parts), Decimal(0)))


def bitvavo_guard(request: Request, body: bytes) -> dict[str, Any] | None:
    """Say what is wrong with a signed request to Bitvavo."""
    head = request.headers
    if head["BITVAVO-ACCESS-KEY"] != KEY:
        return {"errorCode": 305, "error": "No active API key found."}
    text = head["BITVAVO-ACCESS-TIMESTAMP"] + request.method + _target(request) + body.decode()
    if head["BITVAVO-ACCESS-SIGNATURE"] != _digest(text).hex():
        return {"errorCode": 309, "error": "The signature is invalid."}
    return None


def bitvavo(venue: Venue, path: str, query: Mapping[str, str]) -> Any:
    """Answer as Bitvavo's documents say."""
    markets = [
        {
            "market": f"{b}-{q}",
            "status": "trading",
            "base": b,
            "quote": q,
            "tickSize": "0.01",
            "minOrderInBaseAsset": "0.0001",
            "minOrderInQuoteAsset": "5.00",
            "quantityDecimals": "8",
            "notionalDecimals": "2",
        }
        for b, q in PAIRS
    ]
    trades = [{"id": f["id"], "orderId": f"o{f['id']}", "timestamp": f["at"], "market": f["market"], "side": f["side"], "amount": f["amount"], "price": f["price"], "taker": True, "fee": "0.12", "feeCurrency": f["market"].partition("-")[2], "settled": True} for f in venue.listed(query.get("market"), int(query.get("start", 0)), int(query.get("end", 10**15)))]  # fmt: skip
    answers: dict[str, Any] = {
        "/v2/markets": markets, "/v2/assets": [{"symbol": c, "name": c, "decimals": 8, "depositStatus": "OK", "withdrawalStatus": "OK", "withdrawalFee": "0", "withdrawalMinAmount": "0", "networks": []} for c in ("BTC", "ETH", "EUR", "USDT")],
        "/v2/time": {"time": 1790000000000}, "/v2/ticker/24h": [{"market": f"{b}-{q}", "open": "1", "high": "1", "low": "1", "last": "18000.5", "volume": "1", "volumeQuote": "1", "bid": "1", "bidSize": "1", "ask": "1", "askSize": "1", "timestamp": 1790000000000} for b, q in PAIRS],
        "/v2/balance": [{"symbol": c, "available": free, "inOrder": held} for c, (free, held) in venue.balances.items()],
        "/v2/trades": trades[: int(query.get("limit", 500))] if "market" in query else None,
    }  # fmt: skip
    return answers.get(path)


def whitebit_guard(venue: Venue, request: Request, body: bytes) -> dict[str, Any] | None:
    """Say what is wrong with a signed request to WhiteBIT."""
    head, told = request.headers, json.loads(body)
    payload = base64.b64encode(body).decode()
    signed = head["X-TXC-PAYLOAD"] == payload and head["X-TXC-SIGNATURE"] == _digest(payload, "sha512").hex()
    if head["X-TXC-APIKEY"] != KEY or not signed or told["request"] != request.url.path:
        return {"code": 10, "message": "Unauthorized request."}
    venue.nonces.append(int(told["nonce"]))
    if len(venue.nonces) > 1 and venue.nonces[-1] <= max(venue.nonces[:-1]):
        return {"code": 0, "message": "Your nonce is more than 5 seconds lesser than the current nonce"}
    return None


def whitebit(venue: Venue, path: str, query: Mapping[str, str]) -> Any:
    """Answer as WhiteBIT's documents say."""
    del query
    markets = [
        {
            "name": f"{b}_{q}",
            "stock": b,
            "money": q,
            "stockPrec": "6",
            "moneyPrec": "2",
            "feePrec": "4",
            "makerFee": "0.1",
            "takerFee": "0.1",
            "minAmount": "0.001",
            "minTotal": "5",
            "maxTotal": "1000",
            "tradesEnabled": True,
            "isCollateral": False,
            "type": "spot",
        }
        for b, q in PAIRS
    ]
    history: dict[str, list[Any]] = {}
    for f in venue.listed(None)[:50]:
        row = {
            "id": int(f["id"], 16),
            "clientOrderId": "",
            "time": f["at"] / 1000,
            "side": f["side"],
            "role": 2,
            "amount": f["amount"],
            "price": f["price"],
            "deal": "10000.05",
            "fee": "10.00005",
            "orderId": 7,
        }
        history.setdefault(f["market"].replace("-", "_"), []).append(row)
    answers: dict[str, Any] = {
        "/api/v4/public/markets": markets, "/api/v4/public/assets": {c: {"name": c, "can_withdraw": True, "can_deposit": True, "currency_precision": "8", "networks": {}, "limits": {}} for c in ("BTC", "ETH", "USDT", "EUR")},
        "/api/v4/public/time": {"time": 1790000000}, "/api/v4/public/ticker": {f"{b}_{q}": {"last_price": "20000", "base_volume": "1", "quote_volume": "1", "isFrozen": False, "change": "0"} for b, q in PAIRS},
        "/api/v4/trade-account/balance": {c: {"available": free, "freeze": held} for c, (free, held) in venue.balances.items()},
        "/api/v4/trade-account/executed-history": history,
    }  # fmt: skip
    return answers.get(path)


SPEAK = {"kucoin": kucoin, "bitvavo": bitvavo, "whitebit": whitebit}
KEY_HEADERS = ("KC-API-KEY", "BITVAVO-ACCESS-KEY", "X-TXC-APIKEY")


def _wrong(venue: Venue, request: Request, body: bytes) -> Any:
    if venue.name == "kucoin":
        return kucoin_guard(request, body)
    return bitvavo_guard(request, body) if venue.name == "bitvavo" else whitebit_guard(venue, request, body)


def app(venue: Venue) -> Starlette:
    """Return the exchange as an application."""

    async def answer(request: Request) -> Response:
        body, path = await request.body(), request.url.path
        key = next((request.headers[name] for name in KEY_HEADERS if name in request.headers), "")
        venue.requests.append((path, key))
        venue.queries.append(dict(request.query_params))
        for fault in list(venue.faults):
            if fault[0] in path:
                venue.faults.remove(fault)
                return fault[1]
        wrong = _wrong(venue, request, body) if key else None
        if wrong is not None:
            return JSONResponse(wrong, 403 if venue.name == "bitvavo" else 401)
        told = SPEAK[venue.name](venue, path, request.query_params)
        return JSONResponse(told) if told is not None else JSONResponse({"message": "not here"}, 404)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "DELETE", "PUT"])])


@asynccontextmanager
async def venue(name: str) -> AsyncIterator[Venue]:
    """Run one of the three until the block ends."""
    state = Venue(name)
    async with serve(app(state)) as origin:
        state.origin = origin
        yield state


def exchange(name: str, clock: Clock, origin: str = "") -> Any:
    """Return an exchange that is read through ccxt, for tests that look inside."""
    return find(name)(clock, origin)
