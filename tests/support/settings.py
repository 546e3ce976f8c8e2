"""Settings as tests give them, and what a start says of them."""

from chatbot.errors import ConfigError
from chatbot.settings import Settings

ONE_SLACK = {"SLACK_BOT_TOKEN": "xoxb-1-2-abc", "PUBLIC_URL": "https://bot.example.com"}
MANY_SLACKS = {
    "SLACK_CLIENT_ID": "111.222",
    "SLACK_CLIENT_SECRET": "abc",
    "SLACK_SIGNING_SECRET": "def",
    "PUBLIC_URL": "https://bot.example.com",
}
TELEGRAM = {"TELEGRAM_BOT_TOKEN": "123456:ABC-def", "PUBLIC_URL": "https://bot.example.com"}

SIGNED = {**ONE_SLACK, "SLACK_SIGNING_SECRET": "abc"}
AROUND = {
    "TELEGRAM_BOT_TOKEN": TELEGRAM, "SLACK_BOT_TOKEN": SIGNED, "SLACK_APP_TOKEN": SIGNED,
    "SLACK_CLIENT_ID": MANY_SLACKS,
}  # fmt: skip


def problems(**environ):
    """Return the sentences that stop the start; empty when it would go on."""
    try:
        Settings.from_environ(environ)
    except ConfigError as error:
        return error.problems
    return ()
