"""The settings: every default, every rule, all problems in one message, and no secret in any of them."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from chatbot.domain.people import Identity, Role
from chatbot.domain.permissions import Permission
from chatbot.errors import ConfigError
from chatbot.settings import TABLE, Settings, env_example, readme_table
from tests.support.environment import is_ours
from tests.support.settings import AROUND, TELEGRAM, problems
from tests.support.sources import ROOT

CANARY = "cAnArY7f3a9d2b81e64c05"


def test_a_start_without_settings_is_the_web_chat_on_this_machine():
    """Nothing set gives the documented defaults, and denies everybody."""
    settings = Settings.from_environ({})
    options = settings.options()

    assert settings.database_url.get_secret_value() == "sqlite:///var/keyherald.sqlite"
    assert (settings.host, settings.port, options.public_url) == ("127.0.0.1", 8080, "http://localhost:8080")
    assert (options.poll_seconds, options.link_minutes, options.dust_below) == (30, 10, Decimal(1))
    assert (options.locale, options.timezone, options.currency) == ("en", "UTC", "USD")
    assert options.policy.refuse == {Permission.WITHDRAW, Permission.TRANSFER}
    assert options.policy.warn == {Permission.TRADE}
    assert not options.policy.trade
    assert options.egress == ()
    assert settings.roster().role(Identity("web", "you")) is Role.STRANGER


def test_settings_reach_the_handlers():
    """What is set arrives in options and roster."""
    settings = Settings.from_environ(
        {
            "KEY_PURPOSE": "trade",
            "EGRESS_IPS": "203.0.113.7, 2001:db8::1",
            "ADMINS": "telegram:1, web:admin",
            "MEMBERS": "telegram:*,slack:T1/*",
            "REFUSE_PERMISSIONS": "withdraw",
            "WARN_PERMISSIONS": "none",
            "DEFAULT_LOCALE": "pt-BR",
            "DEFAULT_CURRENCY": "usdt",
        }
    )
    options, roster = settings.options(), settings.roster()

    assert options.policy.trade
    assert options.egress == ("203.0.113.7", "2001:db8::1")
    assert (options.policy.refuse, options.policy.warn) == ({Permission.WITHDRAW}, set())
    assert (options.locale, options.currency) == ("pt", "USDT")
    assert roster.role(Identity("telegram", "1")) is Role.ADMIN
    assert roster.role(Identity("telegram", "2")) is Role.MEMBER
    assert roster.role(Identity("slack", "U1", "T1")) is Role.MEMBER
    assert roster.role(Identity("slack", "U1", "T2")) is Role.STRANGER


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://bot.example.com/", "https://bot.example.com"),
        ("https://Bot.Example.com:443/keys/", "https://bot.example.com/keys"),
        ("https://bot.example.com:8443/a/b", "https://bot.example.com:8443/a/b"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("https://localhost", "https://localhost"),
    ],
)
def test_the_public_address_is_kept_as_browsers_write_it(given, kept):
    """The path prefix stays, the slash at the end and the scheme's own port go."""
    assert Settings.from_environ({"PUBLIC_URL": given}).public_url == kept


@pytest.mark.parametrize(
    "given",
    [
        "http://bot.example.com", "http://192.0.2.1:8080", "http://127.0.0.2", "http://localhost.evil.example",
        "https://bücher.example", "https://bot[1].example", "https://bot example.com", "bot.example.com",
        "https://bot.example.com?x=1", "https://bot.example.com/#x", "https://user:word@bot.example.com",
        "https://bot.example.com\\@evil.example", "https://bot.example.com/../x", "https://bot.example.com//x",
        "https://", "https://bot.example.com:99999", "ftp://localhost",
    ],
)  # fmt: skip
def test_an_unsafe_public_address_is_refused(given):
    """An address that a browser could not use safely stops the start."""
    [problem] = problems(PUBLIC_URL=given)

    assert problem.startswith("PUBLIC_URL")
    assert "https://bot.example.com" in problem


def test_telegram_needs_an_address_people_can_reach():
    """With Telegram the public address must be set, and be ours alone only when the Bot API is too."""
    local = {"TELEGRAM_BOT_TOKEN": "1:a", "PUBLIC_URL": "http://localhost:8080"}

    assert "PUBLIC_URL must be set" in problems(TELEGRAM_BOT_TOKEN="1:a")[0]
    assert "only this machine" in problems(**local)[0]
    assert "only this machine" in problems(**local, TELEGRAM_API_URL="https://tg.example.com")[0]
    assert problems(**local, TELEGRAM_API_URL="http://127.0.0.1:9001") == ()
    assert problems(**TELEGRAM) == ()


