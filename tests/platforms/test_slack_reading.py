"""What people say to the bot on Slack, from whole payloads to slim rows and neutral words."""

import json
from datetime import UTC, datetime

import pytest

from chatbot.domain.updates import Said
from chatbot.platforms.slack.reading import read
from tests.support.slackapi import payloads
from tests.support.slackapi.world import BOT, Shown
from tests.support.slackwords import (
    ANA,
    GRID,
    NAMES,
    PRIVATE,
    TEAM,
    TS,
    happened,
    heard,
    mentioned,
    pressed,
    rows,
    said,
    slash,
)


def test_what_is_written_to_the_bot_is_private():
    """The place is the person, whatever the id of the conversation, and threads in it don't count."""
    shown = heard(said("hello", thread="1600000000.000100"))

    at = datetime.fromtimestamp(1700000000.0002, UTC)
    assert shown == Said(PRIVATE, "hello", f"DT1UANA/{TS}", "", at)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("connect bitso", "/connect bitso"),
        ("Balances", "/Balances"),
        ("/connect bitso", "/connect bitso"),
        ("  help  ", "/help"),
        (f"<@{BOT}> balances", "/balances"),
        ("connection lost", "connection lost"),
        ("good morning", "good morning"),
        ("/nothing", "/nothing"),
    ],
)
def test_a_command_in_private_needs_no_slash(text, line):
    """A known name as the first word is a command; other words are ordinary talk."""
    assert heard(said(text)).text == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"<@{BOT}> balances", "/balances"),
        (f"<@{BOT}> /balances main", "/balances main"),
        (f"<@{BOT}>, fills", "/fills"),
        (f"<@{BOT}>: /fills", "/fills"),
        (f"<@{BOT}>", "/help"),
        (f"<@{BOT}> /", "/help"),
        (f"<@{BOT}> !", "/help"),
        (f"  <@{BOT}>  /fills ", "/fills"),
    ],
)
def test_a_mention_is_a_command(text, line):
    """What follows the bot's name is read as a command, and its name alone asks for help."""
    assert heard(mentioned(text)) == Said(
        TEAM, line, f"CTEAM/{TS}", "", datetime.fromtimestamp(1700000000.0002, UTC)
    )


@pytest.mark.parametrize(
    "text",
    [
        f"I have added <@{BOT}> here",
        f"&gt; <@{BOT}> here",
        f"Ben wrote:\n<@{BOT}> here",
        f"_<@{BOT}> here_",
        f"<@UBEN> <@{BOT}> revoke",
        f"thanks <@{BOT}>!",
    ],
)
def test_who_speaks_of_the_bot_starts_nothing(text):
    """A mention inside a sentence or a quote is answered with help, whatever word comes after it."""
    assert heard(mentioned(text)).text == "/help"


@pytest.mark.parametrize(("thread", "kept"), [("", ""), (TS, ""), ("1600000000.000100", "1600000000.000100")])
def test_a_mention_in_a_thread_is_answered_there(thread, kept):
    """The parent of a thread, which carries its own time, is not in it."""
    assert heard(mentioned(f"<@{BOT}> fills", thread=thread)).who.thread == kept


@pytest.mark.parametrize(
    ("command", "text", "line"),
    [
        ("/connect", "bitso", "/connect bitso"),
        ("/balances", "", "/balances"),
        ("/keyherald", "connect bitso", "/connect bitso"),
        ("/keyherald", "/connect bitso", "/connect bitso"),
        ("/keyherald", "", "/help"),
        ("/keyherald", "  ", "/help"),
    ],
)
def test_slash_commands_read_alike(command, text, line):
    """By its own name or behind ours, a command is the same line; ours alone asks for help."""
    shown = heard(slash(command, text))

    assert (shown.text, shown.who.user, shown.who.channel, shown.who.private) == (line, ANA, "CTEAM", False)
    assert (shown.who.name, shown.message_id, shown.at) == ("uana", "", None)


def test_our_own_command_can_have_another_name():
    """What SLACK_COMMAND says takes all the others."""
    assert heard(slash("/kh", "fills"), command="/kh").text == "/fills"


@pytest.mark.parametrize("channel", ["DT1UANA", "DOTHERS"])
def test_a_slash_command_in_any_direct_message_is_private(channel):
    """Typed between two people it is answered in the bot's own chat with whoever typed it."""
    who = heard(slash("/balances", channel_id=channel, channel_name="directmessage")).who

    assert (who.channel, who.private, who.thread) == (ANA, True, "")


@pytest.mark.parametrize("name", ["privategroup", "mpdm-a--b-1", "general"])
def test_a_slash_command_elsewhere_is_among_others(name):
    """Private channels and group messages have other readers."""
    assert not heard(slash("/balances", channel_name=name)).who.private


