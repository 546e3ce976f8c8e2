"""The fake Slack itself: who calls with which token, what goes wrong on command, and what was wrong in a call.

`calls` keeps every call that was taken, `complaints` what was wrong with any of them: a test that ends without
complaints has sent only what is documented.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.support import botapi
from tests.support.botapi.wire import Asked, Fault, Wire
from tests.support.slackapi.methods import Methods
from tests.support.slackapi.people import People
from tests.support.slackapi.rules import PARAMETERS, SCOPE_OF, Mistaken, Refused, check
from tests.support.slackapi.sockets import Sockets
from tests.support.slackapi.wire import Answer, basic_in, params_of, token_in
from tests.support.slackapi.world import APP_TOKEN, BOT, Grant, Shown, World

_HTML = "<html><body><h1>Bad Gateway</h1></body></html>"


class SlackApi(People):
    """Slack for tests."""

    def __init__(self) -> None:
        self.wire = Wire(self._answer)
        self.sockets = Sockets(self._note)
        super().__init__(World(), self.sockets)
        self.methods = Methods(self.world, lambda: f"http://127.0.0.1:{self.wire.port}")
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._faults: dict[str, deque[tuple[Fault | Answer, bool]]] = defaultdict(deque)

    @property
    def url(self) -> str:
        """What SLACK_API_URL is set to."""
        return f"http://127.0.0.1:{self.wire.port}/api/"

    async def open(self) -> None:
        await self.wire.listen()
        await self.sockets.listen()

    async def close(self) -> None:
        await self.http.aclose()
        await self.sockets.close()
        await self.wire.vanish()

    # What tests do.

    def fail(
        self,
        method: str,
        what: Fault | Answer | str | int,
        times: int = 1,
        *,
        wait: int = 0,
        taken: bool = False,
    ) -> None:
        """Let the next calls of a method go wrong: a fault, an error code, or an HTTP status.

        `wait` is told as Retry-After. With `taken` the call is done before the answer goes wrong. An upload is
        the method `upload`.
        """
        self._faults[method].extend([(_answer_of(what, wait), taken)] * times)

    def shown(self, place: str, thread: str = "") -> list[Shown]:
        """Return what the bot shows in a channel, or in its conversation with a person, oldest first."""
        ids = {place} | {c.id for c in self.world.channels.values() if c.kind == "im" and place in c.members}
        everything = self.world.messages.values()
        return [m for m in everything if m.user == BOT and m.channel in ids and m.thread == thread]

    def latest(self, place: str, thread: str = "") -> Shown:
        """Return the bot's last message in a place."""
        return self.shown(place, thread)[-1]

    def whispers(self, user: str) -> list[Shown]:
        """Return what only this person saw, oldest first."""
        return [m for m in self.world.ephemeral if m.to == user]

    def count(self, method: str) -> int:
        """Return how many calls of a method were taken."""
        return sum(1 for name, _ in self.calls if name == method)

    async def until(self, holds: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait until something holds; it is looked at after every call of the bot and every delivery."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: bool(holds()))

    # What the bot does.

    async def _answer(self, asked: Asked) -> botapi.Answer:
        path = asked.path.partition("?")[0]
        method = "upload" if path.startswith("/upload/v1/") else path.removeprefix("/api/")
        fault, taken = self._faults[method].popleft() if self._faults[method] else (None, False)
        if isinstance(fault, Answer) and not taken:
            return fault
        if fault is Fault.CLOSE_EARLY or fault is Fault.BAD_GATEWAY:
            return Answer(502, _HTML, fault if fault is Fault.CLOSE_EARLY else None)
        answer = self._uploaded(path, asked.body) if method == "upload" else self._called(method, asked)
        await self._note()
        if isinstance(fault, Answer):
            return fault
        if fault is Fault.GARBAGE:
            return Answer(200, _HTML)
        return Answer(answer.status, answer.body, fault, answer.headers)

    def _called(self, method: str, asked: Asked) -> Answer:
        params = params_of(asked)
        token = token_in(asked, params)
        if method not in PARAMETERS:
            return self._refusal(method, Mistaken("unknown_method", "no such method, or none we need"))
        try:
            result = self._run(method, token, asked, params)
        except Refused as no:
            return self._refusal(method, no)
        return Answer(200, {"ok": True, **result})

    def _run(self, method: str, token: str, asked: Asked, params: dict[str, Any]) -> dict[str, Any]:
        function = getattr(self.methods, method.replace(".", "_"), None)
        if method == "apps.connections.open":
            if token != APP_TOKEN:
                raise Refused("invalid_auth" if token else "not_authed")
            return {"url": self.sockets.ticket()}
        assert function is not None
        if method == "oauth.v2.access":
            self.calls.append((method, params))
            check(method, params)
            return dict(function(basic_in(asked), params))
        grant = self._grant(token)
        self.calls.append((method, params))
        needed = SCOPE_OF.get(method, "")
        if needed and needed not in grant.scopes:
            provided = ",".join(sorted(grant.scopes))
            raise Mistaken("missing_scope", f"{needed} is missing", needed=needed, provided=provided)
        check(method, params)
        return dict(function(grant, params))

    def _grant(self, token: str) -> Grant:
        if not token:
            raise Refused("not_authed")
        grant = self.world.tokens.get(token)
        if grant is None:
            raise Refused("invalid_auth")
        if grant.refusal:
            raise Refused(grant.refusal)
        return grant

    def _uploaded(self, path: str, body: bytes) -> Answer:
        file = self.world.files.get(path.rpartition("/")[2])
        if file is None:
            return Answer(404, "not found")
        file["bytes"] = body
        return Answer(200, f"OK - {len(body)}")

    def _refusal(self, method: str, no: Refused) -> Answer:
        wait = no.more.pop("retry", 0)
        if isinstance(no, Mistaken):
            self.complaints.append(f"{method}: {no.error}: {no.why}")
        answer = _answer_of(no.error, wait)
        return Answer(429 if wait else 200, answer.body | no.more, None, answer.headers)


def _answer_of(what: Fault | Answer | str | int, wait: int) -> Any:
    headers = {"Retry-After": str(wait)} if wait else {}
    if isinstance(what, Fault | Answer):
        return what
    if isinstance(what, str):
        return Answer(200, {"ok": False, "error": what}, None, headers)
    body = {"ok": False, "error": "ratelimited"} if what == 429 else _HTML
    return Answer(what, body, None, headers)


@asynccontextmanager
async def running() -> AsyncIterator[SlackApi]:
    """Run a Slack until the block ends."""
    api = SlackApi()
    await api.open()
    try:
        yield api
    finally:
        await api.close()
