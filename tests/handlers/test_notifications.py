"""What is told, as words: every sentence can be said in every language."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import handlers
from chatbot.domain.credentials import AccountId
from chatbot.domain.notices import Kind
from chatbot.domain.people import HOME_TEAM, ConversationId, Identity, Person, PersonId
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import build
from chatbot.ports.records import Subscription
from chatbot.registry import Registry
from chatbot.text import LOCALES, Translator
from handlers.notifications import subscriptions, trouble
from tests.support.clock import VirtualClock

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
YOU = Person(PersonId("p"), HOME_TEAM, Identity("web", "you"), "You", "en", "Europe/Madrid", "USD")
BITSO = build({"bitso": "http://127.0.0.1:9"}, VirtualClock())["bitso"]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", Trouble)
def test_every_trouble_has_its_sentence(kind: Trouble, locale: str) -> None:
    """No place is left open, whatever the subject."""
    for subject in ("", "balances", "sign_in", "verification", "terms", "something else"):
        text = trouble.explain(ExchangeError(kind, "x", subject=subject), BITSO, (), Translator(locale))
        assert text
        assert "{" not in text


def test_sentences_of_different_troubles_differ() -> None:
    """Each trouble, and each thing an exchange may want, is told in words of its own."""
    told = [*trouble.SENTENCES.values(), *trouble.WANTED.values()]
    assert len(set(told)) == len(told)
    assert set(trouble.SENTENCES) == set(Trouble)


def day(later: int) -> str:
    """Name a date so many days later."""
    return (AT + timedelta(days=later)).date().isoformat()


def sub(**changed: Any) -> Subscription:
    """Make a daily subscription that was posted this morning in Madrid."""
    usual = Subscription(
        "s", AccountId("a"), Kind.BALANCES, ConversationId("c"), YOU, slot=day(1),
        due_at=AT + timedelta(days=1), last_at=AT - timedelta(hours=5),
    )  # fmt: skip
    return replace(usual, **changed)


def test_a_post_that_is_due_stays_due_in_another_zone() -> None:
    """The first balances are not put off by setting the zone."""
    moved = replace(YOU, timezone="Asia/Tokyo")
    assert subscriptions.moved(sub(due_at=AT), YOU, moved, AT) is None


@pytest.mark.parametrize(("days", "missed"), [(0, False), (1, False), (2, True), (9, True)])
def test_a_local_date_without_a_post_is_noticed(days: int, missed: bool) -> None:
    """The day after a post is the next one; any later day means that one was left out."""
    due = sub(slot=day(days), last_at=AT)
    assert subscriptions.missed(due) is missed
    assert not subscriptions.missed(replace(due, last_at=None))


def test_a_post_for_connecting_does_not_use_up_the_day() -> None:
    """Connected at eight, zone set at once: nine o'clock still has its post."""
    moved = replace(YOU, timezone="Europe/Lisbon")
    early = datetime(2026, 5, 4, 6, tzinfo=UTC)
    slot = subscriptions.moved(
        sub(last_at=early, slot=early.date().isoformat(), due_at=early + timedelta(hours=1)),
        YOU,
        moved,
        early,
    )
    assert slot is not None
    assert slot.due.astimezone(ZoneInfo("Europe/Lisbon")) == datetime(
        2026, 5, 4, 9, tzinfo=ZoneInfo("Europe/Lisbon")
    )


def test_a_target_without_a_post_takes_the_next_nine_o_clock() -> None:
    """A group that was just added follows the new zone."""
    moved = replace(YOU, timezone="America/Mexico_City")
    slot = subscriptions.moved(sub(last_at=None), YOU, moved, AT)
    assert slot is not None
    assert slot.due == datetime(2026, 5, 4, 15, tzinfo=UTC)


def test_every_command_describes_itself() -> None:
    """In at most 60 characters, without a full stop, and in every language."""
    for entry in Registry().load(handlers).commands.values():
        assert 0 < len(entry.about) <= 60
        assert not entry.about.endswith(".")


def test_every_button_has_somebody_to_answer_it() -> None:
    """An action's name begins with the file that offers it."""
    registry = Registry().load(handlers)
    for name, entry in registry.actions.items():
        file = entry.run.__module__.rpartition(".")[2]
        assert name == "keep" or name.partition(".")[0] == file
