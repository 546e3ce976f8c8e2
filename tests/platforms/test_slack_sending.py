"""What becomes of a message on its way to Slack: in parts, limited, whispered, refused, with a picture."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from chatbot.domain.messages import Button, File, Image, Message, line, message
from chatbot.domain.people import Place
from chatbot.errors import SendError, Verdict
from chatbot.platforms.slack import sending
from tests.support import slackapi
from tests.support.slackapi import Answer, Fault, SlackApi
from tests.support.slacks import ANA, Rig, delivery, rig

POST, WHISPER, UPDATE, OPEN = "chat.postMessage", "chat.postEphemeral", "chat.update", "conversations.open"
ASK, SHARE = "files.getUploadURLExternal", "files.completeUploadExternal"
TEAM = Place("slack", "CTEAM", "T1", private=False)
LONG = message(*["y" * 2900] * 8)  # takes three messages
PNG = b"\x89PNG made up" * 1000
CHART = Message((line("week"),), (), Image(PNG, "a line going up"))


@pytest.fixture
async def slack() -> AsyncIterator[SlackApi]:
    """A Slack with a person and a channel; nothing undocumented may be sent to it."""
    async with slackapi.running() as api:
        api.world.channel("CTEAM", members=[ANA])
        yield api
        assert api.complaints == []


@pytest.fixture
async def app(slack: SlackApi) -> AsyncIterator[Rig]:
    """A started app there."""
    async with rig(slack) as app:
        await app.start()
        yield app


async def deliver(app: Rig, shown: Message | str, place: Place = TEAM, **fields) -> str:
    return await app.slack.deliver(delivery(shown, clock=app.clock, place=place, **fields))


async def failure(app: Rig, shown: Message | str, **fields) -> SendError:
    with pytest.raises(SendError) as raised:
        await deliver(app, shown, **fields)
    return raised.value


async def test_parts_arrive_in_order_and_the_last_ones_id_is_kept(app):
    """A long message is whole, no faster than a channel may take it."""
    sent = await deliver(app, LONG)

    assert [m.words.count("y") for m in app.api.shown("CTEAM")] == [8700, 8700, 5800]
    assert sent == app.api.latest("CTEAM").id


async def test_a_private_chat_is_opened_once(app):
    """The first message to somebody opens their chat; the next ones find it open."""
    place = Place("slack", ANA, "T1")
    for words in ("one", "two"):
        await deliver(app, words, place=place)

    assert [m.words for m in app.api.shown(ANA)] == ["one", "two"]
    assert app.api.count(OPEN) == 1


@pytest.mark.parametrize(
    ("code", "verdict"),
    [("cannot_dm_bot", Verdict.GONE), ("user_disabled", Verdict.GONE), ("fatal_error", Verdict.UNSENT)],
)
async def test_a_private_chat_that_can_not_be_opened(app, code, verdict):
    """Who left is gone; what is unknown about opening shows nobody anything and is surely unsent."""
    app.api.fail(OPEN, code)

    assert (await failure(app, "x", place=Place("slack", ANA, "T1"))).verdict is verdict
    assert app.api.count(POST) == 0


async def test_a_private_chat_without_an_id_is_asked_for_again(app):
    """An odd answer is no channel; nothing was shown."""
    app.api.fail(OPEN, Answer(200, {"ok": True, "channel": "odd"}))
    place = Place("slack", ANA, "T1")

    assert (await failure(app, "x", place=place)).verdict is Verdict.UNSENT
    assert await deliver(app, "x", place=place)


async def test_what_waits_no_longer_is_forgotten(app, monkeypatch):
    """However many channels were written to, only those that must wait are remembered."""
    monkeypatch.setattr(sending, "MOST_CHANNELS", 2)
    for number in range(5):
        app.api.world.channel(f"C{number}")
        app.clock.passed += 10
        await deliver(app, "x", place=Place("slack", f"C{number}", "T1", private=False))

    assert len(app.slack._courier._turns._next) <= 3


async def test_a_private_chat_that_slack_forgot_is_opened_anew(app):
    """A remembered channel that is gone is not asked for again."""
    place = Place("slack", ANA, "T1")
    await deliver(app, "one", place=place)
    app.api.fail(POST, "channel_not_found")
    await failure(app, "two", place=place)
    await deliver(app, "three", place=place)

    assert app.api.count(OPEN) == 2


async def test_an_unknown_part_does_not_drop_the_tail(app):
    """What follows an uncertain part is still sent; the whole is unknown."""
    app.api.fail(POST, Fault.CLOSE)

    assert (await failure(app, LONG)).verdict is Verdict.UNKNOWN
    assert len(app.api.shown("CTEAM")) == 3


async def test_a_later_part_waits_out_a_limit(app):
    """Once the first part is on the screen a 429 is waited out, so that nothing is repeated unmarked."""
    app.api._faults[POST].append((None, False))
    app.api.fail(POST, 429, wait=7)
    began = app.clock.passed

    await deliver(app, LONG)

    assert len(app.api.shown("CTEAM")) == 3
    assert app.clock.passed - began >= 8


@pytest.mark.parametrize(("wait", "deadline"), [(300, 75), (5, 4)])
async def test_a_later_part_that_can_not_wait_is_unknown(app, wait, deadline):
    """Half a message is never reported as unsent."""
    app.api._faults[POST].append((None, False))
    app.api.fail(POST, 429, wait=wait)

    error = await failure(app, LONG, deadline=app.clock.now() + timedelta(seconds=deadline))

    assert error.verdict is Verdict.UNKNOWN


async def test_a_later_part_that_is_refused_ends_it(app):
    """A channel that closes between two parts is gone."""
    app.api._faults[POST].append((None, False))
    app.api.fail(POST, "is_archived")

    assert (await failure(app, LONG)).verdict is Verdict.GONE


async def test_a_token_revoked_in_the_middle_ends_in_a_clear_state(app):
    """What was shown stays, the rest is unknown, and the next message says what is wrong."""
    app.api._faults[POST].append((None, False))
    app.api.fail(POST, "token_revoked", times=3)

    middle = await failure(app, LONG)
    app.clock.passed += 5
    following = await failure(app, "x")

    assert (middle.verdict, middle.reason) == (Verdict.UNKNOWN, "a later part was not sent: token_revoked")
    assert (following.verdict, following.reason) == (Verdict.UNAUTHORISED, "token_revoked")


async def test_blocks_that_slack_refuses_cost_only_their_looks(app):
    """The same words are shown once more without blocks, and the log names our mistake."""
    app.api.fail(POST, "invalid_blocks")

    await deliver(app, message("a <b> *c*", buttons=((Button("Next", "id1"),),)))

    assert [(m.words, m.blocks) for m in app.api.shown("CTEAM")] == [("a <b> *c*", [])]
    assert [name for _, name, _ in app.notes.lines if "blocks" in name] == ["slack_blocks_refused"]


async def test_words_that_slack_refuses_are_refused(app):
    """Tried once without blocks, never a third time."""
    app.api.fail(POST, "msg_too_long", times=5)

    assert (await failure(app, "x")).verdict is Verdict.REFUSED
    assert len(app.api._faults[POST]) == 3


async def test_an_edit_whose_blocks_are_refused_is_shown_anew(app):
    """A card is never left without the way to bring its newest state."""
    sent = await deliver(app, "step 1")
    app.api.fail(UPDATE, "invalid_blocks")

    assert (await failure(app, "step 2", edit=sent)).verdict is Verdict.EDIT_GONE


@pytest.mark.parametrize(
    "code", ["not_in_channel", "channel_not_found", "user_not_in_channel", "invalid_blocks"]
)
async def test_a_whisper_where_we_are_not_is_said_in_private(app, code):
    """Who asks in a channel without the bot is answered in their own chat; the channel is not gone."""
    app.api.fail(WHISPER, code)

    sent = await deliver(app, "yours alone", whisper=ANA)

    assert sent == app.api.latest(ANA).id
    assert app.api.latest(ANA).words == "yours alone"
    assert app.api.shown("CTEAM") == []


async def test_a_whisper_is_seen_by_one(app):
    """In a channel with the bot it is ephemeral, and has no id to come back to."""
    assert await deliver(app, "yours alone", whisper=ANA) == ""

    assert [m.words for m in app.api.whispers(ANA)] == ["yours alone"]
    assert app.api.shown(ANA) == app.api.shown("CTEAM") == []


async def test_a_whisper_that_reaches_nobody_leaves_the_channel_alone(app):
    """It is the person who can't be written to; the channel's other messages go on."""
    app.api.fail(WHISPER, "not_in_channel")
    app.api.fail(OPEN, "user_disabled")

    assert (await failure(app, "yours alone", whisper=ANA)).verdict is Verdict.REFUSED


async def test_a_picture_is_uploaded_and_then_explained(app):
    """The bytes arrive as they are, with words for those who can't see them; text and buttons follow."""
    sent = await deliver(app, CHART)
    picture, text = app.api.shown("CTEAM")

    [file] = picture.files
    assert (file["bytes"], file["alt_txt"]) == (PNG, "a line going up")
    assert (text.words, text.id) == ("week", sent)


