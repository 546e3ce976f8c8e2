"""The gates in front of ccxt's class of an exchange, through which all of its requests have to pass.

A request has to be for an endpoint that the read under way may make, and what was signed has to be a call
of that endpoint; anything else raises `ForbiddenCall` before a socket opens. Time, nonces and pace are ours,
and nothing that was signed is remembered or logged.
"""

import json
from contextvars import ContextVar
from typing import Any, NoReturn

from chatbot.errors import ExchangeError, ForbiddenCall, KeyheraldError, Trouble
from chatbot.exchanges.other import errors
from chatbot.exchanges.other.reach import Endpoint, endpoint
from chatbot.exchanges.other.rows import milliseconds
from chatbot.exchanges.other.wire import Wire
from chatbot.ports.context import Clock

_permit: ContextVar[Endpoint | None] = ContextVar("other_permit", default=None)


class NoAnswer(KeyheraldError):
    """What came back is no good answer, though ccxt takes it for one."""


class Guard:
    """What is put in front of ccxt's class of an exchange; `plain` is that class, the rest is shared."""

    plain: Any
    wire: Wire
    told: Clock
    open_to: frozenset[Endpoint] = frozenset()
    spent: int = 0
    seen = errors.Seen()
    rows_seen: int = 0
    broken: ForbiddenCall | None = None
    lost: ExchangeError | None = None

    async def request(
        self, path: str, api: Any = "public", method: str = "GET", params: Any = None, config: Any = None
    ) -> Any:
        """Let a request through that the read under way may make, and no other."""
        asked = endpoint(method, api, path)
        if asked not in self.open_to:
            self.refuse(f"{method} {path}")
        permit = _permit.set(asked)
        self.seen = errors.Seen()
        try:
            return await self.plain.request(self, path, api, method, params or {}, config or {})
        except Exception as error:
            # Kept as well: some of ccxt's code takes any failure for an answer (`no unified account`).
            failed = errors.meant(str(getattr(self, "id", "")), self.seen, error)
            self.lost = self.lost or (failed if failed.retry else None)
            raise
        finally:
            _permit.reset(permit)

    async def throttle(self, cost: Any = None) -> None:
        """Wait for a share of the budget that all keys have together."""
        await self.wire.turn(cost)

    def sign(self, path: str, api: Any = "public", method: str = "GET", params: Any = None) -> Any:
        """Sign as ccxt does; what can't be signed with is a secret of another form."""
        try:
            return self.plain.sign(self, path, api, method, params or {})
        except (TypeError, ValueError):
            pass
        # Outside the except block: the cause may quote the secret.
        raise ExchangeError(Trouble.BAD_SECRET, "a secret of another form than this exchange's")

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        """Send a signed request over our own wire and judge the answer by ccxt's rules."""
        permit = _permit.get()
        if (
            permit is None
            or not (body is None or isinstance(body, str))
            or not permit.fits(method, url, body)
        ):
            self.refuse(f"{method} outside of a read")
        given: dict[str, str] = {**getattr(self, "headers", {}), **(headers or {})}
        answer = await self.wire.send(method, url, given, body)
        text = answer.body.decode("utf-8", "replace").strip()
        judge: Any = self  # as ccxt knows it
        parsed = judge.parse_json(text)
        self.rows_seen = _rows(parsed)
        self.seen = errors.look(answer.status, answer.content_type, text, parsed, answer.wait)
        reply = dict(answer.headers)
        judge.handle_errors(answer.status, "", permit.path, method, reply, text, parsed, {}, None)
        judge.handle_http_status_code(answer.status, "", permit.path, method, "")
        if parsed is None or errors.hidden(judge.id, parsed):
            raise NoAnswer("no JSON, or a code that we know for a refusal and ccxt does not")
        return parsed

    def on_json_response(self, text: str) -> Any:
        """Keep numbers as the exchange wrote them."""
        return json.loads(text, parse_float=str)

    def set_last_request(self, request: Any) -> None:
        """Remember no signed request."""

    def milliseconds(self) -> int:
        """Return the time of our clock."""
        return milliseconds(self.told.now())

    def seconds(self) -> int:
        """Return the time of our clock."""
        return self.milliseconds() // 1000

    def microseconds(self) -> int:
        """Return the time of our clock."""
        return self.milliseconds() * 1000

    def nonce(self) -> int:
        """Return ccxt's nonce, or one more than the last where a clock stood still."""
        self.spent = max(int(self.plain.nonce(self)), self.spent + 1)
        return self.spent

    def refuse(self, what: str) -> NoReturn:
        """Stop a call that no read makes."""
        # Kept as well: some of ccxt's code goes on after any error.
        self.broken = ForbiddenCall(what)
        raise self.broken


def _rows(value: Any, deep: int = 3) -> int:
    """Count the rows of an answer, however they are wrapped."""
    if not deep:
        return 0
    if isinstance(value, list):
        return len(value)
    return sum(_rows(inner, deep - 1) for inner in value.values()) if isinstance(value, dict) else 0
