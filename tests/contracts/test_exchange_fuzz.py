"""Whatever bytes come from an exchange, a parser gives a typed error or a value that makes sense.

`tests/exchanges/parsers_<name>.py` names each parser of an exchange with the recorded answer it reads.
"""

import importlib
import importlib.util

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from chatbot.exchanges import discover
from tests.support.fuzz import Spoiler, survives

MANY, SOME = 100_000, 2_000
# To draw a whole answer costs Hypothesis far more than to parse it: it draws where a row of them begins.
AT_ONCE = 50
SEEDS = st.integers(0, 2**63)


def parsers(exchange):
    name = f"tests.exchanges.parsers_{exchange}"
    return importlib.import_module(name).PARSERS if importlib.util.find_spec(name) else {}


NAMED = [(exchange, parser) for exchange in discover() for parser in parsers(exchange)]


def check(exchange, parser, answers):
    sample, parse = parsers(exchange)[parser]
    parse(sample)
    spoiler = Spoiler(sample)

    @settings(max_examples=answers // AT_ONCE, deadline=None, database=None)
    @given(SEEDS)
    def run(first):
        for seed in range(first, first + AT_ONCE):
            body = spoiler.spoilt(seed)
            try:
                survives(parse, body)
            except Exception:
                note(f"Spoiler(sample).spoilt({seed}) is {body[:4000]!r}")
                raise

    run()


@pytest.mark.parametrize(("exchange", "parser"), NAMED)
def test_a_spoilt_answer_is_an_error_or_a_sound_value(exchange, parser):
    """A few thousand spoilt answers for each parser, each time others."""
    check(exchange, parser, SOME)


@pytest.mark.long
@pytest.mark.parametrize(("exchange", "parser"), NAMED)
def test_a_hundred_thousand_spoilt_answers(exchange, parser):
    """The same, at length."""
    check(exchange, parser, MANY)


@pytest.mark.parametrize("exchange", discover())
def test_every_exchange_has_its_parsers_named(exchange):
    """Balances, fills and prices at least are read from bytes by a parser that is tried here."""
    assert len(parsers(exchange)) >= 3
