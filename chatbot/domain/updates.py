"""What a platform tells us, in neutral words: somebody said, pressed, or something happened."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sender:
    """Who acted and where, as the platform tells; `locale` is only a hint, `title` what a group is called."""

    user: str
    name: str
    channel: str
    workspace: str = ""
    thread: str = ""
    private: bool = True
    locale: str = ""
    title: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Said:
    """A person wrote something; pasted secrets are already removed, `pasted` names their exchange."""

    who: Sender
    text: str
    message_id: str = ""
    pasted: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pressed:
    """A person pressed the button with this id; `answer` is what the platform needs to show a toast."""

    who: Sender
    button: str
    message_id: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something about the place itself: `moved` (detail: new channel), `left`, `joined`, `home_opened`.

    Without a user it is about a whole workspace: it `left` (the app was removed there) or `joined`.
    """

    who: Sender
    what: str
    detail: str = ""


Incoming = Said | Pressed | Happened
