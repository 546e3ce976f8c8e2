"""Reads one Kraken account: in sequence, with rising nonces, and never more than the allow-list holds."""

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from chatbot.domain.balances import Balance
from chatbot.domain.credentials import Credentials
from chatbot.domain.fills import Fill
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import _parse
from chatbot.exchanges._http import Http
from chatbot.exchanges.kraken import errors, keyinfo, paging, wire
from chatbot.exchanges.kraken.paging import Place, Walk
from chatbot.exchanges.kraken.tables import Tables
from chatbot.ports.context import Clock
from chatbot.ports.exchanges import Head, Page, Proof

BALANCES = "/0/private/BalanceEx"
TRADES = "/0/private/TradesHistory"
KEY = "/0/private/GetApiKeyInfo"
MILLISECOND = timedelta(milliseconds=1)
SIGNABLE_KEY = re.compile(rb"[!-~]{1,128}")
SEEN = Finding(Switch.ON, Source.SEEN)
REFUSED = Finding(Switch.OFF, Source.SEEN, refused=True)
# Every execution by itself: a row that sums up several could grow after it was stored. A hundred rows is the
# most; an exchange that does not know the parameter sends fifty, which is just as well.
ROWS = "&consolidate_taker=false&limit=100"
# So often fills may arrive between two pages of a walk before it is given up until the next poll.
SHIFTS = 3
# In a long walk the counter of the key runs full: it falls by five in this time, at the lowest tier.
BREATH_SECONDS = 15
T = TypeVar("T")


class KrakenClient:
    """Reads one account; its requests go out one after the other, each with a higher nonce."""

    def __init__(
        self, http: Http, clock: Clock, tables: Tables, credentials: Credentials, nonce: int
    ) -> None:
        self._http, self._clock, self._tables, self._credentials = http, clock, tables, credentials
        # Above a floor it only counts on: what lies there is reserved for us. A first proof has no floor.
        self._nonce = nonce or self._by_clock()
        self._turn = asyncio.Lock()
        self._walking = False

    @property
    def last_nonce(self) -> int:
        return self._nonce

    async def prove(self) -> Proof:
        balances = await self.balances()
        fills, head = await self._try_fills()
        told = await self._try_report()
        seen = {Permission.BALANCES: SEEN, Permission.FILLS: fills}
        # What a read has shown is only said where it is not what the exchange tells.
        news = {p: f for p, f in seen.items() if f.refused or f.switch is not told.get(p).switch}
        return Proof(told.has(news), balances, head)

    async def balances(self) -> tuple[Balance, ...]:
        held = await self._post(BALANCES, "", Permission.BALANCES, wire.parse_held)
        book = await self._tables.reading(held)
        return wire.balances(held, book.altnames)

    async def fills_after(self, cursor: str) -> Page:
        now = self._clock.now()
        place = Place.read(cursor, now)
        try:
            sheet = await self._joined(place)
        except ExchangeError as error:
            # A lockout is longer, and each call during it begins it anew.
            limited = error.trouble is Trouble.RATE_LIMIT and error.wait <= errors.WAIT_SECONDS
            if not limited or not self._walking:
                raise
            # What the walk has brought so far would be lost with an error; it goes on from here.
            await self._clock.sleep(BREATH_SECONDS)
            return Page((), cursor, more=True)
        step = paging.newer(sheet, place, now)
        self._walking = step.more
        return Page(await self._fills(step.trades), step.cursor, step.more)

    async def fills_before(self, cursor: str) -> Page:
        walk = Walk.read(cursor)
        step = paging.older(await self._sheet(walk.query, walk.told), walk)
        return Page(await self._fills(step.trades), step.cursor, step.more)

    async def _joined(self, place: Place) -> wire.Sheet:
        offset: int | None = place.offset
        for _ in range(SHIFTS):
            sheet = await self._sheet(place.query, offset or 0)
            offset = paging.joining(sheet, place)
            if offset is None:
                return sheet
        raise _parse.unreadable("a history that does not stand still")

    async def _sheet(self, bounds: str, offset: int) -> wire.Sheet:
        form = f"{bounds}&ofs={offset}{ROWS}"
        return await self._post(TRADES, form, Permission.FILLS, lambda body: wire.parse_sheet(body, offset))

    async def _fills(self, trades: Sequence[wire.Trade]) -> tuple[Fill, ...]:
        return wire.fills(trades, await self._tables.knowing({trade.row.pair for trade in trades}))

    async def _try_fills(self) -> tuple[Finding, Head | None]:
        try:
            newest = await self._sheet("", 0)
        except ExchangeError as error:
            if error.trouble is not Trouble.NO_PERMISSION:
                raise
            return REFUSED, None
        # History is all up to this moment and nothing newer: what comes later is for the poll to tell.
        after = paging.moment(newest.trades)
        return SEEN, Head(after=after, before=after or "0")

    async def _try_report(self) -> PermissionReport:
        """Ask what the key may do; where Kraken does not say, only what was seen is known."""
        try:
            return await self._post(KEY, "", Permission.ACCOUNT, keyinfo.parse_key)
        except ExchangeError as error:
            if error.trouble not in {Trouble.NO_PERMISSION, Trouble.UNKNOWN}:
                raise
            return PermissionReport()

    async def _post(self, path: str, form: str, subject: Permission, parse: Callable[[bytes], T]) -> T:
        async with self._turn:
            try:
                return await self._ask(path, form, subject, parse)
            except ExchangeError as error:
                if error.trouble is not Trouble.CLOCK_OR_NONCE:
                    raise
            # Somebody else has used this key with higher ones.
            self._nonce = max(self._nonce, self._by_clock())
            return await self._ask(path, form, subject, parse)

    def _by_clock(self) -> int:
        return (self._clock.now() - wire.EPOCH) // MILLISECOND * 10**6

    async def _ask(self, path: str, form: str, subject: Permission, parse: Callable[[bytes], T]) -> T:
        key = self._credentials.api_key
        if not SIGNABLE_KEY.fullmatch(key.reveal()):
            raise ExchangeError(Trouble.BAD_KEY, "a key that can't be a Kraken key")
        self._nonce += 1
        body = f"nonce={self._nonce}{form}".encode()
        headers = wire.sign(path, self._nonce, body, key, self._credentials.api_secret)
        answer = await self._http.request("POST", path, headers=headers, body=body)
        errors.check(answer, subject)
        return parse(answer.body)
