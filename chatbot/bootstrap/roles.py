"""Runs a process in its roles: `web` serves pages and webhooks, `worker` talks and polls, `run` does both.

Both roles meet only in the database. A first signal lets running work end, a second one ends at once.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from chatbot.bootstrap.parts import Parts, webchat
from chatbot.dispatcher.inlet import UPDATES
from chatbot.errors import ConfigError, StorageError
from chatbot.text import Translator
from chatbot.web.app import App, WebOptions, create_app
from chatbot.web.headers import Extra
from chatbot.web.server import bind, serve

UPDATES_SECONDS = 1.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)
T = TypeVar("T")


def in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where there is one."""
    try:
        import uvloop  # noqa: PLC0415  not there on every system
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


Role = Callable[[asyncio.Event], Awaitable[None]]


async def run_all(
    parts: Parts, extras: Sequence[Extra] = (), announce: Callable[[], None] | None = None
) -> None:
    """Play every role until told to stop."""
    await _until_signal(parts, lambda: [_web(parts, extras, announce), _worker(parts)])


async def run_web(parts: Parts) -> None:
    """Serve pages and webhooks until told to stop."""
    await _until_signal(parts, lambda: [_web(parts, ()), _listening(parts)])


async def run_worker(parts: Parts) -> None:
    """Talk, poll and deliver until told to stop."""
    await _until_signal(parts, lambda: [_worker(parts)])


async def _until_signal(parts: Parts, roles: Callable[[], Sequence[Role]]) -> None:
    try:
        with _signals() as stop:
            async with asyncio.TaskGroup() as group:
                for role in roles():
                    group.create_task(_guarded(role, stop))
    finally:
        await parts.close()


@contextlib.contextmanager
def _signals() -> Iterator[asyncio.Event]:
    """Give the event that a first signal sets; a second one cancels everything in the block."""
    stop, cut = asyncio.Event(), False
    loop, me = asyncio.get_running_loop(), asyncio.current_task()

    def told() -> None:
        nonlocal cut
        cut = stop.is_set()
        stop.set()
        if cut and me is not None:
            me.cancel()

    for name in SIGNALS:
        loop.add_signal_handler(name, told)
    try:
        yield stop
    except asyncio.CancelledError:
        if not cut or me is None:
            raise
        me.uncancel()
    finally:
        for name in SIGNALS:
            loop.remove_signal_handler(name)


async def _guarded(role: Role, stop: asyncio.Event) -> None:
    try:
        await role(stop)
    finally:
        # One role that ends takes the others along: half a bot is worse than one that restarts.
        stop.set()


def _web(parts: Parts, extras: Sequence[Extra], announce: Callable[[], None] | None = None) -> Role:
    # Bound before any role starts: a start that is refused has touched nothing.
    served, listener = app(parts, extras), listen(parts)

    async def role(stop: asyncio.Event) -> None:
        if announce is not None:
            announce()
        await serve(served, listener, stop)

    return role


def listen(parts: Parts) -> socket.socket:
    """Return the bound address; raises ConfigError when it is taken."""
    host, port = parts.settings.host, parts.settings.port
    try:
        return bind(host, port)
    except OSError as error:
        raise ConfigError(
            f"Can't listen on {host}:{port} ({error.strerror}): stop what uses it, or set another PORT."
        ) from None


def app(parts: Parts, extras: Sequence[Extra] = ()) -> App:
    """Return the web app with the routes of all platforms."""
    hosts = chat.hosts if (chat := webchat(parts.platforms)) else ()
    of_platforms = [Extra(tuple(platform.routes()), hosts=hosts) for platform in parts.platforms.values()]
    options = WebOptions(
        public_url=parts.settings.public_url,
        trusted_proxies=parts.settings.trusted_proxies,
        metrics=parts.metrics.render,
        extras=[*of_platforms, *extras],
        identify=parts.post.identify,
    )
    return create_app(
        parts.desk,
        lambda locale, msgid: Translator(locale).say(msgid),
        partial(ready, parts),
        parts.ctx.log,
        options,
    )


def _listening(parts: Parts) -> Role:
    async def role(stop: asyncio.Event) -> None:
        # Webhooks are stored here; what polls or sends is the worker's.
        await parts.post.listen(parts.inlet, parts.registry.listed(), stop)

    return role


async def ready(parts: Parts) -> Mapping[str, bool]:
    """Say whether the database answers at the right level; the vault is open or we would not run."""
    try:
        await parts.database.check()
        migrated = await parts.database.revision() == parts.database.head()
    except StorageError:
        return {"database": False, "migrations": False, "master_key": True}
    return {"database": True, "migrations": migrated, "master_key": True}


def _worker(parts: Parts) -> Role:
    async def role(stop: asyncio.Event) -> None:
        parts.queue.every(UPDATES, UPDATES_SECONDS, parts.dispatcher.sweep)
        for entry in parts.registry.jobs.values():
            parts.queue.every(entry.name, entry.seconds, partial(entry.run, parts.ctx))
        # What is being sent needs its platform: those stop when the engine's running work is over.
        drained = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            talking = parts.post.run(parts.ctx, parts.inlet, parts.registry.listed(), parts.owner, drained)
            group.create_task(talking)
            group.create_task(_engine(parts, stop, drained))

    return role


async def _engine(parts: Parts, stop: asyncio.Event, drained: asyncio.Event) -> None:
    try:
        await parts.queue.run_until(_waiting(stop))
    finally:
        parts.dispatcher.close()
        drained.set()


def _waiting(stop: asyncio.Event) -> Callable[[], Awaitable[None]]:
    async def waiting() -> None:
        await stop.wait()

    return waiting
