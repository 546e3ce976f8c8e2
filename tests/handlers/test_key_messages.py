"""What a person reads of a key: a table that fits a phone, and a short line for each thing worth knowing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.credentials import Account, AccountId, CredentialState
from chatbot.domain.expiry import ExpiryRule
from chatbot.domain.messages import Message, aligned
from chatbot.domain.people import HOME_TEAM, PersonId
from chatbot.domain.permissions import (
    Finding,
    Permission,
    PermissionReport,
    Policy,
    Source,
    Switch,
    attest,
    reported,
)  # fmt: skip
from chatbot.exchanges import build
from chatbot.ports.context import Options
from chatbot.ports.exchanges import Exchange
from chatbot.text import LOCALES, Translator
from handlers.notifications import keys
from tests.support.bot import options
from tests.support.clock import VirtualClock

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
MADE = NOW - timedelta(days=31)
# So many characters of fixed width stand in a row on a small phone before the platform breaks it.
PHONE = 36
UNBOUND = ExpiryRule(90, unbound=True)
VIEW = frozenset({Permission.BALANCES, Permission.FILLS})
TOLD = PermissionReport(reported(VIEW), Switch.OFF, created_at=MADE)
SEEN = PermissionReport(dict.fromkeys(VIEW, Finding(Switch.ON, Source.SEEN)))
findings = st.builds(Finding, st.sampled_from(Switch), st.sampled_from(Source), st.just(NOW))
T = Translator()


def exchange(**changed: Any) -> Exchange:
    """Return Bitstamp as a person knows it, with some of what it says about itself replaced."""
    found = build({}, VirtualClock())["bitstamp"]
    for name, value in changed.items():
        setattr(found, name, value)
    return found


def account(report: PermissionReport) -> Account:
    """Return a connected account with this report."""
    return Account(
        AccountId("a"), HOME_TEAM, PersonId("p"), "bitstamp", "Bitstamp", "a1b2", CredentialState.ACTIVE, report,
        NOW, polled_at=NOW,
    )  # fmt: skip


def everywhere(report: PermissionReport, venue: Exchange, chosen: Options) -> list[Message]:
    """Return what is shown of a key when it is accepted, in /keys, and after /test."""
    mine = account(report)
    return [
        keys.confirm(mine, "2055", venue, chosen, T, NOW),
        keys.card(mine, venue, chosen, T, NOW),
        keys.proven(mine, venue, chosen, T, NOW),
    ]


@given(st.dictionaries(st.sampled_from(Permission), findings), st.sampled_from(LOCALES))
def test_the_table_fits_a_phone(found: dict[Permission, Finding], locale: str) -> None:
    """Three columns in every language, whatever is known, without a row that breaks."""
    rows = aligned(keys.table(PermissionReport(found), Translator(locale)))
    assert max(len(row) for row in rows) <= PHONE
    assert len(rows) in {6, 7}


def test_the_table_says_what_is_on_and_how_we_know() -> None:
    """Reported, seen, said, or not reported: one word each, and a question mark for what nobody told."""
    report = PermissionReport(
        {
            Permission.BALANCES: Finding(Switch.ON, Source.SEEN),
            Permission.FILLS: Finding(Switch.ON, Source.REPORTED),
            Permission.TRADE: Finding(Switch.OFF, Source.SAID, NOW),
            Permission.TRANSFER: Finding(refused=True),
        }
    )
    assert [list(row) for row in keys.table(report, T).rows[1:]] == [
        ["balances", "on", "seen"],
        ["fills", "on", "reported"],
        ["trade", "off", "you said so"],
        ["transfer", "?", "not reported"],
        ["withdraw", "?", "not reported"],
    ]


@pytest.mark.parametrize(
    ("changed", "venue", "chosen", "expected"),
    [
        ({"ip_bound": Switch.UNKNOWN}, {}, {}, ["Addresses it works from: not reported"]),
        ({"ip_bound": Switch.ON}, {}, {}, ["Works only from the addresses on its list."]),
        (
            {"ip_bound": Switch.ON, "addresses": ("192.0.2.7", "192.0.2.8")},
            {"expiry": UNBOUND},
            {},
            ["Works only from: 192.0.2.7, 192.0.2.8"],
        ),
        (
            {"ip_bound": Switch.ON, "addresses": tuple("abcdefg")},
            {},
            {},
            ["Works only from: a, b, c, d, e, …"],
        ),
        ({}, {}, {"egress": ("192.0.2.7",)}, ["Works from any address."]),
        (
            {},
            {"expiry": UNBOUND, "max_addresses": 1},
            {"egress": ("192.0.2.7", "192.0.2.8")},
            ["Works from any address.", "Bind it to 192.0.2.7 and the 90-day limit goes away."],
        ),
        (
            {},
            {"expiry": UNBOUND},
            {},
            ["Works from any address.", "Keys bound to an address have no 90-day limit: ask your admin"],
        ),
        (
            {},
            {"expiry": replace(UNBOUND, powerful=True)},
            {"egress": ("192.0.2.7",)},
            ["Works from any address."],
        ),
    ],
)
def test_a_person_reads_where_the_key_works_from(changed, venue, chosen, expected: list[str]) -> None:
    """And is told to bind it where that makes the key last, with the addresses to enter."""
    for shown in everywhere(replace(TOLD, **changed), exchange(**venue), options(**chosen)):
        lines = shown.plain().splitlines()
        said = [line for line in lines if "ddress" in line or "Works only" in line or "Bind it" in line]
        assert [line[: len(start)] for line, start in zip(said, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("report", "rule", "policy", "expected"),
    [
        (replace(TOLD, expires_at=NOW), UNBOUND, 90, "Expiry: May 4, 2026, reported by Bitstamp"),
        (TOLD, UNBOUND, 90, "Expiry: Jul 2, 2026, by Bitstamp's 90-day rule"),
        (SEEN, UNBOUND, 90, "Expiry: Aug 2, 2026 at the latest, by Bitstamp's 90-day rule"),
        (
            TOLD,
            ExpiryRule(14, idle=True),
            90,
            "Expiry: after 14 days without use, by Bitstamp's rule; my reading keeps it alive",
        ),
        (
            TOLD,
            ExpiryRule(),
            90,
            "Expiry: none known; this bot's policy asks for a new key by Jul 2, 2026",
        ),
        (TOLD, ExpiryRule(), 0, "Expiry: none known"),
    ],
)
def test_the_end_of_a_key_says_who_says_so(report, rule: ExpiryRule, policy: int, expected: str) -> None:
    """Reported, by the exchange's rule, by our policy, or not known: never one for the other."""
    venue = exchange(expiry=rule)
    for shown in everywhere(report, venue, options(key_max_age_days=policy)):
        assert [line for line in shown.plain().splitlines() if "Expiry" in line] == [expected]


