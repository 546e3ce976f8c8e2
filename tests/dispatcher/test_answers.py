"""How a line is read, and what is removed from an update before anything is stored."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.dispatcher.answers import Spoken, split
from chatbot.dispatcher.inlet import PASTED, Scrubber
from chatbot.domain.secrets import HIDDEN
from chatbot.exchanges.bitso import Bitso

SCRUBBER = Scrubber(Bitso.shapes)
SECRET = "0123456789abcdef0123456789abcdef"
texts = st.text(max_size=40)
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "caption", "query", "data", "id"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("/help", Spoken(True, "help")),
        ("  /HELP  ", Spoken(True, "help")),
        ("/connect bitso My Label", Spoken(True, "connect", ("bitso", "My", "Label"))),
        ("/start connect_bitso", Spoken(True, "connect", ("bitso",))),
        ("/start start", Spoken(True, "start", ("start",))),
        ("/start ___", Spoken(True, "start")),
        ("/start balances", Spoken(True, "balances")),
        ("/start language_pt", Spoken(True, "language")),
        ("/start rename_Pwned", Spoken(True, "start")),
        ("/start cancel", Spoken(True, "start")),
        ("/start", Spoken(True, "start")),
        ("hello", Spoken(False)),
        ("/", Spoken(False)),
        ("", Spoken(False)),
        ("a /help", Spoken(False)),
    ],
)
def test_a_line_is_read_as_people_write_it(text: str, spoken: Spoken) -> None:
    """Case and spaces don't matter; a deep link's payload is a command that only shows or asks."""
    assert split(text) == spoken


@given(texts)
def test_any_text_can_be_read(text: str) -> None:
    """Whatever is typed, it is a command with a name, or talk."""
    spoken = split(text)
    assert spoken.is_command == bool(spoken.name)


@given(trees)
def test_scrubbing_keeps_what_is_no_secret(raw: object) -> None:
    """The shape of an update stays, whatever it holds."""
    clean = SCRUBBER.update({"message": raw})
    assert json.loads(json.dumps(clean)) is not None
    if PASTED not in clean and "/key#" not in json.dumps(raw):
        assert clean == {"message": raw}


@given(trees, st.sampled_from(["text", "caption", "query"]))
def test_a_secret_is_found_however_deep(raw: object, name: str) -> None:
    """Text, caption or query, under whatever the platform wraps it in."""
    clean = SCRUBBER.update({"a": [raw, {"b": {name: f"here: {SECRET}"}}]})
    assert SECRET not in json.dumps(clean)
    assert clean[PASTED] == "bitso"
    assert HIDDEN in json.dumps(clean)


def test_the_address_of_a_link_is_not_stored() -> None:
    """Platforms send the message under a pressed button along, with the link in it."""
    url = "https://bot.example.com/prefix/key#token.mark.en"
    clean = SCRUBBER.update(
        {"callback_query": {"message": {"reply_markup": [[{"url": url}]], "text": f"open {url} now"}}}
    )
    assert "token.mark" not in json.dumps(clean)
    assert PASTED not in clean


@pytest.mark.parametrize("place", ["file_name", "title", "question", "first_name", "url"])
def test_a_secret_beside_the_words_is_not_stored(place: str) -> None:
    """It is removed wherever it stands; only what the sender wrote is a paste."""
    clean = SCRUBBER.update({"message": {"text": "hi", "media": [{place: f"{SECRET}.txt"}]}})
    assert SECRET not in json.dumps(clean)
    assert PASTED not in clean


def test_who_speaks_keeps_a_name_that_looks_like_a_key() -> None:
    """People are called what they are called; a platform's own ids stay as well."""
    raw = {"from": {"first_name": "McDonaldJr"}, "user": "DeLaCruzMX", "data": SECRET, "text": "hi"}
    assert SCRUBBER.update(raw) == raw


@pytest.mark.parametrize("around", ["reply_to_message", "external_reply", "quote", "pinned_message"])
def test_a_secret_somebody_else_wrote_is_no_paste(around: str) -> None:
    """Who answers to such a message is not accused of it."""
    clean = SCRUBBER.update({"message": {"text": "careful!", around: {"text": SECRET}}})
    assert SECRET not in json.dumps(clean)
    assert PASTED not in clean


def test_a_long_text_without_a_link_is_looked_at_quickly() -> None:
    """A megabyte without a blank takes no longer than one with many."""
    began = time.perf_counter()
    SCRUBBER.update({"id": "/key" * 250_000})
    assert time.perf_counter() - began < 1


def test_a_text_with_a_secret_becomes_a_marker() -> None:
    """And one without stays as it is."""
    assert SCRUBBER.text(f"x {SECRET}") == HIDDEN
    assert SCRUBBER.text("good morning") == "good morning"
