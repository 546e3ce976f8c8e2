"""What Slack says of who acts, asked by `users.info` and remembered for five minutes.

It can only take away: guests, bots, people of other workspaces and those who left get nothing here. When
Slack can't be asked, an answer up to an hour old still counts; without one nothing is done for anybody. The
same answer holds what Slack's events leave out: what people call themselves, and their language.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from chatbot.domain.people import Standing
from chatbot.domain.updates import Sender
from chatbot.errors import EdgeError, SendError, VaultError, Verdict
from chatbot.platforms.slack.tokens import Bots
from chatbot.ports.context import Clock

Json = Mapping[str, Any]
Ask = Callable[[str, str, Json], Awaitable[Json]]
FRESH_SECONDS = 300.0
STALE_SECONDS = 3600.0
REMEMBERED = 20_000
# A workspace that answers slowly must leave connections for messages, and for the others.
AT_ONCE = 8
_NOT_HERE = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
_LESS = ("deleted", "is_bot", "is_workflow_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
_MORE = ("is_admin", "is_owner", "is_primary_owner")
# Not a bot by its flags, yet nobody.
_SLACKBOT = "USLACKBOT"


class Face(NamedTuple):
    """What somebody calls themselves, and their language as a hint."""

    name: str = ""
    locale: str = ""


class Standings:
    """Remembers what was said of people, the last asked for the longest."""

    def __init__(self, ask: Ask, bots: Bots, clock: Clock) -> None:
        """Take how a method is called for a workspace; it raises `SendError` with Slack's word as reason."""
        self._ask = ask
        self._bots = bots
        self._clock = clock
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._known: OrderedDict[tuple[str, str], tuple[Standing, float]] = OrderedDict()
        self._faces: dict[tuple[str, str], Face] = {}

    async def of(self, who: Sender, chief: bool) -> Standing:  # noqa: FBT001  the port's own word
        """Return the standing of who acts, `CHIEF` only when that is asked for; raises `SendError`."""
        found = await self._look_up((who.workspace, who.user))
        return found if chief else min(found, Standing.PERSON)

    def known(self, who: Sender) -> Sender:
        """Return who acts with the name and language that were told with their standing, if they were."""
        face = self._faces.get((who.workspace, who.user), Face())
        return replace(who, name=face.name or who.name, locale=face.locale or who.locale)

    async def _look_up(self, key: tuple[str, str]) -> Standing:
        known, since = self._known.get(key, (Standing.NONE, float("-inf")))
        age = self._clock.monotonic() - since
        if age < FRESH_SECONDS:
            return known
        try:
            found = await self._look(*key)
        except (EdgeError, VaultError) as away:
            if age < STALE_SECONDS:
                return known
            reason = getattr(away, "reason", type(away).__name__)
        else:
            self._known[key] = (found, self._clock.monotonic())
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                forgotten, _ = self._known.popitem(last=False)
                self._faces.pop(forgotten, None)
            return found
        raise SendError(Verdict.UNSENT, f"who somebody is can't be asked: {reason}")

    async def _look(self, workspace: str, user: str) -> Standing:
        if user == _SLACKBOT:
            return Standing.NONE
        bot = await self._bots.bot(workspace)
        try:
            async with self._turns[workspace]:
                answer = await self._ask(workspace, "users.info", {"user": user, "include_locale": True})
        except SendError as refused:
            if refused.reason in _NOT_HERE:
                return Standing.NONE
            raise
        person = answer.get("user")
        if not isinstance(person, Mapping):
            raise SendError(Verdict.UNSENT, "an answer without a user")
        self._faces[workspace, user] = face_of(person)
        return standing_of(person, workspace, bot.org if bot else "")


def face_of(person: Json) -> Face:
    """Return the name that others read in Slack, and the language somebody reads it in."""
    profile = person.get("profile")
    given = profile if isinstance(profile, Mapping) else {}
    names = (given.get("display_name"), given.get("real_name"), person.get("real_name"), person.get("name"))
    name = next((str(found) for found in names if found), "")
    return Face(name, str(person.get("locale") or ""))


def standing_of(person: Json, workspace: str, org: str) -> Standing:
    """Return what a user object says to a workspace, and to the organisation around it."""
    if any(person.get(flag) for flag in _LESS):
        return Standing.NONE
    if person.get("team_id") != workspace and not _of_org(person, workspace, org):
        return Standing.NONE
    return Standing.CHIEF if any(person.get(flag) for flag in _MORE) else Standing.PERSON


def _of_org(person: Json, workspace: str, org: str) -> bool:
    wider = person.get("enterprise_user")
    if not org or not isinstance(wider, Mapping) or wider.get("enterprise_id") != org:
        return False
    # In the same organisation, but a member of this very workspace too?
    return workspace in (wider.get("teams") or ()) or workspace == org
