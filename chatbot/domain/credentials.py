"""A connected account: the label a person sees, the state of its key, and what is due for it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from chatbot.domain.people import PersonId, TeamId
from chatbot.domain.permissions import PermissionReport
from chatbot.domain.secrets import Secret

AccountId = NewType("AccountId", str)

LABEL_LENGTH = 32


class CredentialState(StrEnum):
    """Where a credential is in its life."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    FROZEN = "frozen"
    DEAD = "dead"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One input of an exchange's form; `name` is `api_key`, `api_secret` or `passphrase`.

    `multiline` is for a secret that is a PEM block: it keeps its lines.
    """

    name: str
    title: str
    secret: bool
    multiline: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and its secrets, in memory for the moment of use."""

    api_key: Secret
    api_secret: Secret
    passphrase: Secret | None = None

    def wipe(self) -> None:
        """Overwrite every part."""
        for part in (self.api_key, self.api_secret, self.passphrase):
            if part is not None:
                part.wipe()


@dataclass(frozen=True, slots=True)
class Account:
    """A connected credential as a person sees it."""

    id: AccountId
    team: TeamId
    owner: PersonId
    exchange: str
    label: str
    last4: str
    state: CredentialState
    report: PermissionReport
    created_at: datetime
    checked_at: datetime | None = None
    attested_at: datetime | None = None
    polled_at: datetime | None = None
    trouble: str = ""
    trouble_since: datetime | None = None
    history_count: int = 0
    history_done: bool = False

    @property
    def name(self) -> str:
        """The label with the last four characters of the key, as shown in every message."""
        return f"{self.label} …{self.last4}"

    def titled(self, title: str) -> str:
        """The name with the exchange's title before it, unless the label says the same."""
        return self.name if self.label.casefold() == title.casefold() else f"{title} · {self.name}"


def clean_label(text: str) -> str:
    """Return a label safe to show: NFC, no control, format or stacked marks, one line, 32 characters."""
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text[:2000]):
        kind = unicodedata.category(char)
        if kind in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}:
            char = " "  # noqa: PLW2901  the loop goes on with the cleaned one
        elif kind == "Cf":
            continue
        marks = marks + 1 if kind in {"Mn", "Me"} else 0
        if marks <= 2:
            kept.append(char)
    # Once more: a letter and its mark may have been kept apart by what was dropped.
    joined = unicodedata.normalize("NFC", "".join(kept))
    return " ".join(joined.split())[:LABEL_LENGTH].strip()


def matching(accounts: Sequence[Account], words: str) -> list[Account]:
    """Return the accounts meant by some words: a label, last four characters, exchange; all for none."""
    wanted = words.strip().lstrip("…").casefold()
    if not wanted:
        return list(accounts)
    exact = [
        a for a in accounts if wanted in {a.id, a.last4.casefold(), a.label.casefold(), a.name.casefold()}
    ]
    return exact or [a for a in accounts if a.exchange == wanted or wanted in a.name.casefold()]
