"""What `keyherald doctor` looks at: each part of the installation, as a result with what to do.

Bootstrap fills in `Parts` and prints what `examine` returns; `healthy` decides the exit code. Nothing here
changes anything, and no setting's value is ever shown. Speaks the operator's language.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from chatbot.doctor.page import Shipped, check_pages
from chatbot.doctor.results import CheckResult, State, problem
from chatbot.errors import ConfigError, EdgeError, SendError, VaultError, Verdict, mark
from chatbot.ports.exchanges import Exchange
from chatbot.ports.platforms import Platform
from chatbot.text import Translator

__all__ = ["CheckResult", "Parts", "Shipped", "State", "examine", "healthy", "report"]

SKEW_SECONDS = 5
WAIT_SECONDS = 10
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
STATE_NAMES: Mapping[State, str] = {
    State.OK: mark("ok"),
    State.NOTE: mark("note"),
    State.PROBLEM: mark("problem"),
}


class DatabaseProbe(Protocol):
    """What we ask of the database."""

    async def check(self) -> None:
        """Raise `StorageError` unless it can be used."""
        ...

    async def revision(self) -> str:
        """Return the schema it has."""
        ...

    def head(self) -> str:
        """Return the schema that this code needs."""
        ...


def address_from_here() -> str | None:
    """Return the address that others see us under, when it is on this very machine; sends nothing."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking:
        try:
            # A datagram socket only chooses its own address here; this one is reserved for documents.
            asking.connect(("192.0.2.1", 9))
        except OSError:
            return None
        own: str = asking.getsockname()[0]
    return own if ipaddress.ip_address(own).is_global else None


def _http() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=WAIT_SECONDS, follow_redirects=False, trust_env=False)


@dataclass(frozen=True)
class Parts:
    """Everything the doctor looks at.

    `open_vault` raises `ConfigError` when the master key is not the right one; `shipped` is what our own
    page and its files must answer with, the page first.
    """

    settings: Mapping[str, bool]
    database: DatabaseProbe
    open_vault: Callable[[], Awaitable[object]]
    public_url: str
    shipped: Sequence[Shipped]
    platforms: Mapping[str, Platform] = field(default_factory=dict)
    exchanges: Mapping[str, Exchange] = field(default_factory=dict)
    egress: Sequence[str] = ()
    key_file: Path | None = None
    env_file: Path | None = None
    proxies: Sequence[str] = ()
    own_address: Callable[[], str | None] = address_from_here
    http: Callable[[], httpx.AsyncClient] = _http


async def examine(parts: Parts, t: Translator) -> list[CheckResult]:
    """Return the result of every check; those that wait for others run side by side."""
    alone = [*_settings(parts, t), *_env_file(parts, t), *_key_file(parts, t), *_proxies(parts, t)]
    inside = [*alone, await _database(parts, t), await _vault(parts, t)]
    pages, outside = await asyncio.gather(
        check_pages(parts.http, parts.public_url, parts.shipped, t),
        asyncio.gather(
            *(_platform(name, platform, t) for name, platform in parts.platforms.items()),
            *(_exchange(exchange, t) for exchange in parts.exchanges.values()),
        ),
    )
    return [*inside, *pages, *outside, *_egress(parts, t)]


def healthy(results: Sequence[CheckResult]) -> bool:
    """Tell whether no check found a problem."""
    return all(result.state is not State.PROBLEM for result in results)


def report(results: Sequence[CheckResult], t: Translator) -> list[str]:
    """Return the lines to print."""
    names = {state: t.say(name) for state, name in STATE_NAMES.items()}
    width = max(map(len, names.values()))
    return [
        f"{names[result.state]:<{width}}  {result.name}: {result.detail}"
        + (f" {result.todo}" if result.todo else "")
        for result in results
    ]


def _settings(parts: Parts, t: Translator) -> list[CheckResult]:
    given = [name for name, is_set in parts.settings.items() if is_set]
    left = [name for name, is_set in parts.settings.items() if not is_set]
    nothing = t.say("none")
    return [
        CheckResult(t.say("Settings that are set"), State.NOTE, ", ".join(given) or nothing),
        CheckResult(t.say("Settings that have their default"), State.NOTE, ", ".join(left) or nothing),
    ]


def _env_file(parts: Parts, t: Translator) -> list[CheckResult]:
    file = parts.env_file
    mode = file.stat().st_mode & 0o777 if file is not None and file.exists() else 0
    if not mode & 0o077:
        return []
    detail = t.say("others on this machine can read it (mode {mode}).", mode=f"{mode:04o}")
    todo = t.say("Run: {command}", command=f"chmod 600 {file}")
    return [CheckResult(t.say("Settings file"), State.NOTE, detail, todo)]


