"""The one-shot commands: migrate, doctor, rewrap, and what `run` says when it is up."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from chatbot import doctor as ward
from chatbot import exchanges
from chatbot.bootstrap.parts import HOME_KEY, Parts, make_platforms, master_keys, open_database, webchat
from chatbot.engine.clock import SystemClock
from chatbot.settings import Settings
from chatbot.text import LOCALES, Translator
from chatbot.web.keypage import shipped
from storage.audit import ends, holds, verify
from storage.database import Database
from storage.keyring import open_vault
from storage.rewrap import rotate


def say(*lines: str) -> None:
    """Print lines for the operator."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def announce(parts: Parts) -> None:
    """Say where the bot can be talked to; with the web chat alone, how to add a platform."""
    chat = webchat(parts.platforms)
    if chat is None:
        names, url = ", ".join(parts.platforms), parts.settings.public_url
        say(f"Keyherald is running on {names}; link pages at {url}/key")
        if parts.settings.slack_client_id:
            say(f"Workspaces on Slack install it at {url}/slack/install")
        return
    say(
        "No chat platform is configured, so here is the web chat, on this machine only:",
        f"  {chat.address}",
        "To use Telegram, ask @BotFather for a token and put TELEGRAM_BOT_TOKEN and PUBLIC_URL into .env"
        " (see .env.example); for Slack, see docs/slack.md.",
        "Set MEMBERS=web:you and ADMINS=web:admin to be let in here.",
    )


async def migrate(settings: Settings) -> int:
    """Bring the database to the newest schema and say which."""
    database = await open_database(settings)
    try:
        say(f"The database is at revision {await database.revision()}.")
    finally:
        await database.close()
    return 0


async def verify_audit(settings: Settings, kept: Sequence[str] = ()) -> int:
    """Look whether the audit is whole and say where it is not; 1 when an entry is missing or changed.

    `kept` are ends of earlier days: without one, a chain that was cut back at its end looks whole.
    """
    database = await open_database(settings)
    try:
        async with database.transaction() as tx:
            count, broken = await tx.call(verify)
            found = await tx.call(ends)
            lost = [end for end in kept if not await tx.call(partial(holds, end=end))]
    finally:
        await database.close()
    for fault in broken:
        say(f"The audit is not whole. Team {fault}.")
    for end in lost:
        say(f"The audit is not whole. The kept end {end} is not in it any more.")
    if broken or lost:
        return 1
    say(f"The audit is whole: {count} entries, none changed, missing or moved.")
    if found:
        say("Keep its end elsewhere, and give it back to this command with --kept:", *found)
    return 0


async def rewrap(settings: Settings) -> int:
    """Seal everything under a new master key and say which old ones may go; 1 when a row did not open."""
    database = await open_database(settings)
    try:
        keys = await master_keys(settings, database, alone=False)
        report = await rotate(database, keys, progress=lambda done, of: say(f"  {done} of {of} sealed anew"))
    finally:
        await database.close()
    say(f"Everything is sealed under master key {report.newest} ({report.rewrapped} rows changed).")
    if not report.added and not report.rewrapped and keys.file is None:
        say("MASTER_KEY is a text I can't change: put a new key first in it, then run this again.")
    if report.retired:
        names = ", ".join(report.retired)
        say(f"These older master keys are no longer needed; remove their lines and every copy: {names}")
    for row in report.broken:
        say(f"Could not be opened, and was left as it is: {row}")
    return 1 if report.broken or report.left else 0


async def doctor(settings: Settings, env_file: Path | None = None) -> int:
    """Look at every part of the installation and print a line for each; 1 when there is a problem."""
    t = Translator(settings.default_locale, ZoneInfo(settings.default_timezone))
    database = Database(settings.database_url.get_secret_value())
    known = exchanges.build(settings.exchange_urls, SystemClock())

    async def vault() -> object:
        return await open_vault(database, await master_keys(settings, database, alone=False))

    elsewhere = settings.master_key or settings.credentials_directory
    key_file = settings.master_key_file or (None if elsewhere else HOME_KEY.expanduser())
    parts = ward.Parts(
        settings=settings.set_or_unset(),
        database=database,
        open_vault=vault,
        public_url=settings.public_url,
        shipped=[
            ward.Shipped(*page)
            for page in shipped(LOCALES, lambda locale, text: Translator(locale).say(text))
        ],
        platforms=make_platforms(settings),
        exchanges=known,
        egress=settings.egress_ips,
        key_file=key_file,
        env_file=env_file,
        proxies=settings.trusted_proxies,
    )
    try:
        results = await ward.examine(parts, t)
    finally:
        for exchange in known.values():
            await exchange.close()
        await database.close()
    say(*ward.report(results, t))
    return 0 if ward.healthy(results) else 1
