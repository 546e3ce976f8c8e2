"""Slack's settings: which belong together, and what is said when they don't."""

import pytest

from tests.support.settings import MANY_SLACKS, ONE_SLACK, TELEGRAM, problems


@pytest.mark.parametrize(
    "given",
    [
        {**ONE_SLACK, "SLACK_APP_TOKEN": "xapp-1-A1-2-abc"},
        {**ONE_SLACK, "SLACK_SIGNING_SECRET": "abc"},
        {**ONE_SLACK, "SLACK_SIGNING_SECRET": "abc", "SLACK_COMMAND": "/kh", **TELEGRAM},
        MANY_SLACKS,
        {**ONE_SLACK, "SLACK_SIGNING_SECRET": "abc", "SLACK_API_URL": "http://127.0.0.1:8082/api/",
         "PUBLIC_URL": "http://localhost:8080"},
    ],
)  # fmt: skip
def test_slack_has_three_ways_to_be_set_up(given):
    """One workspace by socket or by address, or many by OAuth; beside Telegram too."""
    assert problems(**given) == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (ONE_SLACK, "SLACK_BOT_TOKEN needs one more setting"),
        ({"SLACK_APP_TOKEN": "xapp-1-A1-2-abc"}, "SLACK_APP_TOKEN is of no use without SLACK_BOT_TOKEN"),
        ({"SLACK_SIGNING_SECRET": "abc"}, "of no use without SLACK_BOT_TOKEN"),
        ({**MANY_SLACKS, **ONE_SLACK}, "set either, not both"),
        ({**MANY_SLACKS, "SLACK_APP_TOKEN": "xapp-1-A1-2-abc"}, "set either, not both"),
        ({**MANY_SLACKS, "SLACK_SIGNING_SECRET": ""}, "set SLACK_SIGNING_SECRET too"),
        ({**MANY_SLACKS, "SLACK_CLIENT_ID": ""}, "set SLACK_CLIENT_ID too"),
        ({**MANY_SLACKS, "PUBLIC_URL": ""}, "PUBLIC_URL must be set"),
        ({**MANY_SLACKS, "PUBLIC_URL": "http://localhost:8080"}, "only this machine"),
    ],
)
def test_half_a_slack_stops_the_start(given, said):
    """What is missing or too much is named; nothing starts that could not be reached or answered."""
    found = problems(**given)

    assert len(found) == 1
    assert said in found[0]
