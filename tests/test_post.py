"""The platforms of a process: started with their token's lease, kept through a hiccup, restarted when deaf."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chatbot.bootstrap import post as posts
from chatbot.bootstrap.post import LEASE, Post
from chatbot.errors import StorageError
from tests.support.bot import Lines
from tests.support.clock import VirtualClock


class Platform:
    """A platform that counts its starts and stops."""

    name = "telegram"
    state = "receiving"

    def __init__(self):
        self.told = []

    async def start(self, inlet, commands):
        self.state = "receiving"
        self.told.append("start")

    async def stop(self):
        self.told.append("stop")


class Leases:
    """Leases that are given, refused or unknown, as `answers` says, one turn after the other."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.dropped = False

    async def take(self, name, owner, now, until):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def drop(self, name, owner):
        self.dropped = True


async def run(monkeypatch, answers, turn=None, seconds=posts.RENEW_SECONDS):
    """Run the post for as many turns as there are answers; return the platform and its leases."""
    clock, leases, platform = VirtualClock(), Leases(answers), Platform()

    @asynccontextmanager
    async def uow():
        yield SimpleNamespace(leases=leases)

    async def pause(stop):
        if turn:
            turn(platform, len(leases.answers))
        clock.advance(seconds=seconds)
        if not leases.answers:
            stop.set()
        await asyncio.sleep(0)

    monkeypatch.setattr(posts, "_pause", pause)
    ctx: Any = SimpleNamespace(clock=clock, log=Lines(), uow=uow)
    known: Any = {"telegram": platform}
    inlet: Any = None
    await Post(known).run(ctx, inlet, (), "me", asyncio.Event())
    return platform, leases


AWAY = StorageError("SQLITE_BUSY", retry=True)


async def test_a_platform_that_went_deaf_is_started_again(monkeypatch: pytest.MonkeyPatch):
    """Receiving that ended is noticed within seconds and begun anew."""

    def turn(platform, left):
        if left == 2:
            platform.state = "stopped"

    platform, leases = await run(monkeypatch, [True] * 4, turn)

    assert platform.told == ["start", "stop", "start", "stop"]
    assert leases.dropped


async def test_a_hiccup_of_the_database_stops_no_platform(monkeypatch: pytest.MonkeyPatch):
    """While the lease surely runs the platform stays; without word about it until its end it is given up."""
    platform, _ = await run(monkeypatch, [True, AWAY, True, AWAY, True])
    assert platform.told == ["start", "stop"]

    platform, _ = await run(monkeypatch, [True, AWAY, AWAY, AWAY, True])
    assert platform.told == ["start", "stop", "start", "stop"]


async def test_a_lease_that_somebody_else_has_is_given_up_at_once(monkeypatch: pytest.MonkeyPatch):
    """Two processes never receive with one token, whatever the database said before."""
    platform, _ = await run(monkeypatch, [True, False, AWAY, True])
    assert platform.told == ["start", "stop", "start", "stop"]

    platform, _ = await run(monkeypatch, [AWAY, False])
    assert platform.told == ["stop"]
    assert timedelta(seconds=2 * posts.RENEW_SECONDS) < LEASE
