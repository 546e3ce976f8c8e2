"""When a key ends, and how we know.

An exchange that reports a date is believed; where it has a rule instead, the date is derived from the
rule; otherwise the operator's policy asks for a new key after so many days.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chatbot.domain.permissions import PermissionReport, Switch


class ExpirySource(StrEnum):
    """How we know when a key ends."""

    REPORTED = "reported"
    DERIVED = "derived"
    POLICY = "policy"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """After how many days a key ends at an exchange by the exchange's own rule; 0: by no rule we know.

    `unbound` rules hit only keys without an address list, `powerful` ones only keys that may do more than
    look, `idle` ones count from the last use, which a poll renews. `source` names the document.
    """

    days: int = 0
    unbound: bool = False
    powerful: bool = False
    idle: bool = False
    source: str = ""

    def hits(self, report: PermissionReport) -> bool:
        """Tell whether the rule is about a key like this one, as far as we know."""
        if not self.days or (self.unbound and report.ip_bound is Switch.ON):
            return False
        return not self.powerful or report.powerful


@dataclass(frozen=True, slots=True)
class Expiry:
    """The day on which a key ends, None for none, and how we know."""

    at: datetime | None = None
    source: ExpirySource = ExpirySource.NONE


def expiry(
    report: PermissionReport,
    rule: ExpiryRule,
    connected_at: datetime,
    used_at: datetime | None,
    max_days: int,
) -> Expiry:
    """Return when a key ends: as reported, else by the exchange's rule, else by policy (0 days: no policy).

    The age counts from the day the key was made, where the exchange tells it, else from our first sight.
    """
    if report.expires_at is not None:
        return Expiry(report.expires_at, ExpirySource.REPORTED)
    made = report.created_at or connected_at
    if rule.hits(report):
        begin = (used_at or connected_at) if rule.idle else made
        return Expiry(begin + timedelta(days=rule.days), ExpirySource.DERIVED)
    if max_days:
        return Expiry(made + timedelta(days=max_days), ExpirySource.POLICY)
    return Expiry()
