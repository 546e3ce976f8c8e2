"""Every row of what an error proves, for each class of message: alert, card, report and reply.

The real outbox, job and Telegram client against a Bot API whose wire breaks as the row says.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import Mock

import aiohttp
import pytest
from telegram.error import NetworkError, TimedOut

from chatbot.domain.messages import Post, message
from chatbot.domain.outbox import OutboxState, Promise, ref_for
from chatbot.domain.people import ConversationId, Place, TeamId
from chatbot.errors import Verdict
from chatbot.platforms.telegram import Telegram, sending
from chatbot.platforms.telegram.transport import Api
from tests.support import botapi
from tests.support.bot import Bot, open_bot
from tests.support.botapi import Answer, BotApi, Fault, Shown
from tests.support.rows import rows
from tests.support.telegrams import ANA, PUBLIC_URL

HTML = "<html><body>odd</body></html>"


@dataclass(slots=True)
class Line:
    """A bot whose messages to one person go over a wire that can be broken."""

    bot: Bot
    api: BotApi
    telegram: Telegram
    conversation: ConversationId
    patch: pytest.MonkeyPatch

    async def post(self, promise: Promise, text: str, *, card: str = "", key: str = "k") -> None:
        async with self.bot.ctx.uow() as store:
            put = store.outbox.put
            post = Post(message(text), card=card)
            await put(self.conversation, post, promise, self.bot.clock.now(), key=key)

    async def pass_time(self) -> None:
        for _ in range(8):
            await self.bot.turn(seconds=70, jobs=("deliver_messages",))

    def shown(self) -> list[Shown]:
        return self.api.shown(ANA)

    def taken(self) -> int:
        return sum(method in {"sendMessage", "editMessageText"} for method, _ in self.api.calls)

    def raise_once(self, error: Exception, cause: Exception) -> None:
        """Let the library fail in its own way before anything leaves."""
        call = Api.call
        failed: list[str] = []

        async def once(api, method, *args, **kwargs):
            if method in {"sendMessage", "editMessageText"} and not failed:
                failed.append(method)
                raise error from cause
            return await call(api, method, *args, **kwargs)

        self.patch.setattr(Api, "call", once)


@pytest.fixture
async def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    async with botapi.running() as api, open_bot(tmp_path, {}) as bot:
        api.world.chat(ANA)
        telegram = Telegram(
            token=api.token, public_url=PUBLIC_URL, clock=bot.clock, log=bot.log, api_url=api.url
        )
        post = vars(bot.ctx.postbox)
        post["_platforms"]["telegram"] = telegram
        post["_started"].add("telegram")
        monkeypatch.setattr(sending, "LONGEST_SECONDS", 0.5)
        async with bot.ctx.uow() as store:
            where = await store.conversations.enter(Place("telegram", str(ANA)), TeamId("home"), None)
        yield Line(bot, api, telegram, where.id, monkeypatch)
        await telegram.stop()
        assert api.complaints == []


Break = Callable[[Line], Awaitable[None] | None]


def fault(what: Fault | Answer) -> Break:
    def set_up(line: Line) -> None:
        for method in ("sendMessage", "editMessageText"):
            line.api.fail(method, what)

    return set_up


def unconnected(words: str) -> Exception:
    return aiohttp.ClientConnectorError(Mock(), OSError(words))


def library(kind: type[Exception], cause: Callable[[str], Exception]) -> Break:
    return lambda line: line.raise_once(kind("x"), cause("x"))


async def refused(line: Line) -> None:
    """Nobody listens until the first try has failed."""
    await line.api.wire.vanish()
    deliver = line.telegram.deliver

    async def once(delivery):
        try:
            return await deliver(delivery)
        finally:
            if line.api.wire._server is None:
                await line.api.wire.listen()

    line.patch.setattr(line.telegram, "deliver", once)


# What happens on the wire: how it is made to happen, what it proves, and whether the server took it.
WIRE: dict[str, tuple[Break, Verdict, bool]] = {
    "connection refused": (refused, Verdict.UNSENT, False),
    "DNS, TLS": (library(NetworkError, unconnected), Verdict.UNSENT, False),
    "connect timeout": (library(TimedOut, aiohttp.ConnectionTimeoutError), Verdict.UNSENT, False),
    "pool timeout": (library(TimedOut, aiohttp.ConnectionTimeoutError), Verdict.UNSENT, False),
    "closed before reading": (fault(Fault.CLOSE_EARLY), Verdict.UNKNOWN, False),
    "taken, then reset": (fault(Fault.RESET), Verdict.UNKNOWN, True),
    "taken, closed without answer": (fault(Fault.CLOSE), Verdict.UNKNOWN, True),
    "taken, no answer in time": (fault(Fault.HANG), Verdict.UNKNOWN, True),
    "taken, answer cut short": (fault(Fault.CUT), Verdict.UNKNOWN, True),
    "502 HTML": (fault(Fault.BAD_GATEWAY), Verdict.UNKNOWN, False),
    "504 HTML": (fault(Answer(504, HTML)), Verdict.UNKNOWN, False),
    "200 with HTML": (fault(Fault.GARBAGE), Verdict.UNKNOWN, True),
    "200 with odd JSON": (fault(Answer(200, {"ok": True})), Verdict.UNKNOWN, False),
    "429": (
        fault(
            Answer(429, {"ok": False, "description": "Too Many Requests", "parameters": {"retry_after": 9}})
        ),
        Verdict.LIMITED,
        False,
    ),
    "409": (fault(Answer(409, {"ok": False, "description": "Conflict: other"})), Verdict.UNSENT, False),
    "404": (fault(Answer(404, {"ok": False, "description": "Not Found"})), Verdict.UNAUTHORISED, False),
}
UNSURE = {name for name, (_, verdict, _) in WIRE.items() if verdict is Verdict.UNKNOWN}


async def broken(line: Line, name: str) -> None:
    done = WIRE[name][0](line)
    if done is not None:
        await done


@pytest.mark.parametrize("name", WIRE)
async def test_an_alert_is_never_lost_and_its_repeat_is_marked(line: Line, name: str) -> None:
    """Surely unsent: once, unmarked. Unknown: again with a mark, and the reference of the first."""
    await broken(line, name)
    await line.post(Promise.ALERT, "Bought 1 BTC")
    await line.pass_time()

    taken, ref = WIRE[name][2], ref_for("k")
    marks = [shown.text.startswith("↻ may be a repeat") for shown in line.shown()]
    assert marks == [False] * (taken and name in UNSURE) + [name in UNSURE]
    assert all(f"ref {ref}" in shown.text for shown in line.shown())
    counts = await _counts(line)
    assert (counts["marked"], counts["unmarked"], counts["lost"]) == (int(name in UNSURE), 0, 0)


@pytest.mark.parametrize("name", WIRE)
async def test_a_card_converges_by_editing(line: Line, name: str) -> None:
    """Whatever became of an edit, the one message shows the latest state in the end, and no mark."""
    await line.post(Promise.CARD, "half filled", card="order")
    await line.pass_time()
    await broken(line, name)
    await line.post(Promise.CARD, "filled", card="order", key="k2")
    await line.pass_time()

    (shown,) = line.shown()
    assert shown.text == "filled"
    assert (await _counts(line))["unmarked"] == 0


@pytest.mark.parametrize("name", WIRE)
@pytest.mark.parametrize("promise", [Promise.REPORT, Promise.REPLY])
async def test_a_report_and_a_reply_come_at_most_once(line: Line, name: str, promise: Promise) -> None:
    """Surely unsent: sent. Unknown: let go, and counted as unknown."""
    await broken(line, name)
    await line.post(promise, "Total $1")
    await line.pass_time()

    assert len(line.shown()) == (WIRE[name][2] if name in UNSURE else 1)
    assert not any("repeat" in shown.text for shown in line.shown())
    counts = await _counts(line)
    assert (counts["unknown"], counts["marked"], counts["lost"]) == (int(name in UNSURE), 0, 0)


async def test_a_first_card_whose_outcome_is_unknown_is_marked_and_stays_so(line: Line) -> None:
    """The second copy says that it may be one, also after it was edited."""
    line.api.fail("sendMessage", Fault.CLOSE)
    await line.post(Promise.CARD, "half filled", card="order")
    await line.pass_time()
    await line.post(Promise.CARD, "filled", card="order", key="k2")
    await line.pass_time()

    first, second = line.shown()
    assert first.text == "half filled"
    assert second.text == f"↻ may be a repeat · ref {ref_for('k')}\nfilled"


async def test_a_connection_closed_while_idle_is_one_message(line: Line) -> None:
    """The client notices and uses a new one: sent once, unmarked."""
    line.api.fail("sendMessage", Fault.CLOSE_IDLE)
    for key in ("one", "two"):
        await line.post(Promise.ALERT, key, key=key)
        await line.pass_time()

    assert [shown.text.split("\n")[0] for shown in line.shown()] == ["one", "two"]
    assert (await _counts(line))["marked"] == 0


@pytest.mark.parametrize(
    ("code", "text", "state"),
    [
        (400, "Bad Request: message is too strange", OutboxState.PARKED),
        (400, "Bad Request: chat not found", OutboxState.GONE),
        (403, "Forbidden: bot was blocked by the user", OutboxState.GONE),
    ],
)
async def test_a_refusal_is_typed_and_not_tried_again(
    line: Line, code: int, text: str, state: OutboxState
) -> None:
    """400 and 403 say why: the message ends as given up or gone, never as unknown."""
    line.api.refuse("sendMessage", code, text)
    await line.post(Promise.ALERT, "Bought 1 BTC")
    await line.pass_time()

    (row,) = await rows(line.bot, "outbox")
    assert row["state"] == state
    assert not any("Bought" in shown.text for shown in line.shown())
    assert (await _counts(line))["lost"] == (state is OutboxState.PARKED)


async def test_unknown_again_and_again_repeats_once_for_each(line: Line) -> None:
    """At most one repeat for each unknown outcome, all but the first with the mark and one reference."""
    line.api.fail("sendMessage", Fault.CLOSE, 3)
    await line.post(Promise.ALERT, "Bought 1 BTC")
    await line.pass_time()

    marks = [shown.text.startswith("↻ may be a repeat") for shown in line.shown()]
    assert marks == [False, True, True, True]
    assert (await _counts(line))["unmarked"] == 0


async def _counts(line: Line):
    async with line.bot.ctx.uow() as store:
        return await store.outbox.counts()
