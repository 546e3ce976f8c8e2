"""The Web API's methods, one function each: what a call does to the world and what it answers.

`server` has checked token, scope and parameters before it comes here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.slackapi.rules import Mistaken, Refused
from tests.support.slackapi.world import APP_ID, BOT, BOT_ID, Grant, Shown, World

CLIENT = ("111.222", "fakeclientsecretfakeclientsecret")


@dataclass(slots=True)
class Code:
    """What a person allowed: where, with which scopes, and where the answer goes."""

    team: str
    user: str
    scopes: frozenset[str]
    redirect: str
    wide: bool = False
    used: bool = False


class Methods:
    """What the app may ask of Slack."""

    def __init__(self, world: World, origin: Callable[[], str]) -> None:
        self.world = world
        self.rotation = False
        self.codes: dict[str, Code] = {}
        self.refreshes: dict[str, str] = {}
        self._origin = origin

    def auth_test(self, grant: Grant, params: dict[str, Any]) -> dict[str, Any]:
        team = self.world.teams[grant.teams[0]]
        told = {
            "url": f"https://{team.domain}.slack.com/",
            "team": team.domain,
            "user": "keyherald",
            "team_id": team.id,
            "user_id": BOT,
            "bot_id": BOT_ID,
            "is_enterprise_install": len(grant.teams) > 1,
        }
        return told | ({"enterprise_id": grant.enterprise} if grant.enterprise else {})

    def bots_info(self, grant: Grant, params: dict[str, Any]) -> dict[str, Any]:
        if params["bot"] != BOT_ID:
            raise Refused("bot_not_found")
        bot = {"id": BOT_ID, "app_id": APP_ID, "user_id": BOT, "name": "keyherald", "deleted": False}
        return {"bot": bot | {"updated": 1700000000, "icons": {}}}

    def users_info(self, grant: Grant, params: dict[str, Any]) -> dict[str, Any]:
        known = [self.world.users.get((team, params["user"])) for team in grant.teams]
        found = next(filter(None, known), None)
        if found is None:
            raise Refused("user_not_found")
        return {"user": _user_json(found, locale=params.get("include_locale", False))}

    def conversations_open(self, grant: Grant, params: dict[str, Any]) -> dict[str, Any]:
        if not params.get("users"):
            raise Mistaken("users_list_not_supplied", "users is missing")
        if "," in params["users"]:
            raise Mistaken("missing_scope", "several users need mpim:write")
        known = {team: self.world.users.get((team, params["users"])) for team in grant.teams}
        team, found = next(((t, u) for t, u in known.items() if u), ("", None))
        if found is None:
            raise Refused("user_not_found")
        if found.get("deleted"):
            raise Refused("user_disabled")
        if found.get("is_bot"):
            raise Refused("cannot_dm_bot")
        im = self.world.im(found["id"], team)
        told: dict[str, Any] = {"id": im.id}
        if params.get("return_im"):
            told |= {"is_im": True, "user": found["id"], "is_archived": im.archived, "created": 1700000000}
        return {"channel": told}

    def chat_postMessage(self, grant: Grant, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  as it is named
        shown = self.world.post(grant, params)
        return {"channel": shown.channel, "ts": shown.ts, "message": message_json(shown)}

    def chat_postEphemeral(self, grant: Grant, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  as it is named
        return {"message_ts": self.world.whisper(grant, params).ts}

    def chat_update(self, grant: Grant, params: dict[str, Any]) -> dict[str, Any]:
        shown = self.world.edit(grant, params)
        told = {"channel": shown.channel, "ts": shown.ts, "text": shown.text}
        return told | {"message": message_json(shown)}

    def chat_delete(self, grant: Grant, params: dict[str, Any]) -> dict[str, Any]:
        shown = self.world.delete(grant, params)
        return {"channel": shown.channel, "ts": shown.ts}

    def views_publish(self, grant: Grant, params: dict[str, Any]) -> dict[str, Any]:
        team = next((t for t in grant.teams if (t, params["user_id"]) in self.world.users), "")
        if not team:
            raise Refused("user_not_found")
        if self.world.users[team, params["user_id"]].get("home_refusal"):
            raise Refused("not_enabled")
        number, blocks = f"V{self.world.number()}", params["view"]["blocks"]
        shown = Shown(team, params["user_id"], number, "", blocks, home=True)
        self.world.homes[team, shown.channel] = shown
        return {"view": view_json(shown)}

    def files_getUploadURLExternal(self, grant: Grant, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  as it is named
        file = {"id": f"F{self.world.number()}", "bytes": b"", "team": grant.teams[0], **params}
        self.world.files[file["id"]] = file
        return {"upload_url": f"{self._origin()}/upload/v1/{file['id']}", "file_id": file["id"]}

    def files_completeUploadExternal(self, grant: Grant, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  as it is named
        files = [self.world.files.get(str(one["id"])) for one in params["files"]]
        found = [file for file in files if file is not None]
        if len(found) != len(files):
            raise Refused("file_not_found")
        for file in found:
            if len(file["bytes"]) != int(file["length"]):
                raise Mistaken(
                    "invalid_upload", f"{len(file['bytes'])} bytes came, {file['length']} promised"
                )
        channel = self.world.reachable(grant, params["channel_id"])
        shown = Shown(channel.team, channel.id, self.world.next_ts(), "", [], params.get("thread_ts", ""))
        shown.files = found
        self.world.messages[shown.id] = shown
        return {"files": [{"id": file["id"], "title": file["filename"]} for file in found]}

    # OAuth: a person allows, the app takes the code to a token, and later a refresh token to the next one.

    def allow(self, url: str, team: str, user: str, *, wide: bool = False) -> str:
        """Let a person press *Allow* on Slack's page at `url`; returns where their browser is sent."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["client_id"] == CLIENT[0], asked
        code = f"code-{self.world.number()}"
        redirect = asked.get("redirect_uri", "")
        self.codes[code] = Code(team, user, frozenset(asked["scope"].split(",")), redirect, wide)
        return f"{redirect}?code={code}&state={asked.get('state', '')}"

    def oauth_v2_access(self, client: tuple[str, str], params: dict[str, Any]) -> dict[str, Any]:
        given = (params.get("client_id") or client[0], params.get("client_secret") or client[1])
        if given[0] != CLIENT[0]:
            raise Refused("invalid_client_id")
        if given[1] != CLIENT[1]:
            raise Refused("bad_client_secret")
        if params.get("grant_type") == "refresh_token":
            return self._refreshed(params.get("refresh_token", ""))
        code = self.codes.get(params.get("code", ""))
        if code is None:
            raise Refused("invalid_code")
        if code.used:
            raise Refused("code_already_used")
        if params.get("redirect_uri", "") != code.redirect:
            raise Refused("bad_redirect_uri")
        code.used = True
        team = self.world.team(code.team)
        teams = [t for t in self.world.teams.values() if t.enterprise and t.enterprise == team.enterprise]
        reach = tuple(t.id for t in teams) if code.wide else (team.id,)
        return self._granted(Grant(reach, code.scopes, team.enterprise)) | {"authed_user": {"id": code.user}}

    def _refreshed(self, refresh: str) -> dict[str, Any]:
        old = self.refreshes.pop(refresh, "")
        if not old:
            raise Refused("invalid_refresh_token")
        grant = self.world.tokens[old]
        if grant.refusal not in {"", "token_expired"}:
            raise Refused(grant.refusal)
        return self._granted(Grant(grant.teams, grant.scopes, grant.enterprise))

    def _granted(self, grant: Grant) -> dict[str, Any]:
        wide, number = len(grant.teams) > 1, self.world.number()
        token = f"{'xoxe.' if self.rotation else ''}xoxb-{number}-{grant.teams[0]}-fakefakefake"
        self.world.tokens[token] = grant
        team = self.world.teams[grant.teams[0]]
        told: dict[str, Any] = {
            "app_id": APP_ID,
            "access_token": token,
            "token_type": "bot",
            "scope": ",".join(sorted(grant.scopes)),
            "bot_user_id": BOT,
            "team": None if wide else {"id": team.id, "name": team.domain},
            "enterprise": {"id": grant.enterprise, "name": "Org"} if grant.enterprise else None,
            "is_enterprise_install": wide,
        }
        if self.rotation:
            refresh = f"xoxe-1-{number}-fakefakefake"
            self.refreshes[refresh] = token
            told |= {"refresh_token": refresh, "expires_in": 43200}
        return told


