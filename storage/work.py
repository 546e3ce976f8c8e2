"""The work due for active accounts: who polls which one now, and what the poll found.

A claim gives a lease, a fence and a range of nonces nobody else will use; the result is written only
while the fence is ours. A person's *now* that arrives during a poll outlives that poll.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, literal, null, or_, select, update

from chatbot.domain.balances import Gap
from chatbot.domain.credentials import Account, AccountId, CredentialState
from chatbot.domain.people import ConversationId, TeamId
from chatbot.errors import Fenced, Trouble
from chatbot.ports.accounts import Progress, Work
from chatbot.ports.vault import SealedCredential
from storage.accounts import ACCOUNTS, Credentials, account_from
from storage.columns import Time, amount_text, to_micros
from storage.people import PEOPLE, READER, person_from
from storage.reports import report_to_json
from storage.transaction import Record

NONCES = 10**6
# Clocks of machines side by side may differ by less, and so long any account may wait.
_SET_BACK = timedelta(seconds=10)
_PATIENCE = timedelta(minutes=1)
_A = ACCOUNTS.c

_POLLED = [CredentialState.ACTIVE, CredentialState.SUSPENDED, CredentialState.DEAD]

# What was asked for while a poll was under way.
_NOTHING, _BALANCES, _CHECK = 0, 1, 2


class AccountStore(Credentials):
    """Implements `ports.accounts.Accounts`."""

    async def hurry(self, account: AccountId, now: datetime, *, ask_in: ConversationId | None = None) -> None:
        # Who was told to slow down waits, whoever asks; and a dead key is worth a test, not a reading.
        waits = and_(_A.trouble == Trouble.RATE_LIMIT, _A.due_at > now)
        if ask_in is None:
            waits = or_(waits, _A.state == CredentialState.DEAD)
        values: dict[str, Any] = {
            "due_at": case((waits, _A.due_at), else_=literal(now, Time)),
            "balances_at": None,
        }
        if ask_in is None:
            values["hurried"] = case((_A.hurried < _BALANCES, _BALANCES), else_=_A.hurried)
        else:
            values |= {"check_at": None, "asked_in": ask_in, "hurried": _CHECK}
        await self._change(account, **values)

    async def suspend_team(self, team: TeamId, now: datetime) -> Sequence[Account]:
        theirs = _A.team == team
        active = select(ACCOUNTS).where(theirs, _A.state == CredentialState.ACTIVE).order_by(_A.id)
        rows = await self._tx.all(active.with_for_update())
        stopped = {"lease_until": None, "asked_in": None, "hurried": _NOTHING, "due_at": now}
        await self._tx.run(
            update(ACCOUNTS)
            .where(theirs, _A.state.in_(_POLLED))
            .values(**stopped, fence=_A.fence + 1, state=_suspended())
        )
        return [replace(account_from(row), state=CredentialState.SUSPENDED) for row in rows]

    async def holds(self, work: Work) -> bool:
        return await self._tx.first(select(_A.id).where(*_mine(work))) is not None

    async def failing(self, exchange: str, trouble: str) -> tuple[int, int]:
        active = _A.exchange == exchange, _A.state == CredentialState.ACTIVE
        alike = func.count().filter(_A.trouble == trouble)
        row = await self._tx.first(select(alike, func.count()).where(*active))
        return (int(row[0]), int(row[1])) if row else (0, 0)

    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[Work]:
        await self._rescue(now)
        rows = await self._tx.all(
            select(ACCOUNTS, *READER)
            .join(PEOPLE, PEOPLE.c.id == _A.owner)
            .where(_A.state.in_(_POLLED), _A.due_at <= now)
            .where(or_(_A.lease_until.is_(None), _A.lease_until <= now))
            .order_by(_A.due_at, _A.id)
            .limit(limit)
            .with_for_update(of=ACCOUNTS, skip_locked=True)
        )
        if not rows:
            return []
        # Milliseconds times a million: above every nonce of a clock that counts micro- or nanoseconds.
        floor = to_micros(now) // 1000 * 10**6
        await self._tx.run(
            update(ACCOUNTS)
            .where(_A.id.in_([row.id for row in rows]))
            .values(
                claimed_at=now,
                lease_until=until,
                fence=_A.fence + 1,
                hurried=_NOTHING,
                nonce=_greatest(_A.nonce, floor) + NONCES,
            )
        )
        return [_work(row, until, floor) for row in rows]

    async def finish(self, work: Work, progress: Progress) -> None:
        changes = update(ACCOUNTS).where(*_mine(work)).values(_changes(progress))
        if not await self._tx.run(changes):
            raise Fenced("the account was taken over or revoked")

    async def release(self, work: Work) -> None:
        await self._tx.run(update(ACCOUNTS).where(*_mine(work)).values(lease_until=None))

    async def _rescue(self, now: datetime) -> None:
        # Who was claimed in what is now the future waits by a clock that has been set back since.
        waiting = _A.state.in_(_POLLED), _A.due_at > now + _PATIENCE, _A.claimed_at > now + _SET_BACK
        free = or_(_A.lease_until.is_(None), _A.lease_until <= now)
        await self._tx.run(update(ACCOUNTS).where(*waiting, free).values(due_at=now, balances_at=None))


def _suspended() -> ColumnElement[str]:
    return case((_A.state == CredentialState.ACTIVE, CredentialState.SUSPENDED), else_=_A.state)


def _mine(work: Work) -> tuple[ColumnElement[bool], ...]:
    return _A.id == work.account.id, _A.fence == work.fence


def _greatest(column: ColumnElement[int], value: int) -> ColumnElement[int]:
    floor = literal(value, BigInteger)
    return case((column < floor, floor), else_=column)


def _changes(progress: Progress) -> dict[str, Any]:
    values: dict[str, Any] = {
        "due_at": _due_at(progress),
        "nonce": _greatest(_A.nonce, progress.nonce),
        "history_count": _A.history_count + progress.history_added,
        "failures": progress.failures,
        "trouble": progress.trouble,
        "trouble_since": _trouble_since(progress.trouble),
        "trouble_told": progress.trouble_told,
        "lease_until": None,
    }
    for name in ("polled_at", "cursor", "history", "history_done", "history_at", "fills_on", "state"):
        value = getattr(progress, name)
        if value is not None:
            values[name] = value
    if progress.unexplained is not None:
        values["unexplained"] = {asset: _gap_to_json(gap) for asset, gap in progress.unexplained.items()}
    if progress.history is not None:
        values["history_pages"] = _A.history_pages + 1
    if progress.balances_at is not None:
        values["balances_at"] = case(
            (_A.hurried >= _BALANCES, null()), else_=literal(progress.balances_at, Time)
        )
    if progress.check_at is not None:
        values["check_at"] = case((_A.hurried == _CHECK, null()), else_=literal(progress.check_at, Time))
    if progress.answered:
        values["asked_in"] = case((_A.hurried == _CHECK, _A.asked_in), else_=null())
    if progress.report is not None:
        values |= {"report": report_to_json(progress.report), "checked_at": _A.claimed_at}
    return values


def _due_at(progress: Progress) -> ColumnElement[Any]:
    due_at = literal(progress.due_at, Time)
    if progress.trouble == Trouble.RATE_LIMIT:
        return due_at
    return case((_A.hurried >= _BALANCES, _A.due_at), else_=due_at)


def _gap_to_json(gap: Gap) -> list[str]:
    return [amount_text(part) for part in (gap.open, gap.sure, gap.slack)]


def _gap_from_json(parts: list[str]) -> Gap:
    return Gap(*(Decimal(part) for part in parts))


def _trouble_since(trouble: str) -> Any:
    if not trouble:
        return None
    goes_on = _A.trouble == trouble
    return case((goes_on, _A.trouble_since), else_=_A.claimed_at)


def _work(row: Record, until: datetime, floor: int) -> Work:
    return Work(
        account=account_from(row),
        owner=person_from(row, "reader_"),
        sealed=SealedCredential(row.kek_id, row.wrapped_dek, row.box),
        fence=row.fence + 1,
        deadline=until,
        nonce=max(row.nonce, floor),
        cursor=row.cursor,
        history=row.history,
        history_pages=row.history_pages,
        balances_at=row.balances_at,
        check_at=row.check_at,
        fills_on=row.fills_on,
        failures=row.failures,
        trouble_told=row.trouble_told,
        asked_in=row.asked_in,
        history_at=row.history_at,
        unexplained={asset: _gap_from_json(gap) for asset, gap in (row.unexplained or {}).items()},
        hurried=row.hurried > _NOTHING,
    )
