"""Messages as structure: nothing is lost on the way to the outbox, tables line up."""

import json

from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.messages import (
    Button,
    Line,
    Look,
    Message,
    Piece,
    Post,
    Reply,
    Table,
    aligned,
    bold,
    code,
    from_json,
    line,
    message,
    reply,
    to_json,
)  # fmt: skip

words = st.text(max_size=20)
pieces = st.builds(Piece, words, st.sampled_from(Look), words)
lines = st.builds(Line, st.lists(pieces, max_size=4).map(tuple))
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.tuples(*[words] * width), max_size=5).map(lambda rows: Table(tuple(rows)))
)
buttons = st.builds(
    Button, words, words, st.lists(words, max_size=3).map(tuple), words, st.booleans(), st.integers(1, 10**6)
)
messages = st.builds(
    Message,
    st.lists(lines | tables, max_size=5).map(tuple),
    st.lists(st.lists(buttons, max_size=3).map(tuple), max_size=3).map(tuple),
)


@given(messages)
def test_a_message_survives_the_outbox(msg) -> None:
    """Written as JSON and read back it is the same message."""
    assert from_json(json.loads(json.dumps(to_json(msg)))) == msg


@given(messages)
def test_the_words_alone_hold_every_word(msg) -> None:
    """`plain` drops looks and buttons, and no text."""
    text = msg.plain()
    for part in msg.body:
        if isinstance(part, Line):
            assert "".join(piece.text for piece in part.pieces) in text


@given(tables)
def test_columns_line_up(table) -> None:
    """Every cell is in its row, and rows are padded to the same columns."""
    shown = aligned(table)
    assert len(shown) == len(table.rows)
    for row, text in zip(table.rows, shown, strict=True):
        assert all(cell.rstrip() in text for cell in row)


def test_markup_is_only_letters() -> None:
    """What looks like markup stays one plain piece."""
    (only,) = message("*bold* _it_ <b> [x](y) @channel").body
    assert only == line("*bold* _it_ <b> [x](y) @channel")


def test_a_text_of_several_lines_becomes_several_lines() -> None:
    """Each part of a message is a line of its own, and empty pieces vanish."""
    assert message("a\nb", bold("c"), line("", code("d"))).plain() == "a\nb\nc\nd"


def test_a_reply_of_one_message() -> None:
    """The short form holds the same as the long one."""
    button = ((Button("x", "y"),),)
    assert reply("a", buttons=button, card="c") == Reply((Post(message("a", buttons=button), card="c"),))
