"""What one poll asks the exchange, and what it found; nothing is written here.

Balances are read before fills: a fill that changed them is then always among the fills read after.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from chatbot.domain.balances import Gaps, Prices, Snapshot
from chatbot.domain.fills import Fill
from chatbot.domain.people import HOME_TEAM
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from chatbot.domain.rates import wanting
from chatbot.errors import ExchangeError, Fenced, Trouble
from chatbot.ports.accounts import Work
from chatbot.ports.context import Context
from chatbot.ports.exchanges import Exchange, ExchangeClient, Proof
from handlers.notifications.rates import kept, lenders

MARGIN = timedelta(seconds=30)
FILL_PAGES = 50
HISTORY_PAGES = 10
HISTORY_AGAIN = timedelta(minutes=10)
PRICES_FOR = timedelta(seconds=60)
PRICES_AGAIN = timedelta(seconds=10)
RATES_FOR = RATES_AGAIN = timedelta(minutes=10)
RATES_ASKED = 2


@dataclass(slots=True)
class Found:
    """What one poll found; None means not read or unchanged."""

    fills: list[Fill] = field(default_factory=list)
    earlier: list[Fill] = field(default_factory=list)
    snapshot: Snapshot | None = None
    report: PermissionReport | None = None
    cursor: str | None = None
    history: str | None = None
    history_done: bool | None = None
    history_at: datetime | None = None
    unexplained: Gaps | None = None
    fills_on: bool | None = None
    more: bool = False
    checked: bool = False
    wait: int = 0


async def read(work: Work, client: ExchangeClient, exchange: Exchange, ctx: Context) -> Found:
    """Read what is due; raises `ExchangeError` when balances or the exchange fail."""
    found = Found(cursor=work.cursor)
    now = ctx.clock.now()
    if work.check_at is None or work.check_at <= now:
        _take_proof(work, found, await client.prove(), ctx)
    elif work.balances_at is None or work.balances_at <= now:
        found.snapshot = Snapshot(ctx.clock.now(), await client.balances())
    own = await _prices(exchange, ctx) if found.snapshot is not None else None
    fills_on = work.fills_on if found.fills_on is None else found.fills_on
    if fills_on:
        await _see_to_go_on(work, ctx)
        await _fills(work, client, found, exchange, ctx)
    if found.more:
        # Fills not yet read may explain what changed: these balances are read again with the last of them.
        found.snapshot = None
    elif found.snapshot is not None and own is not None:
        await _rates(work.owner.currency, exchange, found.snapshot, own, ctx)
    return found


def _take_proof(work: Work, found: Found, proof: Proof, ctx: Context) -> None:
    said = {
        p: f
        for p, f in work.account.report.findings.items()
        if f.source is Source.SAID and not proof.report.is_on(p)
    }
    unknown = {p: f for p, f in said.items() if proof.report.get(p).switch is Switch.UNKNOWN}
    found.report = proof.report.has(unknown)
    found.snapshot = Snapshot(ctx.clock.now(), proof.balances)
    found.checked = True
    found.fills_on = proof.head is not None
    # Only an account whose fills were never read starts here; what happened while they were off is new.
    if proof.head is not None and work.cursor is None:
        found.cursor, found.history = proof.head.after, proof.head.before


async def _prices(exchange: Exchange, ctx: Context) -> Prices | None:
    """Return prices that are a minute old at most, else the last there are."""
    # Many accounts want them at the same moment: one asks, the others find what it brought.
    turn = ctx.turns[f"prices:{exchange.name}"]
    async with turn.lock:
        async with ctx.uow() as store:
            kept = await store.balances.prices(exchange.name)
        if kept is not None and abs(ctx.clock.now() - kept.at) < PRICES_FOR:
            return kept
        if turn.failed_at is not None and ctx.clock.now() - turn.failed_at < PRICES_AGAIN:
            return kept
        try:
            fresh: Prices = await exchange.prices()
        except ExchangeError as error:
            # Old prices carry their time; balances are worth more than prices.
            turn.failed_at = ctx.clock.now()
            ctx.log.info("prices_failed", exchange=exchange.name, trouble=error.trouble)
            return kept
        async with ctx.uow() as store:
            await store.balances.save_prices(exchange.name, fresh)
        return fresh


async def _rates(currency: str, exchange: Exchange, seen: Snapshot, own: Prices, ctx: Context) -> None:
    """See that a rate between moneys is at hand where own prices don't reach the owner's currency.

    Few are asked, and one that failed not again for a while: the poll must not wait for it.
    """
    moneys = wanting(seen.balances, own, currency)
    able = lenders(ctx.exchanges, exchange.name, moneys, currency)
    async with ctx.uow() as store:
        known = {other.name: await kept(store, other, currency, ctx, RATES_FOR) for other in able}
    if any(lent and any(lent.prices.rate(money, currency) for money in moneys) for lent in known.values()):
        return
    unknown = (other for other in able if known[other.name] is None and _can_be_asked(other, ctx))
    for other in islice(unknown, RATES_ASKED):
        prices = await _prices(other, ctx)
        if prices is not None and abs(ctx.clock.now() - prices.at) <= RATES_FOR:
            return


def _can_be_asked(exchange: Exchange, ctx: Context) -> bool:
    turn = ctx.turns[f"prices:{exchange.name}"]
    failed = turn.failed_at is not None and ctx.clock.now() - turn.failed_at < RATES_AGAIN
    return not failed and not turn.lock.locked()


async def _fills(work: Work, client: ExchangeClient, found: Found, exchange: Exchange, ctx: Context) -> None:
    try:
        await _new_fills(work, client, found, ctx)
        if found.wait or ctx.clock.now() > work.deadline - MARGIN:
            # Told to wait, and whoever asks on may be shut out for longer; or the lease runs out.
            return
        await _earlier(work, client, found, exchange, ctx)
    except ExchangeError as error:
        # Where balances are refused on the way, nothing is known of fills.
        if error.trouble is not Trouble.NO_PERMISSION or error.subject == Permission.BALANCES:
            raise
        refused = Finding(Switch.OFF, Source.SEEN, refused=True)
        found.report = (found.report or work.account.report).has({Permission.FILLS: refused})
        found.fills_on = False


async def _see_to_go_on(work: Work, ctx: Context) -> None:
    """Stop between two calls when the account's workspace removed us meanwhile; raises `Fenced`."""
    if work.account.team == HOME_TEAM:
        return
    async with ctx.uow() as store:
        if not await store.accounts.holds(work):
            raise Fenced("the account was suspended during its poll")


