"""What holds for every command, however short: no memory for others to read, no folder for others to enter."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from sqlalchemy import text

from chatbot.__main__ import _run
from chatbot.bootstrap import tasks
from chatbot.bootstrap.parts import open_database
from chatbot.domain.people import TeamId
from chatbot.errors import ConfigError
from chatbot.settings import Settings


def test_every_command_closes_its_memory_before_it_works(monkeypatch) -> None:
    """`rewrap` and `doctor` hold keys as well as `run`."""
    done: list[str] = []
    monkeypatch.setattr("chatbot.__main__.harden_process", lambda: done.append("hardened"))

    async def work() -> None:
        done.append("worked")

    with pytest.raises(typer.Exit):
        _run(work)
    assert done == ["hardened", "worked"]


async def test_migrate_makes_a_folder_for_its_owner_alone(tmp_path: Path) -> None:
    """The database holds balances and fills, in a folder nobody else may enter."""
    folder = tmp_path / "var"

    assert await tasks.migrate(Settings.from_environ({"DATA_DIR": str(folder)})) == 0
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_an_audit_that_was_cut_back_is_noticed_by_an_end_kept_elsewhere(tmp_path: Path, capsys) -> None:
    """`audit verify` prints the chain's end; given back later with `--kept`, it must still be in the chain."""
    settings = Settings.from_environ({"DATA_DIR": str(tmp_path)})
    database = await open_database(settings)
    for number in range(3):
        async with database.uow() as store:
            act = ("telegram:1", "revoke", f"a{number}", "destroyed")
            await store.audit.note(TeamId("slack:T1"), *act, datetime.now(UTC))
    assert await tasks.verify_audit(settings) == 0
    kept = next(word for word in capsys.readouterr().out.split() if word.startswith("slack:T1:3:"))

    assert await tasks.verify_audit(settings, [kept]) == 0
    async with database.transaction() as tx:
        await tx.run(text("DELETE FROM audit WHERE number = 3"))
        await tx.run(
            text("UPDATE audit_heads SET number = 2, hash = (SELECT hash FROM audit WHERE number = 2)")
        )
    assert await tasks.verify_audit(settings) == 0
    assert await tasks.verify_audit(settings, [kept]) == 1
    assert await tasks.verify_audit(settings, [kept.replace(":3:", ":2:")]) == 1
    await database.close()

    assert "The audit is not whole. The kept end slack:T1:3:" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="as `audit verify` printed it"):
        await tasks.verify_audit(settings, ["slack:T1"])


async def test_a_tampered_audit_is_told_in_a_sentence_and_by_the_exit_code(tmp_path: Path, capsys) -> None:
    """`keyherald audit verify` says how many entries are whole, or which one is not."""
    settings = Settings.from_environ({"DATA_DIR": str(tmp_path)})
    database = await open_database(settings)
    async with database.uow() as store:
        await store.audit.note(TeamId("home"), "telegram:1", "revoke", "a1", "destroyed", datetime.now(UTC))

    assert await tasks.verify_audit(settings) == 0
    async with database.transaction() as tx:
        await tx.run(text("UPDATE audit SET outcome = 'kept'"))
    assert await tasks.verify_audit(settings) == 1
    await database.close()

    printed = capsys.readouterr().out
    assert "The audit is whole: 1 entries" in printed
    assert "Team home: entry 1 was changed" in printed
