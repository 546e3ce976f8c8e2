"""Registers the bot's commands where Telegram shows them, for each scope and language.

Called once at every start. Private chats list everything a member may do; groups leave out what is answered
in private only. English is the default for languages we don't speak.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from telegram import BotCommand
from telegram.constants import BotCommandLimit, BotCommandScopeType

from chatbot.domain.people import Role
from chatbot.platforms.telegram.writing import Call
from chatbot.ports.platforms import CommandInfo
from chatbot.text import LOCALES, Translator

MOST = 100


def listings(commands: Sequence[CommandInfo], translate: Callable[[str], Translator]) -> Iterator[Call]:
    """Return the requests that register the commands; those of admins are not for everybody's list."""
    everyone = [command for command in commands if command.role < Role.ADMIN]
    scopes = {
        BotCommandScopeType.ALL_PRIVATE_CHATS: everyone,
        BotCommandScopeType.ALL_GROUP_CHATS: [command for command in everyone if not command.private],
    }
    for scope, shown in scopes.items():
        for locale in LOCALES:
            params: dict[str, Any] = {
                "commands": _listed(shown, translate(locale)),
                "scope": {"type": scope.value},
            }
            if locale != "en":
                params["language_code"] = locale
            yield Call("setMyCommands", params)


def _listed(commands: Sequence[CommandInfo], t: Translator) -> list[dict[str, Any]]:
    return [_entry(command, t.say(command.about)).to_dict() for command in commands[:MOST]]


def _entry(command: CommandInfo, about: str) -> BotCommand:
    return BotCommand(
        command.name[: BotCommandLimit.MAX_COMMAND], about[: BotCommandLimit.MAX_DESCRIPTION] or command.name
    )
