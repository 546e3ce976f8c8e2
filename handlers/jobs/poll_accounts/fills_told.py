"""From the new fills of a poll to messages: of each order, of a burst, or of all that came after a gap.

Everything is written in the transaction that stores the fills. Each new fill is told in exactly one message,
or counted in the next when it is worth less than the floor. A message that is edited says all that its order
or its table holds by then, so whatever state was never seen is made up for by the one after it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from chatbot.domain.balances import Balance
from chatbot.domain.credentials import AccountId
from chatbot.domain.fills import Fill, Side
from chatbot.domain.floods import GAP, MINUTE, plan, starts_anew
from chatbot.domain.messages import Message
from chatbot.domain.notices import Kind
from chatbot.domain.orders import EXACT, Order, OrderId, Realised, by_order, fold, key_of, realised
from chatbot.ports.accounts import Work
from chatbot.ports.context import Context
from chatbot.ports.records import StoredFill
from chatbot.ports.stores import UnitOfWork
from chatbot.text import Translator
from handlers.notifications import fills
from handlers.notifications.rates import rates_for
from handlers.notifications.telling import Render, tell

BURST, SUMMARY, SMALL = "burst:", "summary:", "small"
NEAR = 200
PAGE = 1000
# The past of a market that is longer is not added up again with every sale.
LONGEST_PAST = 10_000
_EVERY = 1_000_000
_STAMP = "%Y%m%dT%H%M%S%f"

_Shown = Callable[[AccountId, str, str, Sequence[Fill], int, Translator], Message]


async def tell_fills(store: UnitOfWork, work: Work, added: Sequence[Fill], ctx: Context) -> bool:
    """Queue what a poll's new fills have to tell; say whether there was anything."""
    if not added:
        return False
    telling, account = _Telling(store, work, ctx, ctx.clock.now()), work.account
    earliest, latest = (end(fill.at for fill in added) for end in (min, max))
    near = await store.fills.between(account.id, earliest - MINUTE, latest + MINUTE, NEAR)
    orders = by_order(added)
    small = {order for order in orders if await telling.is_small(order)}
    going_on = await telling.running(SUMMARY)
    shape = plan(
        added, near, now=telling.now, looked=account.polled_at, is_small=small.__contains__,
        summing=going_on is not None,
    )  # fmt: skip
    await store.fills.bundle(account.id, shape.small, SMALL)
    told = False
    if shape.summary:
        told |= await telling.table(going_on or telling.begun(SUMMARY), shape.summary, fills.summary)
    if shape.burst:
        name = await telling.running(BURST) or telling.begun(BURST)
        told |= await telling.table(name, shape.burst, fills.burst)
    for order in shape.orders:
        told |= await telling.order(order, orders[order])
    return told


@dataclass(frozen=True, slots=True)
class _Telling:
    """One account's fills on their way to its conversations."""

    store: UnitOfWork
    work: Work
    ctx: Context
    now: datetime

    @property
    def _id(self) -> AccountId:
        return self.work.account.id

    @property
    def _name(self) -> str:
        return self.work.account.titled(self.ctx.exchange_of(self.work.account).title)

    async def order(self, order: OrderId, new: Sequence[Fill]) -> bool:
        """Tell an order with all its fills, in the message that it has already."""
        stored = await self.store.fills.of_order(self._id, order)
        await self.store.fills.bundle(self._id, _waiting(stored), "")
        fresh = set(map(key_of, new))
        before = {one.stored_at for one in stored if key_of(one.fill) not in fresh}
        whole = fold(one.fill for one in stored)
        card = f"order:{self._id}:{_words(order)}"
        render = partial(
            fills.card, self._id, self._name, whole, await self._gain(whole), await self._small(card)
        )
        return await self._tell(render, new, card, fresh=starts_anew(before, self.now))

    async def table(self, bundle: str, new: Sequence[Fill], shown: _Shown) -> bool:
        """Tell a bundle of fills, in the message that it has already."""
        await self.store.fills.bundle(self._id, new, bundle)
        every, _ = await self.store.fills.in_bundle(self._id, bundle, _EVERY)
        card = f"{bundle}:{self._id}"
        render = partial(shown, self._id, self._name, bundle, every, await self._small(card))
        return await self._tell(render, new, card)

    def begun(self, kind: str) -> str:
        """Return the name of a bundle that begins now."""
        return kind + self.now.astimezone(UTC).strftime(_STAMP)

    async def running(self, kind: str) -> str | None:
        """Return the bundle that goes on: one that grew within the last minute and is not long any more."""
        newest = await self.store.fills.newest_bundle(self._id, kind)
        if newest is None:
            return None
        name, grew_at = newest
        begun = datetime.strptime(name.removeprefix(kind), _STAMP).replace(tzinfo=UTC)
        goes_on = timedelta() <= self.now - grew_at <= MINUTE and self.now - begun <= GAP
        return name if goes_on else None

    async def is_small(self, order: OrderId) -> bool:
        """Tell whether all fills of an order together are known to be worth less than the floor."""
        floor = self.ctx.options.fills_floor
        if not floor:
            return False
        worth = await self._worth(fold(one.fill for one in await self.store.fills.of_order(self._id, order)))
        return worth is not None and worth < floor

    async def _worth(self, order: Order) -> Decimal | None:
        exchange, currency = self.work.account.exchange, self.work.owner.currency
        prices = await self.store.balances.prices(exchange)
        if prices is None:
            return None
        paid = Balance(order.quote, order.cost, order.cost)
        rates = await rates_for(self.store, exchange, prices, [paid], currency, self.ctx)
        rate = rates.rate(order.quote, currency)
        return None if rate is None else EXACT.multiply(order.cost.copy_abs(), rate)

    async def _small(self, card: str) -> int:
        """Count what was not told by itself; it stays with the message that counts it first."""
        name = f"{SMALL}:{card}"
        await self.store.fills.rename_bundle(self._id, SMALL, name)
        return (await self.store.fills.in_bundle(self._id, name, 0))[1]

    async def _gain(self, order: Order) -> Realised | None:
        """Return what a sale realised, where every fill of its market is known."""
        account = self.work.account
        all_known = account.history_done and not self.ctx.exchange_of(account).history_days
        if order.side is not Side.SELL or order.settle or not all_known:
            return None
        past: list[Fill] = []
        while len(past) < LONGEST_PAST:
            last = past[-1] if past else None
            page = await self.store.fills.of_market(self._id, order.id.product, order.id.market, last, PAGE)
            past += page
            if len(page) < PAGE:
                return realised(past, order.id)
        return None

    async def _tell(self, render: Render, new: Sequence[Fill], card: str, *, fresh: bool = False) -> bool:
        ends = "-".join(f"{fill.market}:{fill.id}:{fill.side}" for fill in (new[0], new[-1]))
        key = f"fills:{self._id}:{ends}"
        return await tell(
            self.store, self.ctx, self._id, self.work.owner, Kind.FILLS, render, key, card=card, fresh=fresh
        )


def _waiting(stored: Sequence[StoredFill]) -> list[Fill]:
    return [one.fill for one in stored if one.bundle.startswith(SMALL)]


def _words(order: OrderId) -> str:
    return f"{order.product}:{order.market}:{order.side.value}:{order.order}:{order.fill}"