def _proxies(parts: Parts, t: Translator) -> list[CheckResult]:
    if parts.proxies or urlsplit(parts.public_url).hostname in _LOOPBACK:
        return []
    detail = t.say("TRUSTED_PROXIES is not set, so all who come through a proxy count as one address.")
    return [CheckResult(t.say("Proxies"), State.NOTE, detail, t.say("Set it to your proxy's address."))]


def _key_file(parts: Parts, t: Translator) -> list[CheckResult]:
    if parts.key_file is None:
        return []
    name = t.say("Master key file")
    try:
        mode = parts.key_file.stat().st_mode & 0o777
    except OSError:
        detail = t.say("{path} can't be found.", path=parts.key_file)
        return [
            problem(
                name, detail, t.say("Put it back from your backup: without it no stored key can be opened.")
            )
        ]
    if mode & 0o077:
        detail = t.say("others on this machine can read it (mode {mode}).", mode=f"{mode:04o}")
        return [problem(name, detail, t.say("Run: {command}", command=f"chmod 600 {parts.key_file}"))]
    return [CheckResult(name, State.OK, t.say("only its owner can read it."))]


async def _database(parts: Parts, t: Translator) -> CheckResult:
    name = t.say("Database")
    try:
        await parts.database.check()
        revision = await parts.database.revision()
    except (EdgeError, ConfigError) as error:
        detail = t.say("it can't be used ({reason}).", reason=error)
        return problem(name, detail, t.say("See that it runs and that DATABASE_URL is right."))
    if revision != parts.database.head():
        detail = t.say("it does not have the tables of this version.")
        return problem(name, detail, t.say("Run: {command}", command="keyherald migrate"))
    return CheckResult(name, State.OK, t.say("it answers and is up to date."))


async def _vault(parts: Parts, t: Translator) -> CheckResult:
    name = t.say("Master key")
    try:
        await parts.open_vault()
    except (ConfigError, VaultError) as error:
        return problem(name, str(error), t.say("Put the key back that this database was sealed with."))
    except EdgeError:
        return CheckResult(name, State.NOTE, t.say("it can't be tried without the database."))
    return CheckResult(name, State.OK, t.say("it opens what is stored."))


async def _platform(name: str, platform: Platform, t: Translator) -> CheckResult:
    try:
        who = await platform.check()
    except SendError as error:
        if error.verdict is not Verdict.UNAUTHORISED:
            detail = t.say("it can't be reached ({reason}).", reason=error.reason)
            return problem(name.title(), detail, t.say("See that this machine may open connections to it."))
        detail = t.say("it does not take the token ({reason}).", reason=error.reason)
        return problem(name.title(), detail, t.say("Set the token that the platform shows for this bot."))
    return CheckResult(name.title(), State.OK, t.say("connected as {who}.", who=who))


async def _exchange(exchange: Exchange, t: Translator) -> CheckResult:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            ahead = await exchange.reachable()
    except (EdgeError, TimeoutError) as error:
        reason = error.reason if isinstance(error, EdgeError) else t.say("no answer")
        detail = t.say("it can't be reached ({reason}).", reason=reason)
        return problem(exchange.title, detail, t.say("See that this machine may open connections to it."))
    if abs(ahead) > SKEW_SECONDS:
        detail = t.say("this machine's clock is off by {seconds} seconds.", seconds=round(abs(ahead)))
        return problem(
            exchange.title, detail, t.say("Switch on time synchronisation: {command}", command=_NTP)
        )
    return CheckResult(exchange.title, State.OK, t.say("it answers, and the clocks agree."))


def _egress(parts: Parts, t: Translator) -> list[CheckResult]:
    name, own = t.say("Our address"), parts.own_address()
    results = [_own_address(name, own, parts.egress, t)]
    for exchange in parts.exchanges.values():
        if exchange.max_addresses and len(parts.egress) > exchange.max_addresses:
            detail = t.say(
                "{exchange} takes {most} addresses for a key, EGRESS_IPS has {count}.",
                exchange=exchange.title,
                most=exchange.max_addresses,
                count=len(parts.egress),
            )
            todo = t.say("Send the calls to {exchange} through fewer addresses.", exchange=exchange.title)
            results.append(problem(name, detail, todo))
    return results


def _own_address(name: str, own: str | None, egress: Sequence[str], t: Translator) -> CheckResult:
    if own is None:
        return CheckResult(
            name, State.NOTE, t.say("it can't be known from here (this machine is behind a router).")
        )
    if not egress:
        return CheckResult(name, State.NOTE, t.say("{address}; EGRESS_IPS is not set.", address=own))
    if own not in egress:
        detail = t.say("{address} is not in EGRESS_IPS.", address=own)
        return problem(name, detail, t.say("Add it, or keys that are bound to addresses will be refused."))
    return CheckResult(name, State.OK, t.say("{address} is in EGRESS_IPS.", address=own))


_NTP = "timedatectl set-ntp true"
