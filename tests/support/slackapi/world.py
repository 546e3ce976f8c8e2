"""Workspaces, people, channels and messages as the fake Slack knows them; no HTTP in here.

`server` changes it on behalf of the bot, tests on behalf of people.
"""

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.support.slackapi.blocks import interactive, words
from tests.support.slackapi.rules import Mistaken, Refused

TEAM = "T1"
BOT = "UBOT"
BOT_ID = "BBOT"
APP_ID = "A1"
APP_TOKEN = "xapp-1-A1-fakefakefake"
SCOPES = frozenset(
    {
        "commands",
        "chat:write",
        "im:write",
        "users:read",
        "files:write",
        "app_mentions:read",
        "im:history",
    }
)


def token_of(team: str) -> str:
    """Return the bot token a workspace has from the start."""
    return f"xoxb-1-{team}-fakefakefake"


@dataclass(slots=True)
class Team:
    """A workspace; `enterprise` is the id of the organisation it is part of."""

    id: str
    enterprise: str = ""

    @property
    def domain(self) -> str:
        """The first part of its address."""
        return f"team-{self.id.lower()}"


@dataclass(slots=True)
class Grant:
    """What a token opens: one workspace, or all of an organisation; `refusal` is why it opens nothing any more."""

    teams: tuple[str, ...]
    scopes: frozenset[str] = SCOPES
    enterprise: str = ""
    refusal: str = ""


@dataclass(slots=True)
class Channel:
    """A conversation; `kind` is channel, group, mpim or im, and `refusal` an error of its own."""

    id: str
    team: str
    kind: str = "channel"
    name: str = "general"
    bot: bool = True
    archived: bool = False
    members: set[str] = field(default_factory=set)
    refusal: str = ""


@dataclass(slots=True)
class Shown:
    """A message, or a home page, as people see it; `to` is who alone sees it."""

    team: str
    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread: str = ""
    user: str = BOT
    to: str = ""
    home: bool = False
    edits: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The channel and the time: what tells messages apart."""
        return f"{self.channel}/{self.ts}"

    @property
    def words(self) -> str:
        """What is read in it, without its buttons."""
        plain = self.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        return words(self.blocks) or plain

    @property
    def buttons(self) -> list[str]:
        """The words on its buttons."""
        return [element["text"]["text"] for element in interactive(self.blocks)]

    def button(self, text: str) -> dict[str, Any]:
        """Return the first button whose words begin like this."""
        found = [e for e in interactive(self.blocks) if e["text"]["text"].startswith(text)]
        assert found, f"no button {text!r} among {self.buttons}"
        return found[0]


class World:
    """Everything that lives at Slack."""

    def __init__(self) -> None:
        self.teams: dict[str, Team] = {}
        self.users: dict[tuple[str, str], dict[str, Any]] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, Shown] = {}
        self.ephemeral: list[Shown] = []
        self.homes: dict[tuple[str, str], Shown] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, Grant] = {}
        self.pace = 1.0
        self.now: Callable[[], float] = time.time
        self._posted: dict[str, float] = {}
        self._count = itertools.count(1)
        self.team(TEAM)

    def team(self, team: str, enterprise: str = "") -> Team:
        """Return a workspace, made with a bot token when it is new."""
        if team not in self.teams:
            self.teams[team] = Team(team, enterprise)
            self.tokens[token_of(team)] = Grant((team,), enterprise=enterprise)
            self.person(BOT, team, is_bot=True)
        return self.teams[team]

    def person(self, user: str, team: str = TEAM, **flags: Any) -> dict[str, Any]:
        """Return somebody as a workspace sees them; `team_id` says whose they are when not its own."""
        self.team(team)
        known = self.users.setdefault((team, user), {"id": user, "team_id": team, "name": user.lower()})
        known.update(flags)
        return known

    def channel(self, channel: str, team: str = TEAM, members: Iterable[str] = (), **fields: Any) -> Channel:
        """Return a channel, made when it is new."""
        found = self.channels.setdefault(channel, Channel(channel, self.team(team).id, **fields))
        found.members |= {self.person(member, team)["id"] for member in members}
        return found

    def im(self, user: str, team: str = TEAM) -> Channel:
        """Return the bot's own conversation with somebody."""
        return self.channel(f"D{team}{user}", team, [user], kind="im", name="directmessage")

    def next_ts(self) -> str:
        """Return a time no other message has."""
        return f"{int(self.now())}.{next(self._count):06d}"

    def number(self) -> int:
        """Return a number nothing else has."""
        return next(self._count)

    def reachable(self, grant: Grant, channel_id: Any) -> Channel:
        """Return a channel the bot may write to."""
        channel = self.channels.get(str(channel_id))
        if channel is None or channel.team not in grant.teams:
            raise Refused("channel_not_found")
        if channel.refusal:
            raise Refused(channel.refusal)
        if not channel.bot:
            raise Refused("not_in_channel" if channel.kind == "channel" else "channel_not_found")
        if channel.archived:
            raise Refused("is_archived")
        return channel

    def post(self, grant: Grant, params: dict[str, Any]) -> Shown:
        """Show a message of the bot to everybody in a channel."""
        channel = self.reachable(grant, params["channel"])
        self._keep_pace(channel)
        shown = self._made(channel, params)
        shown.metadata = params.get("metadata", {})
        self.messages[shown.id] = shown
        return shown

    def whisper(self, grant: Grant, params: dict[str, Any]) -> Shown:
        """Show a message of the bot to one person."""
        channel = self.reachable(grant, params["channel"])
        if params["user"] not in channel.members:
            raise Refused("user_not_in_channel")
        shown = self._made(channel, params)
        shown.to = params["user"]
        self.ephemeral.append(shown)
        return shown

    def edit(self, grant: Grant, params: dict[str, Any]) -> Shown:
        """Change a message of the bot."""
        shown = self._own(grant, params, "cant_update_message")
        # What is left out stays as it was: only an empty list takes blocks away.
        shown.text, shown.blocks = params["text"], params.get("blocks", shown.blocks)
        shown.metadata = params.get("metadata", shown.metadata)
        shown.edits += 1
        return shown

    def delete(self, grant: Grant, params: dict[str, Any]) -> Shown:
        """Take a message away."""
        return self.messages.pop(self._own(grant, params, "cant_delete_message").id)

    def _own(self, grant: Grant, params: dict[str, Any], otherwise: str) -> Shown:
        channel = self.reachable(grant, params["channel"])
        shown = self.messages.get(f"{channel.id}/{params['ts']}")
        if shown is None:
            raise Refused("message_not_found")
        if shown.user != BOT:
            raise Refused(otherwise)
        return shown

    def _made(self, channel: Channel, params: dict[str, Any]) -> Shown:
        thread = str(params.get("thread_ts", ""))
        parent = self.messages.get(f"{channel.id}/{thread}")
        if thread and (parent is None or parent.thread):
            raise Mistaken("cannot_reply_to_message", f"no message {thread} begins a thread in {channel.id}")
        words = (params["text"], params.get("blocks", []))
        return Shown(channel.team, channel.id, self.next_ts(), *words, thread)

    def _keep_pace(self, channel: Channel) -> None:
        since = self.now() - self._posted.get(channel.id, float("-inf"))
        if since < self.pace:
            raise Mistaken("ratelimited", f"two messages in {channel.id} within {self.pace} s", retry=1)
        self._posted[channel.id] = self.now()
