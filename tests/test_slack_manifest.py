"""The Slack app that people create from our manifest is the one the code and docs/slack.md speak of."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it comes along with moto

import handlers
from chatbot.domain.people import Role
from chatbot.platforms.slack.oauth import INSTALL_PATH, RETURN_PATH, SCOPES
from chatbot.platforms.slack.reading import DEFAULT_COMMAND
from chatbot.platforms.slack.receiving import PATH
from chatbot.registry import CommandEntry, Registry, Where
from chatbot.settings import env_example

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "slack.md").read_text("utf-8")
# Slack's own: an app that registers one of them has none of its commands registered.
BUILT_IN = frozenset(
    re.findall(
        r"\w+",
        "active all apps archive away call calls close collapse dm dnd expand feed feedback huddle invite join "
        "kick leave me msg mute open part prefs remind remove rename search shortcuts shrug star status topic "
        "unarchive who",
    )
)


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """The manifest as Slack reads it."""
    read: dict[str, Any] = yaml.safe_load((DOCS / "slack-manifest.yaml").read_text("utf-8"))
    return read


@pytest.fixture(scope="module")
def commands() -> dict[str, CommandEntry]:
    """What the bot can do."""
    return Registry().load(handlers).commands


@pytest.fixture
def slashes(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The slash commands of the manifest but the one that takes all the others."""
    first, *others = manifest["features"]["slash_commands"]
    assert first["command"] == DEFAULT_COMMAND
    return others


def test_it_asks_for_what_the_code_asks_for(manifest):
    """An app made by hand may do exactly what one installed by OAuth may, and nothing as a person."""
    assert manifest["oauth_config"]["scopes"] == {"bot": list(SCOPES)}


def test_every_scope_and_event_is_explained(manifest):
    """Whoever has to agree to it reads what each is for."""
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    told = re.findall(r"^\| (`[^|]+`) \|", PAGE, re.MULTILINE)
    named = {name for cell in told for name in re.findall(r"`([^`]+)`", cell)}
    assert {*SCOPES, *events} <= named
    assert events == ["app_home_opened", "app_mention", "app_uninstalled", "message.im", "tokens_revoked"]


def test_its_slash_commands_are_commands_of_ours(slashes, commands):
    """With the words of /help, and the arguments it shows."""
    names = [slash["command"].removeprefix("/") for slash in slashes]
    assert names == ["connect", "balances", "fills", "keys", "revoke", "here"]
    for name, slash in zip(names, slashes, strict=True):
        assert (slash["description"], slash.get("usage_hint", "")) == (
            commands[name].about,
            commands[name].usage,
        )


def test_none_of_them_is_slacks_own(slashes):
    """One name too many and Slack takes none."""
    names = {slash["command"].removeprefix("/") for slash in slashes} | {DEFAULT_COMMAND.removeprefix("/")}
    assert not names & BUILT_IN
    assert all(re.fullmatch(r"[a-z][a-z0-9_-]{0,30}", name) for name in names)


def test_the_page_lists_them_as_they_are(slashes, commands):
    """Nobody looks for a command that is not there."""
    table = dict(re.findall(r"^\| `(/[^`]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert table.pop(f"{DEFAULT_COMMAND} <command>")
    shown = {" ".join(filter(None, (s["command"], s.get("usage_hint")))): s["description"] for s in slashes}
    assert table == shown
    assert commands["revoke"].role is Role.ADMIN
    assert commands["here"].where is Where.GROUP


def test_every_address_is_one_we_answer(manifest, slashes):
    """Under the PUBLIC_URL of .env.example, which is the one thing to replace."""
    example = re.search(r"^#PUBLIC_URL=(.+)$", env_example(), re.MULTILINE)
    assert example is not None
    events, way_back = example[1] + PATH, example[1] + RETURN_PATH
    settings = manifest["settings"]
    called = [slash["url"] for slash in manifest["features"]["slash_commands"]]
    called += [settings[part]["request_url"] for part in ("event_subscriptions", "interactivity")]
    assert set(called) == {events}
    assert len(called) == len(slashes) + 3
    assert manifest["oauth_config"]["redirect_urls"] == [way_back]
    assert settings["interactivity"]["is_enabled"] is True
    for path in (PATH, RETURN_PATH, INSTALL_PATH):
        assert f"`{path}`" in PAGE


def test_it_starts_as_one_workspace_over_http(manifest):
    """What can't be undone, or needs more settings, is off until somebody chooses it."""
    settings = manifest["settings"]
    for choice in ("org_deploy_enabled", "socket_mode_enabled", "token_rotation_enabled"):
        assert settings[choice] is False
        assert choice in PAGE
    home = manifest["features"]["app_home"]
    assert home == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }


def test_nothing_is_longer_than_slack_takes(manifest, slashes):
    """Names of at most 35 and 80 characters, descriptions of 140 and 2,000."""
    assert len(manifest["display_information"]["name"]) <= 35
    assert len(manifest["display_information"]["description"]) <= 140
    assert len(manifest["features"]["bot_user"]["display_name"]) <= 80
    assert all(len(slash["description"]) <= 2000 for slash in slashes)
    assert len(slashes) < 50


def test_every_setting_of_slack_is_told(manifest):
    """The page names each, and no setting there is not."""
    del manifest
    known = set(re.findall(r"^#?(SLACK_\w+)=", env_example(), re.MULTILINE))
    named = set(re.findall(r"\bSLACK_[A-Z_]+\b", PAGE))
    assert named <= known
    assert known - named <= {"SLACK_API_URL"}
