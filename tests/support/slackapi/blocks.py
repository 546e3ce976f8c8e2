"""Blocks: refused unless slack_sdk's own models take them whole, and the words that people read in them."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

_MOST_WORDS = 3000
_BROKEN = (SlackObjectFormationError, TypeError, ValueError, AttributeError, KeyError)


def problems(blocks: Any, most: int) -> Iterator[str]:
    """Say what is wrong with the blocks of a message (`most` 50) or a home page (`most` 100)."""
    if not isinstance(blocks, list):
        yield "blocks are a list"
        return
    if len(blocks) > most:
        yield f"{len(blocks)} blocks, at most {most}"
    for block in blocks:
        yield from _one(block)
    yield from _unique("block_id", [b["block_id"] for b in blocks if "block_id" in b])
    yield from _unique("action_id", [e["action_id"] for e in interactive(blocks) if "action_id" in e])
    if sum(block.get("type") == "table" for block in blocks) > 1:
        yield "only one table in a message"


def size(blocks: list[dict[str, Any]]) -> int:
    """Return how long blocks are, all their containers counted."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def interactive(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what can be pressed, from top to bottom."""
    rows = [b["elements"] for b in blocks if b.get("type") == "actions"]
    beside = [b["accessory"] for b in blocks if b.get("accessory", {}).get("type") == "button"]
    return [element for row in rows for element in row] + beside


def words(blocks: list[dict[str, Any]]) -> str:
    """Return what people read in blocks: mrkdwn as it is written, rich text without its looks."""
    return "\n".join(filter(None, (_block_words(block) for block in blocks)))


def texts(node: Any) -> Iterator[dict[str, Any]]:
    """Return every text element of rich text below a node."""
    if isinstance(node, list):
        for item in node:
            yield from texts(item)
    elif isinstance(node, dict):
        if "elements" in node:
            yield from texts(node["elements"])
        elif "text" in node:
            yield node


def _one(block: Any) -> Iterator[str]:
    try:
        parsed = Block.parse(json.loads(json.dumps(block)))
        if parsed is None:
            yield f"no such block: {block}"
            return
        parsed.validate_json()
        kept = parsed.to_dict()
    except _BROKEN as wrong:
        yield f"{wrong} in {json.dumps(block)[:300]}"
        return
    yield from (f"{path} is not of a {block['type']} block" for path in _lost(block, kept, ""))
    if block["type"] != "table" and len(_block_words(block)) > _MOST_WORDS:
        yield f"more than {_MOST_WORDS} characters in a block"
    for element in interactive([block]):
        yield from _button(element)
    yield from _rich(block)


def _button(element: dict[str, Any]) -> Iterator[str]:
    if element["type"] != "button":
        yield f"our own rule: buttons only, not {element['type']}"
        return
    if not element["text"].get("text", "").strip() or element["text"]["type"] != "plain_text":
        yield "a button has plain words"
    if not 1 <= len(element.get("action_id", "")) <= 255:
        yield "action_id has 1 to 255 characters"
    if "value" in element and not 1 <= len(element["value"]) <= 2000:
        yield "value has 1 to 2000 characters"
    if "url" in element and not element["url"].startswith(("https://", "http://", "slack://")):
        yield f"url {element['url']}"


def _rich(block: dict[str, Any]) -> Iterator[str]:
    if block["type"] != "rich_text":
        return
    for section in block["elements"]:
        if section["type"] == "rich_text_preformatted" and any(
            "style" in e for e in section["elements"] if e
        ):
            yield "no style inside preformatted text"
    for element in texts(block):
        if element["type"] not in {"text", "link"}:
            yield f"our own rule: nothing but words and links, not {element['type']}"


def _lost(given: Any, kept: Any, path: str) -> Iterator[str]:
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from _lost(value, kept[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from _lost(one, other, f"{path}[{number}]")
    elif given != kept:
        yield path


def _unique(name: str, values: list[str]) -> Iterator[str]:
    yield from (f"{name} {value!r} stands twice" for value, count in Counter(values).items() if count > 1)


def _block_words(block: dict[str, Any]) -> str:
    kind = block.get("type")
    if kind == "rich_text":
        return "\n".join(_rich_words(part) for part in block["elements"])
    if kind in {"section", "header"}:
        parts = [block["text"]] if "text" in block else []
        return "\n".join(part["text"] for part in (*parts, *block.get("fields", ())))
    if kind == "context":
        return "\n".join(e.get("text", e.get("alt_text", "")) for e in block["elements"])
    if kind == "markdown":
        return str(block["text"])
    if kind == "table":
        return "\n".join("  ".join(_cell(cell) for cell in row) for row in block["rows"])
    return str(block.get("alt_text", ""))


def _rich_words(part: dict[str, Any]) -> str:
    between = "\n" if part["type"] == "rich_text_list" else ""
    return between.join(_element_words(element) for element in part["elements"])


def _element_words(element: dict[str, Any]) -> str:
    if "elements" in element:
        return _rich_words(element)
    return str(element.get("text") or element.get("url") or f"<{element}>")


def _cell(cell: dict[str, Any]) -> str:
    return str(cell["text"]) if cell["type"] == "raw_text" else _block_words(cell)
