"""The platforms as one postbox, and the token leases that keep one process per bot."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from chatbot.domain.outbox import Delivery
from chatbot.domain.pacing import Pace
from chatbot.domain.people import Identity, Place, Standing
from chatbot.domain.updates import Incoming, Pressed, Sender
from chatbot.errors import SendError, StorageError, Verdict
from chatbot.ports.context import Context
from chatbot.ports.platforms import CommandInfo, Inlet, Platform

LEASE = timedelta(seconds=15)
RENEW_SECONDS = 5.0
STOPPED = "stopped"


class Post:
    """Fulfils `Postbox`: finds the platform of a delivery among those this process has started."""

    def __init__(self, platforms: Mapping[str, Platform]) -> None:
        """Take all platforms; none is started yet."""
        self._platforms = platforms
        self._started: set[str] = set()

    def open(self) -> Sequence[str]:
        """Return the names of the platforms this process may send on."""
        return sorted(self._started)

    def pace(self, platform: str) -> Pace | None:
        """Return the pace of a platform, None when it is not configured."""
        found = self._platforms.get(platform)
        return found.pace if found else None

    async def deliver(self, delivery: Delivery) -> str:
        """Hand a delivery to its platform."""
        found = self._platforms.get(delivery.place.platform)
        if found is None:
            raise SendError(Verdict.UNSENT, "platform not configured")
        return await found.deliver(delivery)

    async def answer(self, platform: str, pressed: Pressed, toast: str) -> None:
        """Answer a press."""
        await self._platforms[platform].answer(pressed, toast)

    async def standing(self, platform: str, who: Sender, *, chief: bool) -> Standing:
        """Return what the platform says of who acts."""
        return await self._platforms[platform].standing(who, chief=chief)

    def private_place(self, who: Identity) -> Place | None:
        """Return where somebody can be written to unasked."""
        found = self._platforms.get(who.platform)
        return found.private_place(who) if found else None

    def identify(self, proof: str, life: timedelta) -> Identity | None:
        """Return who opened a page inside one of the platforms no longer than `life` ago, or None."""
        named = (platform.identify(proof, life) for platform in self._platforms.values())
        return next(filter(None, named), None)

    def private_url(self, place: Place, payload: str) -> str:
        """Return the address that opens the private chat on the platform of a place."""
        return self._platforms[place.platform].private_url(payload, place.workspace)

    def by_hand(self, platform: str) -> str:
        """Return how people delete a message of theirs; empty where we may do it."""
        found = self._platforms.get(platform)
        return found.by_hand if found else ""

    def parse(self, platform: str, raw: Mapping[str, Any]) -> Incoming | None:
        """Read a raw update; one of a platform that is gone means nothing."""
        found = self._platforms.get(platform)
        return found.parse(raw) if found else None

    async def run(
        self, ctx: Context, inlet: Inlet, commands: Sequence[CommandInfo], owner: str, stop: asyncio.Event
    ) -> None:
        """Start each platform once its token is ours, and stop them all at the end."""
        async with asyncio.TaskGroup() as group:
            for platform in self._platforms.values():
                group.create_task(self._own(platform, ctx, inlet, commands, owner, stop))

    async def listen(self, inlet: Inlet, commands: Sequence[CommandInfo], stop: asyncio.Event) -> None:
        """Start the platforms that are called by webhook, only to store what comes in, until told to stop."""
        called = [platform for platform in self._platforms.values() if platform.routes()]
        try:
            for platform in called:
                await platform.start(inlet, commands)
            await stop.wait()
        finally:
            for platform in called:
                await platform.stop()

    async def _own(
        self,
        platform: Platform,
        ctx: Context,
        inlet: Inlet,
        commands: Sequence[CommandInfo],
        owner: str,
        stop: asyncio.Event,
    ) -> None:
        lease = _Lease(f"token:{getattr(platform, 'lease_name', platform.name)}", owner, ctx)
        try:
            while not stop.is_set():
                mine = await lease.take()
                if platform.name in self._started and getattr(platform, "state", "") == STOPPED:
                    # Nothing that goes wrong in it may leave us deaf.
                    self._started.discard(platform.name)
                    await platform.stop()
                    ctx.log.warning("platform_restarted", platform=platform.name)
                if mine and platform.name not in self._started:
                    await platform.start(inlet, commands)
                    self._started.add(platform.name)
                    ctx.log.info("platform_started", platform=platform.name)
                elif not mine and platform.name in self._started:
                    self._started.discard(platform.name)
                    await platform.stop()
                    ctx.log.warning("platform_given_up", platform=platform.name)
                await _pause(stop)
        finally:
            ours = platform.name in self._started
            self._started.discard(platform.name)
            # Also one that was never started: it may have been asked who somebody is.
            await platform.stop()
            if ours:
                await lease.drop()


class _Lease:
    def __init__(self, name: str, owner: str, ctx: Context) -> None:
        self._name, self._owner, self._ctx = name, owner, ctx
        self._ours_until = 0.0

    async def take(self) -> bool:
        """Take or renew it; while the database can't say, it is ours until shortly before its end."""
        now, asked_at = self._ctx.clock.now(), self._ctx.clock.monotonic()
        try:
            async with self._ctx.uow() as store:
                mine = await store.leases.take(self._name, self._owner, now, now + LEASE)
        except StorageError as away:
            self._ctx.log.warning("lease_unknown", lease=self._name, reason=away.reason)
            return self._ctx.clock.monotonic() + RENEW_SECONDS < self._ours_until
        self._ours_until = asked_at + LEASE.total_seconds() if mine else 0.0
        return mine

    async def drop(self) -> None:
        try:
            async with self._ctx.uow() as store:
                await store.leases.drop(self._name, self._owner)
        except StorageError as away:
            self._ctx.log.warning("lease_kept", lease=self._name, reason=away.reason)


async def _pause(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), RENEW_SECONDS)
    except TimeoutError:
        return
