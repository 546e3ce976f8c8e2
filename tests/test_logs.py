"""The log: every line has its action, other libraries go through it, and canaries never come out."""

import io
import json
import logging
from contextlib import contextmanager

import pytest
from pydantic import SecretStr

from chatbot.domain.secrets import Secret
from chatbot.errors import ConfigError
from chatbot.logs import LIBRARIES, configure, get_log, redact
from chatbot.ports.context import Log

KEY = "kQ3vX9bT2mN8pL5wR7yZ"
SECRET = "9f86d081884c7d659a2feaa0c55ad015"
BOT = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
CANARIES = (KEY, SECRET, BOT, BOT.partition(":")[2])


@pytest.fixture
def lines():
    """A configured log as JSON; calling it returns the lines so far."""
    stream = io.StringIO()
    with _restored():
        configure("debug", json=True, stream=stream)
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def plain():
    """A configured log in plain words; calling it returns the text so far."""
    stream = io.StringIO()
    with _restored():
        configure(stream=stream)
        yield stream.getvalue


@contextmanager
def _restored():
    loggers = [logging.getLogger(name) for name in ("", "keyherald", *LIBRARIES)]
    before = [(one, one.handlers[:], one.level, one.propagate) for one in loggers]
    yield
    for one, handlers, level, propagate in before:
        one.handlers[:] = handlers
        one.propagate = propagate
        one.setLevel(level)


def _fail(words):
    raise RuntimeError(words)


def test_every_line_names_its_action(lines):
    """An action, its level, its time in UTC and its ids make a line."""
    log: Log = get_log()
    log.info("key_polled", account="a1", fills=3)
    log.warning("send_limited", wait=1.5)
    [first, second] = lines()

    assert (first["action"], first["level"], first["account"], first["fills"]) == (
        "key_polled",
        "info",
        "a1",
        3,
    )
    assert first["time"].endswith("Z")
    assert (second["action"], second["level"], second["wait"]) == ("send_limited", "warning", 1.5)


def test_an_error_carries_its_traceback_and_nothing_secret(lines):
    """Inside an except block the traceback goes along, with what looks secret taken out."""
    try:
        _fail(f"refused: Authorization: Bitso {KEY}:1:{SECRET}")
    except RuntimeError:
        get_log().error("poll_failed", account="a1")
    [line] = lines()

    assert "RuntimeError" in line["exception"]
    assert not any(canary in json.dumps(line) for canary in CANARIES)


def test_an_error_without_an_exception_has_no_traceback(lines):
    """Outside an except block an error is one plain line."""
    get_log().error("job_failed", kind="poll")

    assert "exception" not in lines()[0]


def test_an_id_cannot_replace_the_action(lines):
    """An id named like one of the line's own words stands beside it."""
    get_log().info("link_used", level="fake", time="fake", event="fake", exc_info="fake")

    assert (lines()[0]["action"], lines()[0]["level"], lines()[0]["level_"]) == ("link_used", "info", "fake")


@pytest.mark.parametrize(
    "value",
    [
        KEY,
        SECRET,
        f"https://api.telegram.org/bot{BOT}/sendMessage",
        f"Authorization: Bitso {KEY}:1767225600123:{SECRET}",
        {"Authorization": f"Bitso {KEY}:1:{SECRET}"},
        {"inner": [{"api_secret": "short"}, SECRET]},
        ("x", [SECRET]),
        {SECRET},
        Secret(SECRET),
        [Secret(SECRET)],
        SecretStr(SECRET),
        SECRET.encode(),
        f"postgresql://user:{KEY}@host/db",
        f"https://bot.example.com/key#{KEY[:12]}",
        f"Bearer {KEY[:8]}",
        ValueError(f"bad key {KEY}"),
        f"'X-Auth-Signature': '{SECRET}'",
    ],
)
def test_canaries_never_come_out(lines, plain, value):
    """Whatever the value is made of, the secret in it is not written."""
    get_log().warning("canary", detail=value)
    written = json.dumps(lines()) + plain()

    assert "canary" in written
    assert not any(canary in written for canary in (*CANARIES, KEY[:12], "short"))


@pytest.mark.parametrize(
    "name", ["api_secret", "token", "bot_token", "password", "passphrase", "Authorization"]
)
def test_what_is_called_a_secret_is_hidden(lines, name):
    """A value under a secret's name is hidden however harmless it looks."""
    get_log().info("x", **{name: "abc"})

    assert lines()[0][name] == "****"


