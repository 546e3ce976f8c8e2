"""The practice installation of `make demo`: web chat, practice exchanges, everything in a temporary folder.

Nothing here is a real account, and nothing leaves this machine. The practice exchanges are mounted beside
the web chat, which knows nothing of them but buttons that post to an address.
"""

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from chatbot import exchanges, practice
from chatbot.bootstrap.parts import Parts, build, webchat
from chatbot.bootstrap.roles import run_all
from chatbot.errors import mark
from chatbot.platforms.webchat import Note, PracticeButton, Scene
from chatbot.practice import Practice
from chatbot.settings import Settings
from chatbot.text import Translator
from chatbot.web.headers import Extra
from storage.masterkeys import create_master_key_file

HISTORY = 260
FIRST_FILL_SECONDS = 15
FILL_SECONDS = 20
FIRST = "bitso"
LOOPBACK = "127.0.0.1"


async def run_demo(environ: Mapping[str, str]) -> None:
    """Furnish and run the demo until told to stop; the folder is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="keyherald-demo-") as folder:
        await _run(_settings(environ, Path(folder)))


def _settings(environ: Mapping[str, str], folder: Path) -> Settings:
    port = _port(int(environ.get("PORT", "8080")))
    chosen = {
        name: environ[name]
        for name in (
            "DEFAULT_LOCALE",
            "DEFAULT_TIMEZONE",
            "DEFAULT_CURRENCY",
            "LOG_LEVEL",
            "EGRESS_IPS",
            "KEY_PURPOSE",
        )
        if environ.get(name)
    }
    origins = {f"EXCHANGE_{name.upper()}_URL": f"http://{LOOPBACK}:{port}" for name in practice.discover()}
    return Settings.from_environ(
        {
            "LOG_LEVEL": "warning",
            **chosen,
            **origins,
            "DATA_DIR": str(folder),
            "MASTER_KEY_FILE": str(_key(folder)),
            "HOST": LOOPBACK,
            "PORT": str(port),
            "POLL_SECONDS": environ.get("POLL_SECONDS", "2"),
            "MEMBERS": "web:you",
            "ADMINS": "web:admin",
        }
    )


def _key(folder: Path) -> Path:
    path = folder / "keys" / "master.key"
    create_master_key_file(path)
    return path


def _port(wanted: int) -> int:
    """Return the wanted port, or a free one when it is taken."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server((LOOPBACK, port)) as found:
            return int(found.getsockname()[1])
    return wanted


async def _run(settings: Settings) -> None:
    rooms = {name: practice.open_practice(name) for name in practice.discover()}
    for state, _ in rooms.values():
        state.seed(HISTORY)
    # Bitso first: it is the one that the first lines speak of.
    states = {name: rooms[name][0] for name in sorted(rooms, key=lambda name: (name != FIRST, name))}
    parts = await build(settings, scene=_scene(states, Translator(settings.default_locale)))
    hosts = (f"{LOOPBACK}:{settings.port}", f"localhost:{settings.port}")
    extras = [Extra(tuple(app.routes), hosts=hosts) for _, app in rooms.values()]
    async with _trading(states):
        await run_all(parts, extras, announce=lambda: _announce(parts, states))


def _scene(states: Mapping[str, Practice], t: Translator) -> Scene:
    buttons = []
    notes = [
        Note(t.say("Type /connect in the chat “You” and follow the buttons. Nothing here is real money."))
    ]
    for name, state in states.items():
        title = _title(name)
        labels = {"buy": mark("Buy"), "sell": mark("Sell"), "withdraw": mark("Withdraw")}
        buttons += [
            PracticeButton(t.say(label), f"/practice/{name}/{act}", title) for act, label in labels.items()
        ]
        notes += [
            Note(t.say("Practice key for {exchange}", exchange=title), state.key, title),
            Note(t.say("Practice secret for {exchange}", exchange=title), state.secret, title),
        ]
        if state.passphrase:
            words = t.say("Practice passphrase for {exchange}", exchange=title)
            notes.append(Note(words, state.passphrase, title))
    return Scene(practice=buttons, notes=notes, translator=t)


def _title(name: str) -> str:
    return str(getattr(exchanges.load(name), "title", name))


def _announce(parts: Parts, states: Mapping[str, Practice]) -> None:
    chat = webchat(parts.platforms)
    lines = ["", "  Keyherald, practice installation (nothing leaves this machine)", ""]
    if chat is not None:
        lines += [f"  Open    {chat.address}", ""]
    title, state = _title(FIRST), states[FIRST]
    lines += [f"  {title} practice key     {state.key}", f"  {title} practice secret  {state.secret}", ""]
    lines += ["  The keys of the other practice exchanges are beside the chat.", ""]
    lines += ["  Type /connect bitso in the chat. Ctrl-C stops everything.", ""]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


@contextlib.asynccontextmanager
async def _trading(states: Mapping[str, Practice]) -> AsyncIterator[None]:
    """Let something happen by itself from time to time."""
    task = asyncio.create_task(_trade(list(states.values())))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _trade(states: list[Practice]) -> None:
    pause = FIRST_FILL_SECONDS
    while True:
        await asyncio.sleep(pause)
        pause = FILL_SECONDS
        for state in states:
            side = "buy" if os.urandom(1)[0] % 2 else "sell"
            with contextlib.suppress(ValueError):
                state.trade(side)
