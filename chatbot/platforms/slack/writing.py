"""From a delivery to Web API requests, each with its blocks and the same words as text beside them.

Pure; `sending` posts what comes out and fills in the channel. The text is what notifications and screen
readers use; what could act in it is escaped, and previews, name links and markup are off.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.metadata import Metadata
from slack_sdk.models.views import View

from chatbot.domain.messages import Image, Look, message
from chatbot.domain.outbox import Delivery, Promise
from chatbot.errors import SendError, Verdict
from chatbot.platforms.slack.blocks import (
    Part,
    Row,
    Run,
    button_parts,
    clean,
    clip,
    escape,
    rows,
    sheets,
    text_parts,
    words_of,
)
from chatbot.text import Translator

POST, WHISPER, UPDATE, DELETE = "chat.postMessage", "chat.postEphemeral", "chat.update", "chat.delete"
PUBLISH, SHARE = "views.publish", "files.completeUploadExternal"
UPDATE_TEXT = 4000
ALT = 1000
TOAST = 1000
METADATA = "keyherald"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to bring to Slack; a picture has words for those who can't see it."""

    name: str
    content: bytes
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to make. Without a `channel` it goes where the delivery goes, `alone` to the person there.

    `instead` is what to do when Slack refuses this one for good; `upload` is brought to Slack first.
    """

    method: str
    params: dict[str, Any] = field(default_factory=dict)
    channel: str = ""
    alone: bool = False
    upload: Upload | None = None
    instead: "Call | None" = None


def calls(delivery: Delivery, t: Translator) -> list[Call]:
    """Return the requests that show a delivery, in order."""
    if delivery.erase:
        channel, ts = _target(delivery.erase)
        return [Call(DELETE, {"ts": ts}, channel)]
    try:
        made = _home(delivery) if delivery.home else _shown(delivery, t)
    except SlackObjectFormationError as error:
        raise SendError(Verdict.REFUSED, f"not as Slack has it: {error}") from None
    if not made:
        raise SendError(Verdict.REFUSED, "an empty message")
    return made


def toast_call(user: str, toast: str, thread: str) -> Call:
    """Return the request that shows somebody alone a short text."""
    sheet = list(text_parts(rows(message(clip(clean(toast), TOAST)))))
    params = {"user": user, "text": escape(words_of(sheet)), "blocks": _blocks(sheet), "parse": "none"}
    return Call(WHISPER, params | ({"thread_ts": thread} if thread else {}))


def _target(message_id: str) -> tuple[str, str]:
    channel, slash, ts = message_id.partition("/")
    if not slash:
        raise SendError(Verdict.EDIT_GONE, "not the id of a message on Slack")
    return channel, ts


def _shown(delivery: Delivery, t: Translator) -> list[Call]:
    texts = list(text_parts(_marked(delivery, t)))
    made = list(sheets(texts, list(button_parts(delivery.message))))
    if delivery.edit:
        return [_update(delivery, made)] if made or _brings(delivery) else []
    return [*_uploads(delivery), *(_post(delivery, sheet) for sheet in made)]


def _brings(delivery: Delivery) -> bool:
    return delivery.message.image is not None or delivery.message.file is not None


def _uploads(delivery: Delivery) -> Iterator[Call]:
    if delivery.message.image is not None:
        yield _picture(delivery, delivery.message.image)
    if delivery.message.file is not None:
        upload = Upload(delivery.message.file.name, delivery.message.file.content)
        yield Call(SHARE, {} if delivery.whisper else _thread(delivery), "", bool(delivery.whisper), upload)


def _marked(delivery: Delivery, t: Translator) -> list[Row]:
    lines = list(rows(delivery.message))
    if delivery.repeat:
        return [Row([Run(t.say("↻ may be a repeat · ref {ref}", ref=delivery.ref))]), *lines]
    if delivery.promise is Promise.ALERT:
        return [*lines, Row([Run(t.say("ref {ref}", ref=delivery.ref), Look.CODE)])]
    return lines


def _update(delivery: Delivery, made: Sequence[Sequence[Part]]) -> Call:
    # What takes several messages, or a file, can't replace one: it is shown anew below.
    if len(made) > 1 or _brings(delivery):
        raise SendError(Verdict.EDIT_GONE, "does not fit into the message to edit")
    channel, ts = _target(delivery.edit)
    text = escape(clip(words_of(made[0]), UPDATE_TEXT))
    shown = {"ts": ts, "text": text, "blocks": _blocks(made[0]), "parse": "none", "link_names": False}
    return Call(UPDATE, shown | _metadata(delivery), channel)


def _post(delivery: Delivery, sheet: Sequence[Part]) -> Call:
    words = {"text": escape(words_of(sheet)), "blocks": _blocks(sheet), "link_names": False}
    quiet = {"mrkdwn": False, "parse": "none", "unfurl_links": False, "unfurl_media": False}
    post = Call(POST, words | quiet | _metadata(delivery))
    if not delivery.whisper:
        return replace(post, params=post.params | _thread(delivery))
    # Without the bot in that channel, and wherever a file is shown, it is said in the person's own chat.
    alone = replace(post, alone=True)
    if _brings(delivery):
        return alone
    params = words | {"user": delivery.whisper, "parse": "none"} | _thread(delivery)
    return Call(WHISPER, params, instead=alone)


def _picture(delivery: Delivery, image: Image) -> Call:
    alt = clip(clean(image.alt), ALT)
    said = list(text_parts(rows(message(alt))))
    thread = {} if delivery.whisper else _thread(delivery)
    return Call(
        SHARE,
        thread,
        alone=bool(delivery.whisper),
        upload=Upload("picture.png", image.png, alt),
        instead=_post(delivery, said) if said else None,
    )


def _home(delivery: Delivery) -> list[Call]:
    texts, buttons = list(text_parts(rows(delivery.message))), list(button_parts(delivery.message))
    blocks = _blocks([*texts, *buttons])
    if not blocks:
        return []
    if len(blocks) > View.blocks_max_length:
        more = list(text_parts(rows(message("…"))))
        blocks = [*blocks[: View.blocks_max_length - 1], *_blocks(more)]
    view = View(type="home", blocks=blocks)
    return [Call(PUBLISH, {"user_id": delivery.place.channel, "view": view.to_dict()})]


def _blocks(parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [part.block for part in parts]


def _thread(delivery: Delivery) -> dict[str, Any]:
    return {"thread_ts": delivery.place.thread} if delivery.place.thread else {}


def _metadata(delivery: Delivery) -> dict[str, Any]:
    if delivery.promise is not Promise.ALERT:
        return {}
    return {"metadata": Metadata(METADATA, {"ref": delivery.ref}).to_dict()}
