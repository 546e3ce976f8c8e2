"""What people change about their subscriptions: how loud, when, muted until; and the lists to choose from.

Every change is bound to the person who owns the account, and has what is held of it looked at anew.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from chatbot.domain.credentials import CredentialState
from chatbot.domain.notices import NEVER_OFF, SCHEDULED, Loudness, mute_end
from chatbot.domain.people import PersonId, Place, TeamId
from chatbot.ports.records import Listed
from storage.accounts import ACCOUNTS, account_from
from storage.conversations import CONVERSATIONS, conversation_from
from storage.held import HeldStore
from storage.subscriptions import SUBSCRIPTIONS, Scheduled, joined, subscription_from

_S = SUBSCRIPTIONS.c
_ENDED = ACCOUNTS.c.state.in_([CredentialState.PENDING, CredentialState.REVOKED])


class SubscriptionStore(Scheduled):
    """Implements `ports.records.Subscriptions`."""

    async def of_person(self, person: PersonId) -> Sequence[Listed]:
        return await self._listed(ACCOUNTS.c.owner == person)

    async def targets(self, team: TeamId) -> Sequence[Listed]:
        own = CONVERSATIONS.c.person.is_not(None) & (CONVERSATIONS.c.person == ACCOUNTS.c.owner)
        return await self._listed(ACCOUNTS.c.team == team, or_(~CONVERSATIONS.c.private, ~own))

    async def of_channel(self, place: Place) -> Sequence[Listed]:
        c = CONVERSATIONS.c
        there = c.platform == place.platform, c.workspace == place.workspace, c.channel == place.channel
        threads = [c.thread == place.thread] if place.thread else []
        return await self._listed(*there, *threads)

    async def set_loudness(self, person: PersonId, subscriptions: Sequence[str], loudness: Loudness) -> int:
        allowed = [_S.kind.not_in(NEVER_OFF)] if loudness is Loudness.OFF else []
        return await self._change(person, _S.id.in_(subscriptions), *allowed, loudness=loudness)

    async def set_rule(
        self, person: PersonId, subscription: str, rule: str, zone: str, due: tuple[datetime, str]
    ) -> bool:
        due_at, slot = due
        fenced = {"lease_until": None, "fence": _S.fence + 1}
        which = _S.id == subscription, _S.kind.in_(SCHEDULED)
        values = {"rule": rule, "zone": zone, "due_at": due_at, "slot": slot, **fenced}
        return bool(await self._change(person, *which, **values))

    async def mute(
        self, person: PersonId, subscriptions: Sequence[str], until: datetime, now: datetime
    ) -> int:
        chosen = _S.id.in_(subscriptions), _theirs(person)
        kinds = {row.kind for row in await self._tx.all(select(_S.kind).where(*chosen))}
        muted = 0
        for kind in sorted(kinds):
            end = mute_end(kind, until, now) if until > now else None
            muted += await self._change(person, *chosen, _S.kind == kind, muted_until=end)
        return muted

    async def _change(self, person: PersonId, *which: ColumnElement[bool], **values: Any) -> int:
        changed = await self._tx.run(update(SUBSCRIPTIONS).where(*which, _theirs(person)).values(values))
        await HeldStore(self._tx).look_again(person)
        return changed

    async def _listed(self, *which: ColumnElement[bool]) -> list[Listed]:
        order = ACCOUNTS.c.created_at, ACCOUNTS.c.id, CONVERSATIONS.c.private.desc(), _S.conversation, _S.kind
        rows = await self._tx.all(joined().where(*which, ~_ENDED).order_by(*order))
        mine = ACCOUNTS.c.id.in_({row.account for row in rows})
        accounts = {row.id: account_from(row) for row in await self._tx.all(select(ACCOUNTS).where(mine))}
        there = CONVERSATIONS.c.id.in_({row.conversation for row in rows})
        places = {row.id: row for row in await self._tx.all(select(CONVERSATIONS).where(there))}
        return [
            Listed(subscription_from(row), accounts[row.account], conversation_from(places[row.conversation]))
            for row in rows
        ]


def _theirs(person: PersonId) -> ColumnElement[bool]:
    return _S.account.in_(select(ACCOUNTS.c.id).where(ACCOUNTS.c.owner == person))
