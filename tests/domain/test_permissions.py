"""Whether a key is taken: never one that can withdraw, never one whose balances were not read."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.permissions import (
    Finding,
    Outcome,
    Permission,
    PermissionReport,
    Policy,
    Source,
    Switch,
    attest,
    decide,
)  # fmt: skip

NOW = datetime(2026, 1, 1, tzinfo=UTC)
findings = st.builds(Finding, st.sampled_from(Switch), st.sampled_from(Source), st.none(), st.booleans())
reports = st.dictionaries(st.sampled_from(Permission), findings).map(PermissionReport)
rights = st.frozensets(st.sampled_from(Permission))
policies = st.builds(Policy, rights, rights, st.booleans())
USUAL = Policy(frozenset({Permission.WITHDRAW, Permission.TRANSFER}), frozenset({Permission.TRADE}))


@given(reports, policies)
def test_unread_balances_are_never_taken(report, policy) -> None:
    """Whatever the policy, balances must really be readable."""
    if not report.is_on(Permission.BALANCES):
        decision = decide(report, policy)
        assert decision.outcome is Outcome.REFUSE
        assert Permission.BALANCES in decision.tick


@given(reports, st.booleans())
def test_a_key_that_can_withdraw_is_never_taken(report, trade) -> None:
    """With the usual policy, and for whatever purpose."""
    policy = Policy(USUAL.refuse, USUAL.warn, trade)
    if report.is_on(Permission.WITHDRAW) or report.is_on(Permission.TRANSFER):
        assert decide(report, policy).outcome is Outcome.REFUSE


@given(reports, policies)
def test_a_refusal_says_what_to_change(report, policy) -> None:
    """There is always a box to tick or to untick, and never the same one for both."""
    decision = decide(report, policy)
    if decision.outcome is not Outcome.ACCEPT:
        assert decision.tick or decision.untick
    assert not set(decision.tick) & set(decision.untick)
    assert all(report.is_on(permission) for permission in decision.untick)


@given(reports, policies)
def test_not_known_is_not_off(report, policy) -> None:
    """What the exchange does not report never refuses a key, except balances."""
    known = {p: f for p, f in report.findings.items() if f.switch is not Switch.UNKNOWN}
    assert decide(PermissionReport(known), policy) == decide(report, policy)


def test_fills_are_wished_for_and_not_required() -> None:
    """Without fills the key is taken with a warning that names them."""
    report = PermissionReport({Permission.BALANCES: Finding(Switch.ON, Source.SEEN)})
    decision = decide(report, USUAL)
    assert (decision.outcome, decision.tick) == (Outcome.WARN, (Permission.FILLS,))


def test_a_trading_installation_does_not_warn_of_trading() -> None:
    """The order right is what it asked for; without it the key is refused."""
    on, off = Finding(Switch.ON, Source.SEEN), Finding(Switch.OFF, Source.REPORTED)
    both = PermissionReport({Permission.BALANCES: on, Permission.FILLS: on, Permission.TRADE: on})
    trading = Policy(USUAL.refuse, USUAL.warn, trade=True)
    assert decide(both, trading).outcome is Outcome.ACCEPT
    assert decide(both, USUAL).untick == (Permission.TRADE,)
    assert decide(both.has({Permission.TRADE: off}), trading).tick == (Permission.TRADE,)


@given(reports, rights)
def test_a_persons_word_changes_only_what_is_unreported(report, unreported) -> None:
    """*I checked* says off, on this date, for those permissions alone; what was seen to be on stays on."""
    said = attest(report, NOW, unreported)
    for permission in Permission:
        silent = permission in unreported and not report.is_on(permission)
        expected = Finding(Switch.OFF, Source.SAID, NOW) if silent else report.get(permission)
        assert said.get(permission) == expected
