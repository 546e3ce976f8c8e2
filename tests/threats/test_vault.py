"""Threats to what is kept: a stolen, changed or restored database, memory, insiders, inner addresses, upgrades."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from starlette.routing import BaseRoute, Route

from chatbot.domain.credentials import AccountId
from chatbot.domain.links import b64url
from chatbot.domain.secrets import Secret
from chatbot.errors import ConfigError, ExchangeError, Trouble
from chatbot.exchanges._http import PublicResolver
from chatbot.ports.vault import SealedCredential
from storage import chain
from storage.accounts import ACCOUNTS
from storage.audit import verify
from storage.keyring import open_vault
from storage.masterkeys import parse_master_keys
from storage.vault import CREDENTIAL, Sealer, Vault
from tests.rig.process import Program, until
from tests.rig.servers import servers
from tests.storage.test_memory import copies
from tests.support import leaks
from tests.support.bot import ADMIN
from tests.support.page import token_of
from tests.support.rawserver import HEADERS, ask, raw_server, reply
from tests.support.rows import everything, rows
from tests.support.sources import ROOT
from tests.support.vaults import EXCHANGE, TEAM, fields, new_keys
from tests.threats.house import House, house

# Everything that is stored as bytes: hashes, sealed values, public keys. A new name here needs a thought.
OPAQUE = {
    "accounts": {"fingerprint", "wrapped_dek", "box"},
    "audit": {"hash"},
    "audit_heads": {"hash"},
    "keyring": {"sealed"},
    "links": {"id", "public_key", "sealed_private_key"},
}
SEALED = ("kek_id", "wrapped_dek", "box")
ROUTES = {
    "/key": {"GET"}, "/key-app": {"GET"}, "/key.js": {"GET"}, "/key.css": {"GET"}, "/favicon.ico": {"GET"},
    "/api/open": {"POST"}, "/api/submit": {"POST"},
    "/healthz": {"GET"}, "/readyz": {"GET"}, "/metrics": {"GET"},
}  # fmt: skip
INNER = "http://169.254.169.254"


async def test_37_a_stolen_database_opens_nothing(tmp_path: Path, database_url: str) -> None:
    """No token, key or secret is in any row or file; what is stored opens no link, and no vault without its key."""
    async with house(tmp_path, database=database_url) as home:
        first = await home.link()
        await home.connect()
        live = await home.link(as_="other")
        wanted = [*home.good, *(token_of(link)[0] for link in (first, live))]
        held = await everything(home.bot)

        assert [leaks.in_files(tmp_path, secret) for secret in wanted] == [[]] * 4
        assert not any(leaks.in_text(repr(held), secret) for secret in wanted)
        stored = {
            table: {name for row in some for name, value in row.items() if isinstance(value, bytes)}
            for table, some in held.items()
        }
        assert {table: names for table, names in stored.items() if names} == OPAQUE
        for row in held["links"]:
            for value in (row["id"], row["public_key"][:32], row["public_key"][33:]):
                assert (await home.post("open", {"token": b64url(value)})).status_code == 404
        for name, said in (("another", "not among yours"), (held["accounts"][0]["kek_id"], "not the one")):
            with pytest.raises(ConfigError, match=said):
                await open_vault(home.bot.database, new_keys(name))


async def _change(home: House, account: str, **values: Any) -> None:
    async with home.bot.database.transaction() as tx:
        assert await tx.run(update(ACCOUNTS).where(ACCOUNTS.c.id == account).values(values)) == 1


async def _sealed_rows(home: House) -> dict[str, dict[str, Any]]:
    return {row["label"]: row for row in await rows(home.bot, "accounts")}


async def test_38_a_row_opens_only_where_it_was_sealed(home: House) -> None:
    """A credential moved to another row, exchange or key id is not used; the log says so, and the owner who asks."""
    await home.connect()
    theirs = home.exchange.state.new_key(("balances", "fills", "account"))
    await home.connect(*theirs, as_="other")
    mine, other = await rows(home.bot, "accounts")
    swaps = (
        {name: other[name] for name in SEALED},
        {"box": other["box"]},
        {"wrapped_dek": other["wrapped_dek"]},
        {"kek_id": "gone"},
        {"exchange": "hitbtc"},
    )
    await _change(home, other["id"], state="revoked")
    for swap in swaps:
        asked, said = len(home.exchange.state.requests), len(home.bot.log.lines)
        await _change(home, mine["id"], **swap)
        await home.bot.turn(seconds=24 * 3600)
        assert len(home.exchange.state.requests) == asked, swap
        assert ("error", "poll_sealed") in {line[:2] for line in home.bot.log.lines[said:]}, swap
        await home.bot.type("/test")
        await home.bot.turn()
        assert "can't open the stored key" in home.bot.last().text, swap
        await _change(home, mine["id"], **{name: mine[name] for name in (*SEALED, "exchange")})

    asked = len(home.exchange.state.requests)
    await home.bot.turn(seconds=24 * 3600)
    assert len(home.exchange.state.requests) > asked


async def test_39_an_old_copy_of_the_database_revives_no_link(tmp_path: Path) -> None:
    """A restored copy from before the use has an open link that is over all the same, and lacks audit entries."""
    file, old = tmp_path / "bot.sqlite", tmp_path / "old.sqlite"
    async with house(tmp_path) as home:
        link = await home.link()
        body = await home.sealed(link)
        with closing(sqlite3.connect(file)) as now, closing(sqlite3.connect(old)) as copy:
            now.backup(copy)
        assert (await home.submit(link)).status_code == 200
        (end,) = await rows(home.bot, "audit_heads")
    for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        path.unlink(missing_ok=True)
    old.rename(file)

    async with house(tmp_path) as home:
        home.bot.clock.advance(minutes=11)
        assert (await home.state(link))[0] == "open"
        assert (await home.post("submit", body)).status_code == 404
        assert await home.accounts() == []
        async with home.bot.database.transaction() as tx:
            assert (await tx.call(verify))[1] == []
        entries = [
            (
                chain.Entry(
                    r["team"], r["number"], r["at"], r["actor"], r["action"], r["subject"], r["outcome"]
                ),
                r["hash"],
            )
            for r in sorted(await rows(home.bot, "audit"), key=lambda row: row["number"])
        ]
        kept = chain.Head(end["number"], end["hash"])
        assert chain.check(entries, kept) == f"entry {len(entries) + 1} is missing"
        assert len(entries) < end["number"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows a process's memory as a file")
async def test_40_a_running_bot_keeps_no_copy_of_a_secret(tmp_path: Path, fresh_sqlite: str) -> None:
    """Real processes: after a submit no copy but the HPKE library's one may be left, after a poll none at all."""
    async with servers(tmp_path, fresh_sqlite) as here:
        server, requests = here.programs[0], here.exchange.state.requests
        key, secret = here.exchange.state.new_key(("account", "balances", "fills"))
        body = await here.body(await here.mint.link(), (key, secret))
        assert (await here.post(body)).status_code == 200
        await until(lambda: _copies(server, secret) <= 1, 20, "at most one copy is left")
        assert _copies(server, here.url) > 0, "it does look"

        [(account,)] = await here.mint.rows("SELECT id FROM accounts")
        async with here.mint.database.uow() as store:
            await store.accounts.activate(AccountId(account), datetime.now(UTC))
        await server.kill()
        asked = len(requests)
        await server.start()
        await until(lambda: len(requests) > asked + 1, 30, "the account is polled")
        # While it reads there is one copy; between two polls there must be none.
        await until(lambda: _copies(server, secret) == 0, 20, "no copy is left")


