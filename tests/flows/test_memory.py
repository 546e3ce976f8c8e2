"""What stays of a key in the memory of the bot after the whole way: opened, submitted, proven, stored, polled.

The bot is a process of its own and the browser's part is done here, so all that is found there is its own.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

import pytest

from chatbot.domain.credentials import AccountId
from tests.rig.installation import submit
from tests.rig.minting import Mint, mint
from tests.rig.process import free_port, master_key, until
from tests.storage.test_memory import copies
from tests.support.practice import Running, practice
from tests.support.sources import ROOT

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux shows a process's memory as a file"
)
PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Watched:
    """The running bot, and two ways to look for a text in its memory."""

    process: Process
    folder: Path
    url: str
    mint: Mint

    async def objects(self, *wanted: str) -> list[int]:
        """Count the objects of the bot that hold each text, after it has collected its garbage."""
        found = self.folder / "found"
        found.unlink(missing_ok=True)
        (self.folder / "wanted").write_text(" ".join(text[::-1] for text in wanted))
        self.process.send_signal(signal.SIGUSR1)
        await until(found.exists, PATIENCE, "the bot has looked at itself")
        return [int(count) for count in found.read_text().split()]

    def bytes(self, wanted: str) -> int:
        """Count the whole copies in all memory that can be written to, what was freed included."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)
            return copies(self.process.pid, wanted.encode())
        finally:
            self.process.send_signal(signal.SIGCONT)

    async def says(self, text: str) -> None:
        """Wait until the bot has written something."""
        await until(lambda: text in (self.folder / "said").read_text(), PATIENCE, text)


@asynccontextmanager
async def watched(folder: Path, bitso: Running) -> AsyncIterator[Watched]:
    """Run a bot that lets itself be looked at."""
    port, key = free_port(), master_key(folder)
    url, database = f"http://127.0.0.1:{port}", f"sqlite:///{folder / 'bot.sqlite'}"
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "PORT": str(port),
        "DATABASE_URL": database, "MASTER_KEY_FILE": key, "PUBLIC_URL": url, "MEMBERS": "telegram:*",
        "EXCHANGE_BITSO_URL": bitso.origin, "POLL_SECONDS": "600",
    }  # fmt: skip
    with (folder / "said").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.rig.watched", cwd=folder, env=environment, stdout=said, stderr=said
        )  # fmt: skip
    try:
        await until(lambda: "platform_started" in (folder / "said").read_text(), PATIENCE, "the bot runs")
        async with mint(database, key, url) as hand:
            yield Watched(process, folder, url, hand)
    finally:
        process.kill()
        await process.wait()


async def test_no_copy_of_a_secret_outlives_its_use(tmp_path: Path):
    """After a refusal, a proof and a poll no memory holds the secret, and no object the key."""
    async with practice("bitso") as bitso, watched(tmp_path, bitso) as bot:
        key, secret = bitso.state.key, bitso.state.secret
        wrong = token_hex(16)
        link = await bot.mint.link()
        answers = [await submit(bot.url, link, key, one) for one in (wrong, secret)]
        assert [answer.status_code for answer in answers] == [422, 200], answers[0].text

        after_submit = [bot.bytes(text) for text in (secret, wrong)]
        assert (after_submit, await bot.objects(key, secret, wrong)) == ([0, 0], [0, 0, 0])

        [(account,)] = await bot.mint.rows("SELECT id FROM accounts")
        async with bot.mint.database.uow() as store:
            await store.accounts.activate(AccountId(account), datetime.now(UTC))
        await bot.says("action=polled")
        assert (bot.bytes(secret), await bot.objects(key, secret)) == (0, [0, 0])

        assert bot.bytes(bot.url) > 0, "it does look"
        assert (await bot.objects(bot.url))[0] > 0, "it does look"
