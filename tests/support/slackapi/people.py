"""People act: what they type and press goes to the app, signed over HTTP or down a socket, as Slack does it."""

import asyncio
import html
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

from tests.support.slackapi import payloads
from tests.support.slackapi.sockets import Sockets
from tests.support.slackapi.world import BOT, Channel, Shown, Team, World

SIGNING_SECRET = "fakesigningsecretfakesigningsecr"
PATIENCE = 3.0
_SOCKET_KINDS = {"event": "events_api", "slash": "slash_commands", "press": "interactive"}


@dataclass(slots=True)
class Sent:
    """Something Slack sent the app: its kind (event, slash, press), payload, and how it was answered each time."""

    kind: str
    payload: dict[str, Any]
    shown: Shown | None = None
    url: str = ""
    statuses: list[int] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """How it was answered last; 0 for not at all."""
        return self.statuses[-1]


class People:
    """Everybody at Slack but the app."""

    def __init__(self, world: World, sockets: Sockets) -> None:
        self.world = world
        self.complaints: list[str] = sockets.complaints
        self.target = ""
        self.signing_secret = SIGNING_SECRET
        self.http = httpx.AsyncClient(trust_env=False, timeout=10)
        self.commands = {
            f"/{n}" for n in ("keyherald", "connect", "balances", "fills", "keys", "revoke", "here")
        }
        self._sockets = sockets
        self._changed = asyncio.Condition()

    async def say(
        self, user: str, text: str, /, channel: str = "", thread: str = "", *, where: str = "", **fields: Any
    ) -> Sent:
        """Write something, in private or in a channel; `fields` change the event.

        In a channel the app only hears of it when it is there and mentioned. `where` is the workspace of somebody
        who is in several.
        """
        place = self._place(user, channel, where)
        ts, escaped = (
            self.world.next_ts(),
            html.escape(text, quote=False).replace(f"&lt;@{BOT}&gt;", f"<@{BOT}>"),
        )
        shown = Shown(place.team, place.id, ts, escaped, thread=thread, user=user)
        self.world.messages[shown.id] = shown
        if place.kind == "im" and place.bot:
            return await self.event(place.team, payloads.said(shown, "message", "im") | fields, shown)
        assert place.bot, f"nobody hears this: the bot is not in {place.id}"
        assert f"<@{BOT}>" in text, "nobody hears this: the bot is not mentioned"
        return await self.event(place.team, payloads.said(shown, "app_mention", "") | fields, shown)

    async def mention(self, user: str, text: str, /, channel: str, thread: str = "", **fields: Any) -> Sent:
        """Write to the bot in a channel."""
        return await self.say(user, f"<@{BOT}> {text}".rstrip(), channel, thread, **fields)

    async def slash(
        self, user: str, command: str, text: str = "", channel: str = "", team: str = "", **fields: Any
    ) -> Sent:
        """Type a slash command; Slack takes it anywhere, wherever the bot is, but not in threads."""
        assert command in self.commands, f"{command} is not in the manifest"
        place, number = self._place(user, channel, team), self.world.number()
        hook = f"https://hooks.slack.com/commands/{place.team}/{number}/fake"
        told = payloads.slash(
            self.world.teams[place.team], place, user, command, text, hook, self._trigger(number)
        )
        return await self.send(Sent("slash", told | fields))

    async def press(self, shown: Shown, text: str, user: str = "", **fields: Any) -> Sent:
        """Press a button; a URL button opens its address and is told to the app as well."""
        return await self.press_element(shown, shown.button(text), user, **fields)

    async def press_element(
        self, shown: Shown, element: dict[str, Any], user: str = "", **fields: Any
    ) -> Sent:
        """Press a button of this make, however forged."""
        who = self.world.person(user or self._reader(shown), shown.team)
        number = self.world.number()
        hook = f"https://hooks.slack.com/actions/{shown.team}/{number}/fake"
        told = payloads.pressed(
            self.world.teams[shown.team], shown, who, element, hook, self._trigger(number)
        )
        return await self.send(Sent("press", told | fields, shown, element.get("url", "")))

    async def open_home(self, user: str, team: str = "", tab: str = "home") -> Sent:
        """Open the app's home page or its messages."""
        place = self._place(user, "", team)
        told = {"type": "app_home_opened", "user": user, "channel": place.id, "tab": tab}
        return await self.event(place.team, told | {"event_ts": self.world.next_ts()})

    async def uninstall(self, team: str) -> list[Sent]:
        """Take the app out of a workspace: its tokens die, and the app hears of both."""
        sent = await self.revoke(team, "account_inactive")
        return [*sent, await self.event(team, {"type": "app_uninstalled", "event_ts": self.world.next_ts()})]

    async def revoke(self, team: str, error: str = "token_revoked", *, told: bool = True) -> list[Sent]:
        """Revoke a workspace's tokens, and tell the app unless the event is lost."""
        for grant in self._grants(team):
            grant.refusal = error
        event = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT]}}
        return [await self.event(team, event | {"event_ts": self.world.next_ts()})] if told else []

    def expire(self, team: str) -> None:
        """Let a workspace's tokens grow too old, as they do where they rotate."""
        for grant in self._grants(team):
            grant.refusal = grant.refusal or "token_expired"

    async def event(self, team: str, event: dict[str, Any], shown: Shown | None = None) -> Sent:
        """Let an event of any kind happen, however odd."""
        grant = next(self._grants(team), None)
        told = payloads.envelope(self._team(team), grant, event, self.world.number())
        return await self.send(Sent("event", told, shown))

    async def verify_url(self, challenge: str = "challenge") -> httpx.Response:
        """Ask as Slack does when the address is set."""
        told = {"token": payloads.VERIFICATION, "challenge": challenge, "type": "url_verification"}
        body = json.dumps(told).encode()
        return await self.post(body, "application/json")

    async def ssl_check(self) -> httpx.Response:
        """Ask as Slack does now and then to see the certificate."""
        body = urlencode({"ssl_check": "1", "token": payloads.VERIFICATION}).encode()
        return await self.post(body, "application/x-www-form-urlencoded")

    # How it gets there.

    async def redeliver(self, sent: Sent, number: int = 1, reason: str = "http_timeout") -> Sent:
        """Send the same once more, as Slack does when it saw no answer in time."""
        return await self.send(sent, {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason})

    async def send(self, sent: Sent, headers: dict[str, str] | None = None) -> Sent:
        """Send something and wait for the answer."""
        started = time.monotonic()
        if self.target:
            answer = await self._by_http(sent, headers or {})
            sent.statuses.append(answer.status_code)
            sent.bodies.append(answer.text)
            if answer.is_success and answer.text:
                self.complaints.append(f"{sent.kind}: answered with {answer.text[:200]!r} instead of nothing")
        else:
            await self._by_socket(sent, headers or {})
        if time.monotonic() - started > PATIENCE:
            self.complaints.append(f"{sent.kind}: not acknowledged within {PATIENCE} s")
        await self._note()
        return sent

    async def post(
        self,
        body: bytes,
        kind: str,
        headers: dict[str, str] | None = None,
        *,
        at: float = 0,
        secret: str = "",
    ) -> httpx.Response:
        """Send a body signed at a time with a secret; both Slack's own unless told otherwise."""
        stamp = str(int(at or time.time()))
        signer = SignatureVerifier(secret or self.signing_secret)
        signature = signer.generate_signature(timestamp=stamp, body=body) or ""
        signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature, "Content-Type": kind}
        agent = {"User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        return await self.http.post(self.target, content=body, headers=signed | agent | (headers or {}))

    def body_of(self, sent: Sent) -> tuple[bytes, str]:
        """Return the body and content type in which something goes over HTTP."""
        if sent.kind == "event":
            return json.dumps(sent.payload).encode(), "application/json"
        form = {"payload": json.dumps(sent.payload)} if sent.kind == "press" else sent.payload
        return urlencode(form).encode(), "application/x-www-form-urlencoded"

    async def _by_http(self, sent: Sent, headers: dict[str, str]) -> httpx.Response:
        return await self.post(*self.body_of(sent), headers)

    async def _by_socket(self, sent: Sent, headers: dict[str, str]) -> None:
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: self._sockets.open)
        again = {
            "retry_attempt": int(headers.get("X-Slack-Retry-Num", 0)),
            "retry_reason": headers.get("X-Slack-Retry-Reason", "").removeprefix("http_"),
        }
        more = again if sent.kind == "event" else {}
        envelope = await self._sockets.send(_SOCKET_KINDS[sent.kind], sent.payload, **more)
        try:
            async with asyncio.timeout(PATIENCE), self._changed:
                await self._changed.wait_for(lambda: envelope in self._sockets.answers)
        except TimeoutError:
            sent.statuses.append(0)
            return
        sent.statuses.append(200)
        if self._sockets.answers[envelope]:
            self.complaints.append(f"{sent.kind}: answered with {self._sockets.answers[envelope]}")

    async def _note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _place(self, user: str, channel: str, team: str) -> Channel:
        if channel:
            place = self.world.channels[channel]
            self.world.person(user, place.team)
            place.members.add(user)
            return place
        known = next((t for t, u in self.world.users if u == user), "")
        return self.world.im(user, team or known or next(iter(self.world.teams)))

    def _team(self, team: str) -> Team:
        return self.world.team(team)

    def _grants(self, team: str) -> Iterator[Any]:
        return (grant for grant in self.world.tokens.values() if team in grant.teams)

    def _reader(self, shown: Shown) -> str:
        if shown.to or shown.home:
            return shown.to or shown.channel
        return next(iter(self.world.channels[shown.channel].members))

    def _trigger(self, number: int) -> str:
        return f"{1000 + number}.{number}.fake{number:028d}"
