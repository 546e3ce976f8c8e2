"""Every error of Keyherald, in one tree.

    KeyheraldError
    ├── ConfigError            the start is refused; the message lists every problem
    ├── ForbiddenCall          a request outside an exchange's allow-list; raised before a socket opens
    ├── BotError               a person caused it; `say` is always safe to post
    │   ├── NotAllowed         the sender lacks the role
    │   ├── Unknown            a command, exchange or account nobody knows; carries the nearest names
    │   ├── BadArgument        a value that can't be used; carries an example that works
    │   └── Gone               the thing the person points at is no longer there
    ├── EdgeError              an exchange, platform or store answered badly; `retry`: does trying again help
    │   ├── ExchangeError      with the `Trouble` it means
    │   ├── SendError          with the `Verdict` on whether the message was taken
    │   └── StorageError       the database can't be used now
    ├── VaultError             a sealed secret can't be opened
    └── Fenced                 somebody else took the row over; the late writer stops

Sentences are msgids of the catalogue with `{named}` places, filled in by `chatbot.text`.
"""

from collections.abc import Mapping
from enum import StrEnum


def mark(msgid: str) -> str:
    """Mark a sentence for the catalogue without translating it here."""
    return msgid


class KeyheraldError(Exception):
    """Base of everything Keyherald raises on purpose."""


class ConfigError(KeyheraldError):
    """The settings don't allow a start; `problems` holds one sentence each."""

    def __init__(self, *problems: str) -> None:
        """Keep the problems and read as one message."""
        super().__init__("\n".join(problems))
        self.problems = problems


class ForbiddenCall(KeyheraldError):
    """A method and path that the exchange's allow-list does not hold."""


class VaultError(KeyheraldError):
    """A sealed value can't be opened with the keys we have."""


class Fenced(KeyheraldError):
    """The lease went to somebody else; nothing was written."""


class BotError(KeyheraldError):
    """Something a person can put right; shown to them as it stands."""

    def __init__(self, msgid: str, *, choices: tuple[tuple[str, str], ...] = (), **params: object) -> None:
        """Keep the sentence, its values, and (button text, command line) pairs to choose from."""
        super().__init__(msgid)
        self.msgid = msgid
        self.params: Mapping[str, object] = params
        self.choices = choices


class NotAllowed(BotError):
    """The sender may not do this."""


class Unknown(BotError):
    """No such command, exchange or account."""


class BadArgument(BotError):
    """A value that can't be used."""


class Gone(BotError):
    """What the person points at is no longer there."""


class EdgeError(KeyheraldError):
    """The world outside answered badly."""

    def __init__(self, reason: str, *, retry: bool) -> None:
        """Keep a short technical reason (never a secret, never a payload) and whether to try again."""
        super().__init__(reason)
        self.reason = reason
        self.retry = retry


class Trouble(StrEnum):
    """What an exchange's refusal means, in the same words for every exchange."""

    BAD_KEY = "bad_key"
    BAD_SECRET = "bad_secret"  # noqa: S105  a name, not a password
    KEY_INACTIVE = "key_inactive"
    IP_BLOCKED = "ip_blocked"
    NO_PERMISSION = "no_permission"
    EXPIRED = "expired"
    CLOCK_OR_NONCE = "clock_or_nonce"
    RATE_LIMIT = "rate_limit"
    MAINTENANCE = "maintenance"
    ACCOUNT_BLOCKED = "account_blocked"
    USER_ACTION = "user_action"
    REGION = "region"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


RETRIED = frozenset({Trouble.RATE_LIMIT, Trouble.MAINTENANCE, Trouble.UNREACHABLE, Trouble.CLOCK_OR_NONCE})


class ExchangeError(EdgeError):
    """The exchange refused, failed or can't be reached."""

    def __init__(self, trouble: Trouble, reason: str, *, wait: int = 0, subject: str = "") -> None:
        """Keep the trouble, seconds to wait before the next try, and what was asked for (a permission)."""
        super().__init__(reason, retry=trouble in RETRIED)
        self.trouble = trouble
        self.wait = wait
        self.subject = subject


class Verdict(StrEnum):
    """What an error proves about a message we tried to send."""

    UNSENT = "unsent"
    UNKNOWN = "unknown"
    GONE = "gone"
    REFUSED = "refused"
    MOVED = "moved"
    LIMITED = "limited"
    UNCHANGED = "unchanged"
    EDIT_GONE = "edit_gone"
    UNAUTHORISED = "unauthorised"


class SendError(EdgeError):
    """A platform did not take the message, or we can't know."""

    def __init__(self, verdict: Verdict, reason: str, *, wait: float = 0, moved_to: str = "") -> None:
        """Keep the verdict, seconds to wait when limited, and the new channel when it moved."""
        super().__init__(reason, retry=verdict in {Verdict.UNSENT, Verdict.LIMITED, Verdict.MOVED})
        self.verdict = verdict
        self.wait = wait
        self.moved_to = moved_to


class StorageError(EdgeError):
    """The database is away, full or locked."""
