"""Reads one OKX account; its requests carry a timestamp and no nonce, so any order will do."""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from chatbot.domain.balances import Balance
from chatbot.domain.credentials import Credentials
from chatbot.domain.fills import Fill
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Http
from chatbot.exchanges.okx import errors, fills, paging, wire
from chatbot.exchanges.okx.contracts import Families
from chatbot.exchanges.okx.fills import KINDS, SPOT, Row
from chatbot.exchanges.okx.hosts import Hosts
from chatbot.exchanges.okx.paging import MARK, PAGE, Past, Place
from chatbot.ports.context import Clock
from chatbot.ports.exchanges import Head, Page, Proof

CONFIG = "/api/v5/account/config"
TRADING = "/api/v5/account/balance"
FUNDING = "/api/v5/asset/balances"
LATEST = "/api/v5/trade/fills"
HISTORY = "/api/v5/trade/fills-history"
SIGNABLE_KEY = re.compile(rb"[!-~]{1,128}")
SIGNABLE_PASSPHRASE = re.compile(rb"[ -~]{1,128}")
SEEN = Finding(Switch.ON, Source.SEEN)
REFUSED = Finding(Switch.OFF, Source.SEEN, refused=True)
# A company or an account may lack margin, futures or options; that is no reason to see no spot fills.
PASSED_OVER = frozenset({Trouble.UNKNOWN, Trouble.REGION})
# Ten requests in two seconds for the history, whoever of the same user asks.
PATIENCE, LIMIT_SECONDS = 3, 2
T = TypeVar("T")


