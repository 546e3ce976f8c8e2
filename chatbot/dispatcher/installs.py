"""Installations as a platform sees them: found, sealed and kept through our own stores.

A platform knows no database and no vault; it is handed one of these.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from chatbot.domain.people import Identity, TeamId, team_of
from chatbot.domain.updates import Sender
from chatbot.ports.context import Clock, Context
from chatbot.ports.installs import Installation, purpose_of
from chatbot.ports.stores import UnitOfWork
from chatbot.ports.vault import Vault


class StoredInstalls:
    """Fulfils `Installs` for one platform."""

    def __init__(
        self,
        platform: str,
        uow: Callable[[], AbstractAsyncContextManager[UnitOfWork]],
        vault: Vault,
        clock: Clock,
        owner: str,
    ) -> None:
        """Take the stores, and the name under which this process takes a turn."""
        self._platform = platform
        self._uow = uow
        self._vault = vault
        self._clock = clock
        self._owner = owner

    async def find(self, workspace: str, wide: str = "") -> Mapping[str, Any] | None:
        """Return what is kept for a workspace, or else for its organisation."""
        async with self._uow() as store:
            found = await store.installations.find(self._team(workspace))
            if found is None and wide:
                found = await store.installations.find(self._team(wide))
            elif found is not None and found.sealed is None and found.wide:
                # Let in again with its organisation, whose installation speaks for it.
                found = await store.installations.find(self._team(found.wide))
        if found is None or found.sealed is None:
            return None
        opened = self._vault.open_bytes(purpose_of(found.team), found.sealed)
        try:
            kept: Mapping[str, Any] = json.loads(opened)
        finally:
            opened[:] = bytes(len(opened))
        return kept

    async def keep(self, workspace: str, wide: str, kept: Mapping[str, Any]) -> None:
        """Seal and store what an installation brought."""
        sealed = self._seal(workspace, kept)
        async with self._uow() as store:
            await store.installations.keep(
                Installation(self._team(workspace), wide, sealed), self._clock.now()
            )

    async def renew(self, workspace: str, kept: Mapping[str, Any]) -> bool:
        """Seal and store renewed tokens of an installation that is live; tell whether it is."""
        sealed = self._seal(workspace, kept)
        async with self._uow() as store:
            return await store.installations.renew(self._team(workspace), sealed)

    async def alive(self, workspace: str) -> None:
        """Note that a workspace whose token stands in the settings lets us in."""
        team, now = self._team(workspace), self._clock.now()
        async with self._uow() as store:
            if await store.installations.ended(team):
                # Installed again with a new token: no event tells of that.
                await store.conversations.rejoin_workspace(self._platform, workspace)
                await store.audit.note(team, self._platform, "workspace_joined", team, "installed", now)
            await store.installations.keep(Installation(team, "", None), now)

    async def ended(self, workspace: str) -> bool:
        """Tell whether a workspace has thrown us out and not let us in again."""
        async with self._uow() as store:
            return await store.installations.ended(self._team(workspace))

    async def issue_state(self, seconds: int) -> str:
        """Return a random state that can be redeemed once."""
        state, now = secrets.token_urlsafe(32), self._clock.now()
        async with self._uow() as store:
            await store.installations.issue(_hash(state), now + timedelta(seconds=seconds), now)
        return state

    async def redeem_state(self, state: str) -> bool:
        """Take a state back, once."""
        async with self._uow() as store:
            return await store.installations.redeem(_hash(state), self._clock.now())

    async def turn(self, name: str, seconds: int) -> bool:
        """Take the turn for something that only one process may do at a time."""
        now = self._clock.now()
        async with self._uow() as store:
            return await store.leases.take(
                f"{self._platform}:{name}", self._owner, now, now + timedelta(seconds=seconds)
            )

    def _seal(self, workspace: str, kept: Mapping[str, Any]) -> bytes:
        return self._vault.seal_bytes(purpose_of(self._team(workspace)), json.dumps(kept).encode())

    def _team(self, workspace: str) -> TeamId:
        return team_of(Identity(self._platform, "", workspace))


async def workspace_ended(platform: str, who: Sender, ctx: Context) -> bool:
    """Tell whether somebody speaks from a workspace that removed the app: an update that comes too late."""
    if not who.workspace:
        return False
    async with ctx.uow() as store:
        return await store.installations.ended(team_of(Identity(platform, who.user, who.workspace)))


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
