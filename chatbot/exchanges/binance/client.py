"""Reads one Binance account; its requests carry a time and no nonce, so any order will do."""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from chatbot.domain.balances import Balance
from chatbot.domain.credentials import Credentials
from chatbot.domain.fills import Fill
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import _parse
from chatbot.exchanges._http import Http
from chatbot.exchanges.binance import errors, paging, rights, watch, wire
from chatbot.exchanges.binance.paging import Walk
from chatbot.exchanges.binance.symbols import Symbols, Table
from chatbot.exchanges.binance.watch import Watch
from chatbot.ports.context import Clock
from chatbot.ports.exchanges import OVERLAP, Head, Page, Proof

ACCOUNT, TRADES, ORDERS = "/api/v3/account", "/api/v3/myTrades", "/api/v3/openOrders"
RESTRICTIONS, TIME = "/sapi/v1/account/apiRestrictions", "/api/v3/time"
WEIGHTS = {ACCOUNT: 20, TRADES: 20, ORDERS: 80, RESTRICTIONS: 1, TIME: 1}
SIGNABLE_KEY = re.compile(rb"[!-~]{1,128}")
# Binance takes a time up to 20 s old, but no more than 1 s ahead of its clock: many clocks run fast.
EARLIER_MS = 1000
SYMBOLS_A_PAGE = 5
PROBED = "BTCUSDT"
SEEN = Finding(Switch.ON, Source.SEEN)
REFUSED = Finding(Switch.OFF, Source.SEEN, refused=True)
T = TypeVar("T")


