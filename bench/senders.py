"""One side of the sending bench in a process of its own: it sends its messages and says what that cost.

`ours` is the bot as it runs: a database on disk, the delivery job, the pacer, the Telegram platform. `peer`
is python-telegram-bot's `ExtBot` with its `AIORateLimiter`, which keeps nothing and makes the same requests.
"""

import argparse
import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from chatbot.bootstrap.parts import Parts, build
from chatbot.domain.messages import Button, Message, Post, bold, line, message
from chatbot.domain.outbox import Delivery, OutboxState, Promise
from chatbot.domain.people import ConversationId, Place, TeamId
from chatbot.logs import configure
from chatbot.platforms.telegram.writing import calls
from chatbot.settings import Settings
from chatbot.text import Translator
from storage.masterkeys import create_master_key_file

TOKEN = "4242:AAFfakefakefakefakefakefakefakefakefak"  # noqa: S105  of the Bot API on loopback
WAITING = (OutboxState.PENDING, OutboxState.CLAIMED, OutboxState.BEGUN)
LOOK_SECONDS = 0.5  # as often as the job is woken in the bot


def places(number: int, *, group: bool) -> Sequence[Place]:
    """Return where the messages go: each to a private chat of its own, or all into one group."""
    if group:
        return [Place("telegram", "-500", private=False)] * number
    return [Place("telegram", str(1000 + n), private=True) for n in range(number)]


def told(number: int) -> Message:
    """Return a message as a fill is told: a few lines, one of them bold, and a button."""
    button = Button("Mute 2 h", "mute.kind", ("a", "fills"), anyone=True)
    return message(
        bold("Bought 0.0123 BTC"),
        line(f"at 1,234,567.89 MXN · 15,185.18 MXN · fee 0.00000923 BTC · {number}"),
        line("Savings on Bitso · 12:34:56"),
        buttons=((button,),),
    )


class Ours:
    """The bot's own way: from the outbox on disk through the delivery job."""

    def __init__(self, origin: str, folder: Path) -> None:
        self._origin, self._folder = origin, folder
        self._parts: Parts

    async def prepare(self, where: Sequence[Place]) -> None:
        """Open the bot on a new database and queue every message."""
        key_file = self._folder / "keys" / "master.key"
        create_master_key_file(key_file)
        environ = {
            "DATA_DIR": str(self._folder),
            "MASTER_KEY_FILE": str(key_file),
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self._origin,
            "PUBLIC_URL": "https://bot.example.com",
        }
        self._parts = await build(Settings.from_environ(environ))
        # What `Post.run` does once the token is ours, without receiving.
        vars(self._parts.post)["_started"].add("telegram")
        now = self._parts.ctx.clock.now()
        async with self._parts.database.uow() as store:
            for number, place in enumerate(where):
                found = await store.conversations.enter(place, TeamId("t"), None)
                key = f"fill:{number}"
                await store.outbox.put(found.id, Post(told(number)), Promise.ALERT, now, key=key)

    async def send(self) -> None:
        """Run the job as often as the bot does, until nothing is waiting."""
        ctx, deliver = self._parts.ctx, self._parts.registry.jobs["deliver_messages"]
        while True:
            await deliver.run(ctx)
            async with ctx.uow() as store:
                counts = await store.outbox.counts()
            if not any(counts[state] for state in WAITING):
                return
            await ctx.clock.sleep(LOOK_SECONDS)

    async def states(self) -> dict[str, int]:
        """Return how many messages ended in which state."""
        async with self._parts.database.uow() as store:
            counts = await store.outbox.counts()
        await self._parts.close()
        return {state: number for state, number in counts.items() if number}


class Peer:
    """python-telegram-bot's own limiter: one waiting task for each message, nothing kept."""

    def __init__(self, origin: str) -> None:
        from telegram.ext import AIORateLimiter, ExtBot  # noqa: PLC0415  only this side has it

        self._bot = ExtBot(TOKEN, f"{origin}/bot", rate_limiter=AIORateLimiter())
        self._sends: list[dict[str, Any]] = []
        self._states = {"sent": 0, "refused": 0}

    async def prepare(self, where: Sequence[Place]) -> None:
        """Make the same requests as ours, with this library's own classes."""
        from telegram import InlineKeyboardMarkup, LinkPreviewOptions, MessageEntity  # noqa: PLC0415

        await self._bot.initialize()
        for number, place in enumerate(where):
            (call,) = calls(_delivery(number, place), Translator("en"))
            given = call.params
            self._sends.append(
                {
                    "chat_id": given["chat_id"],
                    "text": given["text"],
                    "entities": [MessageEntity(**one) for one in given["entities"]],
                    "link_preview_options": LinkPreviewOptions(is_disabled=True),
                    "reply_markup": InlineKeyboardMarkup.de_json(given["reply_markup"]),
                }
            )

    async def send(self) -> None:
        """Send everything at once and let the limiter pace it."""
        await asyncio.gather(*map(self._one, self._sends))

    async def _one(self, given: dict[str, Any]) -> None:
        from telegram.error import TelegramError  # noqa: PLC0415

        try:
            await self._bot.send_message(**given)
        except TelegramError:
            self._states["refused"] += 1
        else:
            self._states["sent"] += 1

    async def states(self) -> dict[str, int]:
        """Return how many messages were taken and how many refused, which nobody sends again."""
        await self._bot.shutdown()
        return self._states


def _delivery(number: int, place: Place) -> Delivery:
    return Delivery(
        id="d",
        conversation=ConversationId("c"),
        place=place,
        message=Message(told(number).body, ((Button("Mute 2 h", "0123456789abcdef"),),)),
        promise=Promise.ALERT,
        fence=1,
        attempts=1,
        ref="7K2Q",
        deadline=datetime.now(UTC),
    )


async def measure(given: argparse.Namespace, folder: Path) -> None:
    """Prepare one side, wait for a line, send, and print what it cost."""
    side = Ours(given.origin, folder) if given.side == "ours" else Peer(given.origin)
    await side.prepare(places(given.messages, group=given.group))
    await asyncio.to_thread(sys.stdin.readline)
    cpu, wall = _cpu(), time.monotonic()
    await side.send()
    cpu, wall = _cpu() - cpu, time.monotonic() - wall
    print(json.dumps({"cpu_ms": cpu * 1000 / given.messages, "wall": wall, "states": await side.states()}))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Send what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=["ours", "peer"])
    parser.add_argument("origin")
    parser.add_argument("messages", type=int)
    parser.add_argument("--group", action="store_true")
    given = parser.parse_args()
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115  the log writes to it until the end
    configure("info", json=True, stream=nowhere)
    with tempfile.TemporaryDirectory(prefix="keyherald-bench-") as folder:
        uvloop.run(measure(given, Path(folder)))


if __name__ == "__main__":
    main()
