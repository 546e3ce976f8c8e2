"""Reads one Bitstamp account, never more than the allow-list holds; each answer's signature is checked."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from chatbot.domain.balances import Balance
from chatbot.domain.credentials import Credentials
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Http
from chatbot.exchanges._unchanged import KNOWN
from chatbot.exchanges.bitstamp import pages, rows, wire
from chatbot.exchanges.bitstamp.pages import Walk
from chatbot.ports.context import Clock
from chatbot.ports.exchanges import Head, Page, Proof

BALANCES = "/api/v2/account_balances/"
TRANSACTIONS = "/api/v2/user_transactions/"
WITHDRAWAL_LIST = "/api/v2/withdrawal-requests/"
# The tick that opens the list: not needed here, and no proof for or against the right to withdraw.
LISTS_WITHDRAWALS = "List withdrawal requests"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SIGNABLE_KEY = re.compile(rb"[!-~]{1,128}")
SEEN = Finding(Switch.ON, Source.SEEN)
REFUSED = Finding(Switch.OFF, Source.SEEN, refused=True)
T = TypeVar("T")


class BitstampClient:
    """Reads one account. Bitstamp wants a new UUID each time, no rising number: the floor is handed back."""

    def __init__(self, http: Http, clock: Clock, credentials: Credentials, nonce: int) -> None:
        self._http, self._clock, self._credentials = http, clock, credentials
        self._nonce = nonce

    @property
    def last_nonce(self) -> int:
        return self._nonce

    async def prove(self) -> Proof:
        balances = await self.balances()
        fills, head = await self._try_fills()
        labels = await self._try_withdrawal_list()
        findings = {Permission.BALANCES: SEEN, Permission.FILLS: fills}
        return Proof(PermissionReport(findings, labels=labels), balances, head)

    async def balances(self) -> tuple[Balance, ...]:
        key, now = self._credentials.api_key, self._clock.monotonic()
        parse = KNOWN.parser(rows.parse_balances, key.reveal(), now)
        return await self._post(BALANCES, "", Permission.BALANCES, parse)

    async def fills_after(self, cursor: str) -> Page:
        return pages.newer(await self._transactions(pages.upwards(int(cursor or 0) + 1)), cursor)

    async def fills_before(self, cursor: str) -> Page:
        walk = Walk.read(cursor)
        return pages.older(await self._transactions(walk.query), walk)

    async def _transactions(self, query: str) -> tuple[rows.Entry, ...]:
        return await self._post(TRANSACTIONS, query, Permission.FILLS, rows.parse_entries)

    async def _try_fills(self) -> tuple[Finding, Head | None]:
        try:
            newest = await self._transactions("limit=1&sort=desc&offset=0")
        except ExchangeError as error:
            if error.trouble is not Trouble.NO_PERMISSION:
                raise
            return REFUSED, None
        last = newest[0].id if newest else 0
        # History includes the head itself and nothing newer: what comes later is for the poll to tell.
        return SEEN, Head(after=str(last or ""), before=str(Walk(bound=last)))

    async def _try_withdrawal_list(self) -> tuple[str, ...]:
        """Return the label of a tick too many; not needed, so only a trouble of the key itself is raised."""
        try:
            await self._post(WITHDRAWAL_LIST, "limit=1&offset=0", Permission.WITHDRAW, rows.parse_any)
        except ExchangeError as error:
            if error.trouble not in {Trouble.NO_PERMISSION, Trouble.UNKNOWN, Trouble.UNREACHABLE}:
                raise
            return ()
        return (LISTS_WITHDRAWALS,)

    async def _post(self, path: str, query: str, subject: Permission, parse: Callable[[bytes], T]) -> T:
        try:
            return await self._ask(path, query.encode(), subject, parse)
        except ExchangeError as error:
            if error.trouble is not Trouble.CLOCK_OR_NONCE:
                raise
        return await self._ask(path, query.encode(), subject, parse)

    async def _ask(self, path: str, body: bytes, subject: Permission, parse: Callable[[bytes], T]) -> T:
        key, secret = self._credentials.api_key, self._credentials.api_secret
        if not SIGNABLE_KEY.fullmatch(key.reveal()):
            raise ExchangeError(Trouble.BAD_KEY, "a key that can't be a Bitstamp key")
        stamp = wire.Stamp(str(uuid.uuid4()), (self._clock.now() - EPOCH) // MILLISECOND)
        headers = wire.sign("POST", path, body, key, secret, stamp)
        answer = await self._http.request("POST", path, headers=headers, body=body)
        wire.check(answer, subject)
        wire.verify(answer, secret, stamp)
        return parse(answer.body)
