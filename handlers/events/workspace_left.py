"""A whole workspace removed the app: nothing is sent there, read for it or called for it any more.

Its people's accounts keep their sealed keys, suspended, so that a new installation goes on where this one
ended. Whoever also talks to us elsewhere is told there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from chatbot.domain.credentials import Account
from chatbot.domain.messages import Post
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Conversation, Identity, PersonId, TeamId, team_of, workspace_of
from chatbot.domain.updates import Happened
from chatbot.ports.context import Context
from chatbot.ports.stores import UnitOfWork
from chatbot.registry import event
from handlers.notifications import workspaces


@event("workspace_left")
async def workspace_left(happened: Happened, platform: str, store: UnitOfWork, ctx: Context) -> None:
    """End the installation with all that hangs on it; an organisation's with each of its workspaces.

    `detail` is when it happened, in seconds since 1970, where the platform tells: one that was installed
    again since is left alone.
    """
    workspace, when = happened.who.workspace, _when(happened, ctx)
    parts = await store.installations.parts(workspace)
    for team in dict.fromkeys((team_of(Identity(platform, "", workspace)), *parts)):
        # A second word of the same end, or of one that was never let in, changes nothing.
        if await store.installations.end(team, when):
            await _leave(team, platform, store, ctx)


def _when(happened: Happened, ctx: Context) -> datetime:
    now = ctx.clock.now()
    return min(now, datetime.fromtimestamp(int(happened.detail), UTC)) if happened.detail.isdecimal() else now


async def _leave(team: TeamId, platform: str, store: UnitOfWork, ctx: Context) -> None:
    now = ctx.clock.now()
    suspended = await store.accounts.suspend_team(team, now)
    await store.links.revoke_of_team(team)
    people = await store.conversations.leave_workspace(platform, workspace_of(team), now)
    await store.audit.note(team, platform, "workspace_left", team, "ended", now)
    for account in suspended:
        await store.audit.note(team, "policy", "suspend", account.id, "workspace_left", now)
    await _tell_elsewhere(people, suspended, team, platform, store, ctx)
    ctx.log.info("workspace_left", team=team, accounts=len(suspended))


async def _tell_elsewhere(
    people: Sequence[PersonId], suspended: Sequence[Account], team: TeamId, platform: str, store: UnitOfWork,
    ctx: Context,
) -> None:  # fmt: skip
    """Tell those who have another private chat with us, once in each."""
    lost: dict[Conversation, list[Account]] = {}
    for person in dict.fromkeys((*people, *(account.owner for account in suspended))):
        elsewhere = await store.conversations.private_of(person)
        if elsewhere is not None:
            mine = [account for account in suspended if account.owner == person]
            lost.setdefault(elsewhere, []).extend(mine)
    now = ctx.clock.now()
    for place, mine in lost.items():
        if place.person is None:
            continue
        t = ctx.translator(await store.people.get(place.person))
        moved = await _bring_here(place, place.person, team, platform, store)
        shown = workspaces.left(platform.capitalize(), [account.name for account in mine], moved, t)
        await store.outbox.put(
            place.id, Post(shown), Promise.ALERT, now, key=f"workspace_left:{team}:{now}:{place.id}",
            reader=place.person, locale=t.locale,
        )  # fmt: skip


async def _bring_here(
    here: Conversation, owner: PersonId, team: TeamId, platform: str, store: UnitOfWork
) -> list[str]:
    """Tell here what of somebody's other accounts went to a private chat there; return their names.

    They are of another team and are read on: nobody would hear of them.
    """
    theirs = [account for account in await store.accounts.of_person(owner) if account.team != team]
    moved = await store.subscriptions.bring_home(
        [account.id for account in theirs], platform, workspace_of(team), here.id
    )
    return [account.name for account in theirs if account.id in moved]
