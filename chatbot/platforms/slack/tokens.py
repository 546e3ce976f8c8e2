"""Whose token speaks in a workspace, and who the bot is there: one token of the settings, or many by OAuth.

Many are kept sealed by `Installs`. One that expires is renewed two hours before, by one process at a time,
and the new pair is stored before it is used: what replaced it is refused by Slack from then on.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import aiohttp
from slack_sdk.errors import SlackClientError, SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot as KeptBot
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from chatbot.errors import SendError, StorageError, VaultError, Verdict
from chatbot.platforms.slack.clients import code_of
from chatbot.ports.context import Clock, Log
from chatbot.ports.installs import Installs

Json = Mapping[str, Any]
EARLY = timedelta(hours=2)
# Renewing means: now, whatever slack_sdk thinks of the time that is left.
_ANY_MINUTES = 10**7
REMEMBERED_SECONDS = 60.0
REMEMBERED = 10_000
TURN_SECONDS = 60
OTHERS_SECONDS = 10
SAVES = (0.0, 1.0, 3.0)
RETRY_SECONDS = 60.0
_ALIVE_SECONDS = 30
_REFUSED = frozenset({
    "account_inactive", "app_not_found", "bad_client_secret", "invalid_auth", "invalid_client_id",
    "invalid_grant", "invalid_grant_type", "invalid_refresh_token", "not_authed", "org_login_required",
    "team_access_not_granted", "token_expired", "token_revoked",
})  # fmt: skip
_CUT = (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, ValueError, LookupError, TypeError)


@dataclass(frozen=True, slots=True)
class Bot:
    """Who we are in a workspace: `home` is whose installation it is, `org` the organisation around it."""

    home: str
    user: str
    id: str = ""
    app: str = ""
    org: str = ""


class Bots(Protocol):
    """Knows where we are let in."""

    async def bot(self, workspace: str, wide: str = "") -> Bot | None:
        """Return who we are there, None where we are not; raises `EdgeError` when that can't be told now."""
        ...

    async def token(self, workspace: str, wide: str = "") -> str:
        """Return a token that can be used now; raises `SendError`."""
        ...

    async def admit(self, workspace: str, wide: str) -> None:
        """Note that an organisation, which has installed us, lets us into one of its workspaces again."""
        ...

    def forget(self, workspace: str) -> None:
        """Look again before the next use."""
        ...


class OneToken:
    """The one workspace whose token stands in the settings."""

    def __init__(self, token: str) -> None:
        """Take a revealed token."""
        self._token = token
        self._bot: Bot | None = None

    @property
    def known(self) -> bool:
        """Whether Slack has told whose token it is."""
        return self._bot is not None

    def met(self, facts: Json) -> Bot:
        """Note what `auth.test` says of the token."""
        own = {name: str(facts.get(name) or "") for name in ("team_id", "user_id", "bot_id", "enterprise_id")}
        self._bot = Bot(own["team_id"], own["user_id"], own["bot_id"], org=own["enterprise_id"])
        return self._bot

    async def bot(self, workspace: str, wide: str = "") -> Bot | None:
        del wide
        if self._bot is None:
            raise SendError(Verdict.UNSENT, "not known yet whose token it is")
        return self._bot if workspace == self._bot.home else None

    async def token(self, workspace: str, wide: str = "") -> str:
        del wide
        if workspace and self._bot is None:
            raise SendError(Verdict.UNSENT, "not known yet whose token it is")
        if workspace and self._bot and workspace != self._bot.home:
            raise SendError(Verdict.UNAUTHORISED, "a workspace without a token")
        return self._token

    async def admit(self, workspace: str, wide: str) -> None:
        """Know only the one workspace."""

    def forget(self, workspace: str) -> None:
        """Remember nothing that could be out of date."""


