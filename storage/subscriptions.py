"""Subscriptions: which kinds of which accounts go to which conversation, and when the scheduled ones are due.

One post per subscription and slot: a due one is claimed with lease and fence, and the next slot is written
in the transaction that queues the post. Changing a person's times fences off a claim under way. What people
change about them by hand is in `alerts.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Select,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    or_,
    select,
    update,
)

from chatbot.domain.credentials import AccountId, CredentialState
from chatbot.domain.notices import Kind, Loudness
from chatbot.domain.people import ConversationId, PersonId
from chatbot.errors import Fenced
from chatbot.ports.records import Subscription
from storage.accounts import ACCOUNTS
from storage.columns import METADATA, Amount, Time, new_id
from storage.conversations import CONVERSATIONS, HUSH, hush_from
from storage.people import PEOPLE, READER, person_from
from storage.transaction import Record, Transaction

SUBSCRIPTIONS = Table(
    "subscriptions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column(
        "conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("slot", Text),
    Column("due_at", Time),
    Column("last_total", Amount),
    Column("last_currency", Text, nullable=False),
    Column("last_at", Time),
    Column("lease_until", Time),
    Column("fence", Integer, nullable=False),
    Column("loudness", Text, nullable=False, server_default=Loudness.LOUD.value),
    Column("rule", Text, nullable=False, server_default=""),
    Column("zone", Text, nullable=False, server_default=""),
    Column("muted_until", Time),
    UniqueConstraint("account", "kind", "conversation"),
)
_S = SUBSCRIPTIONS.c
_BY_DUE = Index("ix_subscriptions_kind_due_at", _S.kind, _S.due_at)
# No rule leaves more time between two posts than from one last day of a month to the next; most leave less,
# and a day or two are for changes of zone and clock.
_NEVER = timedelta(days=33)
_LONGEST = (
    ("weekly %", timedelta(days=9)),
    ("weekdays %", timedelta(days=5)),
    ("daily %", timedelta(days=3)),
    ("every %", timedelta(days=3)),
)


class Scheduled:
    """The half of `ports.records.Subscriptions` that the bot itself uses: tell, claim, post, move."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def ensure(
        self, account: AccountId, kind: str, conversation: ConversationId, due_at: datetime | None = None,
        slot: str | None = None, rule: str = "",
    ) -> None:  # fmt: skip
        team = select(ACCOUNTS.c.team).where(ACCOUNTS.c.id == account).scalar_subquery()
        added = self._tx.insert(SUBSCRIPTIONS).values(
            id=new_id(),
            team=team,
            account=account,
            kind=kind,
            conversation=conversation,
            slot=slot,
            due_at=due_at,
            last_currency="",
            fence=0,
            loudness=Loudness.LOUD,
            rule=rule,
            zone="",
        )
        await self._tx.run(added.on_conflict_do_nothing(index_elements=["account", "kind", "conversation"]))

    async def of_account(self, account: AccountId, kind: str) -> Sequence[Subscription]:
        # Not only of active accounts: that a key died is told through here, after its state was written.
        gone = ACCOUNTS.c.state.in_([CredentialState.PENDING, CredentialState.REVOKED])
        rows = await self._tx.all(live().where(_S.account == account, _S.kind == kind, ~gone).order_by(_S.id))
        return [subscription_from(row) for row in rows]

    async def of_place(self, conversation: ConversationId, kind: str) -> Sequence[Subscription]:
        kept = ACCOUNTS.c.state == CredentialState.ACTIVE
        mine = live().where(_S.conversation == conversation, _S.kind == kind, kept)
        return [subscription_from(row) for row in await self._tx.all(mine.order_by(_S.id))]

    async def claim_due(
        self, kind: str, now: datetime, until: datetime, limit: int
    ) -> Sequence[Subscription]:
        rows = await self._claimable(_S.due_at <= now, kind, now, limit)
        # Looked for apart: joined by OR, a database would walk through all that is not due yet.
        rows = rows or await self._claimable(_too_late(now), kind, now, limit)
        if rows:
            mine = _S.id.in_([row.id for row in rows])
            claimed = update(SUBSCRIPTIONS).where(mine).values(lease_until=until, fence=_S.fence + 1)
            await self._tx.run(claimed)
        return [subscription_from(row, row.fence + 1) for row in rows]

    async def _claimable(
        self, which: ColumnElement[bool], kind: str, now: datetime, limit: int
    ) -> Sequence[Record]:
        free = or_(_S.lease_until.is_(None), _S.lease_until <= now, _S.lease_until > now + _NEVER)
        return await self._tx.all(
            live()
            .where(which, _S.kind == kind, free, ACCOUNTS.c.state == CredentialState.ACTIVE)
            .order_by(_S.due_at, _S.id)
            .limit(limit)
            .with_for_update(of=SUBSCRIPTIONS, skip_locked=True)
        )

    async def posted(
        self, sub: Subscription, due_at: datetime, slot: str, total: Decimal | None, currency: str,
        now: datetime | None,
    ) -> None:  # fmt: skip
        values: dict[str, Any] = {"due_at": due_at, "slot": slot, "lease_until": None}
        if now is not None:
            values["last_at"] = now
        if total is not None:
            values |= {"last_total": total, "last_currency": currency}
        mine = _S.id == sub.id, _S.fence == sub.fence
        if not await self._tx.run(update(SUBSCRIPTIONS).where(*mine).values(values)):
            raise Fenced("the scheduled post was taken over")

    async def reschedule(self, person: PersonId, due: Mapping[str, tuple[datetime, str]]) -> None:
        theirs = select(ACCOUNTS.c.id).where(ACCOUNTS.c.owner == person)
        for subscription, (due_at, slot) in due.items():
            await self._tx.run(
                update(SUBSCRIPTIONS)
                .where(_S.id == subscription, _S.account.in_(theirs))
                .values(due_at=due_at, slot=slot, lease_until=None, fence=_S.fence + 1)
            )

    async def remove(self, person: PersonId, conversation: ConversationId) -> int:
        theirs = select(ACCOUNTS.c.id).where(ACCOUNTS.c.owner == person)
        here = _S.account.in_(theirs), _S.conversation == conversation
        removed = await self._tx.all(delete(SUBSCRIPTIONS).where(*here).returning(_S.account))
        return len({row.account for row in removed})

    async def bring_home(
        self, accounts: Collection[AccountId], platform: str, workspace: str, home: ConversationId
    ) -> Collection[AccountId]:
        there = CONVERSATIONS.c.platform == platform, CONVERSATIONS.c.workspace == workspace
        rows = await self._tx.all(
            select(_S.id, _S.account, _S.kind)
            .join(CONVERSATIONS, CONVERSATIONS.c.id == _S.conversation)
            .where(_S.account.in_(accounts), CONVERSATIONS.c.private, *there)
            .order_by(_S.id)
        )
        for row in rows:
            if not await move(self._tx, row, home):
                await self._tx.run(delete(SUBSCRIPTIONS).where(_S.id == row.id))
        return {AccountId(row.account) for row in rows}

    async def scheduled_of(self, person: PersonId) -> Sequence[Subscription]:
        mine = ACCOUNTS.c.owner == person, ACCOUNTS.c.state != CredentialState.REVOKED
        rows = await self._tx.all(live().where(*mine, _S.due_at.is_not(None)).order_by(_S.id))
        return [subscription_from(row) for row in rows]


