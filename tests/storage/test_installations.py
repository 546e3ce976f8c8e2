"""Installations as a platform keeps them: sealed, bound to their workspace, rewrapped, with states used once."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from chatbot.dispatcher.installs import StoredInstalls
from chatbot.domain.people import TeamId
from chatbot.errors import VaultError
from chatbot.ports.installs import purpose_of
from storage.columns import METADATA
from storage.database import Database
from storage.installations import INSTALLATIONS, STATES
from storage.keyring import keys_in_use, open_vault
from storage.masterkeys import MasterKeys
from storage.rewrap import rewrap
from storage.vault import Sealer
from tests.storage.rows import NOW
from tests.support import leaks
from tests.support.clock import VirtualClock
from tests.support.vaults import CANARY, new_keys

TOKEN = f"xoxb-1-{CANARY}"
KEPT = {"home": "T1", "bot_token": TOKEN, "bot_refresh_token": f"xoxe-1-{CANARY}", "wide": "", "é": "ñ"}


@pytest.fixture
def keys() -> MasterKeys:
    """The master key everything is sealed under at first."""
    return new_keys("k1")


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that is turned by hand."""
    return VirtualClock(NOW)


@pytest.fixture
async def installs(database: Database, keys: MasterKeys, clock: VirtualClock) -> StoredInstalls:
    """The installations of Slack as one process sees them."""
    return await seen_by(database, keys, clock, "us")


async def seen_by(database: Database, keys: MasterKeys, clock: VirtualClock, owner: str) -> StoredInstalls:
    return StoredInstalls("slack", database.uow, await open_vault(database, keys), clock, owner)


async def end(database: Database, team: str, now: datetime) -> bool:
    async with database.uow() as store:
        return await store.installations.end(TeamId(team), now)


async def everything(database: Database) -> str:
    """Return every row of every table as text."""
    async with database.transaction() as tx:
        return repr([await tx.all(select(table)) for table in METADATA.sorted_tables])


async def test_what_is_kept_is_found_whole(installs: StoredInstalls):
    """Under its own workspace; others have nothing."""
    await installs.keep("T1", "", KEPT)

    assert await installs.find("T1") == KEPT
    assert await installs.find("T2") is None
    assert await installs.find("") is None


async def test_an_organisations_installation_is_found_for_its_workspaces(installs: StoredInstalls):
    """Unless one has its own, which comes first; never one of another organisation."""
    await installs.keep("E1", "E1", {"home": "E1"})
    await installs.keep("T1", "", {"home": "T1"})

    assert await installs.find("T2", "E1") == {"home": "E1"}
    assert await installs.find("T1", "E1") == {"home": "T1"}
    assert await installs.find("T2", "E2") is None


async def test_the_newest_is_kept(installs: StoredInstalls):
    """Installing again, or a renewed token, replaces what was there."""
    for number in range(3):
        await installs.keep("T1", "", {"bot_token": f"xoxb-{number}"})

    assert await installs.find("T1") == {"bot_token": "xoxb-2"}


