"""One-time links: who may try a key, decided by one conditional update.

A claim takes the link with a lease and a fence; whoever comes late is `Fenced`. The private key is wiped
from the row, and from SQLite's log, as soon as the link can't be used any more.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    func,
    or_,
    select,
    update,
)

from chatbot.domain.links import CLAIMS, TRIES, Link, LinkState
from chatbot.domain.people import ConversationId, Identity, PersonId, TeamId
from chatbot.errors import Fenced
from storage.columns import METADATA, Time, Words
from storage.linked import main_of
from storage.people import PEOPLE
from storage.transaction import Record, Transaction

LINKS = Table(
    "links",
    METADATA,
    Column("id", LargeBinary, primary_key=True),
    Column("team", Text, nullable=False),
    Column("person", Text, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column(
        "conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("exchange", Text, nullable=False),
    Column("label", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sealed_private_key", LargeBinary),
    Column("minted_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Time),
    Column("fence", Integer, nullable=False),
    Column("card", Text, nullable=False),
    Column("opened_at", Time),
)
_BY_PERSON = Index("ix_links_person_minted_at", LINKS.c.person, LINKS.c.minted_at)
_BY_EXPIRY = Index("ix_links_state_expires_at", LINKS.c.state, LINKS.c.expires_at)

_ALIVE = LINKS.c.state.in_([LinkState.OPEN, LinkState.VERIFYING])


class LinkStore:
    """Implements `ports.people.Links`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def minted_since(self, person: PersonId, since: datetime) -> int:
        # One that brought a key is no waste: somebody with seven exchanges connects them in one go.
        wasted = LINKS.c.state != LinkState.USED
        mine = and_(LINKS.c.person == person, LINKS.c.minted_at >= since, wasted)
        row = await self._tx.first(select(func.count()).select_from(LINKS).where(mine))
        return row[0] if row else 0

    async def mint(self, link: Link, now: datetime) -> None:
        # Two mints of one person at once must see each other.
        await self._tx.first(select(PEOPLE.c.id).where(PEOPLE.c.id == link.person).with_for_update())
        await self.revoke_of(link.person)
        await self._tx.run(
            LINKS.insert().values(
                id=link.id,
                team=link.team,
                person=link.person,
                conversation=link.conversation,
                exchange=link.exchange,
                label=link.label,
                state=link.state,
                public_key=link.public_key,
                sealed_private_key=link.sealed_private_key,
                minted_at=now,
                expires_at=link.expires_at,
                attempts=link.attempts,
                fence=link.fence,
                card=link.card,
            )
        )

    async def open_of(self, who: Identity, now: datetime) -> bytes | None:
        is_theirs = and_(
            PEOPLE.c.platform == who.platform,
            PEOPLE.c.workspace == who.workspace,
            PEOPLE.c.user == who.user,
        )
        owner = select(main_of(PEOPLE.c.id)).where(is_theirs).scalar_subquery()
        row = await self._tx.first(
            select(LINKS.c.id)
            .where(LINKS.c.person == owner, LINKS.c.expires_at > now, _ALIVE)
            .order_by(LINKS.c.minted_at.desc())
            .limit(1)
        )
        return bytes(row.id) if row else None

    async def look(self, link: bytes, now: datetime) -> Link | None:
        row = await self._tx.first(select(LINKS).where(_usable(link, now), _ALIVE))
        return _link(row) if row else None

    async def opened(self, link: bytes, now: datetime) -> bool:
        unopened = and_(LINKS.c.id == link, LINKS.c.opened_at.is_(None))
        return await self._tx.run(update(LINKS).where(unopened).values(opened_at=now)) == 1

    async def claim(self, link: bytes, now: datetime, until: datetime) -> Link | None:
        free = or_(
            LINKS.c.state == LinkState.OPEN,
            and_(LINKS.c.state == LinkState.VERIFYING, LINKS.c.lease_until < now),
        )
        row = await self._tx.first(
            update(LINKS)
            .where(_usable(link, now), free, LINKS.c.fence < CLAIMS)
            .values(
                state=LinkState.VERIFYING,
                lease_until=until,
                fence=LINKS.c.fence + 1,
                attempts=LINKS.c.attempts + 1,
            )
            .returning(*LINKS.c)
        )
        return _link(row) if row else None

    async def give_back(self, link: Link, *, count: bool) -> None:
        if not link.left(count=count):
            # After the last try nothing can be opened any more.
            await self._end_claim(link, state=LinkState.REVOKED, sealed_private_key=None)
            self._tx.wipe_log()
            return
        attempts = LINKS.c.attempts if count else LINKS.c.attempts - 1
        await self._end_claim(link, state=LinkState.OPEN, attempts=attempts)

    async def use(self, link: Link) -> None:
        await self._end_claim(link, state=LinkState.USED, sealed_private_key=None)
        self._tx.wipe_log()

    async def revoke_of(self, person: PersonId) -> int:
        return await self._revoke(LINKS.c.person == person)

    async def revoke_of_team(self, team: TeamId) -> int:
        return await self._revoke(LINKS.c.team == team)

    async def expire(self, now: datetime) -> Sequence[Link]:
        # Whoever submitted in time is not cut off while the exchange answers.
        idle = or_(LINKS.c.lease_until.is_(None), LINKS.c.lease_until <= now)
        rows = await self._tx.all(
            update(LINKS)
            .where(_ALIVE, LINKS.c.expires_at <= now, idle)
            .values(_over(LinkState.EXPIRED))
            .returning(*LINKS.c)
        )
        if rows:
            self._tx.wipe_log()
        return [_link(row) for row in rows]

    async def _revoke(self, whose: ColumnElement[bool]) -> int:
        ended = await self._tx.run(update(LINKS).where(whose, _ALIVE).values(_over(LinkState.REVOKED)))
        if ended:
            self._tx.wipe_log()
        return ended

    async def _end_claim(self, link: Link, **values: Any) -> None:
        mine = and_(LINKS.c.id == link.id, LINKS.c.fence == link.fence, LINKS.c.state == LinkState.VERIFYING)
        if not await self._tx.run(update(LINKS).where(mine).values(lease_until=None, **values)):
            raise Fenced("the link was taken over")


def _usable(link: bytes, now: datetime) -> ColumnElement[bool]:
    return and_(LINKS.c.id == link, LINKS.c.expires_at > now, LINKS.c.attempts < TRIES)


def _over(state: LinkState) -> dict[str, Any]:
    return {"state": state, "sealed_private_key": None, "lease_until": None, "fence": LINKS.c.fence + 1}


def _link(row: Record) -> Link:
    return Link(
        id=row.id,
        team=TeamId(row.team),
        person=PersonId(row.person),
        conversation=ConversationId(row.conversation),
        exchange=row.exchange,
        label=row.label,
        state=LinkState(row.state),
        public_key=row.public_key,
        sealed_private_key=row.sealed_private_key,
        expires_at=row.expires_at,
        attempts=row.attempts,
        fence=row.fence,
        card=row.card,
    )
