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
from chatbot.dispatcher.ledger import Ledger
from chatbot.domain.outbox import LEASE, Delivery, Next, OutboxState, Promise, after_failure, backoff
from chatbot.domain.pacing import Pace
from chatbot.errors import Fenced, SendError, StorageError, VaultError, Verdict
from chatbot.ports.context import Context
from chatbot.registry import job
from chatbot.text import Translator
from handlers.notifications.links import disclose
from handlers.notifications.places import shut
from handlers.notifications.refused import notice

# For each platform more than leave in a second, so that a short stall costs nobody a turn.
AT_ONCE = 60
PORTION = 10
# While messages wait for their turn, more are taken a handful at a time.
WORTH_A_LOOK = 10
SAFETY = timedelta(seconds=45)
PLATFORM_HOLD = 60
UNCONFIGURED = "platform not configured"
SEALED = "a sealed address can't be opened"


@job("deliver_messages", every=0.5)
async def deliver_messages(ctx: Context) -> None:
    """Send until nothing is due for a conversation that may be written to now."""
    hand = _Hand(ctx)
    limit = AT_ONCE * max(1, len(ctx.postbox.open()))
    try:
        await work_off("deliver_messages", hand.claim, hand.carry, ctx, limit)
    finally:
        await hand.ledger.close()


class _Hand:
    """Takes a fair share for each platform and bot: one that is slow, or has much to say, delays itself."""

    def __init__(self, ctx: Context) -> None:
        self.ledger = Ledger(ctx.uow)
        self._ctx = ctx
        self._under_way: Counter[str] = Counter()

    async def claim(self, room: int) -> Sequence[Delivery]:
        taken: list[Delivery] = []
        if room < WORTH_A_LOOK and self.ledger.expected:
            return taken
        for platform in self._ctx.postbox.open():
            taken += await self._claim_of(platform, room - len(taken))
        return taken

    async def carry(self, delivery: Delivery) -> None:
        try:
            await _deliver(delivery, self.ledger, self._ctx)
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
            self.ledger.expected.update(delivery.id for delivery in rows)
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


async def _deliver(delivery: Delivery, ledger: Ledger, ctx: Context) -> None:
    try:
        await _send(delivery, ledger, ctx)
    except (Fenced, StorageError) as lost:
        ctx.log.warning("delivery_dropped", delivery=delivery.id, reason=str(lost))
    finally:
        ledger.expected.discard(delivery.id)


async def _send(delivery: Delivery, ledger: Ledger, ctx: Context) -> None:
    platform = delivery.place.platform
    pace = ctx.postbox.pace(platform)
    if pace is None:
        await _fail(delivery, SendError(Verdict.UNSENT, UNCONFIGURED, wait=PLATFORM_HOLD), ctx)
        return
    held = ctx.pacer.held(delivery.place.bot, ctx.clock.monotonic())
    if held:
        await _hand_back(delivery, held, ctx)
        return
    await _wait(delivery, pace, ctx)
    try:
        await _leave(delivery, pace, ledger, ctx)
    finally:
        ctx.pacer.landed(delivery.place.bot, delivery.id, ctx.clock.monotonic())


async def _leave(delivery: Delivery, pace: Pace, ledger: Ledger, ctx: Context) -> None:
    if ctx.clock.now() > delivery.deadline - SAFETY:
        await _hand_back(delivery, 1, ctx)
        return
    try:
        readable = replace(delivery, message=disclose(ctx.vault, delivery.message))
    except (VaultError, ValueError):
        await _fail(delivery, SendError(Verdict.REFUSED, SEALED), ctx)
        return
    await _hand_over(readable, pace, ledger, ctx)


async def _hand_over(delivery: Delivery, pace: Pace, ledger: Ledger, ctx: Context) -> None:
    await ledger.begin(delivery)
    try:
        message_id = await _show(delivery, ctx)
    except SendError as error:
        if error.verdict is not Verdict.UNSENT:
            _left(delivery, pace, ctx)
        if error.verdict is Verdict.REFUSED:
            await _notice(delivery, ctx)
        await _fail(delivery, error, ctx)
        return
    _left(delivery, pace, ctx)
    ctx.pacer.landed(delivery.place.bot, delivery.id, ctx.clock.monotonic())
    await _record(delivery, message_id, ledger, ctx)
    ctx.metrics.sent(delivery.place.platform, "sent")
    ctx.log.info("sent", delivery=delivery.id, platform=delivery.place.platform, repeat=delivery.repeat)


def _left(delivery: Delivery, pace: Pace, ctx: Context) -> None:
    if not delivery.home:
        ctx.pacer.sent(delivery.conversation, delivery.place, pace, ctx.clock.monotonic())


async def _show(delivery: Delivery, ctx: Context) -> str:
    try:
        return await ctx.postbox.deliver(delivery)
    except SendError as error:
        if error.verdict is not Verdict.REFUSED or delivery.message.image is None:
            raise
        # It may be the picture that was refused: the words are what counts.
        ctx.log.warning("picture_refused", delivery=delivery.id, reason=error.reason)
        return await ctx.postbox.deliver(replace(delivery, message=replace(delivery.message, image=None)))


async def _notice(delivery: Delivery, ctx: Context) -> None:
    """Say in two lines that a message was refused; what was refused is given up all the same."""
    if delivery.erase or delivery.home:
        return
    told = notice(delivery.ref, Translator(delivery.locale))
    try:
        await ctx.postbox.deliver(replace(delivery, message=told, edit="", card="", promise=Promise.REPLY))
    except SendError as error:
        ctx.log.warning("notice_failed", delivery=delivery.id, verdict=error.verdict, reason=error.reason)


async def _record(delivery: Delivery, message_id: str, ledger: Ledger, ctx: Context) -> None:
    """Write that it was sent; tried for as long as it is ours, or it would have to be repeated."""
    at = ctx.clock.now()
    for tries in itertools.count(1):
        try:
            await ledger.sent(delivery, message_id, at)
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


async def _wait(delivery: Delivery, pace: Pace, ctx: Context) -> None:
    bot, now = delivery.place.bot, ctx.clock.monotonic()
    pause = ctx.pacer.slot(bot, pace, now) - now
    if pause > 0:
        await ctx.clock.sleep(pause)
    while pause := ctx.pacer.leave(bot, pace, delivery.id, ctx.clock.monotonic()):
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
            await shut(store, ctx, await store.conversations.get(delivery.conversation))
        if error.verdict is Verdict.MOVED:
            await store.conversations.move(delivery.place, error.moved_to)