async def test_no_token_stands_anywhere_in_clear(
    installs: StoredInstalls, database: Database, tmp_path: Path
):
    """Not in a row, not in a file of the database, not in its log; nor after the end."""
    await installs.keep("T1", "", KEPT)
    shown = await everything(database)
    assert not any(leaks.in_text(shown, secret) for secret in (TOKEN, KEPT["bot_refresh_token"], CANARY))
    assert leaks.in_files(tmp_path, TOKEN) == []
    async with database.transaction() as tx:
        [row] = await tx.all(select(INSTALLATIONS))
    assert CANARY.encode() not in row.sealed
    assert await end(database, "slack:T1", NOW)

    async with database.transaction() as tx:
        [after] = await tx.all(select(INSTALLATIONS))
    assert (after.sealed, after.ended_at is None) == (None, False)
    assert not any(row.sealed in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


async def test_an_end_takes_the_tokens_and_is_remembered(installs: StoredInstalls, database: Database):
    """Until the workspace lets us in again."""
    assert not await installs.ended("T1")
    await installs.keep("T1", "", KEPT)
    assert await end(database, "slack:T1", NOW)

    assert (await installs.find("T1"), await installs.ended("T1")) == (None, True)
    assert not await end(database, "slack:T1", NOW)
    await installs.keep("T1", "", KEPT)
    assert (await installs.find("T1"), await installs.ended("T1")) == (KEPT, False)


async def test_one_whose_token_stands_in_the_settings_is_live_without_tokens(
    installs: StoredInstalls, database: Database
):
    """It can end too, and each start lets it in again."""
    await installs.alive("T1")
    assert (await installs.find("T1"), await installs.ended("T1")) == (None, False)
    assert await end(database, "slack:T1", NOW)
    assert await installs.ended("T1")
    await installs.alive("T1")

    assert not await installs.ended("T1")


async def test_tokens_are_bound_to_their_workspace(installs: StoredInstalls, database: Database):
    """Moved into another's row, as somebody with write access could, they don't open."""
    await installs.keep("T1", "", KEPT)
    await installs.keep("T2", "", {"home": "T2"})
    async with database.transaction() as tx:
        [row] = await tx.all(select(INSTALLATIONS.c.sealed).where(INSTALLATIONS.c.team == "slack:T1"))
        await tx.run(
            update(INSTALLATIONS).where(INSTALLATIONS.c.team == "slack:T2").values(sealed=row.sealed)
        )

    with pytest.raises(VaultError):
        await installs.find("T2")
    assert await installs.find("T1") == KEPT


async def test_another_master_key_opens_nothing(installs: StoredInstalls, database: Database):
    """A stolen database is of no use."""
    await installs.keep("T1", "", KEPT)
    async with database.transaction() as tx:
        [row] = await tx.all(select(INSTALLATIONS))

    with pytest.raises(VaultError):
        Sealer(new_keys("k1")).open_bytes(purpose_of(TeamId("slack:T1")), row.sealed)


async def test_a_rotation_moves_installations_too(
    installs: StoredInstalls, database: Database, keys: MasterKeys, clock: VirtualClock
):
    """Afterwards the new master key alone opens them, and the old one is not in use."""
    for team in ("T1", "T2", "T3"):
        await installs.keep(team, "", {**KEPT, "home": team})
    await installs.alive("T4")
    await end(database, "slack:T3", NOW)
    both = MasterKeys(new_keys("k2").keys + keys.keys)

    report = await rewrap(database, both, batch=1)

    assert (report.broken, report.left, report.retired) == ((), {}, ("k1",))
    async with database.transaction() as tx:
        assert set(await keys_in_use(tx)) == {"k2"}
    later = await seen_by(database, MasterKeys(both.keys[:1]), clock, "us")
    assert await later.find("T2") == {**KEPT, "home": "T2"}
    assert (await later.find("T3"), await later.find("T4")) == (None, None)


async def test_a_running_bot_opens_what_was_rewrapped(
    installs: StoredInstalls, database: Database, keys: MasterKeys, clock: VirtualClock
):
    """One that was started with both keys goes on through a rotation."""
    await installs.keep("T1", "", KEPT)
    both = MasterKeys(new_keys("k2").keys + keys.keys)
    running = await seen_by(database, both, clock, "us")
    await rewrap(database, both)

    assert await running.find("T1") == KEPT


async def test_a_damaged_installation_is_named_and_left_alone(
    installs: StoredInstalls, database: Database, keys: MasterKeys
):
    """The others move; the old key is not called unused."""
    for team in ("T1", "T2"):
        await installs.keep(team, "", KEPT)
    async with database.transaction() as tx:
        [row] = await tx.all(select(INSTALLATIONS.c.sealed).where(INSTALLATIONS.c.team == "slack:T1"))
        damaged = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
        await tx.run(update(INSTALLATIONS).where(INSTALLATIONS.c.team == "slack:T1").values(sealed=damaged))

    report = await rewrap(database, MasterKeys(new_keys("k2").keys + keys.keys))

    assert (report.broken, report.left, report.retired) == (("installations slack:T1",), {"k1": 1}, ())


async def test_one_that_ends_during_a_rotation_stays_ended(
    installs: StoredInstalls, database: Database, keys: MasterKeys
):
    """The rewrap never brings its tokens back."""
    for number in range(6):
        await installs.keep(f"T{number}", "", KEPT)
    both = MasterKeys(new_keys("k2").keys + keys.keys)

    async def ending() -> None:
        for number in range(6):
            await end(database, f"slack:T{number}", NOW + timedelta(days=1))

    await asyncio.gather(rewrap(database, both, batch=1), ending())

    async with database.transaction() as tx:
        assert [row.sealed for row in await tx.all(select(INSTALLATIONS))] == [None] * 6


async def test_a_state_is_a_hash_used_once(installs: StoredInstalls, database: Database):
    """What could be redeemed is never written down."""
    states = [await installs.issue_state(600) for _ in range(3)]
    shown = await everything(database)

    assert len(set(states)) == 3
    assert not any(leaks.in_text(shown, state) for state in states)
    assert await installs.redeem_state(states[0])
    assert not await installs.redeem_state(states[0])
    assert not await installs.redeem_state(states[1][:-1])
    assert not await installs.redeem_state("")
    assert await installs.redeem_state(states[1])


async def test_of_many_who_redeem_a_state_at_once_one_does(
    database: Database, keys: MasterKeys, clock: VirtualClock, installs: StoredInstalls
):
    """In whatever processes."""
    others = [await seen_by(database, keys, clock, f"p{number}") for number in range(4)]
    state = await installs.issue_state(600)

    assert sorted(await asyncio.gather(*(one.redeem_state(state) for one in others * 3))) == [False] * 11 + [
        True
    ]


async def test_a_state_ends_with_its_time_and_is_swept(
    installs: StoredInstalls, database: Database, clock: VirtualClock
):
    """Nothing piles up of installations that nobody finished."""
    state = await installs.issue_state(600)
    clock.advance(seconds=599)
    kept = await installs.issue_state(600)
    clock.advance(seconds=1)

    assert not await installs.redeem_state(state)
    await installs.issue_state(600)
    async with database.transaction() as tx:
        assert len(await tx.all(select(STATES))) == 2
    assert await installs.redeem_state(kept)


async def test_a_turn_is_one_processes_at_a_time(
    installs: StoredInstalls, database: Database, keys: MasterKeys, clock: VirtualClock
):
    """It ends by itself, so that one that died stops nobody."""
    them = await seen_by(database, keys, clock, "them")

    assert await installs.turn("rotate:T1", 60)
    assert await installs.turn("rotate:T1", 60)
    assert not await them.turn("rotate:T1", 60)
    assert await them.turn("rotate:T2", 60)
    clock.advance(seconds=60)
    assert await them.turn("rotate:T1", 60)


@pytest.mark.parametrize("kept", [{}, {"of": "E1"}, {"n": [1, None, True]}, {"long": "x" * 20_000}])
async def test_whatever_json_can_say_is_kept(installs: StoredInstalls, kept: dict[str, Any]):
    """As it was given."""
    await installs.keep("T1", "E1", kept)

    assert await installs.find("T1") == json.loads(json.dumps(kept))


async def test_two_platforms_do_not_mix(
    installs: StoredInstalls, database: Database, keys: MasterKeys, clock: VirtualClock
):
    """The same id on another platform is another team."""
    await installs.keep("T1", "", KEPT)
    vault = await open_vault(database, keys)

    assert await StoredInstalls("other", database.uow, vault, clock, "us").find("T1") is None
