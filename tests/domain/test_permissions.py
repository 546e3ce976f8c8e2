"""Whether a key is taken: never one that can withdraw, never one whose balances were not read."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.permissions import (
    POWERS,
    Decision,
    Finding,
    Outcome,
    Permission,
    PermissionReport,
    Policy,
    Source,
    Switch,
    attest,
    decide,
    reported,
)  # fmt: skip

NOW = datetime(2026, 1, 1, tzinfo=UTC)
findings = st.builds(Finding, st.sampled_from(Switch), st.sampled_from(Source), st.none(), st.booleans())
ticks = st.lists(st.sampled_from(["teleport", "convert", "0"]), max_size=2, unique=True).map(tuple)
reports = st.builds(PermissionReport, st.dictionaries(st.sampled_from(Permission), findings), strange=ticks)
rights = st.frozensets(st.sampled_from(Permission))
policies = st.builds(Policy, rights, rights, st.booleans())
USUAL = Policy(frozenset({Permission.WITHDRAW, Permission.TRANSFER}), frozenset({Permission.TRADE}))
TRADING = replace(USUAL, trade=True)
LAX = Policy(frozenset(), frozenset())
VIEW = frozenset({Permission.BALANCES, Permission.FILLS, Permission.ORDERS, Permission.ACCOUNT})
B, F, T, W = Permission.BALANCES, Permission.FILLS, Permission.TRADE, Permission.WITHDRAW
MOVE = Permission.TRANSFER


@pytest.mark.parametrize(
    ("on", "policy", "expected"),
    [
        (VIEW, USUAL, Decision(Outcome.ACCEPT)),
        ({B, F}, USUAL, Decision(Outcome.ACCEPT)),
        ({B, F, T}, USUAL, Decision(Outcome.WARN, untick=(T,))),
        ({B, F, T, MOVE}, USUAL, Decision(Outcome.REFUSE, untick=(MOVE,))),
        ({B, F, W}, USUAL, Decision(Outcome.REFUSE, untick=(W,))),
        ({W}, USUAL, Decision(Outcome.REFUSE, untick=(W,), tick=(B,))),
        ({B}, USUAL, Decision(Outcome.WARN, tick=(F,))),
        ({B, F, T}, TRADING, Decision(Outcome.ACCEPT)),
        ({B, F}, TRADING, Decision(Outcome.REFUSE, tick=(T,))),
        ({F}, TRADING, Decision(Outcome.REFUSE, tick=(B, T))),
        ({B, F, T, W}, TRADING, Decision(Outcome.REFUSE, untick=(W,))),
        ({B, F, W}, TRADING, Decision(Outcome.REFUSE, untick=(W,), tick=(T,))),
        (set(Permission), LAX, Decision(Outcome.ACCEPT)),
        ({F}, LAX, Decision(Outcome.REFUSE, tick=(B,))),
    ],
)
def test_what_is_reported_decides(on, policy: Policy, expected: Decision) -> None:
    """Taken, warned of or refused, with the boxes to untick and to tick."""
    assert decide(PermissionReport(reported(on)), policy) == expected


@pytest.mark.parametrize(
    ("refuse", "outcome"),
    [({W}, Outcome.REFUSE), ({W, MOVE}, Outcome.REFUSE), ({MOVE}, Outcome.WARN), (set(), Outcome.WARN)],
)
def test_a_tick_nobody_knows_is_feared_as_a_withdrawal(refuse, outcome: Outcome) -> None:
    """Refused where the right to withdraw is, warned of everywhere else; named in both cases."""
    report = PermissionReport(reported({B, F}), strange=("teleport",))
    expected = Decision(outcome, strange=("teleport",))
    assert decide(report, Policy(frozenset(refuse), frozenset())) == expected


def test_what_no_read_can_tell_is_not_asked_of_a_trading_key() -> None:
    """An exchange that reports no order right can't be the reason to refuse every key."""
    seen = Finding(Switch.ON, Source.SEEN)
    assert decide(PermissionReport({B: seen, F: seen}), TRADING) == Decision(Outcome.ACCEPT)


@given(st.frozensets(st.sampled_from(Permission)), ticks)
def test_a_key_is_powerful_when_it_may_change_anything(on: frozenset[Permission], strange) -> None:
    """By an order, a transfer, a withdrawal, or a tick that nobody here knows."""
    assert PermissionReport(reported(on), strange=strange).powerful is bool(on & POWERS or strange)


@given(rights)
def test_an_exchange_that_reports_tells_about_everything(on: frozenset[Permission]) -> None:
    """What it does not name is off, and nothing is left to a person's eyes."""
    report = PermissionReport(reported(on))
    assert {p for p in Permission if report.is_on(p)} == on
    assert {report.get(p).source for p in Permission} == {Source.REPORTED}
    assert report.untold == frozenset()


@given(reports, rights)
def test_only_powers_nobody_told_of_are_left_to_eyes(report: PermissionReport, unreported) -> None:
    """A person's word does not make them told."""
    assert attest(report, NOW, unreported & report.untold).untold == report.untold
    assert report.untold <= POWERS


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
    policy = replace(USUAL, trade=trade)
    if report.is_on(Permission.WITHDRAW) or report.is_on(Permission.TRANSFER):
        assert decide(report, policy).outcome is Outcome.REFUSE


@given(reports, policies)
def test_a_refusal_says_what_to_change(report, policy) -> None:
    """There is always a box to tick or to untick, and never the same one for both."""
    decision = decide(report, policy)
    if decision.outcome is not Outcome.ACCEPT:
        assert decision.tick or decision.untick or decision.strange
    assert not set(decision.tick) & set(decision.untick)
    assert all(report.is_on(permission) for permission in decision.untick)


@given(reports, policies)
def test_not_known_is_not_off(report, policy) -> None:
    """What the exchange does not report never refuses a key, except balances."""
    known = {p: f for p, f in report.findings.items() if f.switch is not Switch.UNKNOWN}
    assert decide(replace(report, findings=known), policy) == decide(report, policy)


def test_fills_are_wished_for_and_not_required() -> None:
    """Without fills the key is taken with a warning that names them."""
    report = PermissionReport({Permission.BALANCES: Finding(Switch.ON, Source.SEEN)})
    decision = decide(report, USUAL)
    assert (decision.outcome, decision.tick) == (Outcome.WARN, (Permission.FILLS,))


def test_a_trading_installation_does_not_warn_of_trading() -> None:
    """The order right is what it asked for; without it the key is refused."""
    on, off = Finding(Switch.ON, Source.SEEN), Finding(Switch.OFF, Source.REPORTED)
    both = PermissionReport({Permission.BALANCES: on, Permission.FILLS: on, Permission.TRADE: on})
    assert decide(both, TRADING).outcome is Outcome.ACCEPT
    assert decide(both, USUAL).untick == (Permission.TRADE,)
    assert decide(both.has({Permission.TRADE: off}), TRADING).tick == (Permission.TRADE,)


@given(reports, rights)
def test_a_persons_word_changes_only_what_is_unreported(report, unreported) -> None:
    """*I checked* says off, on this date, for those permissions alone; what was seen to be on stays on."""
    said = attest(report, NOW, unreported)
    for permission in Permission:
        silent = permission in unreported and not report.is_on(permission)
        expected = Finding(Switch.OFF, Source.SAID, NOW) if silent else report.get(permission)
        assert said.get(permission) == expected
