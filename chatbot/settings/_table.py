"""The table of all settings, for people: name, meaning, default, an example.

`chatbot.settings` takes its names and defaults from here; `.env.example` and the README's table are made
from it. A setting without a default shows in `shown` what happens instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass

GENERAL = "General"
WEB = "Address and the link page"
TELEGRAM = "Telegram"
SLACK = "Slack"
PEOPLE = "People"
KEYS = "Exchanges and keys"
TEXT = "Language, time and currency of somebody new"


@dataclass(frozen=True, slots=True)
class Described:
    """A setting for people; `default` is its text, or None with `shown` in its place."""

    name: str
    section: str
    meaning: str
    example: str
    default: str | None = None
    shown: str = "–"
    secret: bool = False

    @property
    def default_shown(self) -> str:
        """What people read as the default."""
        return self.default or self.shown


TABLE: tuple[Described, ...] = (
    Described("DATA_DIR", GENERAL, "Where the embedded database lives.", "/var/lib/keyherald", "./var"),
    Described(
        "DATABASE_URL",
        GENERAL,
        "SQLite or PostgreSQL; postgres:// is accepted.",
        "postgresql://keyherald:<password>@localhost/keyherald",
        shown="an SQLite file under DATA_DIR",
        secret=True,
    ),
    Described(
        "MASTER_KEY",
        GENERAL,
        "The keys that seal every secret, id:base64, newest first, separated by commas.",
        "k1:<the output of: openssl rand -base64 32>",
        secret=True,
    ),
    Described(
        "MASTER_KEY_FILE",
        GENERAL,
        "The same in a file of mode 0600, instead of MASTER_KEY; a credential of systemd is found by itself.",
        "/etc/keyherald/master.key",
        shown="~/.config/keyherald/master.key, made by the first run with SQLite",
    ),
    Described(
        "KMS_KEY",
        GENERAL,
        "A key service that keeps the master key wrapped, asked once at start: aws-kms:<ARN>, "
        "gcp-kms:projects/…, vault-transit:<mount>/<name>.",
        "aws-kms:alias/keyherald",
    ),
    Described("LOG_LEVEL", GENERAL, "How much is logged: debug, info, warning or error.", "warning", "info"),
    Described(
        "PUBLIC_URL",
        WEB,
        "Where people's browsers reach us: https with a host name, or http on localhost. Its path is put "
        "before /key and /api. Needed with Telegram and Slack.",
        "https://bot.example.com",
        shown="http://localhost:$PORT while the web chat is the only platform",
    ),
    Described("HOST", WEB, "The address to listen on.", "0.0.0.0", "127.0.0.1"),  # noqa: S104  an example for operators
    Described("PORT", WEB, "The port to listen on.", "9000", "8080"),
    Described(
        "TRUSTED_PROXIES", WEB, "Addresses or networks whose X-Forwarded-For counts.", "10.0.0.1, 10.1.0.0/16"
    ),
    Described("LINK_MINUTES", WEB, "Life of a one-time link in minutes, 60 at most.", "15", "10"),
    Described(
        "TELEGRAM_BOT_TOKEN",
        TELEGRAM,
        "The bot's token, as @BotFather gives it.",
        "123456789:<letters and digits>",
        secret=True,
    ),
    Described(
        "TELEGRAM_API_URL",
        TELEGRAM,
        "Your own Bot API server, without /bot.",
        "http://127.0.0.1:8081",
        shown="Telegram's own",
    ),
    Described(
        "TELEGRAM_WEBHOOK_SECRET",
        TELEGRAM,
        "Set: updates come to PUBLIC_URL/telegram/webhook. Unset: the bot asks for them. At least 32 "
        "letters, digits, _ or -.",
        "<the output of: openssl rand -hex 32>",
        secret=True,
    ),
    Described(
        "SLACK_BOT_TOKEN",
        SLACK,
        "The token of your one workspace, xoxb-…. Left out when many workspaces install the app.",
        "xoxb-<digits, letters and dashes>",
        secret=True,
    ),
    Described(
        "SLACK_SIGNING_SECRET",
        SLACK,
        "Slack signs what it sends to PUBLIC_URL/slack/events with this; not needed with SLACK_APP_TOKEN.",
        "<32 hex digits from the app's Basic Information>",
        secret=True,
    ),
    Described(
        "SLACK_APP_TOKEN",
        SLACK,
        "Socket Mode: the bot calls Slack, so no public address is needed for it. xapp-…, scope "
        "connections:write.",
        "xapp-<digits, letters and dashes>",
        secret=True,
    ),
    Described(
        "SLACK_CLIENT_ID",
        SLACK,
        "Many workspaces: anybody may install the app at PUBLIC_URL/slack/install. Needs "
        "SLACK_CLIENT_SECRET and SLACK_SIGNING_SECRET.",
        "<the app's client id>",
    ),
    Described(
        "SLACK_CLIENT_SECRET",
        SLACK,
        "The secret that belongs to SLACK_CLIENT_ID.",
        "<32 hex digits from the app's Basic Information>",
        secret=True,
    ),
    Described(
        "SLACK_API_URL",
        SLACK,
        "Another Web API, ending in /api/; it serves OAuth too.",
        "http://127.0.0.1:8082/api/",
        shown="Slack's own",
    ),
    Described(
        "SLACK_COMMAND",
        SLACK,
        "The slash command that takes all the others, when /keyherald is taken in your workspace.",
        "/kh",
        "/keyherald",
    ),
    Described(
        "ADMINS",
        PEOPLE,
        "Who may do everything: telegram:<user id>, slack:<team>/<user>, web:<name>.",
        "telegram:123456789",
        shown="nobody",
    ),
    Described(
        "MEMBERS",
        PEOPLE,
        "Who may use the bot: as ADMINS, and telegram:* or slack:<team>/* for everybody there.",
        "telegram:123456789, web:you",
        shown="nobody",
    ),
    Described(
        "POLL_SECONDS",
        KEYS,
        "Seconds between two polls of a key; never faster than the exchange allows.",
        "60",
        "30",
    ),
    Described(
        "DUST_BELOW",
        KEYS,
        "Assets worth less, in the person's currency, are folded into one line.",
        "0.50",
        "1",
    ),
    Described(
        "KEY_PURPOSE",
        KEYS,
        "monitor asks for view rights only; trade asks for the order right too, for software of yours that "
        "trades with the same key.",
        "trade",
        "monitor",
    ),
    Described(
        "REFUSE_PERMISSIONS",
        KEYS,
        "A key with one of these is refused; none refuses nothing.",
        "withdraw",
        "withdraw,transfer",
    ),
    Described(
        "WARN_PERMISSIONS",
        KEYS,
        "A key with one of these is taken with a warning; none never warns.",
        "trade,orders",
        "trade",
    ),
    Described(
        "KEY_MAX_AGE_DAYS",
        KEYS,
        "When a key should be rotated, where the exchange reports no expiry.",
        "180",
        "90",
    ),
    Described(
        "EGRESS_IPS",
        KEYS,
        "Our fixed addresses, shown in the guide's whitelist step.",
        "203.0.113.7, 203.0.113.8",
        shown="– (the step is left out)",
    ),
    Described(
        "EXCHANGE_<NAME>_URL",
        KEYS,
        "Another origin for an exchange (sandbox, proxy, practice), as in EXCHANGE_BITSO_URL; the documented "
        "path is added.",
        "http://127.0.0.1:9000",
        shown="production",
    ),
    Described("DEFAULT_LOCALE", TEXT, "en, es or pt.", "es", "en"),
    Described("DEFAULT_TIMEZONE", TEXT, "A time zone by region and city.", "America/Mexico_City", "UTC"),
    Described("DEFAULT_CURRENCY", TEXT, "A currency by its three letters.", "MXN", "USD"),
)
BY_NAME: Mapping[str, Described] = {described.name: described for described in TABLE}


def env_example() -> str:
    """Return the text of `.env.example`: every setting with its meaning and default, all commented out."""
    lines = [
        "# Keyherald's settings. Copy this file to .env, take away the # and fill in what you need.",
        "# Whatever is left out has its default; variables of the environment win over this file.",
    ]
    section = ""
    for setting in TABLE:
        if setting.section != section:
            section = setting.section
            lines += ["", f"## {section}"]
        lines += ["", f"# {setting.meaning}", f"# Default: {setting.default_shown}"]
        lines += [f"#{setting.name}={setting.default or setting.example}"]
    return "\n".join(lines) + "\n"


def readme_table() -> str:
    """Return the settings as a Markdown table."""
    rows = [f"| `{s.name}` | {s.meaning} | {s.default_shown} |" for s in TABLE]
    return "\n".join(["| Name | Meaning | Default |", "|---|---|---|", *rows]) + "\n"
