"""From a delivery to Bot API requests: text with entities, keyboards, parts that fit.

Pure; `sending` posts what comes out. A parse mode is never set, so nothing in a text can act as markup.
Telegram counts in UTF-16 units; texts are cut at line ends where possible and never inside a character.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from telegram import InputFile, MessageEntity
from telegram.constants import InlineKeyboardButtonLimit, MessageLimit

from chatbot.domain.messages import Button, Line, Look, Message, Table, aligned
from chatbot.domain.outbox import Delivery, Promise
from chatbot.errors import SendError, Verdict
from chatbot.text import Translator

BUTTON_TEXT = 64
_KINDS = {
    Look.PLAIN: "",
    Look.BOLD: MessageEntity.BOLD,
    Look.CODE: MessageEntity.CODE,
    Look.LINK: MessageEntity.TEXT_LINK,
}
_NO_PREVIEW = {"is_disabled": True}


@dataclass(frozen=True, slots=True)
class Call:
    """One request to make."""

    method: str
    params: dict[str, Any]


class _Run(NamedTuple):
    text: str
    kind: str = ""
    url: str = ""


@dataclass(slots=True)
class _Row:
    runs: list[_Run] = field(default_factory=list)
    glued: bool = False  # the row goes on the one before, which was too long for a message

    @property
    def units(self) -> int:
        return sum(units(run.text) for run in self.runs)

    @property
    def styled(self) -> int:
        return sum(1 for run in self.runs if run.kind)


def units(text: str) -> int:
    """Return how long a text is as Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def calls(delivery: Delivery, t: Translator) -> list[Call]:
    """Return the requests that show a delivery, in order."""
    place = {"chat_id": delivery.place.channel}
    if delivery.erase:
        return [Call("deleteMessage", place | {"message_id": int(delivery.erase)})]
    texts = _texts(delivery, t)
    if delivery.edit:
        # What takes several messages, a picture or a file can't replace one text: it is shown anew below.
        if len(texts) > 1 or delivery.message.image or delivery.message.file:
            raise SendError(Verdict.EDIT_GONE, "does not fit into the message to edit")
        return [_edit(delivery, place, texts)]
    sent = place | _manner(delivery)
    media, texts = _media(delivery, sent, texts)
    shown = media + [Call("sendMessage", sent | _body(text, entities)) for text, entities in texts]
    if not shown:
        raise SendError(Verdict.REFUSED, "an empty message")
    shown[-1].params.update(_keyboard(delivery))
    return shown


def _edit(delivery: Delivery, place: dict[str, Any], texts: Sequence[tuple[str, Any]]) -> Call:
    if not texts:
        raise SendError(Verdict.REFUSED, "an empty message")
    target = place | {"message_id": int(delivery.edit)}
    return Call("editMessageText", target | _body(*texts[0]) | _keyboard(delivery))


def _manner(delivery: Delivery) -> dict[str, Any]:
    manner: dict[str, Any] = {}
    if delivery.place.thread not in {"", "1"}:  # the General topic has number 1 and is never named
        manner["message_thread_id"] = int(delivery.place.thread)
    if delivery.silent:
        manner["disable_notification"] = True
    if delivery.protect:
        manner["protect_content"] = True
    return manner


def _media(
    delivery: Delivery, sent: dict[str, Any], texts: list[tuple[str, Any]]
) -> tuple[list[Call], list[tuple[str, Any]]]:
    image, file = delivery.message.image, delivery.message.file
    if image is not None:
        call = Call("sendPhoto", sent | {"photo": InputFile(image.png, filename="picture.png")})
    elif file is not None:
        call = Call("sendDocument", sent | {"document": InputFile(file.content, filename=_clean(file.name))})
    else:
        return [], texts
    if len(texts) == 1 and units(texts[0][0]) <= MessageLimit.CAPTION_LENGTH:
        call.params.update(_caption(*texts[0]))
        return [call], []
    if image is not None:
        call.params.update(_caption(_clip(_clean(image.alt), MessageLimit.CAPTION_LENGTH), []))
    return [call], texts


def _body(text: str, entities: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "text": text,
        "entities": entities,
        "link_preview_options": _NO_PREVIEW,
    }


def _caption(text: str, entities: list[dict[str, Any]]) -> dict[str, Any]:
    return {"caption": text, "caption_entities": entities}


