"""Messages as structure: typed pieces that no platform can misread as markup.

A handler builds a `Message`; a platform turns pieces into entities or blocks. Plain text inside
a piece is always literal. Times are kept as instants and shown in the reader's zone by `text.py`
before they get here, so every piece holds the exact words the person reads.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Look(StrEnum):
    """How a piece of text looks."""

    PLAIN = "plain"
    BOLD = "bold"
    CODE = "code"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words with one look; `url` only for a link."""

    text: str
    look: Look = Look.PLAIN
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line made of pieces."""

    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, the first row being the heading; shown with aligned columns."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A PNG with the words for those who can't see it."""

    png: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class File:
    """A document to keep: its bytes, the name it is saved under, and its media type."""

    name: str
    content: bytes
    kind: str = "text/csv"


@dataclass(frozen=True, slots=True)
class Button:
    """A button: either opens `url`, or runs `action` with `args` for the person who may press it.

    `anyone` lets every member in the conversation press it; otherwise only its addressee may. With `app`
    the address is a page to open inside the platform; one that can't do that leaves the button out.
    """

    text: str
    action: str = ""
    args: tuple[str, ...] = ()
    url: str = ""
    anyone: bool = False
    minutes: int = 60 * 24 * 30
    app: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be shown: lines and tables, an optional image or file, rows of buttons."""

    body: tuple[Line | Table, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    image: Image | None = None
    file: File | None = None

    def plain(self) -> str:
        """Return the words alone."""
        return "\n".join(_plain(part) for part in self.body)


@dataclass(frozen=True, slots=True)
class Post:
    """A message on its way to one conversation.

    `card` names a message that is edited in place: posts with the same card in a conversation
    replace each other. `fresh` starts the card anew below instead of editing the old one. A post in a
    group marked `whisper` is shown to who asked alone, where the platform can do that. `home` puts it on the
    person's home page of the platform instead of into the chat.
    """

    message: Message
    card: str = ""
    fresh: bool = False
    silent: bool = False
    private: bool = False
    protect: bool = False
    whisper: bool = False
    home: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: posts for the place of the question, and a short toast for a press.

    A post marked `private` goes to the person's private conversation wherever the question came from.
    `erase` is the id of a message in the place of the question that is to be deleted.
    """

    posts: tuple[Post, ...] = ()
    toast: str = ""
    erase: str = ""


def _plain(part: Line | Table) -> str:
    if isinstance(part, Line):
        return "".join(piece.text for piece in part.pieces)
    return "\n".join(aligned(part))


def aligned(table: Table) -> list[str]:
    """Return a table's rows as text with aligned columns: the first to the left, numbers to the right."""
    if not table.rows:
        return []
    widths = [max(len(row[i]) for row in table.rows) for i in range(len(table.rows[0]))]
    return ["  ".join(_cell(cell, widths[i], i) for i, cell in enumerate(row)).rstrip() for row in table.rows]


def _cell(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column == 0 else cell.rjust(width)


def line(*pieces: Piece | str) -> Line:
    """Make a line from pieces and plain strings."""
    return Line(tuple(Piece(p) if isinstance(p, str) else p for p in pieces if p != ""))


def bold(text: str) -> Piece:
    """Make a bold piece."""
    return Piece(text, Look.BOLD)


def code(text: str) -> Piece:
    """Make a fixed-width piece that is easy to copy."""
    return Piece(text, Look.CODE)


def message(*parts: Line | Table | Piece | str, buttons: tuple[tuple[Button, ...], ...] = ()) -> Message:
    """Make a message, each part on its own line; a string may hold several lines."""
    return Message(tuple(_lines(parts)), buttons)


def reply(
    *parts: Line | Table | Piece | str, buttons: tuple[tuple[Button, ...], ...] = (), card: str = ""
) -> Reply:
    """Make a reply of one message, with parts as `message` takes them."""
    return Reply((Post(message(*parts, buttons=buttons), card=card),))


def _lines(parts: tuple[Line | Table | Piece | str, ...]) -> Iterator[Line | Table]:
    for part in parts:
        if isinstance(part, str):
            yield from (line(text) for text in part.split("\n"))
        elif isinstance(part, Piece):
            yield line(part)
        else:
            yield part


def to_json(msg: Message) -> dict[str, Any]:
    """Return a message as JSON-ready data, without its image and file (kept beside it as bytes)."""
    body: list[dict[str, Any]] = []
    for part in msg.body:
        if isinstance(part, Table):
            body.append({"table": [list(row) for row in part.rows]})
        else:
            body.append({"line": [[p.text, p.look.value, p.url] for p in part.pieces]})
    return {"body": body, "buttons": [[_button_json(b) for b in row] for row in msg.buttons]}


def _button_json(button: Button) -> dict[str, Any]:
    return {
        "text": button.text, "action": button.action, "args": list(button.args),
        "url": button.url, "anyone": button.anyone, "minutes": button.minutes, "app": button.app,
    }  # fmt: skip


def from_json(data: Mapping[str, Any]) -> Message:
    """Return the message that `to_json` wrote."""
    body: list[Line | Table] = []
    for part in data["body"]:
        if "table" in part:
            body.append(Table(tuple(tuple(row) for row in part["table"])))
        else:
            body.append(Line(tuple(Piece(t, Look(look), url) for t, look, url in part["line"])))
    rows = tuple(tuple(Button(**{**b, "args": tuple(b["args"])}) for b in row) for row in data["buttons"])
    return Message(tuple(body), rows)
