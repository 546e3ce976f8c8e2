"""Which requests a delivery becomes: alerts, edits, erasures, whispers, pictures, the home page, toasts."""

import pytest

from chatbot.domain.messages import Button, Image, Message, bold, line, message
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Place
from chatbot.errors import SendError, Verdict
from chatbot.platforms.slack import blocks
from chatbot.platforms.slack.writing import calls, toast_call
from chatbot.text import Translator
from tests.support.slackapi import blocks as oracle
from tests.support.slackapi.rules import check
from tests.support.slacks import delivery
from tests.support.slackwriting import labels, requests, seen, styled

PNG = b"\x89PNG made up"
TEAM = Place("slack", "C1", "T1", "", private=False)
THREAD = Place("slack", "C1", "T1", "17.5", private=False)


def test_a_thread_is_answered_in_the_thread():
    """Every part of an answer stays where the question was asked."""
    made = requests(message("x" * 30_000), place=THREAD)

    assert {call.params["thread_ts"] for call in made} == {"17.5"}
    assert all("thread_ts" not in call.params for call in requests("x", place=TEAM))


def test_an_alert_can_be_recognised_when_it_comes_again():
    """An alert carries its reference, in words and as metadata; a repeat says so in its first line."""
    [first] = requests("sold", promise=Promise.ALERT)
    [again] = requests("sold", promise=Promise.ALERT, repeat=True)
    [reply] = requests("sold")

    assert seen(first) == "sold\nref 7K2Q"
    assert styled(first, "code") == ["ref 7K2Q"]
    assert first.params["metadata"] == {"event_type": "keyherald", "event_payload": {"ref": "7K2Q"}}
    assert seen(again) == "↻ may be a repeat · ref 7K2Q\nsold"
    assert again.params["metadata"] == first.params["metadata"]
    assert seen(reply) == "sold"
    assert "metadata" not in reply.params


def test_an_edit_names_its_message_and_replaces_all_of_it():
    """Blocks and text are both new; what would turn words into links or mentions is off."""
    [call] = requests(message("step 2", buttons=((Button("Next", "id1"),),)), edit="D1/5.1")

    assert (call.method, call.channel, call.params["ts"]) == ("chat.update", "D1", "5.1")
    assert (call.params["text"], call.params["parse"], call.params["link_names"]) == ("step 2", "none", False)
    assert labels(call) == [["Next"]]


@pytest.mark.parametrize(
    ("shown", "edit"),
    [
        (message("x" * 30_000), "D1/5.1"),
        (Message((line("week"),), (), Image(PNG, "alt")), "D1/5.1"),
        (message("x"), "odd"),
    ],
)
def test_what_can_not_replace_one_message_is_shown_anew(shown, edit):
    """The verdict lets the outbox show the card below instead."""
    with pytest.raises(SendError) as raised:
        calls(delivery(shown, edit=edit), Translator())

    assert raised.value.verdict is Verdict.EDIT_GONE


def test_an_erasure_names_its_message():
    """A deletion needs the channel and the time alone."""
    [call] = requests("", erase="C7/5.1")

    assert (call.method, call.channel, call.params) == ("chat.delete", "C7", {"ts": "5.1"})


def test_a_whisper_is_for_one_and_falls_back_to_their_own_chat():
    """In a channel it is ephemeral; the same words and buttons are ready for the person's private chat."""
    [call] = requests(message("x", buttons=((Button("Next", "id1"),),)), place=THREAD, whisper="UANA")

    assert (call.method, call.params["user"], call.params["thread_ts"]) == (
        "chat.postEphemeral",
        "UANA",
        "17.5",
    )
    assert call.instead.alone
    assert (call.instead.method, "thread_ts" in call.instead.params) == ("chat.postMessage", False)
    assert call.instead.params["blocks"] == call.params["blocks"]


def test_a_picture_that_is_whispered_is_shown_in_private():
    """A file can't be ephemeral: a chart of one person never stands in the channel."""
    picture, text = requests(Message((line("week"),), (), Image(PNG, "alt")), place=THREAD, whisper="UANA")

    assert (picture.alone, text.alone) == (True, True)
    assert picture.params == {}


def test_a_picture_comes_with_words_for_those_who_cannot_see_it():
    """The alternative text goes along, shortened to what Slack takes, and stands in for a refused upload."""
    picture, text = requests(Message((line("week"),), (), Image(PNG, "up " * 1000)), place=THREAD)

    assert (picture.method, picture.upload.content, picture.params) == (
        "files.completeUploadExternal",
        PNG,
        {"thread_ts": "17.5"},
    )
    assert len(picture.upload.alt) == 1000
    assert seen(picture.instead) == picture.upload.alt
    assert seen(text) == "week"


def test_the_home_page():
    """It is a home view with words and buttons, for the person, never marked as a repeat."""
    shown = message(bold("Accounts"), "Bitso", buttons=((Button("Details", "id1"),),))

    [call] = requests(shown, home=True, repeat=True, promise=Promise.CARD)

    assert (call.method, call.params["user_id"]) == ("views.publish", "UANA")
    assert call.params["view"].keys() == {"type", "blocks"}
    assert oracle.words(call.params["view"]["blocks"]) == "Accounts\nBitso"


def test_a_home_page_that_is_too_long_says_so():
    """A hundred blocks fit; of more, the last says that there is more."""
    rows = tuple((Button(f"b{n}", f"id{n}"),) for n in range(150))

    [call] = requests(message("x", buttons=rows), home=True)

    assert len(call.params["view"]["blocks"]) == 100
    assert oracle.words(call.params["view"]["blocks"][-1:]) == "…"


def test_a_toast_is_ephemeral_plain_and_short():
    """The answer to a press is for who pressed, in their thread, and acts as nothing."""
    call = toast_call("UANA", "Muted <!here> " * 200, "17.5")

    check(call.method, {"channel": "C1", **call.params})
    assert (call.method, call.params["user"], call.params["thread_ts"]) == (
        "chat.postEphemeral",
        "UANA",
        "17.5",
    )
    assert len(seen(call)) <= 1000


def test_what_slack_sdks_models_refuse_is_never_sent(monkeypatch):
    """Should a limit slip through our fingers, the model of the block stops it here."""
    monkeypatch.setattr(blocks, "clip", lambda text, room: text)

    with pytest.raises(SendError) as raised:
        calls(delivery(message("x", buttons=((Button("n" * 76, "id1"),),))), Translator())

    assert raised.value.verdict is Verdict.REFUSED
    assert "75 characters" in raised.value.reason
