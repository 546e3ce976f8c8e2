"""People, their roles, and where they talk.

A person is one identity on one platform. A role is what the person may do with the bot;
it comes from `ADMINS` and `MEMBERS`, never from a platform's own admin flag.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NewType

from chatbot.domain.pictures import Shade

PersonId = NewType("PersonId", str)
ConversationId = NewType("ConversationId", str)
TeamId = NewType("TeamId", str)

HOME_TEAM = TeamId("home")


class Standing(IntEnum):
    """What a platform itself says of who acts: it can only take away, it never grants a role.

    `NONE` is for guests, bots, people of another workspace and those who left; `CHIEF` for its own admins.
    """

    NONE = 0
    PERSON = 1
    CHIEF = 2


class Role(IntEnum):
    """What a person may do with the bot; a higher role may do all of a lower one."""

    STRANGER = 0
    MEMBER = 1
    ADMIN = 2


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a platform says somebody is: `telegram:123`, `slack:T1/U1`, `web:you`."""

    platform: str
    user: str
    workspace: str = ""

    def __str__(self) -> str:
        return (
            f"{self.platform}:{self.workspace}/{self.user}"
            if self.workspace
            else f"{self.platform}:{self.user}"
        )


def team_of(who: Identity) -> TeamId:
    """Return the team an identity belongs to: its workspace, or home."""
    return TeamId(f"{who.platform}:{who.workspace}") if who.workspace else HOME_TEAM


def workspace_of(team: TeamId) -> str:
    """Return the workspace that a team is; empty for the home team."""
    return team.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the bot knows, with their own settings.

    `team` is where their accounts are; one who is linked acts in another workspace under that `identity`.
    """

    id: PersonId
    team: TeamId
    identity: Identity
    name: str
    locale: str
    timezone: str
    currency: str
    phrase: str = ""
    shade: Shade = Shade.LIGHT


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was said: a chat, and a topic or thread inside it; `title` is what people call it."""

    platform: str
    channel: str
    workspace: str = ""
    thread: str = ""
    private: bool = True
    title: str = field(default="", compare=False)

    @property
    def bot(self) -> str:
        """Whose token speaks here: the platform, or one workspace of it."""
        return f"{self.platform}:{self.workspace}" if self.workspace else self.platform


@dataclass(frozen=True, slots=True)
class Conversation:
    """A place the bot has a row for; `live` is false once it was blocked, kicked or archived."""

    id: ConversationId
    team: TeamId
    place: Place
    person: PersonId | None
    live: bool = True


@dataclass(frozen=True, slots=True)
class Roster:
    """Who may do what, as configured: exact identities, or `platform:*` and `slack:<team>/*` for members."""

    admins: frozenset[str]
    members: frozenset[str]

    def role(self, who: Identity) -> Role:
        """Return the role of an identity; anyone not listed is a stranger."""
        if str(who) in self.admins:
            return Role.ADMIN
        everyone = f"{who.platform}:{who.workspace}/*" if who.workspace else f"{who.platform}:*"
        if str(who) in self.members or everyone in self.members:
            return Role.MEMBER
        return Role.STRANGER
