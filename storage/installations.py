"""Installations: the workspaces that let the bot in, their tokens sealed, and states of those under way.

One that ended keeps its row without its tokens, so that the team's accounts are not read meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, Text, delete, select, update

from chatbot.domain.people import TeamId, workspace_of
from chatbot.ports.installs import Installation
from storage.columns import METADATA, Time
from storage.transaction import Transaction

INSTALLATIONS = Table(
    "installations",
    METADATA,
    Column("team", Text, primary_key=True),
    Column("wide", Text, nullable=False),
    Column("sealed", LargeBinary),
    Column("at", Time, nullable=False),
    Column("ended_at", Time),
)
STATES = Table(
    "installation_states",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    Column("expires_at", Time, nullable=False, index=True),
)
_I = INSTALLATIONS.c


class InstallationStore:
    """Implements `ports.installs.Installations`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def keep(self, installation: Installation, now: datetime) -> None:
        fresh: dict[str, Any] = {
            "wide": installation.wide,
            "sealed": installation.sealed,
            "at": now,
            "ended_at": None,
        }
        if workspace_of(installation.team) == installation.wide:
            await self._revive_with(installation.team, installation.wide, now)
        added = self._tx.insert(INSTALLATIONS).values(team=installation.team, **fresh)
        await self._tx.run(added.on_conflict_do_update(index_elements=["team"], set_=fresh))

    async def renew(self, team: TeamId, sealed: bytes) -> bool:
        # Not when it began: an end that was told late is older than its tokens' renewal, and yet its end.
        live = _I.team == team, _I.ended_at.is_(None), _I.sealed.is_not(None)
        return bool(await self._tx.run(update(INSTALLATIONS).where(*live).values(sealed=sealed)))

    async def find(self, team: TeamId) -> Installation | None:
        row = await self._tx.first(select(INSTALLATIONS).where(_I.team == team, _I.ended_at.is_(None)))
        return Installation(TeamId(row.team), row.wide, row.sealed) if row else None

    async def end(self, team: TeamId, now: datetime) -> bool:
        live = _I.team == team, _I.ended_at.is_(None), _I.at <= now
        ended = await self._tx.run(update(INSTALLATIONS).where(*live).values(sealed=None, ended_at=now))
        self._tx.wipe_log()
        return bool(ended)

    async def parts(self, wide: str) -> Sequence[TeamId]:
        there = _I.wide == wide, _I.wide != ""
        rows = await self._tx.all(select(_I.team).where(*there).order_by(_I.team))
        return [TeamId(row.team) for row in rows]

    async def ended(self, team: TeamId) -> bool:
        over = _I.team == team, _I.ended_at.is_not(None)
        return await self._tx.first(select(_I.at).where(*over)) is not None

    async def issue(self, state: bytes, until: datetime, now: datetime) -> None:
        await self._tx.run(delete(STATES).where(STATES.c.expires_at <= now))
        await self._tx.run(STATES.insert().values(hash=state, expires_at=until))

    async def redeem(self, state: bytes, now: datetime) -> bool:
        given = STATES.c.hash == state, STATES.c.expires_at > now
        return bool(await self._tx.run(delete(STATES).where(*given)))

    async def _revive_with(self, team: TeamId, wide: str, now: datetime) -> None:
        """Let live again what ended together with its organisation; what was taken away alone stays away."""
        whole = await self._tx.first(select(_I.ended_at).where(_I.team == team, _I.ended_at.is_not(None)))
        if whole is not None:
            together = _I.wide == wide, _I.team != team, _I.ended_at == whole.ended_at
            await self._tx.run(update(INSTALLATIONS).where(*together).values(at=now, ended_at=None))

    async def prune(self, now: datetime) -> int:
        return await self._tx.run(delete(STATES).where(STATES.c.expires_at <= now))
