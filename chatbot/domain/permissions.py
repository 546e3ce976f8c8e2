"""What a key may do, how we know it, and whether we take the key.

The rules are pure: an exchange's client reports findings, `decide` says accept, warn or refuse.
A probe that was refused proves nothing, so it is never turned into *off*.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
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
    """All findings about one key, and what the exchange tells about the key itself."""

    findings: Mapping[Permission, Finding] = field(default_factory=dict)
    ip_bound: Switch = Switch.UNKNOWN
    expires_at: datetime | None = None
    labels: tuple[str, ...] = ()

    def get(self, permission: Permission) -> Finding:
        """Return the finding for a permission; *not reported* when there is none."""
        return self.findings.get(permission, Finding())

    def is_on(self, permission: Permission) -> bool:
        """Tell whether the permission is known to be on."""
        return self.get(permission).switch is Switch.ON

    def has(self, finding: Mapping[Permission, Finding]) -> "PermissionReport":
        """Return a report with some findings replaced."""
        return PermissionReport({**self.findings, **finding}, self.ip_bound, self.expires_at, self.labels)


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
    """The outcome, and the permissions that led to it."""

    outcome: Outcome
    untick: tuple[Permission, ...] = ()
    tick: tuple[Permission, ...] = ()


def decide(report: PermissionReport, policy: Policy) -> Decision:
    """Say whether a key with these permissions is taken; balances must really be readable."""
    granted = [permission for permission in Permission if report.is_on(permission)]
    required = _required(policy)
    warned = policy.warn - required
    refused = tuple(p for p in granted if p in policy.refuse - required)
    missing = tuple(p for p in sorted(required) if _lacks(report, p))
    if refused or missing:
        return Decision(Outcome.REFUSE, untick=refused, tick=missing)
    worrying = tuple(p for p in granted if p in warned)
    wanted = () if report.is_on(Permission.FILLS) else (Permission.FILLS,)
    return Decision(Outcome.WARN if worrying or wanted else Outcome.ACCEPT, untick=worrying, tick=wanted)


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