def test_the_age_of_a_key_is_the_exchange_s_word() -> None:
    """Told where the exchange tells it, and nowhere else."""
    for shown in everywhere(TOLD, exchange(), options()):
        assert "Made at Bitstamp on Apr 3, 2026, 1 month ago" in shown.plain()
    for shown in everywhere(SEEN, exchange(), options()):
        assert "Made at" not in shown.plain()


def test_a_tick_too_many_is_named_as_harmless() -> None:
    """In the exchange's own words, without alarm."""
    report = replace(SEEN, labels=("List withdrawal requests", "Export data"))
    expected = (
        "Also ticked: “List withdrawal requests”, “Export data”. Not needed, harmless: you may untick that."
    )
    for shown in everywhere(report, exchange(), options()):
        assert expected in shown.plain().splitlines()


@pytest.mark.parametrize(
    ("strange", "expected"),
    [
        (("teleport",), "I don't know the tick “teleport”; untick it to be safe."),
        (("teleport", "0"), "I don't know the ticks “teleport”, “0”; untick them to be safe."),
    ],
)
def test_a_tick_nobody_knows_is_named_by_its_own_word(strange: tuple[str, ...], expected: str) -> None:
    """Wherever the key is shown, with what to do."""
    for shown in everywhere(replace(TOLD, strange=strange), exchange(), options()):
        assert expected in shown.plain().splitlines()


