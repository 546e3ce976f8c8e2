"""Accounts: the sealed credential, what a person sees of it, and when it changes hands or ends.

The polling of active accounts is in `work.py`. A revoked account keeps its row without its secret,
and its fence is raised, so that a poll under way can't write to it any more.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    delete,
    select,
    update,
)

from chatbot.domain.credentials import Account, AccountId, CredentialState
from chatbot.domain.people import ConversationId, PersonId, TeamId
from chatbot.domain.permissions import PermissionReport
from chatbot.ports.accounts import Pending
from chatbot.ports.vault import SealedCredential
from storage.columns import METADATA, Json, Time, Words
from storage.reports import report_from_json, report_to_json
from storage.transaction import Record, Transaction

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column("owner", Text, ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("exchange", Text, nullable=False),
    Column("label", Words, nullable=False),
    Column("last4", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("report", Json, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("checked_at", Time),
    Column("attested_at", Time),
    Column("polled_at", Time),
    Column("trouble", Text, nullable=False, default=""),
    Column("trouble_since", Time),
    Column("trouble_told", Boolean, nullable=False, default=False),
    Column("failures", Integer, nullable=False, default=0),
    # The secret, and the keyed hash that notices the same API key twice in a team.
    Column("kek_id", Text),
    Column("wrapped_dek", LargeBinary),
    Column("box", LargeBinary),
    Column("fingerprint", LargeBinary),
    # Until its owner confirms it.
    Column("code", Text, nullable=False),
    Column("conversation", Text, ForeignKey("conversations.id", ondelete="SET NULL"), index=True),
    Column("confirm_before", Time),
    # Where reading stands; the cursors are the exchange's own.
    Column("cursor", Text),
    Column("history", Text),
    Column("history_pages", Integer, nullable=False, default=0),
    Column("history_count", Integer, nullable=False, default=0),
    Column("history_done", Boolean, nullable=False, default=False),
    Column("history_at", Time),
    Column("fills_on", Boolean, nullable=False),
    Column("unexplained", Json),
    # When to work on it, and who does now.
    Column("due_at", Time, nullable=False),
    Column("balances_at", Time),
    Column("check_at", Time),
    Column("asked_in", Text, ForeignKey("conversations.id", ondelete="SET NULL"), index=True),
    Column("hurried", Integer, nullable=False, default=0),
    Column("nonce", BigInteger, nullable=False, default=0),
    Column("claimed_at", Time),
    Column("lease_until", Time),
    Column("fence", Integer, nullable=False, default=0),
    UniqueConstraint("team", "fingerprint"),
)
_BY_DUE = Index("ix_accounts_state_due_at", ACCOUNTS.c.state, ACCOUNTS.c.due_at)

_CONNECTED = ACCOUNTS.c.state.not_in([CredentialState.PENDING, CredentialState.REVOKED])


def account_from(row: Record) -> Account:
    """Return the account of a row as a person sees it."""
    return Account(
        id=AccountId(row.id),
        team=TeamId(row.team),
        owner=PersonId(row.owner),
        exchange=row.exchange,
        label=row.label,
        last4=row.last4,
        state=CredentialState(row.state),
        report=report_from_json(row.report),
        created_at=row.created_at,
        checked_at=row.checked_at,
        attested_at=row.attested_at,
        polled_at=row.polled_at,
        trouble=row.trouble,
        trouble_since=row.trouble_since,
        history_count=row.history_count,
        history_done=row.history_done,
    )


class Credentials:
    """The half of `ports.accounts.Accounts` that is about people: connect, look, name, revoke."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(
        self, pending: Pending, sealed: SealedCredential, fingerprint: bytes, now: datetime
    ) -> bool:
        account = pending.account
        cursor, history = pending.head or (None, None)
        added = (
            self._tx.insert(ACCOUNTS)
            .values(
                id=account.id,
                team=account.team,
                owner=account.owner,
                exchange=account.exchange,
                label=account.label,
                last4=account.last4,
                state=CredentialState.PENDING,
                report=report_to_json(account.report),
                created_at=account.created_at,
                checked_at=account.checked_at,
                attested_at=account.attested_at,
                kek_id=sealed.kek_id,
                wrapped_dek=sealed.wrapped_dek,
                box=sealed.box,
                fingerprint=fingerprint,
                code=pending.code,
                conversation=pending.conversation,
                confirm_before=pending.confirm_before,
                cursor=cursor,
                history=history,
                fills_on=pending.head is not None,
                due_at=now,
                nonce=pending.nonce,
            )
            .on_conflict_do_nothing(index_elements=["team", "fingerprint"])
            .returning(ACCOUNTS.c.id)
        )
        return await self._tx.first(added) is not None

    async def taken(self, team: TeamId, fingerprint: bytes) -> Account | None:
        same = ACCOUNTS.c.team == team, ACCOUNTS.c.fingerprint == fingerprint
        row = await self._tx.first(select(ACCOUNTS).where(*same))
        return account_from(row) if row else None

    async def get(self, account: AccountId, team: TeamId) -> Account | None:
        ours = ACCOUNTS.c.id == account, ACCOUNTS.c.team == team
        row = await self._tx.first(select(ACCOUNTS).where(*ours))
        return account_from(row) if row else None

    async def pending(self, account: AccountId) -> Pending | None:
        # Locked, so that it can't time out between this look and the confirmation.
        row = await self._tx.first(select(ACCOUNTS).where(*_waiting(account)).with_for_update())
        return _pending(row) if row else None

    async def of_person(self, person: PersonId) -> Sequence[Account]:
        return await self._connected(ACCOUNTS.c.owner == person)

    async def pending_of(self, person: PersonId) -> Sequence[Account]:
        theirs = ACCOUNTS.c.owner == person, ACCOUNTS.c.state == CredentialState.PENDING
        return [account_from(row) for row in await self._tx.all(select(ACCOUNTS).where(*theirs))]

    async def of_team(self, team: TeamId) -> Sequence[Account]:
        return await self._connected(ACCOUNTS.c.team == team)

    async def activate(self, account: AccountId, now: datetime) -> None:
        active = {"state": CredentialState.ACTIVE, "due_at": now, "code": "", "confirm_before": None}
        await self._tx.run(update(ACCOUNTS).where(*_waiting(account)).values(active))

    async def rename(self, account: AccountId, label: str) -> None:
        await self._change(account, label=label)

    async def attest(self, account: AccountId, report: PermissionReport, now: datetime) -> None:
        await self._change(account, report=report_to_json(report), attested_at=now)

    async def shred(self, account: AccountId, now: datetime) -> None:
        await self._change(
            account,
            state=CredentialState.REVOKED,
            kek_id=None,
            wrapped_dek=None,
            box=None,
            fingerprint=None,
            code="",
            confirm_before=None,
            due_at=now,
            asked_in=None,
            lease_until=None,
            fence=ACCOUNTS.c.fence + 1,
        )
        subscriptions = METADATA.tables["subscriptions"]
        await self._tx.run(delete(subscriptions).where(subscriptions.c.account == account))
        self._tx.wipe_log()

    async def expire_pending(self, now: datetime) -> Sequence[Pending]:
        over = ACCOUNTS.c.state == CredentialState.PENDING, ACCOUNTS.c.confirm_before <= now
        rows = await self._tx.all(delete(ACCOUNTS).where(*over).returning(*ACCOUNTS.c))
        if rows:
            self._tx.wipe_log()
        return [_pending(row) for row in rows]

    async def _connected(self, whose: ColumnElement[bool]) -> list[Account]:
        oldest_first = ACCOUNTS.c.created_at, ACCOUNTS.c.id
        rows = await self._tx.all(select(ACCOUNTS).where(whose, _CONNECTED).order_by(*oldest_first))
        return [account_from(row) for row in rows]

    async def _change(self, account: AccountId, **values: Any) -> None:
        await self._tx.run(update(ACCOUNTS).where(ACCOUNTS.c.id == account).values(values))


def _waiting(account: AccountId) -> tuple[ColumnElement[bool], ...]:
    return ACCOUNTS.c.id == account, ACCOUNTS.c.state == CredentialState.PENDING


def _pending(row: Record) -> Pending:
    return Pending(
        account=account_from(row),
        code=row.code,
        conversation=ConversationId(row.conversation or ""),
        confirm_before=row.confirm_before,
        head=(row.cursor or "", row.history or "") if row.fills_on else None,
        nonce=row.nonce,
    )
