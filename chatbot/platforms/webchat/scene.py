"""What the page is furnished with: who sits in which chat, buttons beside them, lines to copy.

Bootstrap hands a `Scene` to `WebChat`; the page's script learns all of it from the server. Titles and
labels are msgids, shown in the language of the scene's translator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chatbot.domain.people import Role
from chatbot.domain.updates import Sender
from chatbot.errors import mark
from chatbot.ports.platforms import CommandInfo
from chatbot.text import Translator

PLATFORM = "web"


@dataclass(frozen=True, slots=True)
class Seat:
    """A chat and the person who writes in it; `role` only chooses the commands that are suggested."""

    chat: str
    title: str
    user: str
    name: str
    private: bool = True
    role: Role = Role.MEMBER
    starters: tuple[str, ...] = ()

    def sender(self) -> Sender:
        """Return who speaks from here."""
        return Sender(
            user=self.user, name=self.name, channel=self.chat, private=self.private, title=self.title
        )


@dataclass(frozen=True, slots=True)
class PracticeButton:
    """A button beside the chats that posts to an address of the same origin; `group` is a heading."""

    label: str
    url: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A line beside the chats, with something to copy; `group` puts it below the buttons of that heading."""

    text: str
    code: str = ""
    group: str = ""


SEATS = (
    Seat("you", mark("You"), "you", "You", starters=("/start", "/connect", "/help")),
    Seat("team", mark("Team"), "you", "You", private=False, starters=("/here", "/connect")),
    Seat("admin", mark("Admin"), "admin", "Admin", role=Role.ADMIN, starters=("/revoke", "/help")),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything the page shows besides messages."""

    seats: Sequence[Seat] = SEATS
    practice: Sequence[PracticeButton] = ()
    notes: Sequence[Note] = ()
    translator: Translator = field(default_factory=Translator)

    def seat(self, chat: str) -> Seat | None:
        """Return who sits in a chat."""
        return next((seat for seat in self.seats if seat.chat == chat), None)

    def chats(self) -> list[dict[str, object]]:
        """Return the chats as the page lists them."""
        say = self.translator.say
        return [
            {"id": seat.chat, "title": say(seat.title), "user": seat.user, "private": seat.private}
            for seat in self.seats
        ]

    def about(self, commands: Sequence[CommandInfo]) -> dict[str, object]:
        """Return what the page needs once: chats with their commands, practice buttons, notes."""
        say = self.translator.say
        return {
            "chats": [{**chat, **self._details(chat, commands)} for chat in self.chats()],
            "practice": [
                {"label": say(button.label), "url": button.url, "group": button.group}
                for button in self.practice
            ],
            "notes": [
                {"text": say(note.text), "code": note.code, "group": note.group} for note in self.notes
            ],
        }

    def _details(self, chat: Mapping[str, object], commands: Sequence[CommandInfo]) -> dict[str, object]:
        seat = next(seat for seat in self.seats if seat.chat == chat["id"])
        say = self.translator.say
        about = say("Only {name} and the bot read this.", name=say(seat.title))
        return {
            "about": about if seat.private else say("Everybody in this channel reads this."),
            "starters": [text for text in seat.starters if _known(text, commands)],
            "commands": [
                {"name": command.name, "about": say(command.about)}
                for command in commands
                if command.role <= seat.role and (seat.private or not command.private)
            ],
        }


def _known(text: str, commands: Sequence[CommandInfo]) -> bool:
    name = text.removeprefix("/").split()[0]
    return any(command.name == name for command in commands)
