"""What the bot can do, found by walking `handlers/`: commands, presses, events, jobs.

A handler file decorates its functions; importing it is enough to add them. Two handlers with one
name are a mistake that stops the start. Nothing central is edited to add one.
"""

import importlib
import pkgutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any, TypeVar

from chatbot.domain.messages import Reply
from chatbot.domain.people import Role
from chatbot.errors import ConfigError
from chatbot.ports.context import ChatContext, Context
from chatbot.ports.platforms import CommandInfo, Section


class Where(StrEnum):
    """Where a command may be used; a private one typed in a group leads to the private chat."""

    PRIVATE = "private"
    GROUP = "group"
    ANYWHERE = "anywhere"


@dataclass(frozen=True, slots=True)
class Command:
    """A command or a press as a handler sees it: its words, and the message it came from or on."""

    name: str
    args: tuple[str, ...] = ()
    message_id: str = ""

    @property
    def rest(self) -> str:
        """All words after the command as one text."""
        return " ".join(self.args)


ChatHandler = Callable[[Command, ChatContext], Awaitable[Reply]]
EventHandler = Callable[..., Awaitable[Any]]
JobHandler = Callable[[Context], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command: its purpose as a msgid, arguments as shown in help, who and where.

    One of role STRANGER is also for people who were taken off the list, as long as they own something here.
    In a group, one marked `chief` is only for those whom the platform calls an admin of that place as well.
    """

    name: str
    about: str
    usage: str
    role: Role
    where: Where
    section: Section
    run: ChatHandler
    chief: bool = False


@dataclass(frozen=True, slots=True)
class ActionEntry:
    """What a button does; one marked `chief` is in a group only for the platform's admins of it."""

    name: str
    role: Role
    run: ChatHandler
    chief: bool = False


@dataclass(frozen=True, slots=True)
class JobEntry:
    """Work that the engine wakes on an interval (seconds) or on a nudge by its name."""

    name: str
    seconds: float
    run: JobHandler


@dataclass(frozen=True, slots=True)
class EventEntry:
    """What follows an event."""

    name: str
    run: EventHandler


Entry = CommandEntry | ActionEntry | JobEntry | EventEntry
T = TypeVar("T")


class Registry:
    """All handlers by name."""

    def __init__(self) -> None:
        """Start empty."""
        self.commands: dict[str, CommandEntry] = {}
        self.actions: dict[str, ActionEntry] = {}
        self.events: dict[str, EventHandler] = {}
        self.jobs: dict[str, JobEntry] = {}

    def listed(self) -> tuple[CommandInfo, ...]:
        """Return the commands as platforms and help list them, by section and name."""
        return tuple(
            CommandInfo(c.name, c.about, c.role, c.where is Where.PRIVATE, c.section)
            for c in sorted(self.commands.values(), key=lambda entry: (entry.section, entry.name))
        )

    def load(self, package: ModuleType) -> "Registry":
        """Import every module below the package and take its handlers in.

        Raises:
            ConfigError: when two handlers share a name.
        """
        for module in _modules(package):
            for entry in vars(module).get(_SHELF, ()):
                self._add(entry)
        return self

    def _add(self, entry: "Entry") -> None:
        match entry:
            case CommandEntry():
                _put(self.commands, entry.name, entry)
            case ActionEntry():
                _put(self.actions, entry.name, entry)
            case JobEntry():
                _put(self.jobs, entry.name, entry)
            case EventEntry():
                _put(self.events, entry.name, entry.run)


def _put(shelf: dict[str, T], name: str, item: T) -> None:
    if name in shelf:
        msg = f"two handlers are called {name}"
        raise ConfigError(msg)
    shelf[name] = item


_SHELF = "__keyherald_handlers__"


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        yield importlib.import_module(found.name)


def _shelve(function: Callable[..., Any], entry: Entry) -> None:
    vars(sys.modules[function.__module__]).setdefault(_SHELF, []).append(entry)


def command(
    name: str,
    about: str,
    *,
    usage: str = "",
    role: Role = Role.MEMBER,
    where: Where = Where.PRIVATE,
    section: Section = Section.SETTINGS,
    chief: bool = False,
) -> Callable[[ChatHandler], ChatHandler]:
    """Register a chat command; `about` is a marked msgid of at most 60 characters."""

    def keep(function: ChatHandler) -> ChatHandler:
        _shelve(function, CommandEntry(name, about, usage, role, where, section, function, chief))
        return function

    return keep


def action(
    name: str, *, role: Role = Role.MEMBER, chief: bool = False
) -> Callable[[ChatHandler], ChatHandler]:
    """Register what a button does; `name` is `<file>.<verb>`."""

    def keep(function: ChatHandler) -> ChatHandler:
        _shelve(function, ActionEntry(name, role, function, chief))
        return function

    return keep


def event(name: str) -> Callable[[EventHandler], EventHandler]:
    """Register what follows an event, named in the past tense."""

    def keep(function: EventHandler) -> EventHandler:
        _shelve(function, EventEntry(name, function))
        return function

    return keep


def job(name: str, *, every: float) -> Callable[[JobHandler], JobHandler]:
    """Register work to be woken every so many seconds, and whenever its name is nudged."""

    def keep(function: JobHandler) -> JobHandler:
        _shelve(function, JobEntry(name, every, function))
        return function

    return keep