def test_the_webhook_secret_is_long_and_goes_with_a_token():
    """A short secret, a strange letter or a missing token stops the start."""
    good = "a" * 30 + "_-"

    assert problems(**TELEGRAM, TELEGRAM_WEBHOOK_SECRET=good) == ()
    assert len(problems(**TELEGRAM, TELEGRAM_WEBHOOK_SECRET=good[:-1])) == 1
    assert len(problems(**TELEGRAM, TELEGRAM_WEBHOOK_SECRET=good + "!")) == 1
    assert "without TELEGRAM_BOT_TOKEN" in problems(TELEGRAM_WEBHOOK_SECRET=good)[0]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgres://u:p@h:5432/k?sslmode=require", "postgresql+psycopg://u:p@h:5432/k?sslmode=require"),
        ("postgresql://h/k", "postgresql+psycopg://h/k"),
        ("postgresql+psycopg:///k?host=/run/pg", "postgresql+psycopg:///k?host=/run/pg"),
        ("sqlite:////data/k.sqlite", "sqlite:////data/k.sqlite"),
    ],
)
def test_database_addresses(given, kept):
    """Heroku's short scheme is accepted, and our driver is named."""
    assert Settings.from_environ({"DATABASE_URL": given}).database_url.get_secret_value() == kept


@pytest.mark.parametrize("code", ["clp", "CHF", "JPY", "DAI"])
def test_currencies(code):
    """Any currency of the world will do, written large or small, and the stable coins."""
    assert Settings.from_environ({"DEFAULT_CURRENCY": code}).default_currency == code.upper()


@pytest.mark.parametrize("name", ["EXCHANGE_BITSO_URL", "TELEGRAM_API_URL"])
@pytest.mark.parametrize("url", ["http://a/b", "ftp://a", "http://u:p@a", "http://a?x", "a", "http://a:0"])
def test_other_addresses_are_origins_only(name, url):
    """An address with a path, a name or a question behind it is refused."""
    [problem] = problems(**{name: url})

    assert problem.startswith(name)


def test_exchanges_get_their_own_addresses():
    """Each EXCHANGE_<NAME>_URL is kept under the exchange's name."""
    settings = Settings.from_environ(
        {"EXCHANGE_BITSO_URL": "http://127.0.0.1:9000/", "EXCHANGE_X_Y_URL": "https://e"}
    )

    assert settings.exchange_urls == {"bitso": "http://127.0.0.1:9000", "x_y": "https://e"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"), ("PORT", "65536"), ("PORT", "8o80"), ("PORT", "-1"), ("POLL_SECONDS", "0"), ("POLL_SECONDS", "1.5"),
        ("LINK_MINUTES", "0"), ("LINK_MINUTES", "61"), ("KEY_MAX_AGE_DAYS", "0"), ("DUST_BELOW", "-1"),
        ("DUST_BELOW", "NaN"), ("DUST_BELOW", "1,5"), ("LOG_LEVEL", "loud"), ("KEY_PURPOSE", "play"), ("HOST", "a:1"),
        ("EGRESS_IPS", "203.0.113"), ("TRUSTED_PROXIES", "proxy"), ("DEFAULT_LOCALE", "tlh"),
        ("DEFAULT_TIMEZONE", "America"), ("DEFAULT_TIMEZONE", "../etc/passwd"), ("DEFAULT_CURRENCY", "XYZ"),
        ("DEFAULT_CURRENCY", "pesos"), ("REFUSE_PERMISSIONS", "withdraw, fly"), ("ADMINS", "telegram:*"),
        ("ADMINS", "telegram:bob"), ("ADMINS", "bob"), ("MEMBERS", "web:*"), ("MEMBERS", "slack:T1"),
        ("MEMBERS", "slack:*"), ("DATABASE_URL", "mysql://h/k"), ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"), ("DATABASE_URL", "postgres://h"),
        ("DATABASE_URL", "postgres://u:half@rest@h/k"), ("TELEGRAM_BOT_TOKEN", "abc"),
        ("SLACK_BOT_TOKEN", "xoxp-1-2-abc"), ("SLACK_APP_TOKEN", "xoxb-1-2-abc"), ("SLACK_CLIENT_ID", "abc"),
        ("SLACK_API_URL", "https://slack.com/"), ("SLACK_API_URL", "https://slack.com/api"),
        ("SLACK_COMMAND", "keyherald"), ("SLACK_COMMAND", "/Key herald"),
    ],
)  # fmt: skip
def test_a_bad_value_gets_one_plain_sentence(name, value):
    """The sentence names the setting, says what was expected, and gives an example."""
    given = {**AROUND.get(name, {}), name: value}
    [problem] = problems(**given)

    assert problem.startswith(name)
    assert "must be" in problem
    assert f"for example {name}=" in problem
    assert re.fullmatch(r"[^\n]+\.", problem)


