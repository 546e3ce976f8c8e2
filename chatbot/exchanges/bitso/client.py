"""Reads one Bitso account: in sequence, with rising nonces, and never more than the allow-list holds."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from chatbot.domain.balances import Balance
from chatbot.domain.credentials import Credentials
from chatbot.domain.fills import Fill
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Http
from chatbot.exchanges._unchanged import KNOWN, Mark
from chatbot.exchanges.bitso import paging, wire
from chatbot.ports.context import Clock
from chatbot.ports.exchanges import Head, Page, Proof

PAGE = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SIGNABLE_KEY = re.compile(rb"[!-9;-~]{1,128}")
SEEN = Finding(Switch.ON, Source.SEEN)
REFUSED = Finding(Switch.OFF, Source.SEEN, refused=True)
Fills = tuple[Fill, ...]
T = TypeVar("T")


class BitsoClient:
    """Reads one account; its requests go out one after the other, each with a higher nonce."""

    def __init__(self, http: Http, clock: Clock, credentials: Credentials, nonce: int) -> None:
        self._http, self._clock, self._credentials = http, clock, credentials
        # Above a floor it only counts on: what lies there is reserved for us. A first proof has no floor.
        self._nonce = nonce or self._by_clock()
        self._turn = asyncio.Lock()

    @property
    def last_nonce(self) -> int:
        return self._nonce

    async def prove(self) -> Proof:
        balances = await self.balances()
        account = await self._try_account()
        fills, head = await self._try_fills()
        findings = {Permission.BALANCES: SEEN, Permission.ACCOUNT: account, Permission.FILLS: fills}
        return Proof(PermissionReport(findings), balances, head)

    async def balances(self) -> tuple[Balance, ...]:
        key, now = self._credentials.api_key, self._clock.monotonic()
        parse = KNOWN.parser(wire.parse_balances, key.reveal(), now)
        return await self._get("/api/v3/balance/", "", Permission.BALANCES, parse)

    async def fills_after(self, cursor: str) -> Page:
        mark = Mark(cursor)
        place = paging.Place.read(mark.cursor, self._clock.now())
        fills = await self._fills("asc", place.near, PAGE, mark.unless_known(wire.parse_fills))
        return mark.on(paging.newer(fills, place, full=len(fills) >= PAGE))

    async def fills_before(self, cursor: str) -> Page:
        fills = await self._fills("desc", cursor.rpartition("@")[2], PAGE)
        return paging.older(fills, cursor, full=len(fills) >= PAGE)

    async def _fills(
        self, sort: str, marker: str, limit: int, parse: Callable[[bytes], Fills] = wire.parse_fills
    ) -> Fills:
        query = f"limit={limit}&sort={sort}" + (f"&marker={marker}" if marker else "")
        return await self._get("/api/v3/user_trades/", query, Permission.FILLS, parse)

    async def _try_account(self) -> Finding:
        """Try the account's status; nothing depends on it, so only a trouble of the key itself is raised."""
        try:
            await self._get("/api/v3/account_status/", "", Permission.ACCOUNT, wire.parse_status)
        except ExchangeError as error:
            if error.trouble not in {Trouble.NO_PERMISSION, Trouble.UNKNOWN, Trouble.UNREACHABLE}:
                raise
            return REFUSED if error.trouble is Trouble.NO_PERMISSION else Finding()
        return SEEN

    async def _try_fills(self) -> tuple[Finding, Head | None]:
        try:
            newest = await self._fills("desc", "", 1)
        except ExchangeError as error:
            if error.trouble is not Trouble.NO_PERMISSION:
                raise
            return REFUSED, None
        tid = newest[0].id if newest else ""
        # History includes the head itself and nothing newer: what comes later is for the poll to tell.
        return SEEN, Head(after=tid, before=f"{tid or 0}@")

    async def _get(self, path: str, query: str, subject: Permission, parse: Callable[[bytes], T]) -> T:
        async with self._turn:
            try:
                return await self._ask(path, query, subject, parse)
            except ExchangeError as error:
                if error.trouble is not Trouble.CLOCK_OR_NONCE:
                    raise
            # Somebody else has used this key with higher ones.
            self._nonce = max(self._nonce, self._by_clock())
            return await self._ask(path, query, subject, parse)

    def _by_clock(self) -> int:
        return (self._clock.now() - EPOCH) // MILLISECOND * 10**6

    async def _ask(self, path: str, query: str, subject: Permission, parse: Callable[[bytes], T]) -> T:
        key = self._credentials.api_key
        if not SIGNABLE_KEY.fullmatch(key.reveal()):
            raise ExchangeError(Trouble.BAD_KEY, "a key that can't be a Bitso key")
        self._nonce += 1
        signed = f"{path}?{query}" if query else path
        headers = wire.sign("GET", signed, key, self._credentials.api_secret, self._nonce)
        answer = await self._http.request("GET", path, query, headers)
        wire.check(answer, subject)
        return parse(answer.body)
