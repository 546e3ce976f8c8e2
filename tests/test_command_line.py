"""The command line as an operator meets it: real processes, their exit codes and their one sentence."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from tests.rig.process import Program, free_port, master_key, running, until
from tests.support.botapi import BotApi, Fault
from tests.support.botapi.server import running as bot_api

ANA = 77


def chat_only(folder: Path, **settings: str) -> dict[str, str]:
    usual = {"DATA_DIR": str(folder / "var"), "PORT": str(free_port()), "MASTER_KEY_FILE": master_key(folder)}
    return {**usual, **settings}


def on_telegram(folder: Path, api: BotApi) -> dict[str, str]:
    settings = chat_only(folder, TELEGRAM_BOT_TOKEN=api.token, TELEGRAM_API_URL=api.url, MEMBERS="telegram:*")
    return {**settings, "PUBLIC_URL": f"http://127.0.0.1:{settings['PORT']}"}


async def refused(command: str, folder: Path, settings: dict[str, str], code: int = 1, name: str = "") -> str:
    """Run a command that must refuse, and return what it said."""
    async with running(command, folder, settings, name) as program:
        assert await program.ended() == code, program.err
        assert "Traceback" not in program.err + program.out
        return program.err


async def test_every_bad_setting_is_named_at_once(tmp_path):
    """One start shows all that is wrong, one line each, and ends with 1."""
    bad = chat_only(tmp_path, PORT="99999", POLL_SECONDS="0", PUBLIC_URL="ftp://x", KEY_PURPOSE="gamble")

    lines = (await refused("run", tmp_path, bad)).strip().splitlines()

    assert len(lines) == 4
    for name in ("PORT", "POLL_SECONDS", "PUBLIC_URL", "KEY_PURPOSE"):
        assert any(line.startswith(name) for line in lines), lines


async def test_an_unknown_command_is_a_usage_error(tmp_path):
    """Whoever mistypes gets 2 and the name that was not understood."""
    assert "rnu" in await refused("rnu", tmp_path, {}, code=2)


@pytest.mark.parametrize("command", ["run", "web"])
async def test_a_taken_port_is_one_sentence(tmp_path, command):
    """The start is refused before anything runs, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = await refused(command, tmp_path, chat_only(tmp_path, PORT=str(port)))

    assert said.strip().splitlines()[-1].startswith(f"Can't listen on 127.0.0.1:{port}")
    assert "set another PORT" in said


async def test_the_web_chat_is_offered_to_no_other_machine(tmp_path):
    """Without a platform the bot refuses to listen beyond loopback."""
    said = await refused("run", tmp_path, chat_only(tmp_path, HOST="0.0.0.0"))  # noqa: S104  that it is refused

    assert "only for this machine" in said


async def test_one_database_file_has_one_keyherald(tmp_path):
    """A second process is refused in one sentence; a killed one's place is free at once; looking is allowed."""
    settings = chat_only(tmp_path)
    async with running("run", tmp_path, settings) as first:
        await first.says("/chat#")
        for command in ("run", "worker"):
            said = await refused(
                command, tmp_path, {**settings, "PORT": str(free_port())}, name=f"second-{command}"
            )
            assert said.startswith("Another Keyherald is already running on this database")
            assert len(said.strip().splitlines()) == 1
        async with running("migrate", tmp_path, settings) as looking:
            assert await looking.ended() == 0
        await first.kill()
        async with running("run", tmp_path, settings, name="again") as again:
            await again.says("/chat#")


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_cleanly(tmp_path, name):
    """Ctrl-C and a stopping service manager both get exit code 0, and nothing is amiss."""
    async with running("run", tmp_path, chat_only(tmp_path)) as program:
        await program.says("/chat#")
        program.tell(name)

        assert await program.ended() == 0
        assert [line for line in program.err.splitlines() if '"level": "info"' not in line] == []


async def test_running_sends_end_before_the_connections_close(tmp_path):
    """A message under way when the signal comes is recorded as sent: nothing is repeated after the restart."""
    async with bot_api() as api, running("run", tmp_path, on_telegram(tmp_path, api)) as program:
        slow = asyncio.Event()
        taken, send = asyncio.Event(), api._sendMessage

        async def slowly(params):
            taken.set()
            await slow.wait()
            return await send(params)

        api._sendMessage = slowly  # type: ignore[method-assign]
        await api.say(ANA, "/help")
        async with asyncio.timeout(20):
            await taken.wait()
        program.tell(signal.SIGTERM)
        await until(lambda: not _listens(program), 10, "the web side stopped")
        slow.set()

        assert await program.ended() == 0
        assert '"sent"' in program.err
        assert len(api.shown(ANA)) == 1


def _listens(program: Program) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(program.settings["PORT"]))) == 0


async def _hanging(api: BotApi, program: Program) -> None:
    """Let a message hang at Telegram, then tell the bot to stop."""
    api.fail("sendMessage", Fault.HANG)
    await api.say(ANA, "/help")
    await api.until(lambda: api.count("sendMessage"), 20)
    program.tell(signal.SIGTERM)


async def test_a_second_signal_ends_it_at_once(tmp_path):
    """Nobody has to wait for a message that hangs."""
    async with bot_api() as api, running("run", tmp_path, on_telegram(tmp_path, api)) as program:
        await _hanging(api, program)
        await until(lambda: not _listens(program), 10, "the web side stopped")
        assert program.running
        program.tell(signal.SIGTERM)

        assert await program.ended(5) == 0
        assert "Traceback" not in program.err


@pytest.mark.long
async def test_one_signal_ends_it_within_twenty_seconds(tmp_path):
    """A message that hangs is cut off in time for every service manager."""
    async with bot_api() as api, running("run", tmp_path, on_telegram(tmp_path, api)) as program:
        await _hanging(api, program)

        assert await program.ended(20) == 0
        assert "job_cut_off" in program.err
        assert "Traceback" not in program.err
