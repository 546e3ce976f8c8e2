"""What slack_bolt and slack_sdk are handed: a logger that writes nothing and clients that never try twice.

Their own logs hold payloads, codes and tokens; their default retry handler sends again what was taken.
"""

import logging
import random

from slack_sdk.errors import SlackApiError

from chatbot.platforms.slack.transport import Client, refuse_retries

CALL_SECONDS = 10
# In no tree of loggers, so that nobody can turn it up.
QUIET = logging.Logger("keyherald.slack", logging.CRITICAL + 1)  # noqa: LOG001
QUIET.disabled = True
QUIET.addHandler(logging.NullHandler())
_JITTER = random.SystemRandom()


class BareClient(Client):
    """A client without a token, which opens a connection of its own for each of its rare calls."""

    def __init__(self, api_url: str) -> None:
        """Take the address that method names are put behind."""
        super().__init__("", api_url)
        self.timeout = CALL_SECONDS
        # What it is answered are tokens and addresses that open something.
        self._logger = QUIET


def bare_client(api_url: str) -> BareClient:
    """Return one, made sure of that it sends everything once."""
    client = BareClient(api_url)
    refuse_retries(client)
    return client


def code_of(error: SlackApiError) -> str:
    """Return Slack's word for what went wrong; empty when the answer was none of Slack's."""
    answer = getattr(error.response, "data", None)
    code = answer.get("error") if isinstance(answer, dict) else None
    return code[:64] if isinstance(code, str) and code.replace("_", "").isalnum() else ""


def backoff(tries: int) -> float:
    """Return seconds to wait after so many failures in a row: doubling to a minute, less some at random."""
    return float(min(60.0, 2.0 ** min(tries - 1, 10))) * _JITTER.uniform(0.7, 1.0)