class OKXClient:
    """Reads one account."""

    def __init__(
        self, hosts: Hosts, clock: Clock, families: Families, credentials: Credentials, nonce: int
    ) -> None:
        self._hosts, self._clock, self._families, self._credentials = hosts, clock, families, credentials
        self._nonce = nonce

    @property
    def last_nonce(self) -> int:
        return self._nonce

    async def prove(self) -> Proof:
        balances = await self.balances()
        told = await self._try_permissions()
        readable, head = await self._try_fills()
        read = {Permission.BALANCES: SEEN, Permission.FILLS: readable}
        # What a read showed counts where OKX tells nothing or something else; what it tells too stays told.
        seen = {p: f for p, f in read.items() if told.get(p).switch is not f.switch}
        return Proof(told.has(seen), balances, head)

    async def balances(self) -> tuple[Balance, ...]:
        traded = await self._get(TRADING, "", Permission.BALANCES, wire.parse_trading)
        return wire.together((*traded, *await self._funding()))

    async def fills_after(self, cursor: str) -> Page:
        place, now = Place.read(cursor), wire.milliseconds(self._clock.now())
        end, most, whole = 0, paging.MOST_PAGES, False
        while not whole:
            rows, whole = await self._down_to(place, now, end, most)
            if not whole:
                end = paging.halfway(place.at, rows, place.floor)
                most = paging.MOST_PAGES if end else paging.NO_END
        kept = paging.newer(rows, place.floor)
        return Page(await self._fills(kept), str(place.onward(kept, end or now)), more=bool(end))

    async def fills_before(self, cursor: str) -> Page:
        if cursor == paging.NOTHING_OLDER:
            return Page((), cursor, more=False)
        past, begun = Past.read(cursor), MARK in cursor
        # Only the first page may find a kind closed: one that has answered is not passed over later.
        pages = {kind: await self._history(kind, past.above, begun=begun) for kind in past.kinds}
        rows, onward = paging.older(pages, past)
        return Page(await self._fills(rows), str(onward), more=bool(onward.kinds))

    async def _funding(self) -> tuple[Balance, ...]:
        """Read the funding account, which not every account has; one that could be read once has to be."""
        seat = self._hosts.seat(self._credentials.api_key)
        try:
            found = await self._get(FUNDING, "", Permission.BALANCES, wire.parse_funding)
        except ExchangeError as error:
            if seat.funding or error.trouble is not Trouble.NO_PERMISSION:
                raise
            return ()
        seat.funding = True
        return found

    async def _try_permissions(self) -> PermissionReport:
        try:
            return await self._get(CONFIG, "", Permission.ACCOUNT, wire.parse_permissions)
        except ExchangeError as error:
            if error.trouble is Trouble.NO_PERMISSION:
                return PermissionReport({Permission.ACCOUNT: REFUSED})
            if error.trouble is not Trouble.UNKNOWN:
                raise
            return PermissionReport()

    async def _try_fills(self) -> tuple[Finding, Head | None]:
        now = wire.milliseconds(self._clock.now())
        try:
            newest = await self._latest(0, 0, limit=1)
            if not newest:
                newest = [row for kind in KINDS for row in await self._history(kind, 0, limit=1)]
        except ExchangeError as error:
            if error.trouble is not Trouble.NO_PERMISSION:
                raise
            return REFUSED, None
        last = max((row.number for row in newest), default=0)
        # History includes the head itself and nothing newer: what comes later is for the poll to tell.
        before = str(last + 1) if last else paging.NOTHING_OLDER
        return SEEN, Head(after=str(Place(last, now)), before=before)

    async def _down_to(self, place: Place, now: int, end: int, most: int) -> tuple[list[Row], bool]:
        """Read from a time (0: the newest) down to a place; say whether it was reached in so many pages."""
        kinds = ("",) if place.is_recent(now) else KINDS
        found: list[Row] = []
        whole = True
        for kind in kinds:
            above = 0
            for _ in range(most):
                page = await (
                    self._history(kind, above, end, begun=bool(above)) if kind else self._latest(above, end)
                )
                found += page
                if len(page) < PAGE or min(row.number for row in page) <= place.floor:
                    break
                above = paging.lowest(page, above)
            else:
                whole = False
        return found, whole

    async def _latest(self, above: int, end: int, limit: int = PAGE) -> list[Row]:
        return await self._get(LATEST, _query("", above, end, limit), Permission.FILLS, fills.parse_rows)

    async def _history(
        self, kind: str, above: int, end: int = 0, limit: int = PAGE, *, begun: bool = False
    ) -> list[Row]:
        query = _query(kind, above, end, limit)
        for left in range(PATIENCE, -1, -1):
            try:
                return await self._get(HISTORY, query, Permission.FILLS, fills.parse_rows)
            except ExchangeError as error:
                if kind != SPOT and not begun and error.trouble in PASSED_OVER:
                    return []
                if error.trouble is not Trouble.RATE_LIMIT or not left:
                    raise
            await self._clock.sleep(LIMIT_SECONDS)
        return []

    async def _fills(self, rows: Iterable[Row]) -> tuple[Fill, ...]:
        wanted = list(rows)
        return fills.fills(wanted, await self._families.knowing(wanted))

    async def _get(self, path: str, query: str, subject: Permission, parse: Callable[[bytes], T]) -> T:
        seat = self._hosts.seat(self._credentials.api_key)
        unknown: ExchangeError | None = None
        for number, http in self._hosts.in_turn(seat):
            try:
                found = await self._twice(http, path, query, subject, parse)
            except errors.UnknownHere as error:
                unknown = error
            else:
                seat.host = number
                return found
        seat.host = 0
        raise unknown or ExchangeError(Trouble.BAD_KEY, "no OKX knows the key")

    async def _twice(
        self, http: Http, path: str, query: str, subject: Permission, parse: Callable[[bytes], T]
    ) -> T:
        try:
            return await self._ask(http, path, query, subject, parse)
        except ExchangeError as error:
            if error.trouble is not Trouble.CLOCK_OR_NONCE:
                raise
        return await self._ask(http, path, query, subject, parse)

    async def _ask(
        self, http: Http, path: str, query: str, subject: Permission, parse: Callable[[bytes], T]
    ) -> T:
        third = self._credentials.passphrase
        if not SIGNABLE_KEY.fullmatch(self._credentials.api_key.reveal()):
            raise ExchangeError(Trouble.BAD_KEY, "a key that can't be an OKX key")
        if third is None or not SIGNABLE_PASSPHRASE.fullmatch(third.reveal()):
            reason = "a passphrase that can't be one of OKX"
            raise ExchangeError(Trouble.BAD_SECRET, reason, subject="passphrase")
        signed = f"{path}?{query}" if query else path
        headers = wire.sign("GET", signed, self._credentials, self._clock.now())
        answer = await http.request("GET", path, query, headers)
        errors.check(answer, subject)
        return parse(answer.body)


def _query(kind: str, above: int, end: int, limit: int) -> str:
    parts = {"instType": kind, "after": above, "end": end, "limit": limit}
    return "&".join(f"{name}={value}" for name, value in parts.items() if value)
