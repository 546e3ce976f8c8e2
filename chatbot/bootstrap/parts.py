"""Builds every part from the settings, in the order in which they need each other."""

import asyncio
import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import handlers
from chatbot import exchanges
from chatbot.bootstrap.alone import Alone
from chatbot.bootstrap.post import Post
from chatbot.charts import ProcessCharts
from chatbot.dispatcher import Desk, Dispatcher
from chatbot.dispatcher.inlet import Scrubber, StoredInlet
from chatbot.dispatcher.installs import StoredInstalls
from chatbot.domain.pacing import Pacer
from chatbot.engine.clock import SystemClock
from chatbot.engine.embedded import EmbeddedQueue
from chatbot.errors import ConfigError
from chatbot.exchanges._guides import load_guide
from chatbot.logs import get_log
from chatbot.metrics import Metrics
from chatbot.platforms import slack
from chatbot.platforms.slack import Slack
from chatbot.platforms.telegram import DEFAULT_API_URL, Telegram
from chatbot.platforms.webchat import Scene, WebChat
from chatbot.ports.context import Context
from chatbot.ports.exchanges import Exchange
from chatbot.ports.installs import Installs
from chatbot.ports.platforms import CommandInfo, Platform
from chatbot.registry import Registry
from chatbot.settings import Settings, release
from chatbot.web.headers import script_hash
from chatbot.web.keypage import page_file
from storage.database import Database
from storage.keyring import holds_credentials, open_vault
from storage.masterkeys import MasterKeys, find_master_keys
from storage.takeover import end_leases

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HOME_KEY = Path("~/.config/keyherald/master.key")


@dataclass(frozen=True)
class Parts:
    """Everything one process works with."""

    settings: Settings
    database: Database
    exchanges: Mapping[str, Exchange]
    platforms: Mapping[str, Platform]
    post: Post
    registry: Registry
    ctx: Context
    dispatcher: Dispatcher
    desk: Desk
    inlet: StoredInlet
    queue: EmbeddedQueue
    metrics: Metrics
    owner: str
    open: AsyncExitStack

    async def close(self) -> None:
        """Close what is open, last opened first."""
        await self.open.aclose()


async def build(settings: Settings, *, scene: Scene | None = None, alone: bool = True) -> Parts:
    """Return all parts, the database migrated and the vault open.

    `alone` says that this process plays all roles, so that it may make a master key of its own.

    Raises:
        ConfigError: when the start is refused, with what to do; nothing is left open then.
    """
    async with AsyncExitStack() as undo:
        parts = await _build(settings, scene, undo, alone=alone)
        return replace(parts, open=undo.pop_all())


async def _build(settings: Settings, scene: Scene | None, undo: AsyncExitStack, *, alone: bool) -> Parts:
    clock, log, metrics = SystemClock(), get_log(), Metrics(release())
    database = await _take_database(settings, clock, undo)
    vault = await open_vault(database, await master_keys(settings, database, alone=alone))
    known = exchanges.build(settings.exchange_urls, clock)
    undo.push_async_callback(known.close)
    scrubber = Scrubber(known.shapes)
    registry, owner = Registry().load(handlers), _owner(database)
    installs = StoredInstalls("slack", database.uow, vault, clock, owner)
    platforms = make_platforms(settings, scrubber, scene, installs, registry.listed())
    _refuse_open_webchat(settings, platforms)
    post = Post(platforms)
    queue = EmbeddedQueue(clock, log)
    charts = ProcessCharts(log)
    undo.push_async_callback(charts.close)
    ctx = Context(
        clock=clock,
        log=log,
        uow=database.uow,
        vault=vault,
        exchanges=known,
        guides=load_guide,
        options=replace(settings.options(), page_hash=script_hash(page_file("key.js"))),
        roster=settings.roster(),
        queue=queue,
        postbox=post,
        pacer=Pacer(),
        metrics=metrics,
        commands=registry.listed(),
        charts=charts,
    )
    return Parts(
        settings,
        database,
        known,
        platforms,
        post,
        registry,
        ctx,
        Dispatcher(registry, ctx, post.parse),
        Desk(registry, ctx),
        StoredInlet(ctx, scrubber),
        queue,
        metrics,
        owner,
        undo,
    )


