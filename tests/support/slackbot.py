"""A whole bot that people type to on Slack: the real platform over the fake Slack, real HTTP on both sides.

Storage, vault, handlers and exchange client are as in `bot`; what is typed is signed and posted to our own
routes on a loopback server. Time is virtual, and the fake Slack keeps its pace by the same clock.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from starlette.applications import Starlette

import handlers
from chatbot import exchanges
from chatbot.bootstrap.post import Post
from chatbot.dispatcher import Desk, Dispatcher
from chatbot.dispatcher.inlet import Scrubber, StoredInlet
from chatbot.dispatcher.installs import StoredInstalls
from chatbot.domain.pacing import Pacer
from chatbot.domain.people import Roster
from chatbot.exchanges._guides import load_guide
from chatbot.metrics import Metrics
from chatbot.platforms.slack import Slack
from chatbot.ports.context import Context
from chatbot.ports.desk import Accepted
from chatbot.ports.platforms import Platform
from chatbot.registry import Registry
from storage.database import Database
from storage.keyring import open_vault
from storage.masterkeys import create_master_key_file, read_master_key_file
from tests.support.bot import NOWHERE, Bot, Lines, Silence, Sketches, options
from tests.support.chat import Chat
from tests.support.clock import VirtualClock
from tests.support.page import submit
from tests.support.practice import Running, serve
from tests.support.slackapi import Sent, Shown, SlackApi, token_of
from tests.support.slackapi.methods import CLIENT
from tests.support.slackapi.people import SIGNING_SECRET

ANA, BEN, CHIEF, GUEST, STRANGER = "UANA", "UBEN", "UCHIEF", "UGUEST", "USTRANGER"
ELSEWHERE = "UELSEWHERE"
MEMBERS = frozenset({f"slack:T1/{ANA}", f"slack:T1/{BEN}", f"slack:T1/{GUEST}", "slack:T2/*"})
ADMINS = frozenset({f"slack:T1/{CHIEF}"})
MANY = {"client_id": CLIENT[0], "client_secret": CLIENT[1], "signing_secret": SIGNING_SECRET}
UNSENT = text("SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed', 'begun')")


@dataclass(slots=True)
class SlackBot:
    """The bot, the Slack it lives in, and the ways to act as a person there."""

    bot: Bot
    api: SlackApi
    slack: Slack
    app: Starlette

    async def say(self, user: str, words: str, channel: str = "", thread: str = "") -> Shown:
        """Write in private, or mention the bot in a channel, and return the newest answer there."""
        if channel:
            return await self._answered(await self.api.mention(user, words, channel, thread), channel, thread)
        return await self._answered(await self.api.say(user, words), user)

    async def slash(self, user: str, command: str, words: str = "", channel: str = "") -> None:
        """Type a slash command."""
        await self._answered(await self.api.slash(user, command, words, channel), "")

    async def press(self, shown: Shown, label: str, user: str = "") -> Shown:
        """Press a button and return the newest message of that place."""
        return await self._answered(await self.api.press(shown, label, user), shown.channel, shown.thread)

    async def handled(self) -> None:
        """Handle what came in, and send until nothing waits that may leave soon."""
        await self.bot.dispatcher.sweep()
        await self.settle()

    async def settle(self) -> None:
        """Send what waits, second by second."""
        for _ in range(20):
            await self.bot.turn(jobs=("deliver_messages",))
            async with self.bot.database.transaction() as tx:
                waiting = await tx.call(lambda connection: connection.execute(UNSENT).scalar())
            if not waiting:
                return
            self.bot.clock.advance(seconds=1.1)

    async def turn(self, seconds: float = 0) -> None:
        """Pass some time, let every job run once, and send what came of it."""
        await self.bot.turn(seconds=seconds)
        await self.settle()

    async def link(self, user: str, exchange: str = "bitso") -> str:
        """Type /connect, press *Next* to the end, and return the link's address."""
        shown = await self.say(user, f"connect {exchange}")
        for _ in range(9):
            if "Open secure page" in shown.buttons:
                return str(shown.button("Open secure page")["url"])
            await self.press(shown, "Next", user)
            shown = self.api.latest(user)
        raise AssertionError("Next did not lead to the link")

    async def connect(self, user: str, exchange: Running, key: str = "", secret: str = "") -> None:
        """Guide, link, key, code, Confirm, first balances."""
        url = await self.link(user, exchange.name)
        answer = await submit(self.bot.desk, url, key or exchange.state.key, secret or exchange.state.secret)
        assert isinstance(answer, Accepted), answer
        await self.turn()
        question = self.api.latest(user)
        assert answer.code in question.words
        await self.press(question, "Confirm", user)
        for _ in range(2):
            await self.turn(seconds=1)

    def words(self, place: str, thread: str = "") -> list[str]:
        """Return all that is shown in a place, oldest first."""
        return [shown.words for shown in self.api.shown(place, thread)]

    async def _answered(self, sent: Sent, place: str, thread: str = "") -> Any:
        assert sent.status == 200, (sent.status, sent.bodies)
        await self.handled()
        shown = self.api.shown(place, thread)
        return shown[-1] if shown else None


