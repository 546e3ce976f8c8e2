"""Send what waits in the outbox: claim with a lease, write *begun*, send within the pace, record.

A message that may or may not have arrived is judged by `domain/outbox.py`: an alert is repeated with a
mark, a card edited again, a report or reply let go. Nothing is sent after its lease has run out.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chatbot.dispatcher.crew import work_off
from chatbot.domain.outbox import LEASE, Delivery, Next, OutboxState, after_failure, backoff
from chatbot.domain.pacing import Pace
from chatbot.errors import Fenced, SendError, StorageError, VaultError, Verdict
from chatbot.ports.context import Context
from chatbot.registry import job
from handlers.notifications.links import disclose

AT_ONCE = 60
PORTION = 10
SAFETY = timedelta(seconds=45)
PLATFORM_HOLD = 60
UNCONFIGURED = "platform not configured"
SEALED = "a sealed address can't be opened"


@job("deliver_messages", every=0.5)
async def deliver_messages(ctx: Context) -> None:
    """Send until nothing is due for a conversation that may be written to now."""
    hand = _Hand(ctx)
    limit = AT_ONCE * max(1, len(ctx.postbox.open()))
    await work_off("deliver_messages", hand.claim, hand.carry, ctx, limit)


class _Hand:
    """Takes a fair share for each platform and bot: one that is slow, or has much to say, delays itself."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._under_way: Counter[str] = Counter()

    async def claim(self, room: int) -> Sequence[Delivery]:
        taken: list[Delivery] = []
        for platform in self._ctx.postbox.open():
            taken += await self._claim_of(platform, room - len(taken))
        return taken

    async def carry(self, delivery: Delivery) -> None:
        try:
            await _deliver(delivery, self._ctx)
        finally:
            self._under_way[delivery.place.bot] -= 1

    async def _claim_of(self, platform: str, room: int) -> Sequence[Delivery]:
        taken: list[Delivery] = []
        mine = sum(number for bot, number in self._under_way.items() if bot.partition(":")[0] == platform)
        room = min(room, AT_ONCE - mine)
        while room > len(taken):
            wanted = min(PORTION, room - len(taken))
            rows = await self._rows(platform, wanted)
            self._under_way.update(delivery.place.bot for delivery in rows)
            taken += rows
            if len(rows) < wanted:
                break
        return taken

    async def _rows(self, platform: str, wanted: int) -> Sequence[Delivery]:
        ctx = self._ctx
        now, at = ctx.clock.now(), ctx.clock.monotonic()
        pace = ctx.postbox.pace(platform)
        most = pace.at_once if pace else PORTION
        full = {bot for bot, number in self._under_way.items() if number >= most}
        full |= set(ctx.pacer.held_bots(at))
        async with ctx.uow() as store:
            return await store.outbox.claim(
                now, now + LEASE, wanted, ctx.pacer.busy(at), [platform], sorted(full)
            )


async def _deliver(delivery: Delivery, ctx: Context) -> None:
    try:
        await _send(delivery, ctx)
    except (Fenced, StorageError) as lost:
        ctx.log.warning("delivery_dropped", delivery=delivery.id, reason=str(lost))


async def _send(delivery: Delivery, ctx: Context) -> None:
    platform = delivery.place.platform
    pace = ctx.postbox.pace(platform)
    if pace is None:
        await _fail(delivery, SendError(Verdict.UNSENT, UNCONFIGURED, wait=PLATFORM_HOLD), ctx)
        return
    held = ctx.pacer.held(delivery.place.bot, ctx.clock.monotonic())
    if held:
        await _hand_back(delivery, held, ctx)
        return
    await _wait(ctx, delivery.place.bot, pace)
    if ctx.clock.now() > delivery.deadline - SAFETY:
        await _hand_back(delivery, 1, ctx)
        return
    try:
        readable = replace(delivery, message=disclose(ctx.vault, delivery.message))
    except (VaultError, ValueError):
        await _fail(delivery, SendError(Verdict.REFUSED, SEALED), ctx)
        return
    await _hand_over(readable, pace, ctx)


async def _hand_over(delivery: Delivery, pace: Pace, ctx: Context) -> None:
    async with ctx.uow() as store:
        await store.outbox.begin(delivery)
    try:
        message_id = await ctx.postbox.deliver(delivery)
    except SendError as error:
        if error.verdict is not Verdict.UNSENT:
            _left(delivery, pace, ctx)
        await _fail(delivery, error, ctx)
        return
    _left(delivery, pace, ctx)
    await _record(delivery, message_id, ctx)
    ctx.metrics.sent(delivery.place.platform, "sent")
    ctx.log.info("sent", delivery=delivery.id, platform=delivery.place.platform, repeat=delivery.repeat)


def _left(delivery: Delivery, pace: Pace, ctx: Context) -> None:
    if not delivery.home:
        ctx.pacer.sent(delivery.conversation, delivery.place, pace, ctx.clock.monotonic())


async def _record(delivery: Delivery, message_id: str, ctx: Context) -> None:
    """Write that it was sent; tried for as long as it is ours, or it would have to be repeated."""
    for tries in itertools.count(1):
        try:
            async with ctx.uow() as store:
                await store.outbox.sent(delivery, message_id, ctx.clock.now())
        except StorageError:
            pause = backoff(tries)
            if ctx.queue.stopping or ctx.clock.now() + timedelta(seconds=pause) >= delivery.deadline:
                raise
            await ctx.clock.sleep(pause)
        else:
            return


async def _hand_back(delivery: Delivery, delay: float, ctx: Context) -> None:
    # Left to its lease it would count as a crash of its sender, and be parked after a few.
    later = Next(OutboxState.PENDING, delay, repeat=delivery.repeat)
    async with ctx.uow() as store:
        await store.outbox.failed(delivery, later, "not its turn yet", ctx.clock.now())


async def _wait(ctx: Context, bot: str, pace: Pace) -> None:
    now = ctx.clock.monotonic()
    pause = ctx.pacer.slot(bot, pace, now) - now
    if pause > 0:
        await ctx.clock.sleep(pause)


async def _fail(delivery: Delivery, error: SendError, ctx: Context) -> None:
    ctx.metrics.sent(delivery.place.platform, error.verdict)
    ctx.log.warning("send_failed", delivery=delivery.id, verdict=error.verdict, reason=error.reason)
    now = ctx.clock.monotonic()
    # What becomes of a home page says nothing of the chat beside it.
    if error.wait and not delivery.home:
        ctx.pacer.hold(delivery.conversation, error.wait, now)
    if error.verdict is Verdict.UNAUTHORISED:
        ctx.pacer.hold_bot(delivery.place.bot, PLATFORM_HOLD, now)
    async with ctx.uow() as store:
        await store.outbox.failed(
            delivery, after_failure(delivery, error.verdict, error.wait), error.reason, ctx.clock.now()
        )
        if error.verdict is Verdict.GONE and not delivery.home:
            await store.conversations.leave(delivery.conversation)
        if error.verdict is Verdict.MOVED:
            await store.conversations.move(delivery.place, error.moved_to)
