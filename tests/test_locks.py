"""The lock files: exact, hashed, from nowhere in particular, and complete.

`make lock` writes them; `make demo` and `make test` install nothing else.
"""

import re
import tomllib

import pytest

from tests.support.sources import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"(?P<name>[a-z0-9]+(-[a-z0-9]+)*)==(?P<version>[0-9][\w.!+]*)( ; [\w\s.'<>=!()]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_only_exact_versions_with_hashes(lock):
    """No address, no index, no path and no open version: nothing that differs between two machines."""
    strange = [line for line in _lines(lock) if not (PIN.fullmatch(line) or HASH.fullmatch(line))]

    assert strange == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock):
    """A package that was exchanged at its source does not get installed."""
    lines = _lines(lock)

    assert all(
        HASH.fullmatch(after)
        for line, after in zip(lines, [*lines[1:], ""], strict=True)
        if PIN.fullmatch(line)
    )


def test_the_runtime_lock_holds_every_dependency():
    """Whatever pyproject.toml asks for is pinned."""
    wanted = _project()["project"]["dependencies"] + _project()["dependency-groups"]["build"]

    assert {_name(requirement) for requirement in wanted} <= _pins("requirements.lock").keys()


def test_the_development_lock_holds_every_tool():
    """Whatever the tests and checks use is pinned."""
    wanted = _project()["dependency-groups"]["dev"]

    assert {_name(requirement) for requirement in wanted} <= _pins("requirements-dev.lock").keys()


def test_what_people_run_is_what_the_tests_ran():
    """The development lock contains the runtime's pins, version for version."""
    assert _pins("requirements.lock").items() <= _pins("requirements-dev.lock").items()


def _lines(lock: str) -> list[str]:
    return (ROOT / lock).read_text(encoding="utf-8").splitlines()


def _pins(lock: str) -> dict[str, str]:
    matches = filter(None, map(PIN.fullmatch, _lines(lock)))
    return {match["name"]: match["version"] for match in matches}


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")
