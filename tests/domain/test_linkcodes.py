"""The code that joins two people: how it is spelled, read and kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.linkcodes import ALPHABET, COUNT, digest, read, spell


def test_a_code_is_forty_bits_nobody_mistakes():
    """As many as 2^40, in letters and digits that look like no other."""
    assert COUNT == 2**40
    assert not set("IO01") & set(ALPHABET)
    assert len(set(ALPHABET)) == len(ALPHABET)


@given(st.integers(0, COUNT - 1))
def test_what_is_spelled_is_read(number: int):
    """Each number has a code of its own, which is read as it was written."""
    code = spell(number)

    assert read(code) == read(code.lower()) == read(code.replace("-", "")) == code


def test_no_two_numbers_share_a_code():
    """Neither at the ends nor beside each other."""
    numbers = [0, 1, 31, 32, 33, COUNT - 2, COUNT - 1]

    assert len({spell(number) for number in numbers}) == len(numbers)


@pytest.mark.parametrize(
    "typed", ["abcd 2345", " A B C D 2 3 4 5 ", "«ABCD–2345».", "ABCD_2345", "ab-cd-23-45"]
)
def test_points_and_spaces_do_not_matter(typed: str):
    """However a phone writes a dash, or a person copies it."""
    assert read(typed) == "ABCD-2345"


@pytest.mark.parametrize(
    "typed", ["", "ABCD-234", "ABCD-23456", "ABCD-O345", "ABCD-1345", "ÁBCD-2345", "\uff21BCD-2345"]
)
def test_what_can_not_be_a_code_is_none(typed: str):
    """Too short, too long, or with a letter that no code has."""
    assert read(typed) is None


def test_only_a_hash_is_kept():
    """It has nothing of the code in it, and differs from code to code."""
    assert len(digest("ABCD-2345")) == 32
    assert digest("ABCD-2345") != digest("ABCD-2346")
