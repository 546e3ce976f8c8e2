"""The tests' own ground: no way off this machine, a clean environment, nothing left out unsaid."""

import asyncio
import os
import socket
from collections import Counter

import psycopg
import pytest

from tests.support import environment, network, skips


def test_no_test_reaches_another_machine():
    """A connection to anywhere but this machine fails at once and loudly."""
    with socket.socket() as outward, pytest.raises(network.NetworkBlocked):
        outward.connect(("192.0.2.1", 443))


async def test_no_test_resolves_a_foreign_name():
    """Even the name of another machine stays unasked."""
    with pytest.raises(network.NetworkBlocked):
        await asyncio.get_running_loop().getaddrinfo("exchange.example", 443)


async def test_loopback_stays_open():
    """A test may run a server of its own and speak to it."""
    async with await asyncio.start_server(lambda _, writer: writer.close(), "localhost", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.close()

        assert await reader.read() == b""


def test_no_setting_of_the_developer_is_seen():
    """A test sees only the settings it makes itself."""
    assert [name for name in os.environ if environment.is_ours(name)] == []


@pytest.mark.parametrize("name", ["DATABASE_URL", "MASTER_KEY_FILE", "EXCHANGE_BITSO_URL", "PORT"])
def test_settings_are_known_by_name(name):
    """Every kind of setting is cleared."""
    assert environment.is_ours(name)


def test_the_last_lines_name_what_to_install():
    """Whoever lacks a program reads last which command brings the tests back."""
    lines = skips.last_lines(Counter({"PostgreSQL is not installed": 41, "Chromium is not installed": 7}))

    assert lines[2] == "To run them too: apt install postgresql chromium"
    assert "Left out because PostgreSQL is not installed: 41" in lines


def test_the_last_lines_name_the_command_for_the_graders(monkeypatch):
    """Two graders that one command installs are one line."""
    monkeypatch.delenv("KEYHERALD_NO_SKIPS", raising=False)
    lines = skips.last_lines(Counter({"axe-core is not installed": 5, "The Observatory is not installed": 4}))

    assert lines[2:] == ["To run them too: npm ci --ignore-scripts --prefix tests/graders"]


def test_a_full_run_has_no_last_words():
    """Nothing is said when nothing was left out."""
    assert skips.last_lines(Counter()) == []


def test_each_postgres_database_is_empty(fresh_postgres):
    """A test starts with a PostgreSQL database nobody has written to."""
    with psycopg.connect(fresh_postgres.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()

    assert tables == (0,)


async def test_the_browser_shows_a_page_and_stays_here(browser):
    """Chromium runs, and resolves no foreign name."""
    page = await browser.new_page()
    await page.set_content("<h1>Hello</h1>")

    assert await page.inner_text("h1") == "Hello"
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        await page.goto("http://exchange.example/")