def _keyboard(delivery: Delivery) -> dict[str, Any]:
    apps = delivery.place.private
    kept = [
        [_button(b) for b in row if not b.app or (apps and _secure(b))] for row in delivery.message.buttons
    ]
    rows = [row for row in kept if row]
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def _secure(button: Button) -> bool:
    # Telegram refuses the whole message for a Mini App that is not on https.
    return button.url.startswith("https://")


def _button(button: Button) -> dict[str, Any]:
    text = _clip(_clean(button.text), BUTTON_TEXT)
    if button.app:
        return {"text": text, "web_app": {"url": button.url}}
    if button.url:
        return {"text": text, "url": button.url}
    if not 1 <= len(button.action.encode()) <= InlineKeyboardButtonLimit.MAX_CALLBACK_DATA:
        raise SendError(Verdict.REFUSED, "a button's id must have 1 to 64 bytes")
    return {"text": text, "callback_data": button.action}


def _texts(delivery: Delivery, t: Translator) -> list[tuple[str, list[dict[str, Any]]]]:
    rows = list(_rows(delivery.message))
    if delivery.repeat:
        rows.insert(0, _Row([_Run(t.say("↻ may be a repeat · ref {ref}", ref=delivery.ref))]))
    elif delivery.promise is Promise.ALERT:
        rows.append(_Row([_Run(t.say("ref {ref}", ref=delivery.ref), MessageEntity.CODE)]))
    parts = (_part(part) for part in _parts(rows))
    return [(text, entities) for text, entities in parts if text.strip()]


def _rows(message: Message) -> Iterator[_Row]:
    for part in message.body:
        if isinstance(part, Table):
            for text in aligned(part):
                yield _Row([_Run(_clean(text), MessageEntity.PRE)])
        else:
            yield from _line(part)


def _line(part: Line) -> Iterator[_Row]:
    row = _Row()
    for piece in part.pieces:
        first, *more = _clean(piece.text).split("\n")
        row.runs.append(_Run(first, _KINDS[piece.look], piece.url))
        for text in more:
            yield row
            row = _Row([_Run(text, _KINDS[piece.look], piece.url)])
    yield row


def _parts(rows: list[_Row]) -> Iterator[list[_Row]]:
    part: list[_Row] = []
    length = styled = 0
    for row in chain.from_iterable(map(_cut, rows)):
        full = length + row.units + 1 > MessageLimit.MAX_TEXT_LENGTH
        if part and (row.glued or full or styled + row.styled > MessageLimit.MESSAGE_ENTITIES):
            yield part
            part, length, styled = [], 0, 0
        part.append(row)
        length += row.units + 1
        styled += row.styled
    if part:
        yield part


def _cut(row: _Row) -> Iterator[_Row]:
    room = MessageLimit.MAX_TEXT_LENGTH - 1
    current = _Row()
    for run in row.runs:
        text = run.text
        while units(text) > room - current.units:
            head = _head(text, room - current.units)
            current.runs.append(run._replace(text=head))
            yield current
            current, text = _Row(glued=True), text[len(head) :]
        current.runs.append(run._replace(text=text))
    yield current


def _head(text: str, room: int) -> str:
    head = _clip(text, room, mark="")
    space = head.rfind(" ")
    return head[: space + 1] if space > len(head) // 2 else head


def _part(rows: list[_Row]) -> tuple[str, list[dict[str, Any]]]:
    text, offset = "", 0
    entities: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        if number:
            text, offset = text + "\n", offset + 1
        for run in row.runs:
            length = units(run.text)
            if run.kind and length:
                _style(entities, run, offset, length)
            text, offset = text + run.text, offset + length
    return text, entities


def _style(entities: list[dict[str, Any]], run: _Run, offset: int, length: int) -> None:
    last = entities[-1] if entities else None
    if (
        run.kind == MessageEntity.PRE
        and last
        and last["type"] == run.kind
        and last["offset"] + last["length"] + 1 == offset
    ):
        # The lines of a table are one block.
        last["length"] += 1 + length
    else:
        link = {"url": run.url} if run.url else {}
        entities.append({"type": run.kind, "offset": offset, "length": length} | link)


def _clean(text: str) -> str:
    # Half a surrogate pair can't be sent at all.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _clip(text: str, room: int, mark: str = "…") -> str:
    if units(text) <= room:
        return text
    raw = text.encode("utf-16-le")[: 2 * (room - len(mark))]
    return raw.decode("utf-16-le", "ignore") + mark