def _copies(program: Program, wanted: str) -> int:
    """Count the whole copies of a text in a process that is held still."""
    process = program._process
    assert process is not None
    program.tell(signal.SIGSTOP)
    try:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        return copies(process.pid, wanted.encode())
    finally:
        program.tell(signal.SIGCONT)


def _paths(routes: list[BaseRoute]) -> dict[str, set[str]]:
    plain = [vars(route).get("_route", route) for route in routes]
    return {route.path: (route.methods or set()) - {"HEAD"} for route in plain if isinstance(route, Route)}


async def test_41_nobody_inside_can_read_a_key_back(home: House) -> None:
    """No route and no command gives a key out, not even to an admin who tries and presses all there is."""
    assert _paths(home.app.routes) == ROUTES
    await home.connect()
    for name in home.bot.registry.commands:
        shown = await home.bot.type(f"/{name}", as_=ADMIN)
        for button in [b for b in shown.buttons if b.action and "revoke" not in b.action][:6]:
            if button.text in shown.labels:  # a card changes in place, and its other buttons with it
                await home.bot.press(button.text, as_=ADMIN, on=shown)
    for path in ROUTES:
        answer = await home.web.get(path)
        assert not any(leaks.in_text(answer.text, secret) for secret in home.good)
    said = repr([m.message for m in home.bot.chat.messages])

    assert not any(leaks.in_text(said + repr(home.bot.log.lines), secret) for secret in home.good)
    assert home.good[0][-4:] not in repr([m.message for m in home.bot.chat.messages if m.chat == "stranger"])


