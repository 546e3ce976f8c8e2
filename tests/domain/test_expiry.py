"""When a key ends: the exchange's date before its rule, its rule before our policy, and each named as such."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.expiry import Expiry, ExpiryRule, ExpirySource, expiry
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch

MADE = datetime(2026, 1, 1, tzinfo=UTC)
CONNECTED = MADE + timedelta(days=10)
USED = MADE + timedelta(days=20)
DATE = datetime(2026, 12, 24, tzinfo=UTC)
ON = Finding(Switch.ON, Source.REPORTED)
LOOKS = PermissionReport({Permission.BALANCES: ON}, created_at=MADE)
TRADES = PermissionReport({Permission.TRADE: ON}, created_at=MADE)
STRANGE = PermissionReport(strange=("teleport",), created_at=MADE)
ALWAYS = ExpiryRule(90)
UNBOUND = ExpiryRule(90, unbound=True)
IDLE = ExpiryRule(14, unbound=True, powerful=True, idle=True)
days = st.integers(0, 400)
switches = st.sampled_from(Switch)
rules = st.builds(ExpiryRule, days, st.booleans(), st.booleans(), st.booleans())


def bound(report: PermissionReport, switch: Switch) -> PermissionReport:
    """Return the report with an address list, without one, or with no word about it."""
    return PermissionReport(report.findings, switch, strange=report.strange, created_at=report.created_at)


def derived(begin: datetime, count: int) -> Expiry:
    """Return an end by the exchange's rule."""
    return Expiry(begin + timedelta(days=count), ExpirySource.DERIVED)


POLICY = Expiry(MADE + timedelta(days=30), ExpirySource.POLICY)


@pytest.mark.parametrize(
    ("report", "rule", "expected"),
    [
        (LOOKS, ExpiryRule(), POLICY),
        (LOOKS, ALWAYS, derived(MADE, 90)),
        (bound(LOOKS, Switch.OFF), UNBOUND, derived(MADE, 90)),
        (bound(LOOKS, Switch.UNKNOWN), UNBOUND, derived(MADE, 90)),
        (bound(LOOKS, Switch.ON), UNBOUND, POLICY),
        (bound(LOOKS, Switch.OFF), IDLE, POLICY),
        (bound(TRADES, Switch.OFF), IDLE, derived(USED, 14)),
        (bound(TRADES, Switch.ON), IDLE, POLICY),
        (bound(STRANGE, Switch.OFF), IDLE, derived(USED, 14)),
    ],
)
def test_a_rule_hits_the_keys_it_is_about(
    report: PermissionReport, rule: ExpiryRule, expected: Expiry
) -> None:
    """Without an address list, with powers, counted from the making or from the last use."""
    assert expiry(report, rule, CONNECTED, USED, 30) == expected


@given(rules, days, switches)
def test_a_reported_date_is_believed(rule: ExpiryRule, policy: int, switch: Switch) -> None:
    """No rule and no policy changes what the exchange says of this key."""
    report = PermissionReport(ip_bound=switch, expires_at=DATE, created_at=MADE)
    assert expiry(report, rule, CONNECTED, USED, policy) == Expiry(DATE, ExpirySource.REPORTED)


def test_what_is_not_told_counts_from_our_first_sight() -> None:
    """Neither the day it was made nor a use: the day it was connected."""
    silent = PermissionReport()
    assert expiry(silent, ALWAYS, CONNECTED, USED, 30) == derived(CONNECTED, 90)
    assert expiry(silent, ExpiryRule(14, idle=True), CONNECTED, None, 30) == derived(CONNECTED, 14)
    assert expiry(silent, ExpiryRule(), CONNECTED, None, 30) == Expiry(
        CONNECTED + timedelta(days=30), ExpirySource.POLICY
    )


def test_zero_days_are_no_rule_and_no_policy() -> None:
    """Then no end is known, and none is made up."""
    unbound = ExpiryRule(0, unbound=True)
    assert expiry(bound(LOOKS, Switch.OFF), unbound, CONNECTED, USED, 0) == Expiry()
    assert Expiry().source is ExpirySource.NONE


@given(rules, days, switches)
def test_an_end_always_says_how_we_know(rule: ExpiryRule, policy: int, switch: Switch) -> None:
    """A date has a source, and no date has none."""
    end = expiry(bound(TRADES, switch), rule, CONNECTED, USED, policy)
    assert (end.at is None) is (end.source is ExpirySource.NONE)
