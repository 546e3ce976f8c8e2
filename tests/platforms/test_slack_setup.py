"""Which settings make a Slack, which are refused, and what its lease is called."""

from types import SimpleNamespace
from typing import Any

import pytest

from chatbot.bootstrap import parts, tasks
from chatbot.dispatcher.installs import StoredInstalls
from chatbot.errors import ConfigError
from chatbot.platforms.slack import Slack
from chatbot.settings import Settings
from tests.support.slackapi import APP_TOKEN
from tests.support.slackapi.methods import CLIENT
from tests.support.slackapi.people import SIGNING_SECRET
from tests.support.slacks import PUBLIC_URL, ApiClock
from tests.support.telegrams import Notes

MANY = {"client_id": CLIENT[0], "client_secret": CLIENT[1], "signing_secret": SIGNING_SECRET}


def made(**settings: Any) -> Slack:
    return Slack(public_url=PUBLIC_URL, clock=ApiClock(), log=Notes(), **settings)


def nowhere() -> StoredInstalls:
    """Installations whose database nobody opens."""
    unused: Any = None
    return StoredInstalls("slack", unused, unused, ApiClock(), "test")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"token": "xoxb-111-222-secret"}, "slack:111-222"),
        (MANY, f"slack:{CLIENT[0]}"),
    ],
)
def test_the_lease_names_the_bot_and_not_the_token(settings, name):
    """Two processes with one bot want the same lease, and a new token of the same bot too."""
    assert made(**({"signing_secret": "x"} | settings)).lease_name == name


def test_a_token_of_another_shape_is_named_by_its_hash():
    """Whatever Slack's tokens come to look like, the lease tells nothing of them."""
    platform = made(token="xoxb-odd-canary", signing_secret="x")

    assert "canary" not in platform.lease_name
    assert platform.lease_name == made(token="xoxb-odd-canary", app_token=APP_TOKEN).lease_name


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"token": "canary"},
        {"token": "xoxp-canary", "signing_secret": "x"},
        {"token": "xoxb-canary"},
        {"token": "xoxb-can ary", "signing_secret": "x"},
        {"token": "xoxb-1", "app_token": "canary"},
        {"client_id": "canary"},
        {"client_id": "canary", "client_secret": "canary"},
        MANY | {"token": "xoxb-canary"},
        MANY | {"app_token": "xapp-canary"},
    ],
)
def test_what_can_not_go_together_is_refused_unspoken(settings):
    """The start is refused in a sentence that does not repeat what was given."""
    with pytest.raises(ConfigError) as raised:
        made(**settings)

    assert "SLACK_" in str(raised.value)
    assert "canary" not in str(raised.value)


BOTH = {
    "TELEGRAM_BOT_TOKEN": "123456:ABC-def",
    "SLACK_BOT_TOKEN": "xoxb-1-2-abc",
    "SLACK_SIGNING_SECRET": "abc",
    "PUBLIC_URL": PUBLIC_URL,
}


@pytest.mark.parametrize(
    ("environ", "names", "paths"),
    [
        (BOTH, ["telegram", "slack"], ["/slack/events"]),
        ({**BOTH, "TELEGRAM_BOT_TOKEN": ""}, ["slack"], ["/slack/events"]),
        ({**BOTH, "SLACK_APP_TOKEN": "xapp-1-A1-2-abc"}, ["telegram", "slack"], []),
    ],
)
def test_the_settings_make_the_platforms(environ, names, paths):
    """Telegram and Slack side by side, Slack alone, and by socket without any address of its own."""
    found = parts.make_platforms(Settings.from_environ(environ))

    assert list(found) == names
    assert [route.path for route in found["slack"].routes()] == paths


def test_many_workspaces_are_set_up_from_the_settings():
    """Anybody may install the app where the settings say so."""
    environ = {
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "abc",
        "SLACK_SIGNING_SECRET": "def",
        "PUBLIC_URL": PUBLIC_URL,
    }

    [slack] = parts.make_platforms(Settings.from_environ(environ), installs=nowhere()).values()

    assert [route.path for route in slack.routes()] == ["/slack/events", "/slack/install", "/slack/oauth"]


@pytest.mark.parametrize(("client_id", "said"), [("1.2", True), (None, False)])
def test_the_start_says_where_workspaces_install_it(capsys, client_id, said):
    """Whoever runs it for many reads the address to hand out; for one workspace there is none."""
    settings = SimpleNamespace(public_url=PUBLIC_URL, slack_client_id=client_id)
    running: Any = SimpleNamespace(platforms={"telegram": None, "slack": None}, settings=settings)

    tasks.announce(running)
    told = capsys.readouterr().out

    assert f"running on telegram, slack; link pages at {PUBLIC_URL}/key" in told
    assert (f"{PUBLIC_URL}/slack/install" in told) is said