def test_all_problems_come_in_one_message():
    """Whoever mends the file does it once."""
    found = problems(PORT="x", LOG_LEVEL="x", DEFAULT_LOCALE="x", EXCHANGE_A_URL="x", EXCHANGE_B_URL="x")

    assert [line.split()[0] for line in found] == [
        "LOG_LEVEL", "PORT", "EXCHANGE_A_URL", "EXCHANGE_B_URL", "DEFAULT_LOCALE",
    ]  # fmt: skip


@pytest.mark.parametrize("described", TABLE, ids=lambda described: described.name)
def test_no_message_repeats_what_may_be_a_secret(described):
    """A secret in its own place, or pasted into a wrong one, is in no message and no representation."""
    name = described.name.replace("<NAME>", "BITSO")
    for value in (CANARY, f"{CANARY}!", f"telegram:{CANARY}", f"https://user:{CANARY}@host/x"):
        try:
            shown = repr(Settings.from_environ({name: value})) if described.secret else ""
        except ConfigError as error:
            shown = f"{error} {error!r} {error.__cause__!r}"

        assert CANARY not in shown


def test_secrets_stay_wrapped():
    """Printing the settings shows no token, key or password."""
    settings = Settings.from_environ(
        {
            "TELEGRAM_BOT_TOKEN": f"1:{CANARY}",
            "PUBLIC_URL": "https://bot.example.com",
            "MASTER_KEY": f"k1:{CANARY}",
            "DATABASE_URL": f"postgres://u:{CANARY}@h/k",
            "TELEGRAM_WEBHOOK_SECRET": CANARY * 2,
            "SLACK_BOT_TOKEN": f"xoxb-1-{CANARY}",
            "SLACK_APP_TOKEN": f"xapp-1-{CANARY}",
            "SLACK_SIGNING_SECRET": CANARY,
        }
    )

    assert CANARY not in f"{settings} {settings!r} {settings.model_dump_json()} {settings.set_or_unset()}"


def test_the_environment_wins_over_the_file(tmp_path):
    """A variable counts more than the same line in `.env`; an empty one counts as not set."""
    file = tmp_path / ".env"
    file.write_text("PORT=9001\nLINK_MINUTES=20\nEXCHANGE_BITSO_URL=http://localhost:1\nUNKNOWN=x\n")
    settings = Settings.from_environ({"PORT": "9002", "LINK_MINUTES": " ", "HOME": "/x"}, file)

    assert (settings.port, settings.link_minutes) == (9002, 20)
    assert settings.exchange_urls == {"bitso": "http://localhost:1"}


def test_a_file_that_is_not_there_is_no_problem(tmp_path):
    """`.env` is optional; an unreadable one is said plainly."""
    (tmp_path / "latin").write_bytes(b"ADMINS=\xe9\xff\n")

    assert Settings.from_environ({}, tmp_path / "none").port == 8080
    with pytest.raises(ConfigError, match="can't be read"):
        Settings.from_environ({}, tmp_path / "latin")


def test_the_machine_is_not_asked_behind_the_callers_back(monkeypatch):
    """Only the mapping that was handed in counts."""
    monkeypatch.setenv("PORT", "9003")

    assert Settings.from_environ({}).port == 8080


def test_the_master_key_has_one_source():
    """Key and key file together are refused; systemd's folder is handed on."""
    assert "not both" in problems(MASTER_KEY="k1:x", MASTER_KEY_FILE="x")[0]
    assert Settings.from_environ({"CREDENTIALS_DIRECTORY": "/run/x"}).credentials_directory == Path("/run/x")


def test_the_doctor_learns_what_is_set_but_not_to_what():
    """Every setting is told as set or unset."""
    told = Settings.from_environ({"PORT": "9000", "EXCHANGE_BITSO_URL": "http://localhost:1"}).set_or_unset()

    assert list(told) == [described.name for described in TABLE]
    assert [name for name, given in told.items() if given] == ["PORT", "EXCHANGE_<NAME>_URL"]


def test_the_example_file_lists_exactly_the_settings():
    """`.env.example` is made from the table; make it anew with `python -m tests.support.env_example`."""
    assert Path(ROOT, ".env.example").read_text() == env_example()


def test_the_readmes_table_has_a_row_for_each_setting():
    """The Markdown table names every setting once, with its meaning and default."""
    rows = readme_table().splitlines()[2:]

    assert [row.split("`")[1] for row in rows] == [described.name for described in TABLE]
    assert all(row.count("|") == 4 for row in rows)


def test_the_table_lists_exactly_the_settings():
    """No setting is left out of the table, and none is invented there."""
    aliases = {field.alias for field in Settings.model_fields.values()}

    assert {described.name for described in TABLE} == aliases - {"CREDENTIALS_DIRECTORY"}
    assert [name for name in aliases if name and not is_ours(name.replace("<NAME>", "BITSO"))] == []


def test_the_examples_in_the_table_work():
    """Whoever copies an example gets a start, not a complaint."""
    for described in TABLE:
        if "<" not in described.example + described.name:
            assert problems(**{described.name: described.example}) == (), described.name
