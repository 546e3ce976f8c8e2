"""The log: one line per thing, each with `action=`, as JSON for machines or plain words at a terminal.

Bootstrap calls `configure` once and hands `get_log()` to the context. Types keep secrets out (`Secret`
refuses to become text); `redact` is the second line of defence for everything that is written here,
the lines and tracebacks of other libraries included, whose own loggers are held at WARNING. A traceback
tells where, and what kind of error; the words of an error that is not ours are left out, for they may quote
what a person typed.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from chatbot.domain.secrets import Secret
from chatbot.errors import KeyheraldError

HIDDEN = "****"
LIBRARIES = (
    "aiohttp",
    "alembic",
    "apscheduler",
    "asyncio",
    "httpcore",
    "httpx",
    "slack_bolt",
    "slack_sdk",
    "sqlalchemy",
    "telegram",
    "uvicorn",
    "uvicorn.access",
    "uvicorn.error",
)
_OURS = "keyherald"
_FIRST = ("time", "level", "action")
# Python's own words about our code, which quote names only. Exactly these: a library's own may quote more.
_HARMLESS = frozenset({AttributeError, ImportError, ModuleNotFoundError, NameError, UnboundLocalError})
_SECRET_NAME = re.compile(
    r"(^|_)(secrets?|token|password|passphrase|authorization|signature|sealed|cookie)$"
    r"|^(x_auth.*|api_?key|master_key|bot_token)$",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\b(authorization|x-auth[a-z-]*|cookie|set-cookie)(\\?[\"']?\s*[:=,]\s*)[^\r\n]+", re.IGNORECASE
)
_SCHEMES = re.compile(r"\b(Bearer|Basic|Bitso|HS256|BITSTAMP)\s+\S+")
_BOT = re.compile(r"(?:\bbot)?\b[0-9]{1,20}:[A-Za-z0-9_-]{16,}|/bot[^/\s\"']+")
_SLACK = re.compile(r"\b(?:xox[a-z]\.)?(?:xox[a-z]|xapp)-[A-Za-z0-9.-]{6,}")
# Where an answer to one press may be posted, an incoming webhook, the ticket of a socket.
_HOOK = re.compile(r"(\bhooks\.slack(?:-gov)?\.com/|[?&]ticket=)[^\s\"'&)]+")
_USERINFO = re.compile(r"(\w://)[^/\s]+@")
_LINK = re.compile(r"(/(?:key|chat)#)[^\s\"')]+")
_WORD = re.compile(r"[A-Za-z0-9+=_-]{16,}")
# Our rows' own ids, and those that others give to requests: no exchange's secret has these shapes.
_ID = re.compile(r"[0-9a-f]{16}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def configure(level: str = "info", *, json: bool = False, stream: TextIO | None = None) -> None:
    """Send every line of this process to one stream; called once at start."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_foreign, *_CHAIN],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False) if json else _plain_line,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # A level nobody knows is the settings' to refuse; the log is up before them.
    logging.getLogger(_OURS).setLevel(logging.getLevelNamesMapping().get(level.upper(), logging.INFO))
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.WARNING)


def get_log() -> "ActionLog":
    """Return the log that fulfils `chatbot.ports.context.Log`."""
    return ActionLog()


class ActionLog:
    """Writes an action from a fixed vocabulary with the ids it is about."""

    def __init__(self) -> None:
        self._log = structlog.wrap_logger(
            logging.getLogger(_OURS),
            processors=[_traceback, *_CHAIN, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            wrapper_class=structlog.stdlib.BoundLogger,
        )

    def info(self, action: str, **ids: object) -> None:
        """Note something ordinary."""
        self._log.info(action, **_safe_names(ids))

    def warning(self, action: str, **ids: object) -> None:
        """Note something an operator may want to look at."""
        self._log.warning(action, **_safe_names(ids))

    def error(self, action: str, **ids: object) -> None:
        """Note a failure, with the traceback of the exception being handled."""
        self._log.error(action, **_safe_names(ids))


def redact(text: str) -> str:
    """Return the text without what looks like a key, token or password, and without control codes."""
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    text = _SCHEMES.sub(rf"\1 {HIDDEN}", text)
    text = _USERINFO.sub(rf"\1{HIDDEN}@", text)
    text = _LINK.sub(rf"\1{HIDDEN}", text)
    text = _HOOK.sub(rf"\1{HIDDEN}", text)
    text = _SLACK.sub(HIDDEN, text)
    text = _BOT.sub(lambda found: "/bot" + HIDDEN if found[0].startswith("/bot") else HIDDEN, text)
    text = _WORD.sub(lambda found: HIDDEN if _looks_secret(found[0]) else found[0], text)
    return _CONTROL.sub("�", text)


def _looks_secret(word: str) -> bool:
    if _ID.fullmatch(word):
        return False
    digits = sum(letter.isdigit() for letter in word)
    letters = sum(letter.isalpha() for letter in word)
    mixed = word.lower() != word and word.upper() != word
    switches = sum(a.isupper() and b.islower() for a, b in pairwise(word))
    long = len(word) >= 20
    return (digits >= 3 and letters >= 3) or (long and mixed and digits >= 1) or (long and switches >= 5)


def _redact_all(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    return {name: value if name in _FIRST[:2] else _cleaned(name, value) for name, value in line.items()}


def _cleaned(name: str, value: object) -> object:
    if name.startswith("_"):
        return value
    if _SECRET_NAME.search(name) and not isinstance(value, bool | int) and value is not None:
        return HIDDEN
    if isinstance(value, Secret | bytes | bytearray):
        return HIDDEN
    if isinstance(value, BaseException):
        return redact(_named(value))
    if isinstance(value, Mapping):
        return {str(key): _cleaned(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned("", item) for item in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    return redact(str(value))


def _safe_names(ids: Mapping[str, object]) -> dict[str, Any]:
    # An id called like one of structlog's own words would replace the line's action, level or time.
    return {
        f"{name}_" if name in {"event", "exc_info", "stack_info", *_FIRST} else name: ids[name]
        for name in ids
    }


def _traceback(_: WrappedLogger, method: str, line: EventDict) -> EventDict:
    if method == "error" and sys.exc_info()[0] is not None:
        line["exc_info"] = True
    return line


def _told(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    # As the standard library gives it: an error, its triple, or true for the one being handled.
    given = line.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        line["exception"] = "\n".join(_story(error, set()))
    return line


def _story(error: BaseException, told: set[int]) -> Iterator[str]:
    """Tell an error and those it came of, oldest first."""
    told.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in told:
        yield from _story(before, told)
        yield "and of that came:"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    yield _named(error)
    for part in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        if id(part) not in told:
            yield from _story(part, told)


def _named(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}: {error}" if isinstance(error, KeyheraldError) or kind in _HARMLESS else name


def _foreign(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    record: logging.LogRecord | None = line.get("_record")
    return {
        **line,
        "message": line["event"],
        "event": "library_said",
        "logger": record.name if record else "",
    }


def _plain_line(logger: WrappedLogger, method: str, line: EventDict) -> str:
    trace = line.pop("exception", None)
    first = {name: line.pop(name) for name in _FIRST if name in line}
    text = structlog.processors.LogfmtRenderer(bool_as_flag=False)(logger, method, {**first, **line})
    return f"{text}\n{trace}" if trace else text


_CHAIN: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    _told,
    structlog.processors.EventRenamer("action"),
    _redact_all,
)
