"""Reads one account through ccxt; one request at a time, each call with a ccxt object of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from chatbot.domain.balances import Balance
from chatbot.domain.credentials import Credentials
from chatbot.domain.fills import Fill
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.other import rows, walk
from chatbot.exchanges.other.unified import BALANCES, FILLS, Key, Library, MarketNeeded
from chatbot.ports.context import Clock
from chatbot.ports.exchanges import Head, Page, Proof

SEEN = Finding(Switch.ON, Source.SEEN)
REFUSED = Finding(Switch.OFF, Source.SEEN, refused=True)
# With more nothing signed would be taken; an older time is that of an answer of long ago.
CLOCKS_DIFFER_MS = 5 * walk.MINUTE
T = TypeVar("T")


class OtherClient:
    """Reads one account."""

    def __init__(self, library: Library, clock: Clock, credentials: Credentials, nonce: int) -> None:
        self._library, self._clock, self._credentials = library, clock, credentials
        self._nonce = nonce
        self._held: tuple[str, ...] = ()
        self._looked = False

    @property
    def last_nonce(self) -> int:
        return self._nonce

    async def prove(self) -> Proof:
        async with self._key() as key:
            balances = await self._balances(key)
            fills, head = await self._try_fills(key)
        findings = {Permission.BALANCES: SEEN, Permission.FILLS: fills}
        return Proof(PermissionReport(findings), balances, head)

    async def balances(self) -> tuple[Balance, ...]:
        async with self._key() as key:
            return await self._balances(key)

    async def fills_after(self, cursor: str) -> Page:
        async with self._key() as key:
            return await self._in_some_way(lambda: self._after(key, cursor))

    async def fills_before(self, cursor: str) -> Page:
        async with self._key() as key:
            return await self._in_some_way(lambda: self._before(key, cursor))

    async def _balances(self, key: Key) -> tuple[Balance, ...]:
        found = rows.balances(await self._read(key, BALANCES))
        self._looked = True
        self._held = tuple(balance.asset for balance in sorted(found, key=lambda b: b.total, reverse=True))
        return found

    async def _after(self, key: Key, cursor: str) -> Page:
        now, rules = self._now(), self._library.rules
        way = walk.read_ahead(cursor, now).watching(await self._watched(), now)
        found: list[Fill] = []
        marks, more = dict(way.marks), False
        for symbol in way.next():
            asked = walk.window_after(marks[symbol], rules, now)
            part = await self._fills(key, symbol, asked)
            fresh, marks[symbol], further = walk.step(marks[symbol], asked, part, rules, now)
            found += [fill for fill in fresh if rows.milliseconds(fill.at) > way.start]
            more |= further
        in_order = tuple(sorted(found, key=lambda fill: fill.at))
        return Page(in_order, str(walk.Ahead(way.start, marks, now if self._looked else way.looked)), more)

    async def _before(self, key: Key, cursor: str) -> Page:
        now, rules = self._now(), self._library.rules
        way = walk.read_behind(cursor, now, rules, await self._watched())
        asked = walk.window_before(way, rules)
        parts = [await self._fills(key, symbol, asked) for symbol in way.next()]
        fills, onward, more = walk.step_back(way, asked, parts, rules)
        return Page(fills, str(onward), more)

    async def _try_fills(self, key: Key) -> tuple[Finding, Head | None]:
        if not self._library.tells_fills:
            return Finding(), None
        try:
            await self._in_some_way(lambda: self._probe(key))
        except ExchangeError as error:
            if error.trouble is not Trouble.NO_PERMISSION:
                raise
            return REFUSED, None
        return SEEN, Head(*walk.begin(self._first(), self._library.rules, await self._watched()))

    async def _probe(self, key: Key) -> None:
        symbols = await self._watched() or (walk.probe(await self._library.markets()),)
        now = self._now()
        await self._fills(key, symbols[0], walk.Window(now - walk.HOUR, now))

    async def _in_some_way(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask for all markets at once where nothing says that it can't be done, else one by one."""
        try:
            return await ask()
        except MarketNeeded:
            self._library.by_market = True
        return await ask()

    async def _watched(self) -> Sequence[str]:
        if not self._library.by_market:
            return (walk.ALL,)
        return walk.markets_of(self._held, await self._library.markets())

    async def _fills(self, key: Key, symbol: str, asked: walk.Window) -> walk.Rows:
        rules = self._library.rules
        until = {"until": asked.until} if rules.window else {}
        answer = await self._read(key, FILLS, symbol or None, asked.since, rules.page or None, until)
        found = rows.fills(answer)
        return walk.Rows(found, key.rows_seen, len(answer) - len(found), rows.newest(answer))

    async def _read(self, key: Key, what: str, *args: object) -> Any:
        try:
            return await key.read(what, *args)
        except ExchangeError as error:
            if error.trouble is not Trouble.CLOCK_OR_NONCE:
                raise
        return await key.read(what, *args)

    @asynccontextmanager
    async def _key(self) -> AsyncIterator[Key]:
        await self._library.markets()
        with self._library.key(self._credentials, self._nonce) as key:
            try:
                yield key
            finally:
                self._nonce = max(self._nonce, key.nonce)

    def _first(self) -> int:
        """Return the moment that parts history from what is new: the exchange's, where it is behind ours."""
        now, date = self._now(), self._library.wire.date
        told = rows.milliseconds(date) if date is not None else now
        return told if now - CLOCKS_DIFFER_MS < told < now else now

    def _now(self) -> int:
        return rows.milliseconds(self._clock.now())