def test_a_hidden_past_is_warned_of() -> None:
    """A key that shows only some days would otherwise look like an account without fills."""
    report = replace(TOLD, history_from=MADE, history_to=NOW)
    for shown in everywhere(report, exchange(), options()):
        text = shown.plain()
        assert "Fills before Apr 3, 2026 stay hidden" in text
        assert "Fills after May 4, 2026 stay hidden: take that end date off the key at Bitstamp" in text
    assert "stay hidden" not in keys.proven(account(TOLD), exchange(), options(), T, NOW).plain()


@pytest.mark.parametrize(
    ("withdrawals", "transfers", "expected"),
    [
        (True, True, []),
        (False, True, ["Withdrawals are noticed by the balances, not read."]),
        (True, False, ["Transfers between your own accounts are noticed by the balances, not read."]),
        (False, False, ["Withdrawals and transfers are noticed by the balances, not read."]),
    ],
)
def test_what_these_rights_can_t_show_is_said(*, withdrawals, transfers, expected: list[str]) -> None:
    """Briefly: nobody waits for a message that can't come."""
    venue = exchange(reads_withdrawals=withdrawals, reads_transfers=transfers)
    for shown in everywhere(TOLD, venue, options()):
        assert [line for line in shown.plain().splitlines() if "noticed by" in line] == expected


def test_eyes_are_asked_only_for_what_the_exchange_keeps_to_itself() -> None:
    """An exchange that reports all leaves nothing to check by hand; a person's word doesn't end the question."""
    said = attest(SEEN, NOW, SEEN.untold)
    partly = PermissionReport({**reported(VIEW), Permission.WITHDRAW: Finding()})
    for report, asked in ((TOLD, False), (SEEN, True), (said, True), (partly, True)):
        shown = [message.plain() for message in everywhere(report, exchange(), options())]
        assert ["see that only these are ticked" in text for text in shown] == [asked] * 3
        card = keys.card(account(report), exchange(), options(), T, NOW)
        assert ("I checked: only these are ticked" in [b.text for row in card.buttons for b in row]) is asked
    assert "You checked on May 4, 2026." in keys.card(account(said), exchange(), options(), T, NOW).plain()


def test_the_ticks_to_look_for_are_those_of_the_purpose() -> None:
    """Where orders are wanted, their tick is among those that may be on."""
    policy = Policy(frozenset(), frozenset(), trade=True)
    for shown, wanted in ((options(), False), (options(policy=policy), True)):
        text = keys.confirm(account(SEEN), "2055", exchange(), shown, T, NOW).plain()
        assert ("“Order management”" in text) is wanted


def test_a_key_that_changed_is_told_by_its_boxes() -> None:
    """What should not be on is named to untick, what is missing to tick, one box once."""
    venue = exchange(labels={Permission.TRANSFER: "Move", Permission.WITHDRAW: "Move"}, tick=())
    report = PermissionReport(reported({*VIEW, Permission.TRANSFER, Permission.WITHDRAW}))
    text = keys.card(account(report), venue, options(), T, NOW).plain()
    assert text.count("This key may do more than I need. At Bitstamp, untick “Move”.") == 1
    trading = options(policy=Policy(frozenset(), frozenset(), trade=True))
    text = keys.card(account(TOLD), exchange(), trading, T, NOW).plain()
    assert "This key may not do what I need. At Bitstamp, tick “Order management” for it." in text


@pytest.mark.parametrize("locale", LOCALES)
def test_every_line_can_be_said_in_every_language(locale: str) -> None:
    """No place is left open, and the code comes last, where the question is."""
    full = replace(
        TOLD, labels=("x",), strange=("y", "z"), history_from=MADE, history_to=NOW, addresses=("192.0.2.7",)
    )
    venue = exchange(expiry=UNBOUND, reads_withdrawals=False)
    shown = keys.confirm(account(full), "2055", venue, options(), Translator(locale), NOW).plain()
    assert "{" not in shown
    assert shown.endswith(" 2055")
    assert all(len(line) < 200 for line in shown.splitlines())