async def _take_database(settings: Settings, clock: SystemClock, undo: AsyncExitStack) -> Database:
    database = Database(settings.database_url.get_secret_value())
    if database.file is not None:
        undo.callback(Alone(database.file).close)
    undo.push_async_callback(database.close)
    await database.migrate()
    if database.file is not None:
        await end_leases(database, clock.now())
    return database


async def open_database(settings: Settings) -> Database:
    """Return the database, brought to the newest schema."""
    url = settings.database_url.get_secret_value()
    if url.startswith("sqlite:"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(url)
    try:
        await database.migrate()
    except BaseException:
        await database.close()
        raise
    return database


async def master_keys(settings: Settings, database: Database, *, alone: bool) -> MasterKeys:
    """Return the master keys; an embedded installation without any credential may get a new one."""
    may_create = alone and database.is_sqlite and not await holds_credentials(database)
    text = settings.master_key.get_secret_value() if settings.master_key else None
    # In a thread: a key service may be asked.
    keys = await asyncio.to_thread(
        find_master_keys,
        text,
        settings.master_key_file,
        settings.credentials_directory,
        fallback=HOME_KEY.expanduser(),  # noqa: ASYNC240  once, at start
        create=may_create,
        kms=settings.kms_key or "",
    )
    if text:
        get_log().warning(
            "master_key_in_environment",
            advice="Others can read an environment: MASTER_KEY_FILE or a systemd credential is safer.",
        )
    if keys.created:
        get_log().warning(
            "master_key_created", file=str(keys.file), advice="Keep a copy of it apart from the database."
        )
    return keys


def make_platforms(
    settings: Settings,
    scrubber: Scrubber | None = None,
    scene: Scene | None = None,
    installs: Installs | None = None,
    commands: Sequence[CommandInfo] = (),
) -> dict[str, Platform]:
    """Return the configured platforms; the web chat when there is no other.

    Without `installs`, a Slack that many workspaces install can be checked, but not started.
    """
    found: dict[str, Platform] = {}
    if settings.telegram_bot_token is not None:
        found["telegram"] = _telegram(settings)
    if settings.slack_bot_token is not None or settings.slack_client_id is not None:
        found["slack"] = _slack(settings, installs, commands)
    if not found:
        origin = f"http://localhost:{settings.port}"
        found["web"] = WebChat(secrets.token_urlsafe(32), origin, (scrubber or Scrubber(())).text, scene)
    return found


def _telegram(settings: Settings) -> Telegram:
    return Telegram(
        token=_revealed(settings.telegram_bot_token),
        public_url=settings.public_url,
        clock=SystemClock(),
        log=get_log(),
        api_url=settings.telegram_api_url or DEFAULT_API_URL,
        webhook_secret=_revealed(settings.telegram_webhook_secret) or None,
    )


def _slack(settings: Settings, installs: Installs | None, commands: Sequence[CommandInfo]) -> Slack:
    return Slack(
        public_url=settings.public_url,
        clock=SystemClock(),
        log=get_log(),
        installs=installs,
        token=_revealed(settings.slack_bot_token),
        signing_secret=_revealed(settings.slack_signing_secret),
        app_token=_revealed(settings.slack_app_token),
        client_id=settings.slack_client_id or "",
        client_secret=_revealed(settings.slack_client_secret),
        api_url=settings.slack_api_url or slack.DEFAULT_API_URL,
        command=settings.slack_command,
        commands=commands,
    )


class _Hidden(Protocol):
    def get_secret_value(self) -> str: ...


def _revealed(secret: _Hidden | None) -> str:
    return secret.get_secret_value() if secret else ""


def webchat(platforms: Mapping[str, Platform]) -> WebChat | None:
    """Return the web chat when it is among the platforms."""
    found = platforms.get("web")
    return found if isinstance(found, WebChat) else None


def _owner(database: Database) -> str:
    # One process owns an SQLite file (it holds its lock), so a restart takes its leases back at once.
    return (
        "embedded" if database.is_sqlite else f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    )


def _refuse_open_webchat(settings: Settings, platforms: Mapping[str, Platform]) -> None:
    if webchat(platforms) is not None and settings.host not in LOOPBACK:
        raise ConfigError(
            "The web chat is only for this machine: set HOST=127.0.0.1, or add a TELEGRAM_BOT_TOKEN or "
            "SLACK_BOT_TOKEN."
        )
