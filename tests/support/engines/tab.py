"""What every engine's tab can do, so that one test runs in all three: go, ask, type, press, click, paste."""

import asyncio
import json
from typing import Any, Protocol

PATIENCE = 20.0
# A place for the clipboard: what is copied there is pasted elsewhere, as a person does it.
_SCRATCH = "!!document.body?.append(Object.assign(document.createElement('textarea'), {id: 'scratch'})) || 1"

Action = dict[str, Any]
_KEYS = {"Control": "\ue009", "Enter": "\ue007", "Tab": "\ue004"}


class Tab(Protocol):
    """One window of a browser."""

    async def go(self, url: str) -> None:
        """Begin to load an address."""
        ...

    async def run(self, expression: str) -> Any:
        """Return the JSON value of an expression in the page; None while there is no page to ask."""
        ...

    async def type(self, css: str, text: str) -> None:
        """Focus an element and type, key by key."""
        ...

    async def press(self, *keys: str) -> None:
        """Hold all keys but the last and press that."""
        ...

    async def click(self, css: str) -> None:
        """Press the middle of an element."""
        ...


class ActingTab:
    """Types and clicks by WebDriver's actions, which its old and its new protocol share."""

    async def run(self, expression: str) -> Any:
        raise NotImplementedError

    async def act(self, sources: list[Action]) -> None:
        """Perform the actions of keyboard and mouse."""
        raise NotImplementedError

    async def type(self, css: str, text: str) -> None:
        assert await self.run(f"document.querySelector({json.dumps(css)}).focus() ?? true")
        strokes = [
            {"type": kind, "value": _KEYS["Enter"] if char == "\n" else char}
            for char in text
            for kind in ("keyDown", "keyUp")
        ]
        await self.act([{"type": "key", "id": "keyboard", "actions": strokes}])

    async def press(self, *keys: str) -> None:
        values = [_KEYS.get(key, key) for key in keys]
        down = [{"type": "keyDown", "value": value} for value in values]
        up = [{"type": "keyUp", "value": value} for value in reversed(values)]
        await self.act([{"type": "key", "id": "keyboard", "actions": [*down, *up]}])

    async def click(self, css: str) -> None:
        box = await self.run(
            f"(found => (found.scrollIntoView({{block: 'center'}}), found.getBoundingClientRect()))"
            f"(document.querySelector({json.dumps(css)}))"
        )
        middle = {
            "x": int(box["left"] + box["width"] / 2),
            "y": int(box["top"] + box["height"] / 2),
        }
        steps: list[Action] = [
            {"type": "pointerMove", "duration": 0, "origin": "viewport", **middle},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}
        await self.act([mouse])


async def until(tab: Tab, expression: str) -> Any:
    """Ask again and again until an expression is true, and return its value."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not (found := await tab.run(expression)):  # noqa: ASYNC110  a page gives us no event
                await asyncio.sleep(0.05)
            return found
    except TimeoutError:
        page = await tab.run("document.body?.innerText")
        raise AssertionError(f"still not true: {expression}\nthe page says: {page}") from None


async def state(tab: Tab, name: str) -> str:
    """Wait until the link page is in a state and return its words."""
    return str(await until(tab, f"document.querySelector('#status[data-state={name}]')?.textContent"))


async def copy(tab: Tab, url: str, text: str) -> None:
    """Put a text on the clipboard, from a page that holds nothing else."""
    await tab.go(url)
    await until(tab, f"location.href === {json.dumps(url)} && document.readyState === 'complete'")
    assert await tab.run(_SCRATCH)
    await tab.type("#scratch", text)
    await until(tab, f"document.querySelector('#scratch').value === {json.dumps(text)}")
    await tab.press("Control", "a")
    await tab.press("Control", "c")


async def paste(tab: Tab, css: str) -> None:
    """Paste what is on the clipboard into an element."""
    await tab.type(css, "")
    await tab.press("Control", "v")