async def _new_fills(work: Work, client: ExchangeClient, found: Found, ctx: Context) -> None:
    for number in range(FILL_PAGES):
        if number:
            await _see_to_go_on(work, ctx)
        try:
            page = await client.fills_after(found.cursor or "")
        except ExchangeError as error:
            if not number or not error.retry:
                raise
            # What was read is kept, or a long walk that is cut off each time would never end.
            found.more, found.wait = True, max(1, error.wait)
            return
        found.fills += page.fills
        found.cursor, found.more = page.cursor, page.more
        if not page.more or ctx.clock.now() > work.deadline - MARGIN:
            return


async def _earlier(
    work: Work, client: ExchangeClient, found: Found, exchange: Exchange, ctx: Context
) -> None:
    if work.account.history_done or (work.history_at is not None and work.history_at > ctx.clock.now()):
        return
    try:
        await _history(work, client, found, exchange, ctx)
    except ExchangeError as error:
        if error.trouble is Trouble.NO_PERMISSION:
            raise
        # A page of long ago that can't be read costs nothing of today; what was read before it is kept.
        ctx.log.warning("history_failed", account=work.account.id, trouble=error.trouble, reason=error.reason)
        found.history_at, found.wait = ctx.clock.now() + HISTORY_AGAIN, error.wait


async def _history(
    work: Work, client: ExchangeClient, found: Found, exchange: Exchange, ctx: Context
) -> None:
    cursor = found.history if found.history is not None else work.history
    for number in range(HISTORY_PAGES):
        if number:
            await ctx.clock.sleep(exchange.history_seconds)
        await _see_to_go_on(work, ctx)
        page = await client.fills_before(cursor or "")
        found.earlier += page.fills
        found.history = cursor = page.cursor
        found.history_done = not page.more
        if not page.more or ctx.clock.now() > work.deadline - MARGIN:
            return