@pytest.mark.parametrize(
    "text",
    [
        "xoxb-12345-67890-abcdef",
        "xoxe.xoxb-1-abcdefgh",
        "xoxe-1-abcdefgh",
        "xapp-1-A1-2-abcdef",
        "https://hooks.slack.com/actions/abcdef/67890/abcdef",
        "wss://wss-primary.slack.com/link/?ticket=abcdef&app_id=A1",
    ],
)
def test_what_slack_hands_out_is_hidden(text):
    """Tokens of every kind, answer addresses and socket tickets are not written, short ones either."""
    written = redact(f"asked with {text} today")

    assert "abcdef" not in written
    assert written.startswith("asked with ")
    assert written.endswith(" today")


@pytest.mark.parametrize(
    "text",
    [
        "chatbot/exchanges/bitso.py, line 120, in fills_after",
        "0123456789abcdef",
        "0198c0de-7a3b-7def-8123-456789abcdef",
        "test_settings_are_known_by_name",
        "sqlalchemy.exc.OperationalError: database is locked",
        "https://bitso.com/api/v3/user_trades/",
        "2026-11-20T09:00:00+00:00",
        "telegram:123456789",
        "slack:T0123456789/U0123456789",
        "TELEGRAM_WEBHOOK_SECRET",
    ],
)
def test_ordinary_words_stay_readable(text):
    """Paths, ids, names and addresses are not taken for secrets."""
    assert redact(text) == text


@pytest.mark.parametrize("name", [*LIBRARIES, "telegram.ext.Updater", "some.other"])
def test_libraries_go_through_the_same_door(lines, name):
    """A library's warning is a line with an action, redacted; its chatter is not written."""
    logging.getLogger(name).info("chatter %s", BOT)
    logging.getLogger(name).warning("POST https://api.telegram.org/bot%s/getMe %s", BOT, SECRET)
    [line] = lines()

    assert (line["action"], line["logger"], line["level"]) == ("library_said", name, "warning")
    assert not any(canary in json.dumps(line) for canary in CANARIES)


def test_a_librarys_traceback_is_redacted_too(plain):
    """An exception that a library logs shows where it happened and no secret."""
    try:
        _fail(f"token {BOT}")
    except RuntimeError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")

    assert "RuntimeError" in plain()
    assert not any(canary in plain() for canary in CANARIES)


def test_at_a_terminal_a_line_reads_from_the_left(plain):
    """The plain form is time, level, action, ids; a value cannot start a line of its own."""
    get_log().info("member_renamed", label="a\nlevel=error \x1b[31m\u202e x", fine=True)
    [line] = plain().splitlines()

    assert line.startswith("time=20")
    assert " level=info action=member_renamed label=" in line
    assert line.endswith("fine=true")
    assert "\x1b" not in line
    assert "\u202e" not in line


def test_the_level_counts_for_us_only(plain):
    """LOG_LEVEL=warning silences our own ordinary lines."""
    configure("warning", stream=(stream := io.StringIO()))
    get_log().info("quiet")
    get_log().warning("loud")

    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_an_unknown_level_does_not_stop_the_log(plain):
    """The settings refuse a bad level in a sentence; until then the log speaks at its default."""
    configure("loud", stream=(stream := io.StringIO()))
    get_log().info("ordinary")

    assert "ordinary" in stream.getvalue()


def _nested(words):
    try:
        {}[words]
    except KeyError as missing:
        try:
            int(words)
        except ValueError as number:
            raise ExceptionGroup(words, [number, ConfigError("Set PORT.")]) from missing


PASSPHRASE = "correct horse battery"


def test_the_words_of_a_foreign_error_are_left_out(plain):
    """A passphrase looks like any word: of an error that is not ours only its kind and its place are told."""
    for log in (get_log().error, logging.getLogger("asyncio").exception):
        try:
            _nested(PASSPHRASE)
        except ExceptionGroup as group:
            group.add_note(PASSPHRASE)
            log("broken")
    get_log().warning("odd", error=ValueError(PASSPHRASE), why=ConfigError("Set PORT."))
    told = plain()

    assert PASSPHRASE not in told
    assert told.count("\nKeyError\n") == told.count("\nExceptionGroup\n") == 2
    assert "in _nested" in told
    assert "chatbot.errors.ConfigError: Set PORT." in told


def test_pythons_words_about_our_own_code_are_told(lines):
    """An attribute that is not there is found sooner by its name."""
    try:
        object().nothing  # type: ignore[attr-defined]  # noqa: B018
    except AttributeError:
        get_log().error("broken")

    assert "has no attribute 'nothing'" in lines()[0]["exception"]
