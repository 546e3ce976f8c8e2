"""The fake Bot API itself: methods, updates, webhook, faults, and what people do.

One instance is one bot's view of Telegram. `calls` keeps every request that was taken, `complaints` what was
wrong with any of them: a test that ends without complaints has sent only what is documented.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx

from tests.support.botapi.rules import PARAMETERS, Refused, check
from tests.support.botapi.wire import Answer, Asked, Fault, Wire
from tests.support.botapi.world import BOT, Shown, World

TOKEN = "4242:AAFfakefakefakefakefakefakefakefakefak"
_UNTAKEN = frozenset({Fault.CLOSE_EARLY, Fault.BAD_GATEWAY})
_HTML = "<html><body><h1>Bad Gateway</h1></body></html>"


class BotApi:
    """Telegram for tests."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self.world = World()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.complaints: list[str] = []
        self.commands: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.answers: dict[str, str] = {}
        self.updates: list[dict[str, Any]] = []
        self.webhook: dict[str, Any] = {}
        self.pushed: list[int] = []
        self.wire = Wire(self._answer)
        self._faults: dict[str, deque[Fault | Answer]] = defaultdict(deque)
        self._changed = asyncio.Condition()
        self._poller: object | None = None
        self._allowed: list[str] = []
        self._number = 1000
        self._pushing: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """What TELEGRAM_API_URL is set to."""
        return f"http://127.0.0.1:{self.wire.port}"

    async def close(self) -> None:
        for task in self._pushing:
            task.cancel()
        await asyncio.gather(*self._pushing, return_exceptions=True)
        await self.wire.vanish()

    # What tests do.

    def fail(self, method: str, what: Fault | Answer, times: int = 1) -> None:
        """Let the next calls of a method go wrong."""
        self._faults[method].extend([what] * times)

    def refuse(self, method: str, code: int, description: str, *, times: int = 1, **parameters: Any) -> None:
        """Let the next calls of a method be refused in the Bot API's own words."""
        self.fail(method, _refusal(Refused(code, description, **parameters)), times)

    async def say(self, user: int, text: str, chat: int = 0, thread: int = 0, **fields: Any) -> Shown:
        """Write something as a person: in private, or in a group that `world.chat` made."""
        place = self.world.chat(chat or user)
        if place.type == "private":
            place.refusal = None
        shown = Shown(self.world.next_id(), place.id, thread, text, [], [], by_bot=False)
        self.world.messages[shown.id] = shown
        message = self.world.message_json(shown, self.world.person(user))
        await self.push(message=message | fields)
        return shown

    async def press(self, shown: Shown, text: str, user: int = 0) -> str:
        """Press a button as a person; returns the query's id, or the address of a URL button."""
        button = shown.button(text)
        if "url" in button:
            return str(button["url"])
        query = f"q{self.world.next_id()}"
        message = self.world.message_json(shown, BOT)
        person = self.world.person(user or shown.chat)
        told = {"id": query, "from": person, "message": message, "chat_instance": "1"}
        await self.push(callback_query=told | {"data": button["callback_data"]})
        return query

    async def membership(self, user: int, chat: int, was: str, now: str) -> None:
        """Let a person add, remove, block or unblock the bot."""
        place = self.world.chat(chat)
        place.refusal = None
        if now == "kicked" and place.type == "private":
            place.refusal = (403, "Forbidden: bot was blocked by the user")
        elif now in {"kicked", "left"}:
            place.refusal = (403, f"Forbidden: bot was kicked from the {place.type} chat")
        states = {f"{w}_chat_member": {"user": BOT, "status": s} for w, s in (("old", was), ("new", now))}
        person = self.world.person(user)
        await self.push(
            my_chat_member={"chat": self.world.chat_json(place), "from": person, "date": 1, **states}
        )

    async def migrate(self, chat: int, new: int, user: int) -> None:
        """Turn a group into a supergroup, with both service messages."""
        old = self.world.chats[chat]
        fresh = self.world.chat(new, "supergroup", title=old.title)
        old.moved_to = new
        for place, fields in ((old, {"migrate_to_chat_id": new}), (fresh, {"migrate_from_chat_id": chat})):
            told = {"message_id": self.world.next_id(), "date": 1, "chat": self.world.chat_json(place)}
            await self.push(message=told | {"from": self.world.person(user)} | fields)

    async def push(self, **kinds: Any) -> int:
        """Let an update of any kind arrive, however odd."""
        self._number += 1
        if self._allowed and not kinds.keys() & set(self._allowed):
            return self._number
        update = {"update_id": self._number, **kinds}
        if self.webhook.get("url"):
            task = asyncio.create_task(self._push(update))
            self._pushing.add(task)
            task.add_done_callback(self._pushing.discard)
            return self._number
        async with self._changed:
            self.updates.append(update)
            self._changed.notify_all()
        return self._number

    def shown(self, chat: int, thread: int = 0) -> list[Shown]:
        """Return what the bot shows in a place now, oldest first."""
        everything = self.world.messages.values()
        return [m for m in everything if m.by_bot and m.chat == chat and m.thread == thread]

    def latest(self, chat: int, thread: int = 0) -> Shown:
        """Return the bot's last message in a place."""
        return self.shown(chat, thread)[-1]

    def count(self, method: str) -> int:
        """Return how many calls of a method were taken."""
        return sum(1 for name, _ in self.calls if name == method)

    async def until(self, holds: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait until something holds; it is looked at after every call of the bot."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: bool(holds()))

    # What the bot does.

    async def _answer(self, asked: Asked) -> Answer:
        _, bot, method = [*asked.path.split("/"), "", ""][:3]
        fault = self._faults[method].popleft() if self._faults[method] else None
        if isinstance(fault, Answer):
            return fault
        if fault in _UNTAKEN:
            return Answer(502, _HTML, Fault.CLOSE_EARLY if fault is Fault.CLOSE_EARLY else None)
        if bot != f"bot{self.token}":
            return _refusal(Refused(401, "Unauthorized"))
        answer = await self._run(method, asked.params())
        async with self._changed:
            self._changed.notify_all()
        if fault is Fault.GARBAGE:
            return Answer(200, _HTML)
        return Answer(answer.status, answer.body, fault)

    async def _run(self, method: str, params: dict[str, Any]) -> Answer:
        if method not in PARAMETERS:
            return _refusal(Refused(404, "Not Found"))
        self.calls.append((method, params))
        try:
            check(method, params)
        except Refused as mistake:
            self.complaints.append(f"{method}: {mistake.description}")
            return _refusal(mistake)
        try:
            result = await getattr(self, f"_{method}")(params)
        except Refused as no:
            return _refusal(no)
        return Answer(200, {"ok": True, "result": result})

    async def _getMe(self, params: dict[str, Any]) -> Any:  # noqa: N802  the API's own names, as below
        return BOT

    async def _getChatMember(self, params: dict[str, Any]) -> Any:  # noqa: N802
        chat = self.world.chats[int(params["chat_id"])]
        admin = chat.admins is None or params["user_id"] in chat.admins
        return {"status": "administrator" if admin else "member", "user": {"id": params["user_id"]}}

    async def _getUpdates(self, params: dict[str, Any]) -> Any:  # noqa: N802
        if self.webhook.get("url"):
            raise Refused(
                409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first"
            )
        self._allowed = list(params.get("allowed_updates") or self._allowed)
        self.updates = [u for u in self.updates if u["update_id"] >= params.get("offset", 0)]
        me = self._poller = object()
        async with self._changed:
            self._changed.notify_all()
            with suppress(TimeoutError):
                async with asyncio.timeout(params.get("timeout", 0)):
                    await self._changed.wait_for(lambda: self.updates or self._poller is not me)
        if self._poller is not me:
            raise Refused(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
        return self.updates[: params.get("limit", 100)]

    async def _setWebhook(self, params: dict[str, Any]) -> Any:  # noqa: N802
        self.webhook = params
        self._allowed = list(params.get("allowed_updates") or [])
        waiting, self.updates = self.updates, []
        for update in waiting:
            await self.push(**{k: v for k, v in update.items() if k != "update_id"})
        return True

    async def _deleteWebhook(self, params: dict[str, Any]) -> Any:  # noqa: N802
        self.webhook = {}
        return True

    async def _getWebhookInfo(self, params: dict[str, Any]) -> Any:  # noqa: N802
        return {"url": self.webhook.get("url", ""), "pending_update_count": len(self.updates)}

    async def _setMyCommands(self, params: dict[str, Any]) -> Any:  # noqa: N802
        key = (params.get("scope", {"type": "default"})["type"], params.get("language_code", ""))
        self.commands[key] = params["commands"]
        return True

    async def _sendMessage(self, params: dict[str, Any]) -> Any:  # noqa: N802
        return self.world.message_json(self.world.post(params), BOT)

    _sendPhoto = _sendMessage  # noqa: N815
    _sendDocument = _sendMessage  # noqa: N815

    async def _editMessageText(self, params: dict[str, Any]) -> Any:  # noqa: N802
        return self.world.message_json(self.world.edit(params), BOT)

    async def _deleteMessage(self, params: dict[str, Any]) -> Any:  # noqa: N802
        return self.world.delete(params)

    async def _answerCallbackQuery(self, params: dict[str, Any]) -> Any:  # noqa: N802
        self.answers[params["callback_query_id"]] = params.get("text", "")
        return True

    async def _push(self, update: dict[str, Any]) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token", "")}
        async with httpx.AsyncClient(trust_env=False) as client:
            for pause in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0):
                with suppress(httpx.HTTPError):
                    answer = await client.post(self.webhook["url"], json=update, headers=headers)
                    self.pushed.append(answer.status_code)
                    if answer.is_success:
                        break
                await asyncio.sleep(pause)
        async with self._changed:
            self._changed.notify_all()


def _refusal(no: Refused) -> Answer:
    body = {"ok": False, "error_code": no.code, "description": no.description}
    return Answer(no.code, body | ({"parameters": no.parameters} if no.parameters else {}))


@asynccontextmanager
async def running(port: int = 0, token: str = TOKEN) -> AsyncIterator[BotApi]:
    """Run a Bot API until the block ends."""
    api = BotApi(token)
    await api.wire.listen(port)
    try:
        yield api
    finally:
        await api.close()
