"""The import contracts bite: one planted violation of each kind is reported by its contract."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sources import PACKAGES, ROOT

# Where a forbidden import is planted, what it imports, and which contract must break.
PLANTED = [
    ("handlers/commands/planted.py", "import storage", "Everything points inwards"),
    ("chatbot/domain/planted.py", "import chatbot.errors, handlers", "Everything points inwards"),
    ("chatbot/utils.py", "", "Every module of chatbot has a place"),
    ("chatbot/exchanges/planted.py", "import chatbot.exchanges.another", "Siblings do not know each other"),
    ("handlers/shared.py", "", "Notifications are the bottom of handlers"),
    ("handlers/jobs/planted.py", "import httpx", "Each library has one home"),
    ("chatbot/domain/stored.py", "import sqlalchemy", "Each library has one home"),
    ("chatbot/doctor.py", "import chatbot.settings", "Only bootstrap sees settings"),
]
# What must exist for a planted import to have a target.
SKELETON = [
    "chatbot/__main__.py",
    "chatbot/bootstrap.py",
    "chatbot/settings.py",
    "chatbot/errors.py",
    "chatbot/domain/__init__.py",
    "chatbot/exchanges/__init__.py",
    "chatbot/exchanges/another.py",
    "handlers/commands/__init__.py",
    "handlers/jobs/__init__.py",
]
# The four legal imports that a contract drawn too tightly would forbid.
LEGAL = [
    ("chatbot/platforms/telegram.py", "import httpx, telegram"),
    ("chatbot/platforms/telegram/client.py", "import telegram"),
    ("chatbot/exchanges/bitso.py", "import msgspec, chatbot.exchanges._http"),
    ("storage/migrations/env.py", "import alembic, sqlalchemy"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """An empty copy of the house with the real contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        _write(tmp_path / package / "__init__.py", "")
    for name in SKELETON:
        _write(tmp_path / name, "")
    return tmp_path


def test_the_empty_house_keeps_every_contract(house):
    """Nothing is reported where nothing is wrong."""
    assert "0 broken" in _lint(house)


def test_every_planted_violation_is_reported(house):
    """Each contract breaks on the import it is there to stop."""
    for name, statement, _ in PLANTED:
        _write(house / name, statement)

    report = _lint(house)

    assert [contract for *_, contract in PLANTED if f"{contract} BROKEN" not in report] == []
    assert [name for name, *_ in PLANTED if _module(name) not in report] == []


def test_legal_imports_stay_legal(house):
    """A library may be used in its home, whether that is a file or a package."""
    _write(house / "chatbot/platforms/__init__.py", "")
    _write(house / "chatbot/exchanges/_http.py", "import aiohttp")
    _write(house / "storage/migrations/__init__.py", "")
    for name, statement in LEGAL:
        _write(house / name, statement)
    _write(house / "chatbot/platforms/telegram/__init__.py", "import telegram")

    assert "0 broken" in _lint(house)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def _module(name: str) -> str:
    return name.removesuffix(".py").replace("/", ".")


def _lint(house: Path) -> str:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]
    result = subprocess.run(
        [*command, "--no-cache"],
        check=False,
        capture_output=True,
        cwd=house,
        text=True,
        env={"PYTHONPATH": str(house)},
    )
    return result.stdout + result.stderr
