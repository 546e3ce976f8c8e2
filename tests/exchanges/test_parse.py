"""Reading numbers and names off the wire: quick for what is usual, and never more lenient for it."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatbot.exchanges import _parse

DIGITS = st.integers(-(10**70), 10**70)
EXPONENTS = st.integers(-120, 120) | st.sampled_from([-(10**6), 10**6])
NUMBERS = st.builds(lambda digits, power: Decimal(digits).scaleb(power), DIGITS, st.integers(-99, 99))
ZEROS = st.builds(lambda power: Decimal((0, (0,), power)), EXPONENTS)
STRANGE = st.sampled_from([Decimal(text) for text in ("NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "-0")])


def verdict(judge, value):
    try:
        return judge(value).as_tuple()
    except ValueError:
        return None


@given(NUMBERS | ZEROS | STRANGE | st.decimals())
@example(Decimal("1e20"))
@example(Decimal("9.99999999999999999999999e20"))
@example(Decimal("1e21"))
@example(Decimal("1e-40"))
@example(Decimal("1e-41"))
@example(Decimal("0e-64"))
@example(Decimal("0e-65"))
@example(Decimal("1." + "1" * 63))
@example(Decimal("1." + "1" * 64))
def test_the_quick_look_judges_as_the_thorough_one(value):
    """An amount is taken or refused, and comes out, as if each of its digits had been looked at."""
    assert verdict(_parse.amount, value) == verdict(_parse._looked_at, value)


@pytest.mark.parametrize("name", ["", " ", "A_B", "x" * 33, "\x00"])
def test_a_name_that_can_not_be_shown_is_refused_each_time(name):
    """What was refused once is refused again, though names are remembered."""
    for _ in range(2):
        with pytest.raises(ValueError, match="not an asset"):
            _parse.asset(name)
