"""A whole bot to type to and read from: real storage, vault, handlers and exchange client.

Only the chat itself is a stand-in: it keeps what was delivered as a transcript. The exchange is the
practice server on loopback. Time is virtual; `turn` lets every job run once.
"""

import itertools
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import handlers
from chatbot import exchanges
from chatbot.bootstrap.post import Post
from chatbot.dispatcher import Desk, Dispatcher
from chatbot.dispatcher.inlet import Scrubber, StoredInlet
from chatbot.domain.messages import Button
from chatbot.domain.pacing import Pacer
from chatbot.domain.people import Roster
from chatbot.domain.permissions import Permission, Policy
from chatbot.domain.pictures import Picture
from chatbot.exchanges._guides import load_guide
from chatbot.metrics import Metrics
from chatbot.ports.charts import Charts
from chatbot.ports.context import Context, Options
from chatbot.registry import Registry
from storage.database import Database
from storage.keyring import open_vault
from storage.masterkeys import create_master_key_file, read_master_key_file
from tests.support.chat import Chat, Shown
from tests.support.clock import VirtualClock

YOU = "you"
ADMIN = "admin"
STRANGER = "stranger"
TEAM = "team"
NOWHERE = "http://127.0.0.1:1"
ROSTER = Roster(frozenset({f"web:{ADMIN}"}), frozenset({f"web:{YOU}", "web:other"}))
JOBS = (
    "poll_accounts",
    "post_balances",
    "post_digests",
    "post_together",
    "sweep_links",
    "refresh_balances",
    "draw_charts",
    "make_exports",
    "deliver_messages",
)


class Silence:
    """A queue and a log that do nothing: the tests turn the jobs themselves."""

    stopping = False

    def every(self, *_: object) -> None:
        """Ignore."""

    def nudge(self, kind: str) -> None:
        """Ignore."""

    async def run_until(self, *_: object) -> None:
        """Ignore."""


class Sketches:
    """Charts that keep what was to be drawn and hand back a stand-in; None while `broken`."""

    def __init__(self) -> None:
        """Start empty."""
        self.asked: list[Picture] = []
        self.broken = False

    async def draw(self, picture: Picture) -> bytes | None:
        """Keep it."""
        self.asked.append(picture)
        return None if self.broken else b"\x89PNG sketch"


class Lines:
    """A log kept in memory."""

    def __init__(self) -> None:
        """Start empty."""
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def info(self, action: str, **ids: object) -> None:
        """Keep a line."""
        self.lines.append(("info", action, ids))

    def warning(self, action: str, **ids: object) -> None:
        """Keep a line."""
        self.lines.append(("warning", action, ids))

    def error(self, action: str, **ids: object) -> None:
        """Keep a line, with the exception that is being handled."""
        import traceback

        self.lines.append(("error", action, {**ids, "trace": traceback.format_exc()}))


@dataclass(slots=True)
class Bot:
    """The bot, the chat, the clock, and the ways to act as a person."""

    ctx: Context
    registry: Registry
    dispatcher: Dispatcher
    desk: Desk
    chat: Chat
    clock: VirtualClock
    log: Lines
    database: Database
    inlet: StoredInlet
    beside: Mapping[str, Chat] = field(default_factory=dict)
    events: "itertools.count[int]" = field(default_factory=lambda: itertools.count(secrets.randbits(40)))

    def on(self, platform: str) -> "Bot":
        """Return the same bot, typed to and read from on another of its platforms."""
        return replace(self, chat=self.beside[platform])

    def relist(self, roster: Roster) -> None:
        """Go on with other lists, as after a new start."""
        self.ctx = replace(self.ctx, roster=roster)
        self.dispatcher = Dispatcher(self.registry, self.ctx, self.ctx.postbox.parse)  # type: ignore[attr-defined]
        self.desk = Desk(self.registry, self.ctx)

    async def type(self, text: str, *, as_: str = YOU, chat: str = "", locale: str = "") -> Shown:
        """Write a message and return the newest answer in that chat."""
        number = next(self.events)
        raw = {
            "kind": "said",
            "user": as_,
            "chat": chat or as_,
            "text": text,
            "id": f"u{number}",
            "locale": locale,
        }
        await self.inlet.put(self.chat.name, f"e{number}", raw)
        await self._handled()
        return self.last(chat or as_)

    async def press(self, label: str, *, as_: str = YOU, chat: str = "", on: Shown | None = None) -> Shown:
        """Press the newest button with these words and return the newest answer in that chat."""
        place = chat or as_
        button = self.button(label, place, on)
        number = next(self.events)
        raw = {"kind": "pressed", "user": as_, "chat": place, "button": button.action, "id": "m"}
        await self.inlet.put(self.chat.name, f"e{number}", raw)
        await self._handled()
        return self.last(place)

    async def happens(self, what: str, *, chat: str, as_: str = YOU, detail: str = "") -> None:
        """Let something happen to a place."""
        number = next(self.events)
        raw = {"kind": "happened", "user": as_, "chat": chat, "what": what, "detail": detail}
        await self.inlet.put(self.chat.name, f"e{number}", raw)
        await self._handled()

    def button(self, label: str, chat: str, on: Shown | None = None) -> Button:
        """Return the newest button with these words in a chat."""
        shown = [on] if on else [m for m in reversed(self.chat.messages) if m.chat == chat]
        found = next((b for m in shown for b in m.buttons if b.text.startswith(label)), None)
        assert found is not None, f"no button {label!r} among {[m.labels for m in shown][:3]}"
        return found

    def last(self, chat: str = YOU) -> Shown:
        """Return the newest message of a chat."""
        return [m for m in self.chat.messages if m.chat == chat][-1]

    def texts(self, chat: str = YOU) -> list[str]:
        """Return all words of a chat, oldest first."""
        return [m.text for m in self.chat.messages if m.chat == chat]

    async def turn(self, *, seconds: float = 0, jobs: Sequence[str] = JOBS) -> None:
        """Pass some time, then let every job run once."""
        if seconds:
            self.clock.advance(seconds=seconds)
        for name in jobs:
            await self.registry.jobs[name].run(self.ctx)

    async def _handled(self) -> None:
        await self.dispatcher.sweep()
        await self.registry.jobs["deliver_messages"].run(self.ctx)