async def test_42_no_word_of_a_person_leads_us_to_an_inner_address(home: House) -> None:
    """An exchange is one of ours by name, redirects are not followed, and names that point inside are refused."""
    for words in (INNER, f"bitso {INNER}", "localhost", "other http://127.0.0.1:1"):
        await home.bot.type(f"/connect {words}")
    assert not any(INNER in button.url for m in home.bot.chat.messages for button in m.buttons)
    forged = await home.post("open", {"token": INNER, "exchange": INNER})
    assert forged.status_code in {400, 404}

    hits: list[object] = []

    async def inner(writer: asyncio.StreamWriter) -> None:
        hits.append(writer)

    target, origin = await raw_server(inner)
    async with target:
        door, front = await raw_server(reply(b"", f"Location: {origin}/api/v3/balance/", status="302 Found"))
        async with door:
            with pytest.raises(ExchangeError) as raised:
                await ask(front)
    assert (raised.value.trouble, hits) == (Trouble.UNREACHABLE, [])
    assert HEADERS["Authorization"] not in repr(raised.value)

    class Inside:
        async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
            return [{"hostname": host, "host": "169.254.169.254", "port": port, "family": family}]

    with pytest.raises(OSError, match="private"):
        await PublicResolver("bitso.com", Inside()).resolve("bitso.com", 443)  # type: ignore[arg-type]


RELEASES = sorted((ROOT / "tests/storage").glob("sealed_[0-9]*.json"))


@pytest.mark.parametrize("file", RELEASES, ids=lambda file: file.stem)
def test_52_what_any_release_sealed_still_opens(file: Path) -> None:
    """A change of layout keeps reading what stands in people's databases."""
    assert f"sealed_{CREDENTIAL.decode().rpartition('/')[2]}" in {path.stem for path in RELEASES}
    old = json.loads(file.read_text())
    sealer = Sealer(parse_master_keys(old["master_key"], "old"))
    vault = Vault(sealer, Secret(bytes.fromhex(old["fingerprint"]["pepper"])))
    row, link, small = old["credential"], old["link"], old["small"]
    sealed = SealedCredential(row["kek_id"], bytes.fromhex(row["wrapped_dek"]), bytes.fromhex(row["box"]))
    opened = vault.unseal(row["account"], row["team"], row["exchange"], sealed)
    name, private, submission = (bytes.fromhex(link[part]) for part in ("id", "sealed_private", "submission"))

    assert fields(opened) == [row[name].encode() for name in ("api_key", "api_secret", "passphrase")]
    assert sealer.open_bytes(small["purpose"], bytes.fromhex(small["sealed"])) == small["plain"].encode()
    assert vault.open_submission(name, private, submission, link["info"].encode()).startswith(
        b"\x01\0\0\0\x03key\0"
    )
    assert vault.fingerprint(TEAM, EXCHANGE, opened).hex() == old["fingerprint"]["value"]
