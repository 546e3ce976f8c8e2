"""What Slack sends an app, whole as documented: events, slash commands, presses."""

import html
import time
from typing import Any

from tests.support.slackapi.methods import message_json, view_json
from tests.support.slackapi.world import APP_ID, BOT, Channel, Grant, Shown, Team

VERIFICATION = "fakeverificationtoken"


def envelope(team: Team, grant: Grant | None, event: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the outer event around an event."""
    wide = grant is not None and len(grant.teams) > 1
    return {
        "token": VERIFICATION,
        "team_id": team.id,
        "context_team_id": team.id,
        "context_enterprise_id": team.enterprise or None,
        **({"enterprise_id": team.enterprise} if team.enterprise else {}),
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{number:09d}",
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": team.enterprise or None,
                "team_id": None if wide else team.id,
                "user_id": BOT,
                "is_bot": True,
                "is_enterprise_install": wide,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{number}",
    }


def said(shown: Shown, kind: str, channel_type: str) -> dict[str, Any]:
    """Return the event of a message that a person wrote; `kind` is message or app_mention."""
    element = {"type": "text", "text": html.unescape(shown.text)}
    section = {"type": "rich_text_section", "elements": [element]}
    told: dict[str, Any] = {
        "user": shown.user,
        "type": kind,
        "ts": shown.ts,
        "client_msg_id": f"00000000-0000-4000-8000-{shown.ts.rpartition('.')[2]:>012}",
        "text": shown.text,
        "team": shown.team,
        "blocks": [{"type": "rich_text", "block_id": "b1", "elements": [section]}],
        "channel": shown.channel,
        "event_ts": shown.ts,
    }
    if kind == "message":
        told["channel_type"] = channel_type
    if shown.thread:
        told |= {"thread_ts": shown.thread, "parent_user_id": BOT}
    return told


def slash(
    team: Team, channel: Channel, user: str, command: str, text: str, hook: str, trigger: str
) -> dict[str, Any]:
    """Return the form of a slash command."""
    names = {"im": "directmessage", "group": "privategroup", "mpim": "mpdm-a--b-1"}
    organisation = {"enterprise_id": team.enterprise, "enterprise_name": "Org"} if team.enterprise else {}
    return {
        "token": VERIFICATION,
        "team_id": team.id,
        "team_domain": team.domain,
        **organisation,
        "channel_id": channel.id,
        "channel_name": names.get(channel.kind, channel.name),
        "user_id": user,
        "user_name": user.lower(),
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": hook,
        "trigger_id": trigger,
    }


def pressed(
    team: Team, shown: Shown, user: dict[str, Any], element: dict[str, Any], hook: str, trigger: str
) -> dict[str, Any]:
    """Return the payload of a press on a message or a home page."""
    told: dict[str, Any] = {
        "type": "block_actions",
        "user": {
            "id": user["id"],
            "username": user["name"],
            "name": user["name"],
            "team_id": user["team_id"],
        },
        "api_app_id": APP_ID,
        "token": VERIFICATION,
        "trigger_id": trigger,
        "team": {"id": team.id, "domain": team.domain},
        "enterprise": {"id": team.enterprise, "name": "Org"} if team.enterprise else None,
        "is_enterprise_install": False,
        "actions": [_action(element, shown)],
    }
    if team.enterprise:
        told["team"] |= {"enterprise_id": team.enterprise, "enterprise_name": "Org"}
    if shown.home:
        view = view_json(shown)
        return told | {"container": {"type": "view", "view_id": shown.ts}, "view": view}
    container: dict[str, Any] = {
        "type": "message",
        "message_ts": shown.ts,
        "channel_id": shown.channel,
        "is_ephemeral": bool(shown.to),
    }
    if shown.thread:
        container["thread_ts"] = shown.thread
    told |= {
        "container": container,
        "channel": {
            "id": shown.channel,
            "name": "directmessage" if shown.channel.startswith("D") else "general",
        },
        "state": {"values": {}},
        "response_url": hook,
    }
    return told if shown.to else told | {"message": message_json(shown)}


def _action(element: dict[str, Any], shown: Shown) -> dict[str, Any]:
    block = next((b for b in shown.blocks if element in b.get("elements", [])), {})
    return {
        "action_id": element["action_id"],
        "block_id": block.get("block_id", "x1"),
        "text": {"emoji": True, **element["text"]},
        **{key: element[key] for key in ("value", "url", "style") if key in element},
        "type": "button",
        "action_ts": f"{time.time():.6f}",
    }
