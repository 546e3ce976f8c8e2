"""Installations: the workspaces that let the bot in, their tokens sealed, and states of those under way.

One that ended keeps its row without its tokens, so that the team's accounts are not read meanwhile.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, Text, delete, select, update

from chatbot.domain.people import TeamId
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
        added = self._tx.insert(INSTALLATIONS).values(team=installation.team, **fresh)
        await self._tx.run(added.on_conflict_do_update(index_elements=["team"], set_=fresh))

    async def find(self, team: TeamId) -> Installation | None:
        row = await self._tx.first(select(INSTALLATIONS).where(_I.team == team, _I.ended_at.is_(None)))
        return Installation(TeamId(row.team), row.wide, row.sealed) if row else None

    async def end(self, team: TeamId, now: datetime) -> bool:
        live = _I.team == team, _I.ended_at.is_(None)
        ended = await self._tx.run(update(INSTALLATIONS).where(*live).values(sealed=None, ended_at=now))
        self._tx.wipe_log()
        return bool(ended)

    async def ended(self, team: TeamId) -> bool:
        over = _I.team == team, _I.ended_at.is_not(None)
        return await self._tx.first(select(_I.at).where(*over)) is not None

    async def issue(self, state: bytes, until: datetime, now: datetime) -> None:
        await self._tx.run(delete(STATES).where(STATES.c.expires_at <= now))
        await self._tx.run(STATES.insert().values(hash=state, expires_at=until))

    async def redeem(self, state: bytes, now: datetime) -> bool:
        given = STATES.c.hash == state, STATES.c.expires_at > now
        return bool(await self._tx.run(delete(STATES).where(*given)))
