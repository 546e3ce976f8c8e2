"""Roles come from the settings alone: deny by default."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.people import Identity, Role, Roster

ROSTER = Roster(frozenset({"telegram:1", "slack:T1/U1"}), frozenset({"telegram:2", "slack:T2/*", "web:*"}))
names = st.text(st.sampled_from("abT12*/:"), max_size=6)


@pytest.mark.parametrize(
    ("who", "role"),
    [
        (Identity("telegram", "1"), Role.ADMIN),
        (Identity("telegram", "2"), Role.MEMBER),
        (Identity("telegram", "3"), Role.STRANGER),
        (Identity("slack", "U1", "T1"), Role.ADMIN),
        (Identity("slack", "U1", "T2"), Role.MEMBER),
        (Identity("slack", "U9", "T3"), Role.STRANGER),
        (Identity("slack", "U1"), Role.STRANGER),
        (Identity("web", "anyone"), Role.MEMBER),
    ],
)
def test_a_role_is_what_the_settings_say(who, role) -> None:
    """Exact names, everybody of a platform, everybody of a workspace; anyone else is a stranger."""
    assert ROSTER.role(who) is role


@given(names, names, names)
def test_an_empty_roster_knows_only_strangers(platform, user, workspace) -> None:
    """Without settings nobody may do anything."""
    assert Roster(frozenset(), frozenset()).role(Identity(platform, user, workspace)) is Role.STRANGER


@given(names)
def test_everybody_of_a_platform_is_never_an_admin(user) -> None:
    """A star makes members only, even where it stands among the admins."""
    assert Roster(frozenset({"web:*"}), frozenset({"web:*"})).role(Identity("web", user + "x")) is Role.MEMBER


def test_an_identity_reads_as_in_the_settings() -> None:
    """What a stranger hands to an admin can be pasted as it is."""
    assert [str(Identity("telegram", "1")), str(Identity("slack", "U1", "T1"))] == [
        "telegram:1",
        "slack:T1/U1",
    ]
