"""Payloads of Slack, whole as documented, and what is read of them."""

import json
from typing import Any

from chatbot.domain.updates import Incoming, Sender
from chatbot.platforms.slack.reading import read, slim
from chatbot.platforms.slack.tokens import Bot
from tests.support.slackapi import payloads
from tests.support.slackapi.world import APP_ID, BOT, BOT_ID, Channel, Grant, Shown, Team

ANA, TS = "UANA", "1700000000.000200"
HERE = Bot("T1", BOT, BOT_ID, APP_ID)
GRID = Bot("E1", BOT, BOT_ID, APP_ID, "E1")
NAMES = frozenset({"connect", "balances", "help"})
PRIVATE = Sender(ANA, "", ANA, "T1")
TEAM = Sender(ANA, "", "CTEAM", "T1", private=False)
HOOK = "https://hooks.slack.com/commands/T1/1/hooksecret"
TRIGGER = "1001.1.triggersecret"
Json = dict[str, Any]


def said(
    text: str, channel: str = "DT1UANA", kind: str = "message", thread: str = "", **changes: Any
) -> Json:
    """Return the event of a message."""
    shown = Shown("T1", channel, TS, text, thread=thread, user=ANA)
    event = payloads.said(shown, kind, "im" if kind == "message" else "") | changes
    return payloads.envelope(Team("T1"), Grant(("T1",)), event, 1)


def mentioned(text: str, **changes: Any) -> Json:
    """Return the event of a mention in a channel."""
    return said(text, "CTEAM", "app_mention", **changes)


def slash(command: str, text: str = "", **changes: Any) -> Json:
    """Return a slash command."""
    channel = Channel("CTEAM", "T1")
    return payloads.slash(Team("T1"), channel, ANA, command, text, HOOK, TRIGGER) | changes


def pressed(shown: Shown | None = None, element: Json | None = None, **changes: Any) -> Json:
    """Return a press."""
    shown = shown or Shown("T1", "CTEAM", TS, "Press", [])
    element = element or {
        "type": "button",
        "action_id": "b-1",
        "text": {"type": "plain_text", "text": "Next"},
    }
    who = {"id": ANA, "name": "ana", "team_id": "T1"}
    return payloads.pressed(Team("T1"), shown, who, element, HOOK, TRIGGER) | changes


def happened(event: Json) -> Json:
    """Return another event."""
    return payloads.envelope(Team("T1"), Grant(("T1",)), event | {"event_ts": TS}, 7) | {
        "event_time": 1_700_000_000
    }


def rows(body: Json, bot: Bot = HERE, workspace: str = "T1") -> list[tuple[str, Json]]:
    """Return what is stored of a payload."""
    return list(slim(body, bot, workspace))


def understood(body: Json, bot: Bot = HERE, **options: Any) -> Incoming | None:
    """Return what is read of the one row that is stored of a payload."""
    [(_, raw)] = rows(body, bot)
    return read(json.loads(json.dumps(raw)), NAMES, **options)


def heard(body: Json, bot: Bot = HERE, **options: Any) -> Any:
    """Return the same where a test knows of which kind it is."""
    return understood(body, bot, **options)
