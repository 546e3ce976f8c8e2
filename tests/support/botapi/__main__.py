"""The fake Bot API as a process of its own: `python -m tests.support.botapi [--port N]`.

It prints its address and runs until it is ended. `POST /control {"do": "say", "with": {"user": 7, "text": "/start"}}`
does what the method of that name does, so that a rig can kill the bot and leave Telegram standing.
"""

import argparse
import asyncio
import json
from dataclasses import asdict, is_dataclass
from typing import Any

from tests.support.botapi.server import TOKEN, BotApi
from tests.support.botapi.wire import Answer, Asked, Fault

DEEDS = frozenset(
    {"say", "press", "push", "fail", "refuse", "membership", "migrate", "shown", "chat", "look"}
)


class Controlled(BotApi):
    """A Bot API that also takes orders over HTTP."""

    async def _answer(self, asked: Asked) -> Answer:
        if asked.path != "/control":
            return await super()._answer(asked)
        order = json.loads(asked.body)
        return Answer(200, {"result": _plain(await self._do(order["do"], order.get("with", {})))})

    async def _do(self, deed: str, words: dict[str, Any]) -> Any:
        if deed not in DEEDS:
            raise ValueError(deed)
        if deed == "chat":
            return self.world.chat(words.pop("chat"), words.pop("kind", "supergroup"), **words)
        if deed == "look":
            return {name: getattr(self, name) for name in ("calls", "complaints", "answers", "updates")}
        if deed == "press":
            words["shown"] = self.world.messages[words.pop("message")]
        if deed == "fail":
            words["what"] = Fault(words["what"])
        result = getattr(self, deed)(**words)
        return await result if asyncio.iscoroutine(result) else result


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    return f"{len(value)} bytes" if isinstance(value, bytes) else value


async def _serve(port: int, token: str) -> None:
    api = Controlled(token)
    await api.wire.listen(port)
    print(api.url, flush=True)  # noqa: T201  whoever started it reads the address
    try:
        await asyncio.Event().wait()
    finally:
        await api.close()


def main() -> None:
    """Run until ended."""
    options = argparse.ArgumentParser(prog="botapi", description="A Bot API server for tests.")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--token", default=TOKEN)
    given = options.parse_args()
    asyncio.run(_serve(given.port, given.token))


if __name__ == "__main__":
    main()