@asynccontextmanager
async def open_bot(
    folder: Path, origins: Mapping[str, str], url: str = "", start: datetime | None = None, *,
    beside: Sequence[Chat] = (), roster: Roster = ROSTER, charts: Charts | None = None, **changed: Any,
) -> AsyncIterator[Bot]:  # fmt: skip
    """Open a bot in a folder; `origins` lead to practice exchanges, `changed` replaces options.

    It speaks on `web`, and on the platforms `beside` it: see `Bot.on`.
    """
    clock, log, chat = VirtualClock(start), Lines(), Chat()
    chats = {one.name: one for one in (chat, *beside)}
    database = Database(url or f"sqlite:///{folder / 'bot.sqlite'}")
    await database.migrate()
    key_file = folder / "keys" / "master.key"
    if not key_file.exists():
        create_master_key_file(key_file)
    vault = await open_vault(database, read_master_key_file(key_file))
    # Who lends rates is asked as well: what has no practice server here is out of reach.
    known = exchanges.build({**dict.fromkeys(exchanges.discover(), NOWHERE), **origins}, clock)
    post = Post(chats)
    post._started |= set(chats)
    registry = Registry().load(handlers)
    ctx = Context(
        clock=clock, log=log, uow=database.uow, vault=vault, exchanges=known, guides=load_guide,
        options=options(**changed), queue=Silence(), postbox=post, pacer=Pacer(), metrics=Metrics(), commands=registry.listed(),
        charts=charts or Sketches(),
        roster=roster,
    )  # fmt: skip
    inlet = StoredInlet(ctx, Scrubber(known.shapes))
    try:
        yield Bot(
            ctx,
            registry,
            Dispatcher(registry, ctx, post.parse),
            Desk(registry, ctx),
            chat,
            clock,
            log,
            database,
            inlet,
            chats,
        )
    finally:
        await known.close()
        await database.close()


def options(**changed: Any) -> Options:
    """Return the options of a monitoring installation, with some replaced."""
    policy = Policy(frozenset({Permission.WITHDRAW, Permission.TRANSFER}), frozenset({Permission.TRADE}))
    usual: dict[str, Any] = {
        "public_url": "https://bot.example.com", "policy": policy, "egress": (), "poll_seconds": 30, "link_minutes": 10,
        "dust_below": Decimal(1), "locale": "en", "timezone": "UTC", "currency": "USD", "key_max_age_days": 90, "version": "test",
    }  # fmt: skip
    return Options(**{**usual, **changed})


async def link_of(bot: Bot, exchange: str = "bitso", *, as_: str = YOU) -> str:
    """Walk through the guide by pressing *Next* and return the link's address."""
    await bot.type(f"/connect {exchange}", as_=as_)
    for _ in range(9):
        found = [
            b.url for b in bot.last(as_).buttons if b.url.startswith(bot.ctx.options.public_url + "/key#")
        ]
        if found:
            return found[0]
        await bot.press("Next", as_=as_)
    raise AssertionError("Next did not lead to the link")
