"""From what Slack sends to slim rows, and from a row to neutral words; pure, strict about who is speaking.

`slim` runs before anything is stored: what has no attributable person of this workspace (bots, workflows,
edits, people of other workspaces) leaves no row, and no row holds a token, a response_url, a trigger_id or
the pressed message. `read` runs on stored rows. What is broken raises; the caller drops or parks it.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chatbot.domain.updates import Happened, Incoming, Pressed, Said, Sender
from chatbot.platforms.slack.tokens import Bot

Json = Mapping[str, Any]
Row = tuple[str, dict[str, Any]]
DEFAULT_COMMAND = "/keyherald"
URL_BUTTON = "url:"
# Written by the inlet when it took a secret out of an update.
PASTED = "pasted"
HELP = "/help"
_OWN_WORDS = frozenset({None, "file_share", "thread_broadcast"})
ACCESS_GRANTED = "team_access_granted"
_ENDS = frozenset({"app_uninstalled", "tokens_revoked"})
# About a whole workspace or organisation, and no place in it.
WHOLE = _ENDS | {ACCESS_GRANTED, "team_access_revoked"}
_IM = "directmessage"
_MARKED = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def slim(body: Json, bot: Bot, workspace: str) -> Sequence[Row]:
    """Return what is to be stored of a payload, each with the key by which a repeat is noticed."""
    kind = body.get("type")
    if kind == "event_callback":
        return _event(body, bot, workspace)
    if kind == "block_actions":
        return _action(body, bot, workspace)
    if kind is None and "command" in body:
        return _command(body, workspace)
    return ()


def _event(body: Json, bot: Bot, workspace: str) -> Sequence[Row]:
    event, key = body["event"], f"E:{_text(body, 'event_id')}"
    kind = event["type"]
    if kind == ACCESS_GRANTED:
        # The token of a single workspace must never come to speak in another.
        let_in = map(str, event["team_ids"]) if bot.home == bot.org else ()
        return [(f"{key}:{team}", arrived(team)) for team in let_in]
    if kind == "team_access_revoked":
        return [(f"{key}:{team}", _gone(team, body)) for team in map(str, event["team_ids"])]
    if kind in _ENDS:
        over = kind == "app_uninstalled" or event["tokens"].get("bot")
        return [(key, _gone(bot.home, body))] if over else ()
    if kind == "app_home_opened":
        raw = {"kind": "happened", "what": "home_opened", "team": workspace, "user": _text(event, "user")}
        return [(key, raw)] if event.get("tab") == "home" else ()
    direct = _text(event, "channel").startswith("D")
    if (kind, direct) not in {("message", True), ("app_mention", False)}:
        return ()
    if not _own_words(event, bot) or _foreign(event, ("team", "user_team", "source_team"), bot, workspace):
        return ()
    raw = {
        "kind": "said",
        "team": workspace,
        "user": _text(event, "user"),
        "channel": event["channel"],
        "type": "im" if direct else "channel",
        "ts": _text(event, "ts"),
        "thread": _thread(event),
        "bot": bot.user,
        "text": _plain(event.get("text") or ""),
    }
    return [(key, raw)]


def arrived(team: str, user: str = "") -> dict[str, Any]:
    """Return the row that says that somebody installed the app in a workspace, or a whole organisation."""
    return {"kind": "happened", "what": "joined", "team": team, "detail": user}


def _gone(team: str, body: Json) -> dict[str, Any]:
    # Slack tells whole seconds: what was installed within this one is older than its end.
    return {"kind": "happened", "what": "left", "team": team, "detail": str(int(body["event_time"]) + 1)}


def _own_words(event: Json, bot: Bot) -> bool:
    person = event.get("user")
    return bool(
        person
        and person != bot.user
        and event.get("subtype") in _OWN_WORDS
        and not event.get("bot_id")
        and not event.get("edited")
        and not event.get("hidden")
    )


def _foreign(part: Json, names: Sequence[str], bot: Bot, workspace: str) -> bool:
    homes = {part[name] for name in names if part.get(name)}
    # Within one organisation only users.info can tell; what is said of a person there decides.
    return not bot.org and not homes <= {workspace}


def _thread(message: Json) -> str:
    # The parent of a thread carries its own time as the thread's.
    thread = message.get("thread_ts") or ""
    return "" if thread == message.get("ts") else str(thread)


def _command(body: Json, workspace: str) -> Sequence[Row]:
    raw = {
        "kind": "said",
        "team": workspace,
        "user": _text(body, "user_id"),
        "name": str(body.get("user_name") or ""),
        "channel": _text(body, "channel_id"),
        "type": "im" if body.get("channel_name") == _IM else "channel",
        "title": _title(body.get("channel_name")),
        "command": _text(body, "command"),
        "text": _plain(body.get("text") or ""),
    }
    return [(_once(body), raw)]


def _title(name: Any) -> str:
    # Of private channels and groups of people, Slack tells no name that people would know.
    return "" if not name or name in {_IM, "privategroup"} or str(name).startswith("mpdm-") else f"#{name}"


def _action(body: Json, bot: Bot, workspace: str) -> Sequence[Row]:
    user, action, box = body["user"], body["actions"][0], body.get("container") or {}
    button = _text(action, "action_id")
    if action.get("type") != "button" or button.startswith(URL_BUTTON):
        return ()
    if _foreign(user, ("team_id",), bot, workspace):
        return ()
    message, channel = body.get("message") or {}, body.get("channel") or {}
    place = str(channel.get("id") or box.get("channel_id") or "")
    ts = str(message.get("ts") or box.get("message_ts") or "")
    raw = {
        "kind": "pressed",
        "team": workspace,
        "user": _text(user, "id"),
        "name": str(user.get("username") or user.get("name") or ""),
        "channel": place,
        "type": "im" if not place or place.startswith("D") or channel.get("name") == _IM else "channel",
        # What only its reader saw can't be changed later.
        "ts": "" if box.get("is_ephemeral") else ts,
        "thread": _thread({"ts": ts, "thread_ts": message.get("thread_ts") or box.get("thread_ts")}),
        "button": button,
    }
    return [(_once(body), raw)]


def _once(body: Json) -> str:
    # A trigger is a right to open a window for three seconds: only its hash is kept.
    return f"I:{hashlib.sha256(_text(body, 'trigger_id').encode()).hexdigest()[:40]}"


def _text(part: Json, name: str) -> str:
    value = part[name]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is no text")
    return value


def _plain(text: str) -> str:
    words = _MARKED.sub(_unmarked, text)
    for written, meant in _ESCAPES:
        words = words.replace(written, meant)
    return words


def _unmarked(found: re.Match[str]) -> str:
    target, shown = found[1], found[2]
    if target.startswith("@"):
        return f"<{target}>"
    if target.startswith("#"):
        return f"#{shown or target[1:]}"
    return found[0] if target.startswith("!") else shown or target.removeprefix("mailto:")


def read(raw: Json, commands: Collection[str], command: str = DEFAULT_COMMAND) -> Incoming | None:
    """Return what happened; `commands` are the names that count without a slash in private."""
    kind = raw["kind"]
    if kind == "said":
        return _said(raw, commands, command)
    if kind == "pressed":
        message = f"{raw['channel']}/{raw['ts']}" if raw["ts"] else ""
        return Pressed(_sender(raw), raw["button"], message, answer=raw["channel"])
    if kind == "happened":
        user = raw.get("user", "")
        return Happened(Sender(user, "", user, raw["team"]), raw["what"], raw.get("detail", ""))
    return None


def _said(raw: Json, commands: Collection[str], command: str) -> Said | None:
    pasted, ts = str(raw.get(PASTED, "")), raw.get("ts", "")
    # With a secret in it, its words are not read as a command.
    text = "" if pasted else _words(raw, commands, command)
    if not text and not pasted:
        return None
    at = datetime.fromtimestamp(float(ts), UTC) if ts else None
    return Said(_sender(raw), text, f"{raw['channel']}/{ts}" if ts else "", pasted, at)


def _words(raw: Json, commands: Collection[str], command: str) -> str:
    text = raw["text"].strip()
    if "command" in raw:
        return _line(text) if raw["command"] == command else f"{raw['command']} {text}".strip()
    mention = f"<@{raw['bot']}>"
    if raw["type"] != "im":
        # Further inside it is people who speak of us, or quote: that must start nothing.
        return _line(text.removeprefix(mention)) if text.startswith(mention) else HELP
    text = text.removeprefix(mention).strip()
    first = text.split(maxsplit=1)[0].lower() if text else ""
    return f"/{text}" if first in commands else text


def _line(text: str) -> str:
    words = text.strip().lstrip(":,;.!? ")
    return f"/{words.lstrip('/').lstrip()}" if words.strip("/ ") else HELP


def _sender(raw: Json) -> Sender:
    private = raw["type"] == "im"
    return Sender(
        user=raw["user"],
        name=raw.get("name", ""),
        channel=raw["user"] if private else raw["channel"],
        workspace=raw["team"],
        thread="" if private else raw.get("thread", ""),
        private=private,
        title=str(raw.get("title") or ""),
    )
