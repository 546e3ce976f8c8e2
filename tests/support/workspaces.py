"""A platform of workspaces beside the bot's own chat: people are called `T1/ana`, and have home pages.

What platforms of that kind share: a workspace in every place, private places that we may write to unasked,
events about a whole workspace, a page of each person's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chatbot.dispatcher import Desk, Dispatcher
from chatbot.dispatcher.inlet import Scrubber, StoredInlet
from chatbot.dispatcher.installs import StoredInstalls
from chatbot.domain.outbox import Delivery
from chatbot.domain.people import Identity, Place, Roster
from chatbot.domain.updates import Incoming
from tests.support.bot import ADMIN, YOU, Bot
from tests.support.chat import Chat, Shown

PLATFORM = "slack"
ANA = "T1/ana"
BO = "T2/bo"
BOSS = "T1/boss"


@dataclass(slots=True)
class Workspaces(Chat):
    """Keeps transcripts by `workspace/channel`, and every home page that was published."""

    name: str = PLATFORM
    homes: dict[str, list[Shown]] = field(default_factory=dict)

    def parse(self, raw: Mapping[str, Any]) -> Incoming | None:
        """Read what the bot's hands wrote, with the workspace taken out of the names."""
        read = Chat.parse(self, raw)
        if read is None:
            return None
        workspace, _, user = read.who.user.partition("/")
        channel = read.who.channel.partition("/")[2]
        return replace(read, who=replace(read.who, user=user, channel=channel, workspace=workspace))

    def private_place(self, who: Identity) -> Place:
        """Return the person's own chat."""
        return Place(self.name, who.user, who.workspace)

    async def deliver(self, delivery: Delivery) -> str:
        """Write into a transcript, or onto a home page, which has no message id."""
        place = delivery.place
        named = replace(place, channel=f"{place.workspace}/{place.channel}")
        if not delivery.home:
            return await Chat.deliver(self, replace(delivery, place=named))
        if self.refuse:
            raise self.refuse.pop(0)
        pages = self.homes.setdefault(named.channel, [])
        pages.append(Shown(f"h{len(pages)}", named.channel, delivery.message))
        return ""

    def home(self, who: str = ANA) -> Shown:
        """Return what somebody's home page shows now."""
        return self.homes[who][-1]


@dataclass(slots=True)
class Town:
    """One process that serves the bot's own chat (`web`) and the workspaces (`slack`)."""

    web: Bot
    slack: Bot
    pages: Workspaces
    installs: StoredInstalls

    async def opens_home(self, who: str = ANA) -> Shown:
        """Let somebody open their home page."""
        await self.slack.happens("home_opened", chat=who, as_=who)
        return self.pages.home(who)

    async def removes(self, workspace: str, at: str = "") -> None:
        """Let a workspace throw the bot out."""
        await self.slack.happens("left", chat=f"{workspace}/", as_=f"{workspace}/", detail=at)

    async def lets_in(self, workspace: str, by: str = "", wide: str = "") -> None:
        """Let a workspace, or a whole organisation, install the app."""
        await self.installs.keep(workspace, wide, {"token": f"token-of-{workspace}"})
        await self.slack.happens("joined", chat=f"{workspace}/", as_=f"{workspace}/", detail=by)


async def beside(bot: Bot) -> Town:
    """Put workspaces beside a bot's own chat; both are let in, and everybody there but strangers is listed."""
    pages = Workspaces()
    post: Any = bot.ctx.postbox
    post._platforms[pages.name] = pages
    post._started.add(pages.name)
    members = {f"web:{YOU}", "web:other", "slack:T1/ana", "slack:T1/old", "slack:T2/bo"}
    roster = Roster(frozenset({f"web:{ADMIN}", "slack:T1/boss"}), frozenset(members))
    ctx = replace(bot.ctx, roster=roster)
    dispatcher, desk = Dispatcher(bot.registry, ctx, post.parse), Desk(bot.registry, ctx)
    inlet = StoredInlet(ctx, Scrubber(ctx.exchanges.shapes))  # type: ignore[attr-defined]
    web, slack = (
        replace(bot, ctx=ctx, dispatcher=dispatcher, desk=desk, chat=chat, inlet=inlet)
        for chat in (bot.chat, pages)
    )
    installs = StoredInstalls(pages.name, ctx.uow, ctx.vault, ctx.clock, "test")
    town = Town(web, slack, pages, installs)
    for workspace in ("T1", "T2"):
        await town.lets_in(workspace)
    return town