async def test_a_file_arrives_under_its_name_before_the_words(app):
    """What was exported can be opened on Slack as anywhere else."""
    shown = Message(message("your fills").body, file=File("fills-2026.csv", b"id,price\n1,2\n"))
    await deliver(app, shown)
    document, text = app.api.shown("CTEAM")

    [file] = document.files
    assert (file["filename"], file["bytes"], text.words) == (
        "fills-2026.csv",
        b"id,price\n1,2\n",
        "your fills",
    )


async def test_a_picture_of_one_person_never_stands_in_a_channel(app):
    """A file can't be shown to one alone: the whole answer comes in private."""
    await deliver(app, CHART, whisper=ANA)

    assert [len(m.files) for m in app.api.shown(ANA)] == [1, 0]
    assert app.api.shown("CTEAM") == []


@pytest.mark.parametrize("method", [ASK, SHARE])
@pytest.mark.parametrize("code", ["missing_scope", "file_uploads_disabled", "restricted_action"])
async def test_a_picture_that_may_not_be_sent_is_described(app, method, code):
    """Its words are shown in its place, and the text behind it is not lost."""
    app.api.fail(method, code)

    await deliver(app, CHART)

    assert [m.words for m in app.api.shown("CTEAM")] == ["a line going up", "week"]


@pytest.mark.parametrize("method", [ASK, "upload"])
@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.BAD_GATEWAY, 503])
async def test_what_breaks_before_a_picture_is_shared_is_surely_unsent(app, method, fault):
    """Nobody saw anything yet, so the whole may come again without a mark."""
    app.api.fail(method, fault)

    assert (await failure(app, CHART)).verdict is Verdict.UNSENT
    assert app.api.shown("CTEAM") == []


async def test_what_breaks_while_a_picture_is_shared_is_unknown(app):
    """It may stand there: the text follows, and the whole is unknown."""
    app.api.fail(SHARE, Fault.CLOSE)

    assert (await failure(app, CHART)).verdict is Verdict.UNKNOWN
    assert [len(m.files) for m in app.api.shown("CTEAM")] == [1, 0]


async def test_after_a_429_a_method_is_left_alone(app):
    """Edits that are limited in a workspace are not tried on other cards until the time is over."""
    one, two = [await deliver(app, f"card {number}") for number in range(2)]
    app.api.fail(UPDATE, 429, wait=30)

    first = await failure(app, "new", edit=one)
    second = await failure(app, "new", edit=two)
    app.clock.passed += 30
    await deliver(app, "new", edit=two)

    assert (first.verdict, first.wait) == (second.verdict, second.wait) == (Verdict.LIMITED, 30)
    assert app.api.count(UPDATE) == 1
