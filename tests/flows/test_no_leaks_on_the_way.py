"""Something inside a library breaks, with the whole key in its hands, at every step of the way of a key.

The real server, the real log at its most talkative, and the exchange that has a third secret, a passphrase,
which looks like any word. Each failure speaks the secrets out loud; nobody may write them down.
"""

import inspect
import io
import logging
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from chatbot.logs import LIBRARIES, configure, get_log
from tests.rig.installation import sealed
from tests.support import leaks
from tests.support.bot import YOU
from tests.support.rows import everything
from tests.threats.house import House, house

OPEN = ("storage.links.LinkStore.look", "handlers.events.link_opened.info")
SUBMIT = (
    "chatbot.web.keypage.from_b64url",
    "storage.links.LinkStore.claim",
    "storage.vault.Sealer.open_bytes",
    "storage.vault._moved",
    "handlers.events.link_submitted.read_fields",
    "chatbot.exchanges._http.Http.request",
    "aiohttp.ClientSession._request",
    "aiohttp.ClientResponse.start",
    "chatbot.exchanges._http._read",
    "handlers.events.link_submitted.decide",
    "storage.vault.Vault.fingerprint",
    "storage.accounts.Credentials.taken",
    "storage.vault._joined",
    "storage.vault.Sealer.wrap",
    "storage.links.LinkStore.use",
    "storage.accounts.Credentials.add",
    "storage.balances.BalanceStore.add",
    "storage.outbox.Outgoing.put",
    "storage.audit.AuditStore.note",
    "sqlalchemy.Connection.commit",
)
CONFIRM = ("storage.accounts.Credentials.activate", "sqlalchemy.Connection.commit")
POLL = (
    "storage.vault._parted",
    "chatbot.exchanges._http.Http.request",
    "aiohttp.ClientSession._request",
    "chatbot.exchanges._http._read",
    "storage.fills.FillStore.add",
    "sqlalchemy.Connection.commit",
    "tests.support.chat.Chat.deliver",
)
PASSPHRASE = "correct horse battery"


class LibraryError(RuntimeError):
    """What a library raises that quotes all it was given."""


@dataclass
class Walk:
    """A house whose log is ours to read, and everything that was said in it."""

    home: House
    secrets: tuple[str, ...]
    log: io.StringIO
    patch: pytest.MonkeyPatch
    said: list[str] = field(default_factory=list)

    @contextmanager
    def broken(self, target: str, kind: type[Exception]) -> Iterator[None]:
        """Let a function raise an error that speaks the secrets, and count that it was asked."""
        hit: list[str] = []

        def fail(*given: Any, **named: Any) -> Any:
            hit.append(target)
            quoted = f"{given!r} {named!r} {' '.join(self.secrets)}"
            raise kind(quoted)

        async def fail_later(*given: Any, **named: Any) -> Any:
            return fail(*given, **named)

        with self.patch.context() as patch:
            later = inspect.iscoroutinefunction(pkgutil.resolve_name(target))
            patch.setattr(target, fail_later if later else fail)
            yield
        assert hit, f"{target} was not asked"

    async def submit(self, link: str) -> int:
        """Do what the browser does, and keep what came back."""
        body = await sealed(self.home.web, self.home.url, link, *self.secrets)
        answer = await self.home.post("submit", body)
        self.said.append(answer.text + repr(answer.headers))
        return answer.status_code

    async def turn(self, seconds: float = 700) -> None:
        """Let every job run once; what breaks is told as the engine tells it."""
        self.home.bot.clock.advance(seconds=seconds)
        for name in ("poll_accounts", "deliver_messages", "sweep_links"):
            try:
                await self.home.bot.registry.jobs[name].run(self.home.bot.ctx)
            except Exception:  # noqa: BLE001  as the engine does
                get_log().error("job_failed", kind=name)

    async def clean(self, where: str) -> None:
        """Insist that no secret was said anywhere, and begin anew."""
        metrics = await self.home.web.get("/metrics")
        chat = repr([m.message for m in self.home.bot.chat.messages]) + repr(self.home.bot.chat.toasts)
        heard = {
            "log": self.log.getvalue(),
            "answers": repr(self.said),
            "metrics": metrics.text,
            "chat": chat,
        }
        found = [place for place, text in heard.items() for s in self.secrets if leaks.in_text(text, s)]
        assert found == [], where
        self.said.clear()


