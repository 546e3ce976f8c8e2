"""From a message to blocks that fit: lines and tables as rich text, buttons as actions.

Pure; `writing` puts them into requests. Words stand in rich_text elements and plain_text buttons only, where
nothing is markup. The blocks are slack_sdk's models, which check themselves. Lengths are the longest
of what Slack may count (UTF-16 units, escaped, as JSON), so that they hold; no line that fits is cut.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Any, NamedTuple

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    PlainTextObject,
    RichTextBlock,
    RichTextElement,
    RichTextElementParts,
    RichTextPreformattedElement,
    RichTextSectionElement,
)

from chatbot.domain.messages import Button, Line, Look, Message, Table, aligned
from chatbot.errors import SendError, Verdict

BLOCK = 3000
# All blocks of a message as JSON. Slack's sum is in no document; slackapi/bolt-js#2509 was refused at 13,200.
MESSAGE = 12_000
BLOCKS = 50
LINK = 1000
FRAME = 100  # what a styled piece, and the plain one behind it, take beside their words
_STYLES: dict[Look, dict[str, bool]] = {Look.BOLD: {"bold": True}, Look.CODE: {"code": True}}
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_WEIGHTS = {"&": 5, "<": 4, ">": 4, '"': 2, "\\": 2, **{chr(code): 6 for code in range(32)}, "\n": 2, "\t": 2}
_SCHEMES = ("https://", "http://", "slack://", "mailto:")


class Run(NamedTuple):
    """Some words with one look."""

    text: str
    look: Look = Look.PLAIN
    url: str = ""

    @property
    def frame(self) -> int:
        """What it takes beside its words."""
        return 0 if self.look is Look.PLAIN else FRAME + len(self.url)


@dataclass(slots=True)
class Row:
    """One line; `glued` when it goes on the one before, which was too long for a block."""

    runs: list[Run] = field(default_factory=list)
    table: bool = False
    glued: bool = False

    @property
    def text(self) -> str:
        """Its words alone."""
        return "".join(run.text for run in self.runs)

    @property
    def size(self) -> int:
        """How much it takes."""
        return sum(size(run.text) + run.frame for run in self.runs)


class Part(NamedTuple):
    """A block as it is sent, the words in it, and what it takes of a message's room."""

    block: dict[str, Any]
    words: str
    cost: int
    glued: bool = False
    buttons: bool = False


def escape(text: str) -> str:
    """Return the text for a field where three letters could act."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def clean(text: str) -> str:
    """Return the text without halves of characters, which can't be sent at all."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clip(text: str, room: int) -> str:
    """Return the text, its end replaced by a dot-dot-dot when it takes more room."""
    return text if size(text) <= room else _head(text, room - 1) + "…"


def size(text: str) -> int:
    """Return how long a text is as we count for Slack."""
    return sum(map(_weight, text))


def rows(message: Message) -> Iterator[Row]:
    """Return a message's lines; the address of a button that is too long for one stands in the text."""
    for part in message.body:
        if isinstance(part, Table):
            for text in aligned(part):
                yield Row([Run(clean(text))], table=True)
        else:
            yield from _line(part)
    for button in chain.from_iterable(message.buttons):
        if len(button.url) > ButtonElement.url_max_length and not button.app:
            yield Row([Run(clean(f"{button.text}: {button.url}"))])


def text_parts(lines: Iterable[Row]) -> Iterator[Part]:
    """Return the lines as blocks of rich text, none over its limit; what shows nothing is left out."""
    for lot in _lots(lines):
        words = "\n".join(row.text for row in lot)
        if words.strip():
            yield _part(_rich(lot), words, glued=lot[0].glued)


def button_parts(message: Message) -> Iterator[Part]:
    """Return each row of buttons as a block of actions; pages inside a chat app are not shown on Slack."""
    number = 0
    for line in message.buttons:
        shown = [b for b in line if not b.app and len(b.url) <= ButtonElement.url_max_length]
        for start in range(0, len(shown), ActionsBlock.elements_max_length):
            lot = shown[start : start + ActionsBlock.elements_max_length]
            made = [_button(button, number + place) for place, button in enumerate(lot)]
            number += len(lot)
            words = " · ".join(_label(button) for button in lot)
            yield _part(ActionsBlock(elements=made), words, buttons=True)


