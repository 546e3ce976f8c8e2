"""Posts the requests of one delivery, each once, and says what became of them.

`Slack.deliver` calls it. What failed before anything was shown goes back to the outbox with its verdict;
once a part may be on the screen, nothing short of "unknown" lets the whole be sent again unmarked, so a later
part that is limited or surely unsent waits here, inside the delivery's lease. Threads of a channel are
conversations of their own but share its one message a second, so each channel's turn is kept here.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from chatbot.domain.outbox import Delivery
from chatbot.errors import SendError, Verdict
from chatbot.platforms.slack.transport import Api
from chatbot.platforms.slack.writing import DELETE, POST, PUBLISH, SHARE, UPDATE, WHISPER, Call, Upload
from chatbot.ports.context import Clock, Log

LONGEST_SECONDS = 60.0
PATIENCE = 3.5
PICTURE_TRIES = 4
MOST_CHANNELS = 10_000
_WAITS = frozenset({Verdict.UNSENT, Verdict.LIMITED})
_ENDS = frozenset({Verdict.GONE, Verdict.REFUSED})
_SHOWS = frozenset({POST, WHISPER, SHARE})
_CHANGES = frozenset({UPDATE, DELETE})


class Courier:
    """Carries the parts of a message to Slack in order."""

    def __init__(self, api: Api, clock: Clock, log: Log, gap: float) -> None:
        """Take the seconds to leave between two messages in a channel."""
        self._api = api
        self._clock = clock
        self._log = log
        self._turns = Turns(clock, gap)
        self._chats: dict[tuple[str, str], str] = {}

    async def carry(self, delivery: Delivery, calls: Sequence[Call]) -> str:
        """Make the calls and return the id of the last message.

        Raises:
            SendError: an unknown outcome is raised last, so that no tail is lost behind it.
        """
        result = await self._first(delivery, calls[0])
        doubt = result if isinstance(result, SendError) else None
        for call in calls[1:]:
            result = await self._later(delivery, call)
            doubt = result if isinstance(result, SendError) else doubt
        if doubt is not None:
            raise doubt
        return str(result)

    async def chat_with(self, workspace: str, user: str) -> str:
        """Return the channel of somebody's private chat, opened when nobody did; raises `SendError`."""
        known = self._chats.get((workspace, user))
        if known:
            return known
        try:
            answer = await self._api.call(workspace, "conversations.open", {"users": user})
        except SendError as error:
            failure = _nothing_shown(error)
        else:
            channel = answer.get("channel")
            if isinstance(channel, dict) and isinstance(channel.get("id"), str):
                self._chats[workspace, user] = channel["id"]
                return str(channel["id"])
            failure = SendError(Verdict.UNSENT, "a private chat without an id")
        raise failure

    async def _first(self, delivery: Delivery, call: Call) -> str | SendError:
        result = await self._made(delivery, call)
        if isinstance(result, SendError) and result.verdict is not Verdict.UNKNOWN:
            raise result
        return result

    async def _later(self, delivery: Delivery, call: Call) -> str | SendError:
        while True:
            result = await self._made(delivery, call)
            if not isinstance(result, SendError) or result.verdict is Verdict.UNKNOWN:
                return result
            if result.verdict in _ENDS:
                raise result
            wait = max(result.wait, 1.0)
            if result.verdict not in _WAITS or wait >= self._left(delivery):
                return SendError(Verdict.UNKNOWN, f"a later part was not sent: {result.reason}")
            await self._clock.sleep(wait)

    async def _made(self, delivery: Delivery, call: Call) -> str | SendError:
        """Make a call, or what stands in for it once Slack has refused it for good."""
        result = await self._posted(delivery, call)
        if not isinstance(result, SendError):
            return result
        if call.instead is not None and (result.verdict in _ENDS or call.upload is not None):
            # An upload that never gets through must not hold up for ever what waits behind it.
            hopeless = result.verdict is Verdict.UNSENT and delivery.attempts > PICTURE_TRIES
            if result.verdict in {Verdict.UNKNOWN, *_WAITS} and not hopeless:
                return result
            self._log.info("slack_said_otherwise", delivery=delivery.id, reason=result.reason)
            return await self._made(delivery, call.instead)
        if result.verdict is Verdict.REFUSED and "blocks" in call.params:
            return await self._without_blocks(delivery, call, result)
        if result.verdict is Verdict.GONE and call.method in _CHANGES:
            # Only that message, or its channel's old id, is gone; the next post tells of the place itself.
            return SendError(Verdict.EDIT_GONE, result.reason)
        if result.verdict is Verdict.GONE and call.alone:
            # It is the person who can't be reached; the channel they asked in is still there.
            return SendError(Verdict.REFUSED, result.reason)
        return result

    async def _without_blocks(self, delivery: Delivery, call: Call, refused: SendError) -> str | SendError:
        self._log.error("slack_blocks_refused", delivery=delivery.id, reason=refused.reason)
        if call.method == UPDATE:
            return SendError(Verdict.EDIT_GONE, refused.reason)
        plain = {name: value for name, value in call.params.items() if name != "blocks"}
        return await self._made(delivery, replace(call, params=plain))

    async def _posted(self, delivery: Delivery, call: Call) -> str | SendError:
        workspace, channel = delivery.place.workspace, ""
        try:
            channel = await self._channel(delivery, call)
            if call.method in _SHOWS:
                async with self._turns.alone(workspace, channel):
                    return await self._sent(workspace, channel, call, self._left(delivery))
            await self._turns.take(workspace, call.method)
            return await self._sent(workspace, channel, call, self._left(delivery))
        except SendError as error:
            failure = error
        if failure.verdict is Verdict.LIMITED and (turn := _turn_of(call, channel)):
            self._turns.hold(workspace, turn, failure.wait)
        if failure.verdict is Verdict.GONE:
            self._chats.pop((workspace, delivery.whisper or delivery.place.channel), None)
        return failure

    async def _channel(self, delivery: Delivery, call: Call) -> str:
        place = delivery.place
        if call.channel or call.method == PUBLISH:
            return call.channel
        if call.alone or place.private:
            return await self.chat_with(place.workspace, delivery.whisper or place.channel)
        return place.channel

    async def _sent(self, workspace: str, channel: str, call: Call, left: float) -> str:
        if left <= 0:
            raise SendError(Verdict.UNSENT, "the lease ran out before sending")
        where = {"channel": channel} if channel else {}
        params: dict[str, Any] = where | call.params
        if call.upload is not None:
            files = await self._uploaded(workspace, call.upload)
            params = {"channel_id": channel, **call.params, "files": files}
        try:
            answer = await self._api.call(workspace, call.method, params, seconds=min(left, LONGEST_SECONDS))
        finally:
            if call.method in _SHOWS:
                self._turns.passed(workspace, channel)
        if call.method not in {POST, UPDATE}:
            return f"{channel}/{call.params['ts']}" if "ts" in call.params else ""
        if not isinstance(answer.get("ts"), str):
            raise SendError(Verdict.UNKNOWN, "an answer without a message id")
        return f"{answer.get('channel') or channel}/{answer['ts']}"

    async def _uploaded(self, workspace: str, upload: Upload) -> list[dict[str, str]]:
        """Bring a file to Slack; nobody sees it before it is shared."""
        facts = {"filename": upload.name, "length": len(upload.content)}
        facts |= {"alt_txt": upload.alt} if upload.alt else {}
        try:
            answer = await self._api.call(workspace, "files.getUploadURLExternal", facts)
            await self._api.upload(str(answer.get("upload_url", "")), upload.content)
        except SendError as error:
            failure = error
        else:
            return [{"id": str(answer.get("file_id", "")), "title": upload.name}]
        raise _nothing_shown(failure)

    def _left(self, delivery: Delivery) -> float:
        return (delivery.deadline - self._clock.now()).total_seconds()