def test_words_are_what_a_person_typed():
    """Slack's escapes and its marks around links, channels and addresses are undone, other marks stay."""
    text = (
        "a &lt;b&gt; &amp;amp; <https://x.example/?a=1&amp;b=2|x.example> <https://y.example> <#C1|general> "
    )
    text += "<mailto:a@b.example|a@b.example> <@U9> <!here>"

    plain = "a <b> &amp; x.example https://y.example #general a@b.example <@U9> <!here>"
    assert heard(said(text)).text == plain


@pytest.mark.parametrize(
    "changes",
    [
        {"bot_id": "B9"},
        {"subtype": "bot_message", "user": None},
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "assistant_app_thread"},
        {"hidden": True},
        {"edited": {"user": "UANA", "ts": "1700000001.000000"}},
        {"user": BOT},
        {"user": None},
        {"user": ""},
        {"channel": "CTEAM"},
    ],
)
def test_what_no_person_wrote_leaves_no_row(changes):
    """Bots, workflows, edits, our own words, and talk in channels are not ours to store."""
    assert rows(said("connect bitso", **changes)) == []


@pytest.mark.parametrize("field", ["team", "user_team", "source_team"])
def test_people_of_other_workspaces_leave_no_row(field):
    """Somebody who writes through Slack Connect is another workspace's."""
    assert rows(mentioned(f"<@{BOT}> fills", **{field: "T2"})) == []


def test_a_mention_in_private_is_read_once():
    """The message itself comes too; two events for one sentence would be two answers."""
    assert rows(said(f"<@{BOT}> fills", kind="app_mention")) == []


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast"])
def test_words_beside_a_file_count(subtype):
    """A caption is typed by a person."""
    assert heard(said("connect bitso", subtype=subtype)).text == "/connect bitso"


def test_a_file_without_words_says_nothing():
    """There is nothing to answer."""
    assert heard(said("", subtype="file_share")) is None


@pytest.mark.parametrize("kind", ["reaction_added", "channel_archive", "message.deleted"])
def test_events_nobody_subscribed_to_leave_no_row(kind):
    """Whatever else an operator has switched on."""
    assert rows(happened({"type": kind, "user": ANA, "channel": "CTEAM"})) == []


def test_a_row_holds_nothing_that_opens_anything():
    """No token, no address to answer to, no trigger, and not the message that was pressed."""
    secret = Shown("T1", "CTEAM", TS, "shown text", [{"type": "section", "text": "block"}])
    kept = json.dumps(
        [rows(body) for body in (said("hi"), mentioned("hi"), slash("/fills"), pressed(secret))]
    )

    for word in ("hooksecret", "triggersecret", payloads.VERIFICATION, "shown text", "block", "https://"):
        assert word not in kept


def test_the_same_thing_has_the_same_key():
    """By that a repeat is noticed: an event by its id, a command or press by a hash of its trigger."""
    assert [key for key, _ in rows(said("hi")) + rows(slash("/fills")) + rows(pressed())] == [
        "E:Ev000000001",
        rows(slash("/keys", "other"))[0][0],
        rows(pressed())[0][0],
    ]
    assert rows(slash("/fills"))[0][0] != rows(slash("/fills", trigger_id="1002.1.other"))[0][0]


def test_a_pasted_secret_is_not_read_as_a_command():
    """The words are gone already; which exchange it was for is told."""
    [(_, raw)] = rows(said("connect bitso"))

    found = read({**raw, "text": "…", "pasted": "bitso"}, NAMES)
    assert isinstance(found, Said)
    assert (found.text, found.pasted) == ("", "bitso")


def test_within_an_organisation_slack_is_asked_whose_somebody_is():
    """Another workspace's id is no proof against a member there: the standing decides."""
    assert rows(mentioned(f"<@{BOT}> fills", user_team="T2"), GRID)
    assert rows(pressed(user={"id": ANA, "username": "ana", "team_id": "T2"}), GRID)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "event_callback", "event_id": "Ev1"},
        {"type": "event_callback", "event": [], "event_id": "Ev1"},
        {"type": "event_callback", "event": {"type": "message", "channel": 5}, "event_id": "Ev1"},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions", "user": "U1", "actions": [{}]},
        {"command": "/fills"},
        {"command": "/fills", "user_id": {}, "channel_id": "C1", "trigger_id": "t"},
    ],
)
def test_what_is_broken_is_not_guessed(body):
    """It raises, and the receiver drops it with a line in the log."""
    with pytest.raises((LookupError, TypeError, ValueError, AttributeError)):
        rows(body)


@pytest.mark.parametrize("body", [{}, {"type": "url_verification"}, {"type": 7}, {"text": "hi"}])
def test_what_is_nothing_of_ours_is_nothing(body):
    """No row, no error."""
    assert rows(body) == []


def test_a_row_of_another_kind_means_nothing():
    """As a later version may have written it."""
    assert read({"kind": "waved"}, NAMES) is None
