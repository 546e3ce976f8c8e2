"""A workspace let the bot in, for the first time or again: suspended accounts are read on by themselves."""

from chatbot.domain.people import Identity, team_of, workspace_of
from chatbot.domain.updates import Happened
from chatbot.ports.context import Context
from chatbot.ports.stores import UnitOfWork
from chatbot.registry import event


@event("workspace_joined")
async def workspace_joined(happened: Happened, platform: str, store: UnitOfWork, ctx: Context) -> None:
    """Write it down, and write to its people in private again, or what is read would reach nobody.

    `detail` is the user who installed it, where the platform tells.
    """
    workspace, now = happened.who.workspace, ctx.clock.now()
    team = team_of(Identity(platform, "", workspace))
    actor = str(Identity(platform, happened.detail, workspace)) if happened.detail else platform
    await store.conversations.rejoin_workspace(platform, workspace)
    for part in await store.installations.parts(workspace):
        if part != team and not await store.installations.ended(part):
            await store.conversations.rejoin_workspace(platform, workspace_of(part))
    await store.audit.note(team, actor, "workspace_joined", team, "installed", now)
    ctx.log.info("workspace_joined", team=team)
    ctx.queue.nudge("poll_accounts")
