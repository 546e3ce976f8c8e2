"""Threats 12 to 14: many posts at once, a crash and a late worker; one link is one key all the same.

Real processes over real HTTP, on SQLite and PostgreSQL; two hundred rounds of it are in `tests/rig`.
"""

import signal

import httpx
import pytest

from tests.rig.servers import ACCOUNTS, POSTS, listening, one_each, servers


async def test_12_forty_posts_at_once_are_one_success(tmp_path, database_url):
    """Exactly one of forty submissions is accepted, whatever server they reach, and one key is kept."""
    async with servers(tmp_path, database_url) as here:
        await one_each(here, rounds=3)


async def test_13_a_kill_between_claim_and_store_leaves_one_later_success(tmp_path, fresh_sqlite):
    """On SQLite the restarted bot knows that it is alone: the person tries again at once, and once."""
    async with servers(tmp_path, fresh_sqlite) as here:
        link = await here.mint.link()
        lost = await here.held(link)
        await here.programs[0].kill()
        with pytest.raises(httpx.TransportError):
            await lost
        here.exchange.opened.set()
        assert await here.mint.rows("SELECT state FROM links") == [("verifying",)]
        await here.programs[0].start()
        await listening(here.programs[0], int(here.url.rpartition(":")[2]))

        assert await here.race(link) == {200: 1, 404: POSTS - 1}
        assert await here.mint.rows(ACCOUNTS) == [(1,)]


async def test_14_a_frozen_server_that_wakes_up_late_writes_nothing(tmp_path, fresh_postgres):
    """Whoever lost the lease while it slept is fenced off, even with a good answer in hand."""
    async with servers(tmp_path, fresh_postgres) as here:
        link = await here.mint.link()
        late = await here.held(link, server=1)
        here.programs[1].tell(signal.SIGSTOP)
        here.exchange.opened.set()
        await here.mint.end_leases()
        assert (await here.post(await here.body(link))).status_code == 200
        here.programs[1].tell(signal.SIGCONT)

        assert (await late).status_code == 404
        assert await here.mint.rows(ACCOUNTS) == [(1,)]
        assert "Traceback" not in "".join(program.err for program in here.programs)
