"""What every test stands on: a clean environment, no way off this machine, real PostgreSQL and Chromium.

Tests that use `fresh_postgres` or `browser` are marked by that alone. Without the program they are skipped,
and the last lines of the run say so.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support import browser as browsers
from tests.support import environment, network, postgres, skips

MARK_OF_FIXTURE = {"postgres_server": "postgres", "chromium": "browser"}
SKIPPED = pytest.StashKey[Counter[str]]()


# Whole journeys, attacks and promises of every exchange: for `make test`, too slow for `make check`.
THOROUGH = {"charts", "contracts", "flows", "rig", "threats"}
# Slack over real HTTP and sockets, each test with a server of its own.
LONG_ONES = {
    "test_slack_oauth.py",
    "test_slack_pace.py",
    "test_slack_receiving.py",
    "test_slack_sending.py",
    "test_slack_signatures.py",
    "test_slack_socketmode.py",
}
QUICK_ONES = {
    "test_connect.py",
    "test_fills.py",
    "test_first_steps.py",
    "test_phrase.py",
    "test_platforms.py",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the programs their fixtures need, before `-m` chooses among them."""
    for item in items:
        for fixture, mark in MARK_OF_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)
        long = item.path.parent.name in THOROUGH or item.path.name in LONG_ONES
        if long and item.path.name not in QUICK_ONES:
            item.add_marker("thorough")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that skipped something where nothing may be skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    counted = skips.reasons(reporter.stats.get("skipped", []))
    session.config.stash[SKIPPED] = counted
    if counted and not skips.allowed() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say what was left out after everything else, where it is read."""
    if hasattr(config, "workerinput"):
        return
    for line in skips.last_lines(config.stash.get(SKIPPED, Counter())):
        print(line)  # noqa: T201 - the terminal reporter has already written its last line


@pytest.fixture(scope="session", autouse=True)
def _no_way_out() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        network.guard(patch)
        yield


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder in which no test finds or leaves a person's own files."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> None:
    for name in filter(environment.is_ours, list(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(empty_home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A real PostgreSQL server, one for each test process."""
    programs = postgres.find_programs()
    if programs is None:
        skips.missing("PostgreSQL")
    with postgres.running(programs) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: postgres.Server) -> str:
    """The address of the server's own maintenance database."""
    return postgres_server.url("postgres")


@pytest.fixture
def fresh_postgres(postgres_server: postgres.Server) -> Iterator[str]:
    """The address of an empty PostgreSQL database of this test alone."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def fresh_sqlite(tmp_path: Path) -> str:
    """The address of an SQLite file of this test alone, not yet made."""
    return f"sqlite:///{tmp_path / 'keyherald.sqlite'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database Keyherald runs on: a storage test that asks for it runs on both."""
    url: str = request.getfixturevalue(f"fresh_{request.param}")
    return url


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium."""
    return browsers.find_chromium() or skips.missing("Chromium")


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A headless Chromium; one for each test, because Playwright's objects live in the test's own loop."""
    async with browsers.running(chromium) as running:
        yield running