async def install(bot: SlackBot, team: str, user: str) -> httpx.Response:
    """Let somebody install the app in their workspace, with a browser of their own."""
    transport = httpx.ASGITransport(bot.app)
    async with httpx.AsyncClient(transport=transport, base_url=bot.bot.ctx.options.public_url) as browser:
        page = await browser.get("/slack/install")
        where = page.headers.get("location") or page.text.partition('href="')[2].partition('"')[0]
        back = bot.api.methods.allow(where.replace("&amp;", "&"), team, user)
        answer = await browser.get(back)
    await bot.handled()
    return answer


def people(api: SlackApi) -> None:
    """Fill two workspaces: a channel with the bot, one without, and everybody the tests speak of."""
    for name in (ANA, BEN, STRANGER):
        api.world.person(name)
    api.world.person(CHIEF, is_admin=True)
    api.world.person(GUEST, is_restricted=True)
    for name in (ELSEWHERE, "UFAR"):
        api.world.person(name, "T2")
    api.world.channel("CTEAM", members=[ANA, BEN, CHIEF, STRANGER])
    api.world.channel("CALONE", members=[ANA, BEN], bot=False)


@asynccontextmanager
async def open_slackbot(
    folder: Path,
    origins: Mapping[str, str],
    api: SlackApi,
    *,
    beside: Mapping[str, Platform] | None = None,
    slack_settings: Mapping[str, Any] | None = None,
    clock: VirtualClock | None = None,
    admins: frozenset[str] = ADMINS,
    members: frozenset[str] = MEMBERS,
    **changed: Any,
) -> AsyncIterator[SlackBot]:
    """Open a bot on Slack in a folder; `beside` are other platforms of the same process.

    Two bots in one folder are two processes on one database; they share a `clock`.
    """
    async with AsyncExitStack() as stack:
        bot, installs = await _whole(
            folder, origins, clock or VirtualClock(), stack, Roster(admins, members), changed
        )
        one: dict[str, Any] = {"token": token_of("T1"), "signing_secret": SIGNING_SECRET}
        api.world.now = lambda: bot.clock.now().timestamp()
        slack = Slack(
            public_url=bot.ctx.options.public_url, clock=bot.clock, log=bot.log, installs=installs,
            api_url=api.url, **(one if slack_settings is None else slack_settings),
        )  # fmt: skip
        post: Any = bot.ctx.postbox
        for name, platform in {"slack": slack, **(beside or {})}.items():
            post._platforms[name] = platform
            post._started.add(name)
            await platform.start(bot.inlet, bot.registry.listed())
            stack.push_async_callback(platform.stop)
        app = Starlette(routes=list(slack.routes()))
        if slack.routes():
            api.target = await stack.enter_async_context(serve(app)) + "/slack/events"
        yield SlackBot(bot, api, slack, app)


async def _whole(
    folder: Path,
    origins: Mapping[str, str],
    clock: VirtualClock,
    stack: AsyncExitStack,
    roster: Roster,
    changed: Any,
) -> tuple[Bot, StoredInstalls]:
    log, database = Lines(), Database(f"sqlite:///{folder / 'bot.sqlite'}")
    stack.push_async_callback(database.close)
    await database.migrate()
    key_file = folder / "keys" / "master.key"
    if not key_file.exists():
        create_master_key_file(key_file)
    vault = await open_vault(database, read_master_key_file(key_file))
    known = exchanges.build({**dict.fromkeys(exchanges.discover(), NOWHERE), **origins}, clock)
    stack.push_async_callback(known.close)
    post, registry = Post({}), Registry().load(handlers)
    post._platforms = {}
    ctx = Context(
        clock=clock, log=log, uow=database.uow, vault=vault, exchanges=known, guides=load_guide, roster=roster,
        options=options(**changed), queue=Silence(), postbox=post, pacer=Pacer(), metrics=Metrics(), commands=registry.listed(),
        charts=Sketches(),
    )  # fmt: skip
    inlet = StoredInlet(ctx, Scrubber(known.shapes))
    dispatcher = Dispatcher(registry, ctx, post.parse)
    bot = Bot(ctx, registry, dispatcher, Desk(registry, ctx), Chat(), clock, log, database, inlet)
    return bot, StoredInstalls("slack", database.uow, vault, clock, "test")