class BinanceClient:
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
        told = await self._told()
        # Binance's clock, before the balances: what is traded after it is new, and may be in them already.
        now = await self._server_time()
        balances = await self.balances()
        fills_on = await self._reads_fills()
        report = told or PermissionReport()
        found = {} if report.is_on(Permission.BALANCES) else {Permission.BALANCES: SEEN}
        if not fills_on:
            found[Permission.FILLS] = REFUSED
        elif not report.is_on(Permission.FILLS):
            found[Permission.FILLS] = SEEN
        return Proof(report.has(found), balances, _head(now, balances) if fills_on else None)

    async def balances(self) -> tuple[Balance, ...]:
        return (await self._holdings()).balances

    async def fills_after(self, cursor: str) -> Page:
        state = watch.read(cursor)
        if not state.todo and not state.slow:
            seen = await self._holdings()
            table = await self._table(state, (b.asset for b in seen.balances))
            round_ = Watch(state, table)
            closed = await self._closed_orders(state, seen.locked)
            round_.begin(seen.balances, wire.milliseconds(self._clock.now()), closed)
        else:
            table = await self._table(state)
            round_ = Watch(state, table)
        told: list[Fill] = []
        room = OVERLAP
        for _ in range(SYMBOLS_A_PAGE):
            if not round_.pending:
                break
            old, new = await self._newer(round_, table, room)
            told += (*old, *new)
            room -= len(old)
        told.sort(key=lambda fill: (fill.at, int(fill.id)))
        return Page(tuple(told), watch.written(round_.state), bool(round_.pending))

    async def fills_before(self, cursor: str) -> Page:
        walk = await self._walk(cursor)
        table = await self._symbols.table(former=True)
        ways = paging.path(walk.held, table)
        here = walk if walk.symbol else paging.following(walk, ways)
        if here is None:
            return Page((), _written(walk), more=False)
        rows, left = paging.earlier(await self._trades_if_known(paging.back(here)), here)
        onward = left or paging.following(here, ways)
        cursor = _written(onward or Walk(walk.until, [], 9))
        return Page(_fills(rows, here.symbol, table), cursor, more=onward is not None)

    async def _newer(
        self, round_: Watch, table: Table, room: int
    ) -> tuple[tuple[Fill, ...], tuple[Fill, ...]]:
        """Read the next symbol from where it stands; return what was told before (`room`) and what is new."""
        state, symbol = round_.state, round_.pending
        known = state.ids.get(symbol, None if state.since else -1)
        query = paging.newest(symbol) if known is None else paging.onwards(symbol, known - paging.BEHIND)
        try:
            rows = await self._trades(query)
        except ExchangeError as error:
            if error.subject != errors.NO_SUCH_SYMBOL:
                raise
            round_.forget(symbol)
            return (), ()
        full = len(rows) >= paging.PAGE
        if known is None and full and rows[0].time > state.since:
            round_.take(symbol, (), await self._floor(symbol, rows, state.since) - 1, again=True)
            return (), ()
        told, fresh, last = paging.later(rows, known, state.since, room)
        old, new = _fills(told, symbol, table), _fills(fresh, symbol, table)
        again = full and known is not None
        round_.take(symbol, new, last if new or again else None, again=again)
        return old, new

    async def _floor(self, symbol: str, rows: list[wire.Trade], since: int) -> int:
        """Return an id from which on lies every trade since then, where they are more than one page."""
        low, step = rows[0].id, max(paging.PAGE, rows[-1].id - rows[0].id)
        while low > 0:
            low, step = max(0, low - step), step * 2
            first = await self._trades(paging.onwards(symbol, low, limit=1))
            if first and first[0].time <= since:
                break
        return low

    async def _closed_orders(self, state: watch.State, locked: str) -> list[str]:
        """Note which symbols have open orders when what they hold back has changed; return those that had."""
        if locked == state.locked:
            return []
        now = await self._get(ORDERS, "", Permission.FILLS, wire.parse_ordered) if locked else ()
        closed = [symbol for symbol in state.orders if symbol not in now]
        state.orders, state.locked = list(now), locked
        return closed

    async def _table(self, state: watch.State, assets: Iterable[str] = ()) -> Table:
        names = {*state.ids, *state.orders, *state.todo, *state.slow}
        return await self._symbols.table(names, set(assets) - state.seen.keys())

    async def _walk(self, cursor: str) -> Walk:
        if cursor:
            return msgspec.json.decode(cursor, type=Walk)
        return Walk(wire.LAST_MS, [balance.asset for balance in await self.balances()])

    async def _told(self) -> PermissionReport | None:
        """Return what Binance tells of the key; None when it does not want to."""
        try:
            return await self._get(RESTRICTIONS, "", Permission.BALANCES, rights.parse_permissions)
        except ExchangeError as error:
            if error.trouble is not Trouble.NO_PERMISSION:
                raise
            return None

    async def _server_time(self) -> int:
        answer = await self._http.request("GET", TIME, weight=WEIGHTS[TIME])
        errors.check(answer)
        return wire.parse_time(answer.body)

    async def _reads_fills(self) -> bool:
        try:
            await self._trades_if_known(f"symbol={PROBED}&limit=1")
        except ExchangeError as error:
            if error.trouble is not Trouble.NO_PERMISSION:
                raise
            return False
        return True

    async def _holdings(self) -> wire.Holdings:
        return await self._get(ACCOUNT, "omitZeroBalances=true", Permission.BALANCES, wire.parse_holdings)

    async def _trades(self, query: str) -> list[wire.Trade]:
        return await self._get(TRADES, query, Permission.FILLS, wire.parse_trades)

    async def _trades_if_known(self, query: str) -> list[wire.Trade]:
        """Return a page of trades, empty for a symbol that Binance no longer knows."""
        try:
            return await self._trades(query)
        except ExchangeError as error:
            if error.subject != errors.NO_SUCH_SYMBOL:
                raise
            return []

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
            raise ExchangeError(Trouble.BAD_KEY, "a key that can't be a Binance key")
        timestamp = wire.milliseconds(self._clock.now()) - EARLIER_MS
        signed = wire.sign(query, self._credentials.api_secret, timestamp)
        headers = {"X-MBX-APIKEY": key.reveal().decode("ascii")}
        answer = await self._http.request("GET", path, signed, headers, weight=WEIGHTS[path])
        errors.check(answer, subject)
        return parse(answer.body)


def _fills(rows: list[wire.Trade], symbol: str, table: Table) -> tuple[Fill, ...]:
    market = table.find(symbol)
    if rows and market is None:
        raise _parse.unreadable("a symbol")
    return wire.fills(rows, market) if market else ()


def _head(now: int, balances: tuple[Balance, ...]) -> Head:
    # History ends with the moment itself and the poll begins after it: no trade is on both sides.
    walk = Walk(now, sorted(balance.asset for balance in balances))
    return Head(after=watch.first(now, balances), before=_written(walk))


def _written(walk: Walk) -> str:
    return msgspec.json.encode(walk).decode()
