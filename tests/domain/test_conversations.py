"""Reading a guide file: sections, options, and what makes a file unfit."""

import pytest

from chatbot.domain.conversations import GuideError, GuideId, GuideState, parse_guide
from chatbot.domain.people import ConversationId, PersonId

GOOD = """# Connect Example

Words before the first section are for who edits the file.

## Step: one
title: First
show: page skip

A line.

title: not an option any more

## Step: here
title: Only with addresses
when: egress

Addresses.

## Step: watch
title: For monitoring
when: monitor

Tick.

## Step: last
title: Last
show: link

Hand over.

## Stuck: lost
title: I lost it
cause: bad_key

Make a new one.
"""


def test_sections_become_steps_and_answers() -> None:
    """Title, flags, condition and cause come from the options; everything after a blank line is text."""
    guide = parse_guide("example", "en", GOOD)
    first = guide.steps[0]
    assert (first.title, first.page, first.skip, first.link) == ("First", True, True, False)
    assert first.lines == ("A line.", "", "title: not an option any more")
    assert guide.steps[-1].link
    assert (guide.stuck[0].key, guide.stuck[0].cause) == ("lost", "bad_key")


@pytest.mark.parametrize(
    ("egress", "trade", "keys"),
    [
        (False, False, ["one", "watch", "last"]),
        (True, False, ["one", "here", "watch", "last"]),
        (True, True, ["one", "here", "last"]),
    ],
)
def test_steps_are_shown_where_they_apply(egress, trade, keys) -> None:
    """Addresses only with addresses, ticks as the purpose asks."""
    shown = parse_guide("example", "en", GOOD).shown(egress=egress, trade=trade)
    assert [step.key for step in shown] == keys


@pytest.mark.parametrize(
    "markdown",
    [
        "",
        "# No section at all\n",
        "## Step: one\n\nNo title.\n",
        "## Step: one\ntitle: No text\nshow: link\n",
        "## Step: one\ntitle: No link\n\nText.\n",
        "## Step: one\ntitle: Link too early\nshow: link\n\nText.\n\n## Step: two\ntitle: Two\n\nText.\n",
        "## Stuck: one\ntitle: Only answers\n\nText.\n",
    ],
)
def test_an_unfit_file_is_refused(markdown) -> None:
    """A guide without title, text or exactly one link at its end never reaches a person."""
    with pytest.raises(GuideError, match="example/en"):
        parse_guide("example", "en", markdown)


def test_a_guide_has_one_card() -> None:
    """All its steps are one message."""
    assert GuideState(GuideId("g1"), PersonId("p"), ConversationId("c"), "example", "one").card == "guide:g1"
