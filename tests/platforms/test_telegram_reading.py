"""Who may be heard: each kind of update as neutral words, or not at all."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chatbot.domain.updates import Happened, Pressed, Said, Sender
from chatbot.platforms.telegram.reading import read

ANA = {"id": 77, "is_bot": False, "first_name": "Ana", "last_name": "Ruiz", "language_code": "es"}
PRIVATE = {"id": 77, "type": "private"}
GROUP = {"id": -500, "type": "supergroup", "title": "Desk", "is_forum": True}
WHO = Sender("77", "Ana Ruiz", "77", locale="es")
IN_GROUP = Sender("77", "Ana Ruiz", "-500", private=False, locale="es")
MOVED = {"chat": GROUP, "migrate_to_chat_id": -100500}


def heard(raw) -> Said:
    incoming = read(raw, "keyherald_bot")
    assert isinstance(incoming, Said)
    return incoming


def said(text: str | None = "hello", **fields: Any) -> dict[str, Any]:
    return {
        "update_id": 1,
        "message": {"message_id": 5, "date": 0, "from": ANA, "chat": PRIVATE, "text": text} | fields,
    }


def change(was: str, now: str, **fields):
    states = {"old_chat_member": {"status": was}, "new_chat_member": {"status": now} | fields}
    return {"update_id": 1, "my_chat_member": {"chat": GROUP, "from": ANA, "date": 0} | states}


def press(**fields):
    query = {"id": "q1", "from": ANA, "data": "id1", "message": {"message_id": 5, "date": 0, "chat": PRIVATE}}
    return {"update_id": 1, "callback_query": query | fields}


def test_words_in_private():
    """A text carries its speaker, place, language hint, number and time."""
    assert read(said(), "keyherald_bot") == Said(WHO, "hello", "5", "", datetime(1970, 1, 1, tzinfo=UTC))


def test_words_in_a_topic():
    """A forum's topic is part of the place."""
    incoming = heard(said(chat=GROUP, message_thread_id=9, is_topic_message=True))

    assert incoming.who == Sender("77", "Ana Ruiz", "-500", "", "9", private=False, locale="es")


def test_a_reply_thread_is_no_topic():
    """A plain group numbers its reply threads too; they are no place of their own."""
    assert heard(said(chat=GROUP, message_thread_id=9)).who == IN_GROUP


def test_a_caption_counts_as_words():
    """A command under a picture is a command."""
    assert heard(said(text="", caption="/balances")).text == "/balances"


def test_a_person_without_last_name_or_language():
    """What Telegram leaves out stays empty."""
    assert heard(said("hello", **{"from": {"id": 77, "first_name": "Ana"}})).who == Sender("77", "Ana", "77")


@pytest.mark.parametrize(
    "how", [{}, {"forward_origin": {"type": "user"}}, {"via_bot": {"id": 3, "is_bot": True}}]
)
def test_a_pasted_secret_is_heard_however_it_was_sent(how):
    """A forward is erased and answered like typed words, and none of them is read as a command."""
    raw = said("[removed: looked like an API key]", **how) | {"pasted": "bitso"}

    incoming = heard(raw)

    assert (incoming.who, incoming.text, incoming.message_id, incoming.pasted) == (WHO, "", "5", "bitso")


@pytest.mark.parametrize("nobody", [{"from": ANA | {"is_bot": True}}, {"sender_chat": {"id": -1}}])
def test_a_secret_without_a_person_is_nobodys(nobody):
    """A channel or another bot can't be told anything."""
    assert read(said("x", **nobody) | {"pasted": "bitso"}, "keyherald_bot") is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/connect bitso", "/connect bitso"),
        ("/connect@keyherald_bot bitso", "/connect bitso"),
        ("/connect@KeyHerald_Bot\nbitso", "/connect\nbitso"),
        ("/connect@keyherald_bot", "/connect"),
        ("/start connect_bitso", "/start connect_bitso"),
        ("mail me@other_bot", "mail me@other_bot"),
    ],
)
def test_commands_are_normalised(text, meant):
    """Our own name behind a command is taken off; the rest stays as typed."""
    assert heard(said(text)).text == meant


def test_a_command_to_another_bot_is_not_ours():
    """Two bots in a group each hear their own."""
    assert read(said("/revoke@other_bot"), "keyherald_bot") is None


def test_a_removed_secret_is_told():
    """What the inlet took out reaches the handler as the exchange's name."""
    assert heard(said() | {"pasted": "bitso"}).pasted == "bitso"


@pytest.mark.parametrize(
    "fields",
    [
        {"sender_chat": {"id": -500}, "from": {"id": 1087968824, "is_bot": True, "first_name": "Group"}},
        {"sender_chat": {"id": -9}},
        {"via_bot": {"id": 1}},
        {"from": {"id": 9, "is_bot": True, "first_name": "Other"}},
        {"forward_origin": {"type": "user"}},
        {"forward_date": 1},
        {"is_automatic_forward": True},
        {"from": None},
        {"text": None, "new_chat_members": [ANA]},
        {"migrate_from_chat_id": -500, "text": None},
    ],
)
def test_nobody_to_hold_responsible_is_nobody_heard(fields):
    """Anonymous admins, channels, bots, forwards and service messages act for nobody."""
    assert read(said(**fields), "keyherald_bot") is None


@pytest.mark.parametrize(
    "kind", ["edited_message", "channel_post", "edited_channel_post", "inline_query", "poll"]
)
def test_other_kinds_of_update_mean_nothing(kind):
    """An edited message in particular is never executed."""
    assert read({"update_id": 1, kind: said()["message"]}, "keyherald_bot") is None


def test_a_press():
    """A press carries the button's id, the message it hangs on, and what to answer."""
    assert read(press(), "") == Pressed(WHO, "id1", "5", "q1")


@pytest.mark.parametrize("fields", [{"message": None}, {"data": None}, {"from": ANA | {"is_bot": True}}])
def test_a_press_without_message_data_or_person_means_nothing(fields):
    """Inline results and games are not ours."""
    assert read(press(**fields), "") is None


@pytest.mark.parametrize(
    ("raw", "incoming"),
    [
        (change("member", "kicked"), Happened(IN_GROUP, "left")),
        (change("administrator", "left"), Happened(IN_GROUP, "left")),
        (change("left", "member"), Happened(IN_GROUP, "joined")),
        (change("kicked", "restricted", is_member=True), Happened(IN_GROUP, "joined")),
        (change("member", "restricted", is_member=False), Happened(IN_GROUP, "left")),
        (change("member", "administrator"), None),
        (change("kicked", "left"), None),
        (said(text=None, **MOVED), Happened(IN_GROUP, "moved", "-100500")),
    ],
)
def test_what_happens_to_a_place(raw, incoming):
    """Joining, leaving (blocking, in private) and moving are told; a promotion is not."""
    assert read(raw, "") == incoming


@pytest.mark.parametrize(
    "raw", [said(date="x"), said(chat={}), press(**{"from": {}, "message": {"chat": 1}}), {"message": []}]
)
def test_a_broken_update_raises_and_is_parked(raw):
    """What can't be read must not be mistaken for something that means nothing."""
    with pytest.raises((KeyError, TypeError, AttributeError)):
        read(raw, "")