@asynccontextmanager
async def walk(folder: Path, database: str, patch: pytest.MonkeyPatch) -> AsyncIterator[Walk]:
    """Run a house with a real log."""
    said = io.StringIO()
    loggers = [logging.getLogger(name) for name in ("", "keyherald", *LIBRARIES)]
    before = [(one, one.handlers[:], one.level, one.propagate) for one in loggers]
    configure("debug", json=True, stream=said)
    try:
        async with house(folder, "okx", database=database, log=get_log()) as home:
            keys: Any = vars(home.exchange.state)["keys"]
            keys[home.exchange.state.key].passphrase = PASSPHRASE
            object.__setattr__(home.bot.ctx, "log", get_log())
            yield Walk(home, (*home.good, PASSPHRASE), said, patch)
    finally:
        for one, handlers, level, propagate in before:
            one.handlers[:] = handlers
            one.propagate = propagate
            one.setLevel(level)


async def _walked(here: Walk, kind: type[Exception]) -> None:
    """Go the whole way, with every step broken once before it succeeds."""
    link = ""
    for number, target in enumerate((*OPEN, *SUBMIT)):
        if number % 2 == 0:
            # Half of a link's three tries, and five links an hour.
            here.home.bot.clock.advance(minutes=61)
            link = await here.home.link("okx")
        if target in OPEN:
            with here.broken(target, kind):
                answer = await here.home.open(link)
            here.said.append(answer.text)
            assert answer.status_code == 500
        else:
            body = await sealed(here.home.web, here.home.url, link, *here.secrets)
            with here.broken(target, kind):
                answer = await here.home.post("submit", body)
            here.said.append(answer.text + repr(answer.headers))
            assert answer.status_code >= 400, target
            here.home.bot.clock.advance(seconds=31)
        await here.clean(target)

    here.home.bot.clock.advance(minutes=61)
    assert await here.submit(await here.home.link("okx")) == 200
    await here.home.bot.turn()
    await _confirmed_and_polled(here, kind)


async def _confirmed_and_polled(here: Walk, kind: type[Exception]) -> None:
    for target in CONFIRM:
        with here.broken(target, kind):
            await _quietly(lambda: here.home.bot.press("Confirm"))
        await here.clean(target)
    await here.home.bot.press("Confirm")
    await here.turn(1)
    for target in POLL:
        here.home.exchange.state.trade("buy", "btc_usdt", "0.01")
        with here.broken(target, kind):
            await here.turn()
        await here.clean(target)
    await here.turn()
    assert await here.home.accounts() == ["active"]


async def _quietly(act: Callable[[], Awaitable[object]]) -> None:
    try:
        await act()
    except Exception:  # noqa: BLE001  as the engine does
        get_log().error("update_failed")


@pytest.mark.parametrize("kind", [LibraryError, aiohttp.ClientError, ValueError])
async def test_no_step_that_breaks_writes_a_secret_down(tmp_path, fresh_sqlite, monkeypatch, kind):
    """Open, submit, unseal, prove, decide, store, confirm, poll, tell: no place gets key, secret or passphrase."""
    async with walk(tmp_path, fresh_sqlite, monkeypatch) as here:
        await _walked(here, kind)
        assert [leaks.in_files(tmp_path, secret) for secret in here.secrets] == [[], [], []]
        secrets = here.secrets
        assert leaks.in_files(tmp_path, YOU), "the search reads the files"
    assert [leaks.in_files(tmp_path, secret) for secret in secrets] == [[], [], []]


@pytest.mark.postgres
async def test_a_database_server_keeps_no_secret(tmp_path, postgres_server, fresh_postgres, monkeypatch):
    """After the same way neither a row, nor a file, log or write-ahead log of PostgreSQL has one."""
    async with walk(tmp_path, fresh_postgres, monkeypatch) as here:
        await _walked(here, LibraryError)
        kept = repr(await everything(here.home.bot))
        with psycopg.connect(fresh_postgres.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        files = [leaks.in_files(postgres_server.folder, secret) for secret in here.secrets]

        assert not any(leaks.in_text(kept, secret) for secret in here.secrets)
        assert files == [[], [], []]
        assert leaks.in_files(postgres_server.folder, "okx"), "the search reads the files"
