"""Slack on loopback: its Web API over real HTTP, Socket Mode, and people who type; strict, and able to fail.

`async with running() as api`: set `api.target` to the address that Slack calls (`…/slack/events`), or leave it
empty and connect by Socket Mode. Tests act with `say`, `mention`, `slash`, `press`, `open_home`, `uninstall`,
read with `shown` and `latest`, break things with `fail`, and end with `complaints == []`.
"""

from tests.support.botapi.wire import Fault
from tests.support.slackapi.people import Sent
from tests.support.slackapi.rules import LONGEST_BLOCKS as LONGEST
from tests.support.slackapi.server import SlackApi, running
from tests.support.slackapi.wire import Answer
from tests.support.slackapi.world import APP_ID, APP_TOKEN, BOT, SCOPES, TEAM, Shown, token_of

__all__ = [
    "APP_ID",
    "APP_TOKEN",
    "BOT",
    "LONGEST",
    "SCOPES",
    "TEAM",
    "Answer",
    "Fault",
    "Sent",
    "Shown",
    "SlackApi",
    "running",
    "token_of",
]