class Turns:
    """When the next message may go to a channel, and when a method may be called again."""

    def __init__(self, clock: Clock, gap: float) -> None:
        """Take the seconds between two messages."""
        self._clock = clock
        self._gap = gap
        self._next: dict[tuple[str, str], float] = {}
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    @asynccontextmanager
    async def alone(self, workspace: str, channel: str) -> AsyncIterator[None]:
        """Take a channel's turn until the message is answered: one that is slow on its way counts late."""
        if len(self._locks) > MOST_CHANNELS:
            self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
        lock = self._locks.setdefault((workspace, channel), asyncio.Lock())
        try:
            async with asyncio.timeout(PATIENCE):
                await lock.acquire()
        except TimeoutError:
            raise SendError(Verdict.LIMITED, "its channel is busy", wait=self._gap) from None
        try:
            await self.take(workspace, channel)
            self.passed(workspace, channel)
            yield
        finally:
            lock.release()

    async def take(self, workspace: str, what: str) -> None:
        """Wait for the turn; raises `SendError` when that takes longer than a worker should wait."""
        asked = self._clock.monotonic()
        while (wait := self._next.get((workspace, what), 0) - self._clock.monotonic()) > 0:
            if self._clock.monotonic() - asked + wait > PATIENCE:
                raise SendError(Verdict.LIMITED, "its channel's turn comes later", wait=wait)
            await self._clock.sleep(wait)

    def passed(self, workspace: str, what: str) -> None:
        """Note that a message went there now."""
        self.hold(workspace, what, self._gap)

    def hold(self, workspace: str, what: str, seconds: float) -> None:
        """Let everything for a channel or a method wait."""
        now = self._clock.monotonic()
        if len(self._next) > MOST_CHANNELS:
            self._next = {key: at for key, at in self._next.items() if at > now}
        self._next[workspace, what] = max(self._next.get((workspace, what), now), now + seconds)


def _turn_of(call: Call, channel: str) -> str:
    """Return what a call takes its turn in: the channel it shows something in, or else its method."""
    return channel if call.method in _SHOWS else call.method


def _nothing_shown(error: SendError) -> SendError:
    """Return the error of a step that shows nobody anything: what is unknown about it does no harm."""
    if error.verdict is not Verdict.UNKNOWN:
        return error
    return SendError(Verdict.UNSENT, error.reason, wait=error.wait)