def message_json(shown: Shown) -> dict[str, Any]:
    """Return a message of the bot as Slack tells it."""
    told: dict[str, Any] = {
        "type": "message",
        "user": BOT,
        "bot_id": BOT_ID,
        "app_id": APP_ID,
        "team": shown.team,
        "ts": shown.ts,
        "text": shown.text,
        "blocks": shown.blocks,
        "bot_profile": {"id": BOT_ID, "app_id": APP_ID, "name": "keyherald", "team_id": shown.team},
    }
    if shown.thread:
        told |= {"thread_ts": shown.thread, "parent_user_id": BOT}
    if shown.edits:
        told["edited"] = {"user": BOT_ID, "ts": shown.ts}
    return told | ({"metadata": shown.metadata} if shown.metadata else {})


def view_json(shown: Shown) -> dict[str, Any]:
    """Return a home page as Slack tells it."""
    return {
        "id": shown.ts,
        "team_id": shown.team,
        "type": "home",
        "blocks": shown.blocks,
        "private_metadata": "",
        "callback_id": "",
        "state": {"values": {}},
        "hash": f"{shown.ts}.h",
        "title": {"type": "plain_text", "text": "View Title", "emoji": True},
        "clear_on_close": False,
        "notify_on_close": False,
        "close": None,
        "submit": None,
        "previous_view_id": None,
        "root_view_id": shown.ts,
        "app_id": APP_ID,
        "external_id": "",
        "app_installed_team_id": shown.team,
        "bot_id": BOT_ID,
    }


def _user_json(known: dict[str, Any], *, locale: bool) -> dict[str, Any]:
    plain = {
        "deleted": False,
        "color": "9f69e7",
        "real_name": known["name"].title(),
        "tz": "America/Mexico_City",
        "tz_label": "Central Standard Time",
        "tz_offset": -21600,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": False,
        "is_app_user": False,
        "updated": 1700000000,
    }
    profile = {"real_name": known["name"].title(), "display_name": known["name"], "team": known["team_id"]}
    if known["id"] == BOT:
        profile |= {"api_app_id": APP_ID, "bot_id": BOT_ID}
    told = plain | {"profile": profile} | known
    return told | ({"locale": known.get("locale", "en-US")} if locale else {})
