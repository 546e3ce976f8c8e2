"""What a key may do, how we know it, and whether we take the key.

The rules are pure: an exchange's client reports findings, `decide` says accept, warn or refuse.
A probe that was refused proves nothing, so it is never turned into *off*.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Permission(StrEnum):
    """What a key may do."""

    BALANCES = "balances"
    FILLS = "fills"
    ORDERS = "orders"
    ACCOUNT = "account"
    TRADE = "trade"
    TRANSFER = "transfer"
    WITHDRAW = "withdraw"


POWERS = frozenset({Permission.TRADE, Permission.TRANSFER, Permission.WITHDRAW})
# The cause of a refusal that was ours, not the exchange's; *I'm stuck* opens at it as at a trouble.
TOO_MUCH = "too_much"


class Switch(StrEnum):
    """Whether a permission is on, off, or not known."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """How we know it."""

    REPORTED = "reported"
    SEEN = "seen"
    SAID = "said"
    NOT_REPORTED = "not_reported"


@dataclass(frozen=True, slots=True)
class Finding:
    """One permission, its state, how we know, and when a person said so."""

    switch: Switch = Switch.UNKNOWN
    source: Source = Source.NOT_REPORTED
    at: datetime | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class PermissionReport:
    """All findings about one key, and what the exchange tells about the key itself.

    `labels` are ticks the key has without needing them, in the exchange's own words; `strange` those among
    its ticks that nobody here knows: they count as powerful. `history_from` and `history_to` bound what
    the key lets us see of the past, where its maker chose so.
    """

    findings: Mapping[Permission, Finding] = field(default_factory=dict)
    ip_bound: Switch = Switch.UNKNOWN
    expires_at: datetime | None = None
    labels: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    created_at: datetime | None = None
    history_from: datetime | None = None
    history_to: datetime | None = None

    def get(self, permission: Permission) -> Finding:
        """Return the finding for a permission; *not reported* when there is none."""
        return self.findings.get(permission, Finding())

    def is_on(self, permission: Permission) -> bool:
        """Tell whether the permission is known to be on."""
        return self.get(permission).switch is Switch.ON

    def has(self, finding: Mapping[Permission, Finding]) -> "PermissionReport":
        """Return a report with some findings replaced."""
        return replace(self, findings={**self.findings, **finding})

    @property
    def powerful(self) -> bool:
        """Tell whether the key may change anything, or may for all we know of its ticks."""
        return bool(self.strange) or any(self.is_on(permission) for permission in POWERS)

    @property
    def untold(self) -> frozenset[Permission]:
        """The powers about which nothing but a person's word is known."""
        told = {Source.REPORTED, Source.SEEN}
        return frozenset(permission for permission in POWERS if self.get(permission).source not in told)


def reported(on: Collection[Permission]) -> Mapping[Permission, Finding]:
    """Return findings for all permissions, as an exchange told them: these are on, all others off."""
    return {
        permission: Finding(Switch.ON if permission in on else Switch.OFF, Source.REPORTED)
        for permission in Permission
    }


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator wants: permissions that refuse a key, that warn, and what the key is for."""

    refuse: frozenset[Permission]
    warn: frozenset[Permission]
    trade: bool = False


class Outcome(StrEnum):
    """What to do with a key."""

    ACCEPT = "accept"
    WARN = "warn"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, and what led to it: permissions to untick or tick, and ticks that nobody here knows."""

    outcome: Outcome
    untick: tuple[Permission, ...] = ()
    tick: tuple[Permission, ...] = ()
    strange: tuple[str, ...] = ()


def decide(report: PermissionReport, policy: Policy) -> Decision:
    """Say whether a key with these permissions is taken; balances must really be readable.

    A tick that nobody here knows may be the right to withdraw: where that refuses a key, so does this.
    """
    granted = [permission for permission in Permission if report.is_on(permission)]
    required = _required(policy)
    refused = tuple(p for p in granted if p in policy.refuse - required)
    missing = tuple(p for p in sorted(required) if _lacks(report, p))
    feared = report.strange if Permission.WITHDRAW in policy.refuse else ()
    if refused or missing or feared:
        return Decision(Outcome.REFUSE, refused, missing, feared)
    worrying = tuple(p for p in granted if p in policy.warn - required)
    wanted = () if report.is_on(Permission.FILLS) else (Permission.FILLS,)
    calm = not (worrying or wanted or report.strange)
    return Decision(Outcome.ACCEPT if calm else Outcome.WARN, worrying, wanted, report.strange)


def _required(policy: Policy) -> frozenset[Permission]:
    needed: set[Permission] = {Permission.BALANCES}
    if policy.trade:
        needed.add(Permission.TRADE)
    return frozenset(needed)


def _lacks(report: PermissionReport, permission: Permission) -> bool:
    if permission is Permission.BALANCES:
        return not report.is_on(permission)
    return report.get(permission).switch is Switch.OFF


def attest(report: PermissionReport, at: datetime, unreported: Collection[Permission]) -> PermissionReport:
    """Return the report with the unreported permissions as the person said: off, on this date.

    What was seen to be on stays on, whatever is said.
    """
    said = {p: Finding(Switch.OFF, Source.SAID, at) for p in unreported if not report.is_on(p)}
    return report.has(said)
