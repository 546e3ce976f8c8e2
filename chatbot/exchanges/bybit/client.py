"""Reads one Bybit account; its requests carry a timestamp and no nonce, so any order will do."""

from dataclasses import replace

from chatbot.domain.balances import Balance
from chatbot.domain.credentials import Credentials
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import _parse
from chatbot.exchanges._http import Http
from chatbot.exchanges.bybit import keyinfo, paging, wire
from chatbot.exchanges.bybit.asking import Asker
from chatbot.exchanges.bybit.funded import Funded
from chatbot.exchanges.bybit.history import History
from chatbot.exchanges.bybit.paging import Place
from chatbot.exchanges.bybit.symbols import Symbols
from chatbot.ports.context import Clock
from chatbot.ports.exchanges import Head, Page, Proof

WALLET = "/v5/account/wallet-balance"
# A read, though its path speaks of transfers (docs/v5/asset/balance/all-balance).
FUNDING = "/v5/asset/transfer/query-account-coins-balance"
KEY_INFO = "/v5/user/query-api"
# So many spans a page goes on while it finds nothing: most weeks of most accounts are empty.
SPANS = 4
SEEN = Finding(Switch.ON, Source.SEEN)
REFUSED = Finding(Switch.OFF, Source.SEEN, refused=True)


class BybitClient:
    """Reads one account."""

    def __init__(
        self, http: Http, clock: Clock, symbols: Symbols, credentials: Credentials, nonce: int,
        funded: Funded | None = None,
    ) -> None:  # fmt: skip
        self._clock, self._nonce, self._key = clock, nonce, credentials.api_key
        self._funded = funded or Funded()
        self._asker = Asker(http, clock, credentials)
        self._history = History(self._asker, symbols)

    @property
    def last_nonce(self) -> int:
        return self._nonce

    async def prove(self) -> Proof:
        balances, funded = await self._holdings()
        fills, head = await self._try_fills()
        report = await self._report()
        if report is None:
            seen = {Permission.BALANCES: SEEN} | ({Permission.ACCOUNT: SEEN} if funded else {})
            report = PermissionReport(seen).has({Permission.FILLS: fills})
        elif head is None or not report.is_on(Permission.FILLS):
            # What was really answered, or not, tells more than a list of areas.
            report = report.has({Permission.FILLS: fills})
        return Proof(report, balances, head)

    async def balances(self) -> tuple[Balance, ...]:
        balances, _ = await self._holdings()
        return balances

    async def fills_after(self, cursor: str) -> Page:
        place = Place.read(cursor, self._clock.now())
        for left in reversed(range(SPANS)):
            self._history.open, self._history.sure = place.asked(self._clock.now()), place.open
            stretch = await self._history.read(place.span, newest=False)
            fills = await self._history.settled(stretch, place.has_told)
            place = replace(place, open=self._history.open)
            page = paging.newer(fills, place, stretch.span, stretch.at)
            if page.fills or not page.more or not left:
                break
            place = Place.read(page.cursor, stretch.at)
        return page

    async def fills_before(self, cursor: str) -> Page:
        now = self._clock.now()
        span = paging.before(cursor, now)
        for left in reversed(range(SPANS)):
            if span.end < span.start:
                return Page((), cursor, more=False)
            stretch = await self._history.read(span, newest=True)
            page = paging.older((one.fill for one in stretch.found), stretch.span, now)
            if page.fills or not page.more or not left:
                break
            span = paging.before(page.cursor, now)
        return page

    async def _holdings(self) -> tuple[tuple[Balance, ...], bool]:
        """Return all that is held, and whether the Funding account is in it: its area may not be ticked.

        Where it could be read once it has to be.
        """
        held = await self._asker.get(WALLET, "accountType=UNIFIED", Permission.BALANCES, wire.parse_balances)
        try:
            funds = await self._asker.get(FUNDING, "accountType=FUND", Permission.ACCOUNT, wire.parse_funding)
        except ExchangeError as error:
            if error.trouble is not Trouble.NO_PERMISSION or self._funded.has(self._key):
                raise
            return held, False
        self._funded.add(self._key)
        with _parse.reading("balances"):
            return wire.merged(held, funds), True

    async def _try_fills(self) -> tuple[Finding, Head | None]:
        try:
            began = wire.since_epoch(await self._history.began())
        except ExchangeError as error:
            if error.trouble is not Trouble.NO_PERMISSION:
                raise
            return REFUSED, None
        # History reaches up to this moment of Bybit's own clock; what comes later is for the poll to tell.
        place = Place(began, self._history.open, began // paging.HOUR_MS)
        return SEEN, Head(after=str(place), before=str(began))

    async def _report(self) -> PermissionReport | None:
        """Return what Bybit tells of the key; None when this key may not ask."""
        try:
            return await self._asker.get(KEY_INFO, "", Permission.ACCOUNT, keyinfo.parse_report)
        except ExchangeError as error:
            if error.trouble is not Trouble.NO_PERMISSION:
                raise
            return None
