"""Labels and names of accounts: whatever a person types, what is shown is one clean short line."""

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.credentials import (
    LABEL_LENGTH,
    Account,
    AccountId,
    Credentials,
    CredentialState,
    clean_label,
    matching,
)
from chatbot.domain.people import HOME_TEAM, PersonId
from chatbot.domain.permissions import PermissionReport
from chatbot.domain.secrets import Secret

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Marks, joiners and jamo, whose order and number matter most.
awkward = st.text(
    st.sampled_from("aé\u0301\u0323\u0308\u200d\u200b\u202e\u2066\ufe0f\u1100\u1161\u11a8 \n\t\u2028👩💻")
    | st.characters(),
    max_size=60,
)


def account(number: int, label: str, last4: str, exchange: str = "bitso") -> Account:
    """Make an account with a label and last four characters."""
    return Account(
        AccountId(f"id{number}"),
        HOME_TEAM,
        PersonId("p"),
        exchange,
        label,
        last4,
        CredentialState.ACTIVE,
        PermissionReport(),
        NOW,
    )


@given(awkward)
def test_a_label_is_short_and_one_line(text) -> None:
    """At most 32 characters, no line break, no control or format character, no space at its ends."""
    label = clean_label(text)
    assert len(label) <= LABEL_LENGTH
    assert label == label.strip()
    assert len(label.splitlines()) <= 1
    assert not {unicodedata.category(char) for char in label} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@given(awkward)
def test_a_clean_label_stays_as_it_is(text) -> None:
    """Cleaning twice is cleaning once."""
    assert clean_label(clean_label(text)) == clean_label(text)


@given(awkward)
def test_marks_do_not_pile_up(text) -> None:
    """No letter carries more than two marks."""
    run = 0
    for char in clean_label(text):
        run = run + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        assert run <= 2


def test_an_ordinary_label_is_kept() -> None:
    """Letters of any script, emoji and markup are the person's own."""
    for label in ("Savings", "Cuenta ñandú", "貯金", "👛 *_[<@x>]"):
        assert clean_label(label) == label


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["id1", "id2", "id3"]),
        ("1111", ["id1"]),
        ("…2222", ["id2"]),
        ("savings", ["id2"]),
        ("sav", ["id2"]),
        ("bitso", ["id1"]),
        ("kraken", ["id3"]),
        ("id3", ["id3"]),
        ("nothing", []),
    ],
)
def test_an_account_is_found_by_what_people_call_it(words, found) -> None:
    """Label, last four characters, exchange, or a part of the name; an exact name before a part of one."""
    accounts = [
        account(1, "Bitso", "1111"),
        account(2, "Savings", "2222"),
        account(3, "Old", "3333", "kraken"),
    ]
    assert [a.id for a in matching(accounts, words)] == found


def test_a_title_is_not_said_twice() -> None:
    """An account called after its exchange is named once."""
    assert account(1, "Bitso", "1111").titled("Bitso") == "Bitso …1111"
    assert account(2, "Savings", "2222").titled("Bitso") == "Bitso · Savings …2222"


def test_wiping_wipes_every_part() -> None:
    """After use nothing of the credentials is left in memory."""
    parts = Credentials(Secret("a" * 10), Secret("b" * 10), Secret("c" * 10))
    parts.wipe()
    assert [bool(part) for part in (parts.api_key, parts.api_secret, parts.passphrase)] == [False] * 3