async def move(tx: Transaction, sub: Record, home: str) -> bool:
    """Let a subscription go elsewhere from now on; false when the same goes there already."""
    twin = _S.account == sub.account, _S.kind == sub.kind, _S.conversation == home
    if await tx.first(select(_S.id).where(*twin)) is not None:
        return False
    moved = {"conversation": home, "lease_until": None, "fence": _S.fence + 1}
    await tx.run(update(SUBSCRIPTIONS).where(_S.id == sub.id).values(moved))
    return True


def _too_late(now: datetime) -> ColumnElement[bool]:
    """Tell what is due later than its rule allows: its slot was set by a clock that was set back since."""
    sooner = (and_(_S.rule.like(rule), _S.due_at > now + longest) for rule, longest in _LONGEST)
    return and_(_S.due_at > now + min(span for _, span in _LONGEST), or_(_S.due_at > now + _NEVER, *sooner))


def joined() -> Select[Any]:
    """Return subscriptions with reader and quiet of the place, as `subscription_from` reads them."""
    return (
        select(SUBSCRIPTIONS, *READER, *HUSH)
        .join(ACCOUNTS, ACCOUNTS.c.id == _S.account)
        .join(PEOPLE, PEOPLE.c.id == ACCOUNTS.c.owner)
        .join(CONVERSATIONS, CONVERSATIONS.c.id == _S.conversation)
    )


def live() -> Select[Any]:
    """Return those whose place can be reached."""
    return joined().where(CONVERSATIONS.c.live)


def subscription_from(row: Record, fence: int | None = None) -> Subscription:
    """Return the subscription of a row of `joined`; `fence` replaces the one that was read."""
    return Subscription(
        id=row.id,
        account=AccountId(row.account),
        kind=Kind(row.kind),
        conversation=ConversationId(row.conversation),
        reader=person_from(row, "reader_"),
        fence=row.fence if fence is None else fence,
        slot=row.slot,
        due_at=row.due_at,
        last_total=row.last_total,
        last_currency=row.last_currency,
        last_at=row.last_at,
        loudness=Loudness(row.loudness),
        rule=row.rule,
        zone=row.zone,
        muted_until=row.muted_until,
        hush=hush_from(row, "place_"),
    )
