"""Draw what /chart asked for, and answer: the picture with its words, or the words alone.

Drawing takes a moment and no transaction waits for it. The wish ends in the transaction that queues the
answer, so each is answered once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from chatbot.dispatcher.crew import safely
from chatbot.domain.balances import Valuation, merged
from chatbot.domain.messages import Button, Line, Message, Post, bold, line
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Role
from chatbot.domain.pictures import Point, Shade
from chatbot.ports.context import Context
from chatbot.ports.stores import UnitOfWork
from chatbot.ports.worth import Wish, WishKind
from chatbot.registry import job
from chatbot.text import Translator
from handlers.notifications import pictures
from handlers.notifications.rates import valued

BATCH = 20
PERIODS = ("7d", "30d", "1y")
# A history that begins this late in the time asked for is worth a word.
LATE_START = 0.2


@job("draw_charts", every=2.0)
async def draw_charts(ctx: Context) -> None:
    """Answer every wish for a chart."""
    async with ctx.uow() as store:
        wishes = await store.wishes.waiting(WishKind.CHART, BATCH)
    for wish in wishes:
        if ctx.queue.stopping:
            return
        if await safely(_answer(wish, ctx), ctx, "chart_failed", wish=wish.id) is None:
            # It would fail again, and those behind it wait.
            async with ctx.uow() as store:
                await store.wishes.done(wish.id)
    if wishes:
        ctx.queue.nudge("deliver_messages")


async def _answer(wish: Wish, ctx: Context) -> bool:
    t, now, currency = ctx.translator(wish.person), ctx.clock.now(), wish.person.currency
    since = now - timedelta(days=wish.args["days"])
    async with ctx.uow() as store:
        mine = await store.accounts.of_person(wish.person.id)
        chosen = [account for account in mine if account.id in wish.args["accounts"]]
        seen = [one for account in chosen if (one := await valued(store, account, currency, ctx))]
        ids = [account.id for account in chosen]
        points = await pictures.history(store.valuations, ids, currency, since, now)
        began = await store.valuations.began(ids)
    if not seen or ctx.roster.role(wish.person.identity) is Role.STRANGER:
        return await _end(wish, None, ctx)
    title = seen[0].name if len(seen) == 1 else t.say("All together · {count} accounts", count=len(seen))
    worth = merged([one.worth for one in seen])
    said = [line(bold(title)), *_history(points, since, now, began, currency, t)]
    return await _end(wish, await _drawn(wish, title, worth, points, said, ctx), ctx)


async def _drawn(
    wish: Wish, title: str, worth: Valuation, points: Sequence[Point], said: Sequence[Line], ctx: Context
) -> Message:
    t, shade = ctx.translator(wish.person), wish.person.shade
    shown = pictures.picture(title, worth, points, shade, t)
    image = await pictures.draw(shown, points, worth.currency, t, ctx)
    body = list(said)
    if shown is None:
        body.append(line(t.say("There is nothing to draw: nothing here has a value.")))
    elif image is None:
        # Without the picture, its words are the answer.
        body += [
            line(pictures.words(shown, points, worth.currency, t)),
            line(t.say("The picture could not be drawn this time.")),
        ]
    return Message(tuple(body), _buttons(wish, t), image)


def _history(
    points: Sequence[Point], since: datetime, now: datetime, began: Mapping[str, datetime], currency: str,
    t: Translator,
) -> list[Line]:  # fmt: skip
    """Say since when there is any history, where that is later than was asked for."""
    if points and pictures.long_enough(points):
        first, last = points[0], points[-1]
        change = t.signed(last.value - first.value, currency)
        ratio = f" ({t.percent((last.value - first.value) / first.value)})" if first.value > 0 else ""
        said = [line(t.say("{change} since {time}", change=change + ratio, time=t.moment(first.at)))]
        if first.at - since > LATE_START * (now - since):
            said.append(line(t.say("My history of this begins at {time}.", time=t.moment(first.at))))
        return said
    start = began.get(currency)
    if start is None:
        text = t.say(
            "There is no history in {currency} yet: it begins with the next reading.", currency=currency
        )
    else:
        text = t.say(
            "The history in {currency} only begins at {time}: too short for a curve.",
            currency=currency,
            time=t.moment(start),
        )
    said = [line(text)]
    longer = [code for code, at in began.items() if code != currency and (start is None or at < start)]
    if longer:
        oldest = min(longer, key=lambda code: began[code])
        said.append(
            line(
                t.say(
                    "There is more in {currency}: {command} shows it.",
                    currency=oldest,
                    command=f"/currency {oldest}",
                )
            )
        )
    return said


def _buttons(wish: Wish, t: Translator) -> tuple[tuple[Button, ...], ...]:
    """Offer the usual times, and the other shade for the same picture."""
    words, days, accounts = wish.args["words"], wish.args["days"], wish.args["accounts"]
    periods = tuple(Button(period, "run", (f"chart {period} {words}".strip(),)) for period in PERIODS)
    if wish.person.shade is Shade.LIGHT:
        other = Button(t.say("Dark pictures"), "chart.shade", (Shade.DARK, str(days), words, *accounts))
    else:
        other = Button(t.say("Light pictures"), "chart.shade", (Shade.LIGHT, str(days), words, *accounts))
    return periods, (other,)


async def _end(wish: Wish, shown: Message | None, ctx: Context) -> bool:
    async with ctx.uow() as store:
        if await store.wishes.done(wish.id) and shown is not None:
            await _put(store, wish, shown, ctx)
    return True


async def _put(store: UnitOfWork, wish: Wish, shown: Message, ctx: Context) -> None:
    await store.outbox.put(
        wish.conversation, Post(shown), Promise.REPLY, ctx.clock.now(), key=f"chart:{wish.id}",
        reader=wish.person.id, locale=wish.person.locale,
    )  # fmt: skip
