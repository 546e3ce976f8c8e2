"""A one-time link is used once, however long the race: the long forms, and a server killed on PostgreSQL.

The short forms are threats 12, 13 and 14 in `tests/threats/test_race.py`.
"""

import asyncio
from collections import Counter

import pytest

from chatbot.domain.links import LEASE
from tests.rig.servers import ACCOUNTS, killed, one_each, servers


@pytest.mark.long
async def test_forty_posts_at_once_are_one_success_two_hundred_times(tmp_path, database_url):
    """The same in two hundred rounds, on PostgreSQL with four servers."""
    async with servers(tmp_path, database_url, webs=4) as here:
        await one_each(here, rounds=200)


async def test_a_killed_servers_claim_ends_with_its_lease(tmp_path, fresh_postgres):
    """Until the lease is over the other server says no, then exactly one submission succeeds."""
    async with servers(tmp_path, fresh_postgres) as here:
        body = await here.body(await killed(here))
        await here.mint.end_leases()

        assert [(await here.post(body, turn % 2)).status_code for turn in (0, 2, 2)] == [200, 404, 404]
        assert await here.mint.rows(ACCOUNTS) == [(1,)]


@pytest.mark.long
async def test_a_killed_servers_claim_ends_by_itself(tmp_path, fresh_postgres):
    """The same with the real wait of a lease."""
    async with servers(tmp_path, fresh_postgres) as here:
        link = await killed(here)
        body, tried = await here.body(link), Counter[int]()
        async with asyncio.timeout(LEASE.total_seconds() + 5):
            while not tried[200]:
                tried[(await here.post(body)).status_code] += 1
                await asyncio.sleep(0.5)

        assert tried.keys() == {200, 404}
        assert await here.mint.rows(ACCOUNTS) == [(1,)]
