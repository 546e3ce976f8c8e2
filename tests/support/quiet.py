"""A bot that is told to be quiet, and things to tell meanwhile, as a poll would."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from chatbot.domain.messages import Button, Message, message
from chatbot.domain.notices import Kind, Loudness
from chatbot.domain.outbox import Promise
from chatbot.domain.people import ConversationId, PersonId
from chatbot.errors import StorageError
from chatbot.ports.stores import UnitOfWork
from chatbot.text import Translator
from handlers.notifications.telling import tell
from tests.support.bot import YOU, Bot, open_bot
from tests.support.connected import connect
from tests.support.rows import rows

HELD = "What came while it was quiet"
EVENING = datetime(2026, 5, 4, 20, tzinfo=UTC)
NIGHT = "22:00-07:00"


@asynccontextmanager
async def evening(folder: Path, bitso: Any, start: datetime = EVENING) -> AsyncIterator[Bot]:
    """Open a connected bot at eight in the evening."""
    async with open_bot(folder, {"bitso": bitso.origin}, start=start) as bot:
        bitso.state.clock = bot.clock.now
        await connect(bot, bitso)
        yield bot


async def until(bot: Bot, hour: int) -> None:
    """Sleep until it is that hour in UTC, and let every job run."""
    now = bot.clock.now()
    then = now.replace(hour=hour, minute=0, second=1)
    await bot.turn(seconds=(then - now).total_seconds() % 86400)
    await bot.turn(seconds=5)


async def chat_of(bot: Bot, chat: str = YOU) -> ConversationId:
    """Return the conversation of a chat."""
    (row,) = await rows(bot, "conversations", channel=chat)
    return ConversationId(row["id"])


async def set_quiet(bot: Bot, quiet: str, zone: str = "", chat: str = YOU) -> None:
    """Set the quiet hours of a chat."""
    place = await chat_of(bot, chat)
    async with bot.ctx.uow() as store:
        await store.conversations.set_quiet(place, quiet, zone)


async def mute_chat(bot: Bot, hours: int) -> None:
    """Mute your chat, or lift the mute."""
    place, now = await chat_of(bot), bot.clock.now()
    async with bot.ctx.uow() as store:
        await store.conversations.mute(place, now + timedelta(hours=hours) if hours else None)


async def mute_kind(bot: Bot, kind: Kind, hours: int) -> None:
    """Mute one kind of yours."""
    person, chosen, now = await _you(bot), await _ids(bot, kind), bot.clock.now()
    async with bot.ctx.uow() as store:
        await store.subscriptions.mute(person, chosen, now + timedelta(hours=hours), now)


async def make(bot: Bot, kind: Kind, loudness: Loudness) -> None:
    """Set how loud one kind of yours is."""
    person, chosen = await _you(bot), await _ids(bot, kind)
    async with bot.ctx.uow() as store:
        await store.subscriptions.set_loudness(person, chosen, loudness)


async def _you(bot: Bot) -> PersonId:
    (row,) = await rows(bot, "people", user=YOU)
    return PersonId(row["id"])


async def _ids(bot: Bot, kind: Kind) -> list[str]:
    return [row["id"] for row in await rows(bot, "subscriptions", kind=kind)]


async def told(
    bot: Bot,
    kind: Kind,
    words: str,
    key: str,
    *,
    card: str = "",
    urgent: bool | None = None,
    silent: bool = False,
    button: str = "",
) -> None:
    """Tell something of your account, as a poll would."""
    buttons = ((Button(button, "keep"),),) if button else ()
    await all_told(bot, kind, {key: words}, card=card, urgent=urgent, silent=silent, buttons=buttons)


async def all_told(
    bot: Bot,
    kind: Kind,
    words: Mapping[str, str],
    *,
    card: str = "",
    urgent: bool | None = None,
    silent: bool = False,
    buttons: tuple[tuple[Button, ...], ...] = (),
) -> None:
    """Tell some things by their keys, in one transaction."""
    person, promise = await _you(bot), Promise.CARD if card else Promise.ALERT
    async with bot.ctx.uow() as store:
        owner = await store.people.get(person)
        (account,) = await store.accounts.of_person(person)
        for key, text in words.items():
            shown = message(text, buttons=buttons)
            await tell(
                store, bot.ctx, account.id, owner, kind, partial(_as_it_is, shown), key,
                card=card, promise=promise, urgent=urgent, silent=silent,
            )  # fmt: skip


def _as_it_is(shown: Message, t: Translator) -> Message:
    del t
    return shown


def dying(bot: Bot, number: int) -> Callable[[], AbstractAsyncContextManager[UnitOfWork]]:
    """Make transactions of which one is lost at its very end, with the database."""
    begun = 0

    @asynccontextmanager
    async def uow() -> AsyncIterator[UnitOfWork]:
        nonlocal begun
        begun += 1
        async with bot.database.uow() as store:
            yield store
            if begun == number:
                raise StorageError("the machine went away", retry=False)

    return uow
