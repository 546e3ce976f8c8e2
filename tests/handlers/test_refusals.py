"""Why a key is not kept: the boxes by the exchange's own words, those nobody knows, those that are missing."""

import pytest

from chatbot.domain.conversations import Stuck
from chatbot.domain.permissions import TOO_MUCH, Decision, Outcome, Permission, Policy
from chatbot.exchanges import build
from chatbot.exchanges._guides import load_guide
from chatbot.text import LOCALES, Translator
from handlers.notifications import guide, links
from tests.support.bot import options
from tests.support.clock import VirtualClock

HITBTC = build({}, VirtualClock())["hitbtc"]
ORDERS, MOVE = "“Place/cancel orders”", "“Payment information”"
CHANGE_IT = "I did not keep this key: change it at HitBTC, then try again."
ALSO_ORDERS = f"It also needs {ORDERS}: tick that."
TOO_MUCH_MOVE = f"This key can do too much, so I did not keep it. At HitBTC, untick {MOVE}, then try again."


def refused(untick=(), tick=(), strange=()) -> Decision:
    """Return a refusal for these reasons."""
    return Decision(Outcome.REFUSE, untick, tick, strange)


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (
            refused(untick=(Permission.TRANSFER,)),
            TOO_MUCH_MOVE,
        ),
        (
            refused(tick=(Permission.TRADE,)),
            f"This key can't do what is needed. At HitBTC, tick {ORDERS}, then try again.",
        ),
        (
            refused(strange=("teleport",)),
            f"I don't know the tick “teleport”; untick it to be safe. {CHANGE_IT}",
        ),
        (
            refused(strange=("teleport", "x")),
            f"I don't know the ticks “teleport”, “x”; untick them to be safe. {CHANGE_IT}",
        ),
        (
            refused((Permission.TRANSFER,), (Permission.TRADE,), ("teleport",)),
            f"I don't know the tick “teleport”; untick it to be safe. {TOO_MUCH_MOVE} {ALSO_ORDERS}",
        ),
    ],
)
def test_a_refusal_names_every_box(decision: Decision, expected: str) -> None:
    """To untick, to tick, and the unknown ones by their own word."""
    assert links.refusal(decision, HITBTC, Translator()) == expected


def test_a_box_that_stands_for_two_permissions_is_named_once() -> None:
    """Balances and fills are one tick at HitBTC."""
    both = refused(tick=(Permission.BALANCES, Permission.FILLS))
    label = HITBTC.labels[Permission.BALANCES]
    assert links.refusal(both, HITBTC, Translator()).count(label) == 1


def test_a_permission_without_a_box_is_named_in_our_words() -> None:
    """Bitstamp shows no box for transfers; the person still reads what is meant."""
    bitstamp = build({}, VirtualClock())["bitstamp"]
    text = links.refusal(refused(untick=(Permission.TRANSFER,)), bitstamp, Translator())
    assert "untick “internal transfers”" in text


def test_the_chat_says_it_too_with_the_exchange_at_hand() -> None:
    """The same sentence as on the page, and the button to the page with the boxes."""
    decision = refused(untick=(Permission.WITHDRAW,))
    shown = links.not_kept(decision, HITBTC, Translator())
    assert links.refusal(decision, HITBTC, Translator()) in shown.plain()
    assert [(b.text, b.url) for row in shown.buttons for b in row] == [("Open HitBTC", HITBTC.key_page)]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("trade", [False, True])
def test_a_key_that_can_do_too_much_has_its_own_answer(locale: str, *, trade: bool) -> None:
    """It is one more button, and opens by itself when that was the reason; it names what may stay."""
    t, chosen = Translator(locale), options(policy=Policy(frozenset(), frozenset(), trade))
    steps = load_guide("hitbtc", locale)
    known = guide.answers(steps, HITBTC, chosen, t)
    listed = guide.troubles(steps, known, "", "ticks", t)
    opened = guide.troubles(steps, known, TOO_MUCH, "ticks", t).plain()
    assert [row[0].text for row in listed.buttons][:-1] == [stuck.title for stuck in known]
    assert opened.startswith(known[-1].title)
    assert HITBTC.labels[Permission.BALANCES] in opened
    assert (ORDERS in opened) is trade


def test_no_guide_can_hide_our_own_answer() -> None:
    """Its key is one that no section of a guide file can have."""
    found: tuple[Stuck, ...] = guide.answers(
        load_guide("bitso", "en"), build({}, VirtualClock())["bitso"], options(), Translator()
    )
    assert ":" in found[-1].key
    assert len({stuck.key for stuck in found}) == len(found)
