"""What the contracts of each family stand for, asked once a day and only for families that were traded."""

import asyncio
import re
from collections.abc import Iterable

from chatbot.exchanges._http import Http
from chatbot.exchanges.okx import errors, fills
from chatbot.exchanges.okx.fills import CONTRACTS, Contract, Contracts, Family, Row
from chatbot.ports.context import Clock

PATH = "/api/v5/public/instruments"
KNOWN_SECONDS = 24 * 3600
PLAIN_NAME = re.compile(r"[A-Za-z0-9_\-]{1,40}")


class Families:
    """The table of contracts, one for all accounts."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http, self._clock = http, clock
        self._known: dict[Family, Contract] = {}
        self._asked_seconds: dict[Family, float] = {}
        self._turn = asyncio.Lock()

    async def knowing(self, rows: Iterable[Row]) -> Contracts:
        """Return a table that holds the families of these rows, unless OKX no longer lists one."""
        families = {row.family for row in rows if row.kind in CONTRACTS}
        wanted = {family for family in families if PLAIN_NAME.fullmatch(family[1])}
        if any(self._is_due(family) for family in wanted):
            async with self._turn:
                for family in sorted(wanted):
                    if self._is_due(family):
                        await self._ask(family)
        return self._known

    def _is_due(self, family: Family) -> bool:
        asked = self._asked_seconds.get(family)
        return asked is None or self._clock.monotonic() - asked >= KNOWN_SECONDS

    async def _ask(self, family: Family) -> None:
        kind, name = family
        answer = await self._http.request("GET", PATH, f"instType={kind}&instFamily={name}")
        # A family that is gone must not keep us from the fills it once had.
        gone = errors.is_unlisted(answer)
        if not gone:
            errors.check(answer)
        contract = None if gone else fills.parse_contract(answer.body)
        if contract is not None:
            self._known[family] = contract
        self._asked_seconds[family] = self._clock.monotonic()
