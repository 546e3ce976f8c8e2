"""What holds for every command, however short: no memory for others to read, no folder for others to enter."""

from pathlib import Path

import pytest
import typer

from chatbot.__main__ import _run
from chatbot.bootstrap import tasks
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