class Tokens:
    """Tokens of many workspaces and organisations."""

    def __init__(
        self,
        installs: Installs,
        client: AsyncWebClient,
        *,
        clock: Clock,
        log: Log,
        client_id: str,
        client_secret: str,
    ) -> None:
        """Take where they are kept, and what a renewal needs."""
        self._installs = installs
        self._clock = clock
        self._log = log
        self._rotator = AsyncTokenRotator(client_id=client_id, client_secret=client_secret, client=client)
        self._seen: dict[str, tuple[Json, float]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unsaved: dict[str, Json] = {}
        self._cut_at: dict[str, float] = {}

    async def admit(self, workspace: str, wide: str) -> None:
        if workspace != wide:
            await self._installs.keep(workspace, wide, {"of": wide})

    def forget(self, workspace: str) -> None:
        self._seen.pop(workspace, None)

    async def bot(self, workspace: str, wide: str = "") -> Bot | None:
        kept = await self._kept(workspace, wide)
        if kept is None:
            return None
        names = ("home", "bot_user_id", "bot_id", "app_id", "enterprise_id")
        return Bot(*(str(kept.get(name) or "") for name in names))

    async def token(self, workspace: str, wide: str = "") -> str:
        try:
            kept = await self._kept(workspace, wide)
            if kept is not None and self._left(kept) <= EARLY.total_seconds():
                kept = await self._renewed(str(kept["home"]))
        except StorageError as away:
            raise SendError(Verdict.UNSENT, away.reason) from None
        except VaultError:
            raise SendError(Verdict.UNAUTHORISED, "its token can't be unsealed") from None
        if kept is None:
            raise SendError(Verdict.UNAUTHORISED, "not installed there any more")
        return str(kept["bot_token"])

    async def _kept(self, workspace: str, wide: str) -> Json | None:
        known, until = self._seen.get(workspace, (None, 0.0))
        if known is not None and self._clock.monotonic() < until:
            return known
        found = await self._find(workspace, wide)
        if found is None:
            self.forget(workspace)
            return None
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen[workspace] = (found, self._clock.monotonic() + REMEMBERED_SECONDS)
        return found

    async def _find(self, workspace: str, wide: str) -> Json | None:
        found = await self._installs.find(workspace)
        if found is not None and "of" in found:
            # Installed for the whole organisation: what is kept here only says for which.
            return await self._installs.find(str(found["of"]))
        if found is None and wide and not await self._installs.ended(workspace):
            found = await self._installs.find(wide)
            if found is not None:
                await self.admit(workspace, wide)
        return found

    def _left(self, kept: Json) -> float:
        until = kept.get("bot_token_expires_at")
        return float("inf") if until is None else float(until) - self._clock.now().timestamp()

    async def _renewed(self, home: str) -> Json | None:
        async with self._locks[home]:
            kept = self._unsaved.get(home) or await self._installs.find(home)
            if kept is None:
                return None
            left = self._left(kept)
            lately = self._clock.monotonic() - self._cut_at.get(home, float("-inf")) < RETRY_SECONDS
            if home in self._unsaved:
                kept = await self._save(home, kept)
            elif left <= EARLY.total_seconds() and not (lately and left > _ALIVE_SECONDS):
                kept = await self._renew(home, kept)
            self._seen = {place: row for place, row in self._seen.items() if row[0].get("home") != home}
            return kept

    async def _renew(self, home: str, kept: Json) -> Json:
        if not await self._installs.turn(f"rotate:{home}", TURN_SECONDS):
            return await self._by_another(home, kept)
        again = await self._installs.find(home)
        if again is None or self._left(again) > EARLY.total_seconds():
            # Another process did it between our look and our turn.
            return again or kept
        fresh = await self._ask(again)
        if fresh is None:
            self._cut_at[home] = self._clock.monotonic()
            return self._while_it_lives(again, "its token could not be renewed now")
        self._log.info("slack_token_renewed", workspace=home)
        return await self._save(home, fresh)

    async def _ask(self, kept: Json) -> Json | None:
        code = ""
        try:
            fresh = await self._rotator.perform_bot_token_rotation(
                bot=_bot(kept), minutes_before_expiration=_ANY_MINUTES
            )
        except SlackTokenRotationError as error:
            fresh, code = None, code_of(error.api_error)
        except _CUT as error:
            fresh, code = None, type(error).__name__
        if fresh is not None and fresh.bot_token and fresh.bot_refresh_token:
            return {
                **kept,
                "bot_token": fresh.bot_token,
                "bot_refresh_token": fresh.bot_refresh_token,
                "bot_token_expires_at": by_our_clock(fresh.bot_token_expires_at, self._clock),
            }
        self._log.warning("slack_token_not_renewed", workspace=kept["home"], reason=code or "an odd answer")
        if code in _REFUSED:
            raise SendError(Verdict.UNAUTHORISED, f"its token can't be renewed: {code}")
        return None

    async def _save(self, home: str, fresh: Json) -> Json:
        self._unsaved[home] = fresh
        for pause in SAVES:
            await self._clock.sleep(pause)
            try:
                live = await self._installs.renew(home, fresh)
            except StorageError as away:
                self._log.error("slack_token_not_stored", workspace=home, reason=away.reason)
                continue
            del self._unsaved[home]
            if not live:
                # It was removed meanwhile: nothing is kept of it.
                raise SendError(Verdict.UNAUTHORISED, "not installed there any more")
            return fresh
        raise SendError(Verdict.UNSENT, "a renewed token could not be stored")

    async def _by_another(self, home: str, kept: Json) -> Json:
        for _ in range(OTHERS_SECONDS):
            if self._left(kept) > _ALIVE_SECONDS:
                break
            await self._clock.sleep(1)
            kept = await self._installs.find(home) or kept
        return self._while_it_lives(kept, "its token is being renewed elsewhere")

    def _while_it_lives(self, kept: Json, otherwise: str) -> Json:
        if self._left(kept) <= _ALIVE_SECONDS:
            raise SendError(Verdict.UNSENT, otherwise)
        return kept


def by_our_clock(until: int | None, clock: Clock) -> int | None:
    """Return when a token ends that slack_sdk has just reckoned by the machine's clock."""
    return None if until is None else round(clock.now().timestamp() + until - time.time())


def _bot(kept: Json) -> KeptBot:
    return KeptBot(
        team_id=str(kept.get("team_id") or ""),
        bot_token=str(kept["bot_token"]),
        bot_id=str(kept.get("bot_id") or ""),
        bot_user_id=str(kept.get("bot_user_id") or ""),
        bot_refresh_token=str(kept.get("bot_refresh_token") or ""),
        bot_token_expires_at=int(kept["bot_token_expires_at"]),
        installed_at=0.0,
    )
