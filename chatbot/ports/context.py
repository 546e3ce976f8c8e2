"""What a handler is given. It reaches nothing else: no storage, no SDK, no settings, no clock of its own."""

import asyncio
import difflib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from chatbot.domain.conversations import Guide
from chatbot.domain.credentials import Account
from chatbot.domain.outbox import Delivery
from chatbot.domain.pacing import Pace, Pacer
from chatbot.domain.people import Conversation, Identity, Person, Place, Role, Roster, Standing
from chatbot.domain.permissions import Policy
from chatbot.domain.updates import Pressed, Sender
from chatbot.errors import Unknown, mark
from chatbot.ports.charts import Charts
from chatbot.ports.exchanges import Exchange, Exchanges
from chatbot.ports.platforms import CommandInfo
from chatbot.ports.stores import UnitOfWork
from chatbot.ports.vault import Vault
from chatbot.text import Translator


class Clock(Protocol):
    """Tells the time; the tests turn it by hand."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never step back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Log(Protocol):
    """Structured log: every line names an action and ids, never a payload."""

    def info(self, action: str, **ids: object) -> None:
        """Note something ordinary."""
        ...

    def warning(self, action: str, **ids: object) -> None:
        """Note something an operator may want to look at."""
        ...

    def error(self, action: str, **ids: object) -> None:
        """Note a failure; inside an except block the traceback goes along."""
        ...


class Metrics(Protocol):
    """Counts what happens; labels come from fixed vocabularies, never from a person or a key."""

    def polled(self, exchange: str, outcome: str) -> None:
        """Count a poll: `ok`, or the name of the trouble."""
        ...

    def told(self, exchange: str, fills: int) -> None:
        """Count fills that are told to somebody."""
        ...

    def sent(self, platform: str, verdict: str) -> None:
        """Count a try to send: `sent`, or the name of the verdict."""
        ...

    def link(self, outcome: str) -> None:
        """Count what became of a link: `minted`, `opened`, `refused`, `used`, `expired`."""
        ...

    def update(self, platform: str) -> None:
        """Count an update that came in."""
        ...

    def outbox(self, states: Mapping[str, int]) -> None:
        """Set how many messages are in each state."""
        ...


class Queue(Protocol):
    """The engine as seen from inside: it only wakes us, the rows are the truth."""

    @property
    def stopping(self) -> bool:
        """Whether running work shall end: what it has claimed is finished, nothing more is claimed."""
        ...

    def every(self, kind: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Run the work of a kind on an interval, never twice at once."""
        ...

    def nudge(self, kind: str) -> None:
        """Wake the work of a kind soon; may be lost."""
        ...

    async def run_until(self, stop: Callable[[], Awaitable[None]]) -> None:
        """Run until `stop` returns, then let running work end."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """The settings that handlers act on. `poll_seconds` and `link_minutes` in those units.

    `page_hash` is the hash of the link page's one script, as its policy carries it. Fills worth less than
    `fills_floor`, in the reader's currency, are not told by themselves.
    """

    public_url: str
    policy: Policy
    egress: tuple[str, ...]
    poll_seconds: int
    link_minutes: int
    dust_below: Decimal
    locale: str
    timezone: str
    currency: str
    key_max_age_days: int
    version: str
    page_hash: str = ""
    fills_floor: Decimal = Decimal(0)


class Postbox(Protocol):
    """The platforms as the delivery job sees them."""

    def open(self) -> Sequence[str]:
        """Return the names of the platforms this process may send on now."""
        ...

    def pace(self, platform: str) -> Pace | None:
        """Return the pace of a platform, None when it is not configured."""
        ...

    async def deliver(self, delivery: Delivery) -> str:
        """Hand a delivery to its platform; raises `SendError`."""
        ...

    async def answer(self, platform: str, pressed: Pressed, toast: str) -> None:
        """Answer a press."""
        ...

    async def standing(self, platform: str, who: Sender, *, chief: bool) -> Standing:
        """Return what the platform says of who acts; raises `SendError` when it can't say now."""
        ...

    def private_place(self, who: Identity) -> Place | None:
        """Return where somebody can be written to unasked, None for nowhere."""
        ...

    def private_url(self, place: Place, payload: str) -> str:
        """Return the address that opens the private chat on the platform of a place."""
        ...

    def by_hand(self, platform: str) -> str:
        """Return how people delete a message of theirs, as a msgid; empty where a reply's `erase` does it."""
        ...


@dataclass(slots=True)
class Turn:
    """Whose turn it is to ask for what many want at once, and when that failed last."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    failed_at: datetime | None = None


@dataclass(frozen=True)
class Context:
    """What jobs and events work with. `uow` opens a transaction that commits on a clean end."""

    clock: Clock
    log: Log
    uow: Callable[[], AbstractAsyncContextManager[UnitOfWork]]
    vault: Vault
    exchanges: Exchanges
    guides: Callable[[str, str], Guide]
    options: Options
    roster: Roster
    queue: Queue
    postbox: Postbox
    pacer: Pacer
    metrics: Metrics
    commands: Sequence[CommandInfo]
    charts: Charts = field(kw_only=True)
    turns: Mapping[str, Turn] = field(default_factory=lambda: defaultdict(Turn), kw_only=True)

    def exchange(self, name: str) -> Exchange:
        """Return an exchange by its name; raises `Unknown` with the choices as buttons."""
        found = self.exchanges.get(name.strip().lower())
        if found is None:
            raise self._no_exchange(name.strip().lower()[:32])
        return found

    def exchange_of(self, account: Account) -> Exchange:
        """Return the exchange of a stored account, as far as it is still known."""
        return self.exchanges.of_account(account.exchange)

    def _no_exchange(self, name: str) -> Unknown:
        own = tuple((exchange.title, f"connect {exchange.name}") for exchange in self.exchanges.values())
        others = self.exchanges.others
        if not others:
            return Unknown(
                mark(
                    "I don't know the exchange “{name}”. With the extra {extra} installed I could read about "
                    "a hundred more: ask who runs me. These I can read now:"
                ),
                choices=own, name=name, extra="keyherald[ccxt]",
            )  # fmt: skip
        near = difflib.get_close_matches(name, {*self.exchanges, *others}, n=5)
        if not near:
            return Unknown(
                mark("I don't know the exchange “{name}”. These I can read:"), choices=own, name=name
            )
        titles = {**{one: one for one in near}, **{e.name: e.title for e in self.exchanges.values()}}
        choices = tuple((titles[one], f"connect {one}") for one in near)
        return Unknown(
            mark("I don't know the exchange “{name}”. The nearest I know:"), choices=choices, name=name
        )

    def translator(self, person: Person) -> Translator:
        """Return who speaks the person's language in the person's zone."""
        return Translator(person.locale, ZoneInfo(person.timezone))


@dataclass(frozen=True)
class ChatContext(Context):
    """What a command or a press works with; `store` is the open transaction of this very update.

    The dispatcher commits the handler's changes, its reply and the update's *done* together,
    so a chat handler does no network call: what needs the exchange is left to a job.
    """

    store: UnitOfWork
    person: Person
    role: Role
    conversation: Conversation
    t: Translator
    standing: Standing = field(default=Standing.PERSON, kw_only=True)