def sheets(texts: Sequence[Part], buttons: Sequence[Part], most: int = BLOCKS) -> Iterator[list[Part]]:
    """Return what goes into each message, the buttons with the last words wherever both fit."""
    kept = min(sum(part.cost for part in buttons), MESSAGE // 2)
    room, count = MESSAGE - kept, most - min(len(buttons), most // 2)
    sheet: list[Part] = []
    for part in texts:
        if sheet and (len(sheet) == count or _cost(sheet) + part.cost > room):
            yield sheet
            sheet = []
        sheet.append(part)
    for part in buttons:
        if sheet and (len(sheet) == most or _cost(sheet) + part.cost > MESSAGE):
            yield sheet
            sheet = []
        sheet.append(part)
    if sheet:
        yield sheet


def words_of(sheet: Sequence[Part]) -> str:
    """Return the words of a message; those of its buttons only when there are no others."""
    texts = [part for part in sheet if not part.buttons] or sheet
    words = texts[0].words
    for part in texts[1:]:
        words += part.words if part.glued else "\n" + part.words
    return words


def _part(block: Block, words: str, *, glued: bool = False, buttons: bool = False) -> Part:
    checked = block.to_dict()
    written = json.dumps(checked, ensure_ascii=False, separators=(",", ":"))
    cost = max(len(written.encode("utf-16-le")) // 2 + 1, size(words))
    return Part(checked, words, cost, glued, buttons)


def _line(part: Line) -> Iterator[Row]:
    row = Row()
    for piece in part.pieces:
        look, url, text = piece.look, piece.url, piece.text
        if look is Look.LINK and not _linkable(url):
            look, url, text = Look.PLAIN, "", f"{text} ({url})"
        first, *more = clean(text).split("\n")
        row.runs.append(Run(first, look, url))
        for following in more:
            yield row
            row = Row([Run(following, look, url)])
    yield row


def _linkable(url: str) -> bool:
    return url.startswith(_SCHEMES) and len(url) <= LINK


def _lots(lines: Iterable[Row]) -> Iterator[list[Row]]:
    lot: list[Row] = []
    length = 0
    for row in chain.from_iterable(map(_cut, lines)):
        taken = row.size + size("\n")
        if lot and (row.glued or length + taken > BLOCK):
            yield lot
            lot, length = [], 0
        lot.append(row)
        length += taken
    if lot:
        yield lot


def _cut(row: Row) -> Iterator[Row]:
    room = BLOCK - size("\n")
    current = Row(table=row.table)
    for run in row.runs:
        text = run.text
        while size(text) + run.frame > room - current.size:
            head = _at_a_space(_head(text, room - current.size - run.frame))
            if head or not current.runs:
                current.runs.append(run._replace(text=head))
            yield current
            current, text = Row(table=row.table, glued=True), text[len(head) :]
        current.runs.append(run._replace(text=text))
    yield current


def _at_a_space(head: str) -> str:
    space = head.rfind(" ")
    return head[: space + 1] if space > len(head) // 2 else head


def _head(text: str, room: int) -> str:
    for place, letter in enumerate(text):
        room -= _weight(letter)
        if room < 0:
            return text[:place]
    return text


def _weight(letter: str) -> int:
    return _WEIGHTS.get(letter, 2 if letter > "\uffff" else 1)


def _cost(sheet: Sequence[Part]) -> int:
    return sum(part.cost for part in sheet)


def _rich(lot: Sequence[Row]) -> RichTextBlock:
    elements: list[RichTextElement] = []
    for table, group in groupby(lot, key=lambda row: row.table):
        if table:
            text = RichTextElementParts.Text(text="\n".join(row.text for row in group))
            elements.append(RichTextPreformattedElement(elements=[text]))
        elif pieces := [_piece(run) for run in _joined(group)]:
            elements.append(RichTextSectionElement(elements=pieces))
    return RichTextBlock(elements=elements)


def _joined(group: Iterable[Row]) -> list[Run]:
    joined: list[Run] = []
    for number, row in enumerate(group):
        for run in ([Run("\n")] if number else []) + row.runs:
            last = joined[-1] if joined else None
            if last and last.look is run.look is Look.PLAIN:
                joined[-1] = Run(last.text + run.text)
            elif run.text:
                joined.append(run)
    return joined


def _piece(run: Run) -> RichTextElement:
    if run.look is Look.LINK:
        return RichTextElementParts.Link(url=run.url, text=run.text)
    return RichTextElementParts.Text(text=run.text, style=_STYLES.get(run.look))


def _label(button: Button) -> str:
    return clip(clean(button.text), ButtonElement.text_max_length) or "…"


def _button(button: Button, number: int) -> ButtonElement:
    action: dict[str, Any] = {"action_id": f"url:{number}", "url": button.url}
    if not button.url:
        if not 1 <= len(button.action) <= ButtonElement.action_id_max_length:
            raise SendError(Verdict.REFUSED, "a button's id must have 1 to 255 characters")
        action = {"action_id": button.action}
    return ButtonElement(text=PlainTextObject(text=_label(button), emoji=False), **action)
