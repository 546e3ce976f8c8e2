"""Reads one HitBTC account; its requests carry a timestamp and no nonce, so any order will do."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from chatbot.domain.balances import Balance
from chatbot.domain.credentials import Credentials
from chatbot.domain.fills import Fill
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Http
from chatbot.exchanges._unchanged import KNOWN
from chatbot.exchanges.hitbtc import errors, paging, wire
from chatbot.exchanges.hitbtc.symbols import Symbols
from chatbot.ports.context import Clock
from chatbot.ports.exchanges import Head, Page, Proof

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
TRADES = "/api/3/spot/history/trade"
SIGNABLE_KEY = re.compile(rb"[!-9;-~]{1,128}")
SEEN = Finding(Switch.ON, Source.SEEN)
REFUSED = Finding(Switch.OFF, Source.SEEN, refused=True)
# Payment information is off then, but transfers also come with a right that nothing shows.
PROVES_NOTHING = Finding(refused=True)
# A probe may meet a product that is closed to the account; anything else leaves the proof unfinished.
PASSED_OVER = frozenset({Trouble.UNKNOWN, Trouble.USER_ACTION, Trouble.ACCOUNT_BLOCKED})
T = TypeVar("T")


class HitBTCClient:
    """Reads one account."""

    def __init__(
        self, http: Http, clock: Clock, symbols: Symbols, credentials: Credentials, nonce: int
    ) -> None:
        self._http, self._clock, self._symbols, self._credentials = http, clock, symbols, credentials
        self._nonce = nonce

    @property
    def last_nonce(self) -> int:
        return self._nonce

    async def prove(self) -> Proof:
        balances = await self.balances()
        fills, head = await self._try_fills()
        orders = await self._try("/api/3/spot/fee", Permission.TRADE, refused=REFUSED)
        wallet = await self._try("/api/3/wallet/balance", Permission.TRANSFER, refused=PROVES_NOTHING)
        findings = {
            Permission.BALANCES: SEEN,
            Permission.FILLS: fills,
            Permission.ORDERS: orders,
            Permission.TRADE: orders,
            Permission.TRANSFER: wallet,
        }
        return Proof(PermissionReport(findings), balances, head)

    async def balances(self) -> tuple[Balance, ...]:
        key, now = self._credentials.api_key, self._clock.monotonic()
        parse = KNOWN.parser(wire.parse_balances, key.reveal(), now)
        return await self._get("/api/3/spot/balance", "", Permission.BALANCES, parse)

    async def fills_after(self, cursor: str) -> Page:
        rows = await self._trades(paging.after(cursor))
        floor = paging.floor_of(cursor)
        fills = await self._fills(row for row in rows if row.id > floor)
        return paging.newer(fills, cursor, self._clock.now(), full=len(rows) >= paging.PAGE)

    async def fills_before(self, cursor: str) -> Page:
        rows = await self._trades(paging.before(cursor))
        return paging.older(await self._fills(rows), cursor, full=len(rows) >= paging.PAGE)

    async def _trades(self, query: str) -> list[wire.Trade]:
        return await self._get(TRADES, query, Permission.FILLS, wire.parse_trades)

    async def _fills(self, rows: Iterable[wire.Trade]) -> tuple[Fill, ...]:
        trades = list(rows)
        return wire.fills(trades, await self._symbols.knowing({trade.symbol for trade in trades}))

    async def _try_fills(self) -> tuple[Finding, Head | None]:
        try:
            newest = await self._trades("sort=DESC&by=id&limit=1")
        except ExchangeError as error:
            if error.trouble is not Trouble.NO_PERMISSION:
                raise
            return REFUSED, None
        # History includes the head itself and nothing newer: what comes later is for the poll to tell.
        last = str(newest[0].id) if newest else ""
        return SEEN, Head(after=last, before=last or "0")

    async def _try(self, path: str, permission: Permission, *, refused: Finding) -> Finding:
        """Try a read that needs a right we don't want, so that the right shows."""
        try:
            await self._get(path, "", permission, wire.granted)
        except ExchangeError as error:
            if error.trouble is Trouble.NO_PERMISSION:
                return refused
            if error.trouble in PASSED_OVER:
                return Finding()
            raise
        return SEEN

    async def _get(self, path: str, query: str, subject: Permission, parse: Callable[[bytes], T]) -> T:
        try:
            return await self._ask(path, query, subject, parse)
        except ExchangeError as error:
            if error.trouble is not Trouble.CLOCK_OR_NONCE:
                raise
        return await self._ask(path, query, subject, parse)

    async def _ask(self, path: str, query: str, subject: Permission, parse: Callable[[bytes], T]) -> T:
        key = self._credentials.api_key
        if not SIGNABLE_KEY.fullmatch(key.reveal()):
            raise ExchangeError(Trouble.BAD_KEY, "a key that can't be a HitBTC key")
        timestamp = (self._clock.now() - EPOCH) // MILLISECOND
        signed = f"{path}?{query}" if query else path
        headers = wire.sign("GET", signed, key, self._credentials.api_secret, timestamp)
        answer = await self._http.request("GET", path, query, headers)
        errors.check(answer, subject)
        return parse(answer.body)
