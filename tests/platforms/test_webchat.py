"""What the web chat's calls take in, and how news reach the page."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from chatbot.domain.messages import Button, Message, message
from chatbot.domain.updates import Pressed, Said
from chatbot.platforms.webchat import WebChat
from chatbot.platforms.webchat.board import KEPT_MESSAGES
from tests.support.webchat import (
    HIDDEN,
    SECRET,
    FakeInlet,
    asking,
    delivery,
    news,
    press,
    running_chat,
    text_of,
    views,
)

PNG = b"\x89PNG\r\n\x1a\n-not-really"
NEXT = ((Button("Next", "id-next"), Button("Back", "id-back")),)


@pytest.fixture
async def room() -> AsyncIterator[tuple[WebChat, FakeInlet]]:
    """A started web chat and its inlet."""
    chat, inlet = await running_chat()
    yield chat, inlet
    await chat.stop()


@pytest.fixture
async def page(room) -> AsyncIterator[httpx.AsyncClient]:
    """The page's side of it."""
    async with asking(room[0]) as client:
        yield client


async def say(page: httpx.AsyncClient, text: str, chat: str = "you") -> httpx.Response:
    return await page.post("/chat/say", json={"text": text, "chat": chat})


async def test_words_reach_the_inlet_once_and_are_echoed_scrubbed(room, page):
    """The person sees their own words where they wrote them, and neither page nor store holds the secret."""
    chat, inlet = room
    answer = await say(page, f"/connect bitso\n{SECRET}")
    [view] = await views(page)

    assert answer.json() == {"id": view["id"]}
    assert (view["chat"], view["from"]) == ("you", "you")
    assert text_of(view) == f"/connect bitso\n{HIDDEN}"
    [raw] = inlet.stored
    said = chat.parse(raw)
    assert isinstance(said, Said)
    assert (said.text, said.message_id) == (f"/connect bitso\n{HIDDEN}", view["id"])
    assert said.who.private
    assert said.at is not None
    assert said.at.tzinfo is not None


async def test_a_press_reaches_the_inlet_once(room, page):
    """It names button, message and presser."""
    chat, inlet = room
    sent = await chat.deliver(delivery(message("Which?", buttons=NEXT), "admin"))
    answer = await press(page, "id-back")

    pressed = chat.parse(inlet.stored[0])
    assert isinstance(pressed, Pressed)
    assert (pressed.button, pressed.message_id, pressed.who.user) == ("id-back", sent, "admin")
    assert answer.json() == {"id": pressed.answer}
    assert inlet.events == [pressed.answer]


async def test_each_event_has_an_id_of_its_own(room, page):
    """The same words twice, or the same press, are two events to the inbox."""
    chat, inlet = room
    await chat.deliver(delivery(message("Which?", buttons=NEXT)))
    for _ in range(2):
        await say(page, "/help")
        await press(page, "id-next")

    assert len(set(inlet.events)) == 4


async def test_the_team_chat_is_a_channel(room, page):
    """What is written there comes from the same person, but not in private."""
    chat, inlet = room
    await say(page, "/here", "team")

    said = chat.parse(inlet.stored[0])
    assert isinstance(said, Said)
    assert (said.who.user, said.who.channel, said.who.private) == ("you", "team", False)


@pytest.mark.parametrize(
    "change", [{"chat": "other"}, {"user": "admin"}, {"kind": "dance"}, {"chat": None}, {"user": None}]
)
async def test_a_raw_update_that_makes_no_sense_means_nothing(room, page, change):
    """A foreign chat, somebody who doesn't sit there, or an unknown kind is not acted on."""
    chat, inlet = room
    await say(page, "hello")

    assert chat.parse({**inlet.stored[0], **change}) is None


async def test_an_unknown_chat_or_button_is_not_found(room, page):
    """Nothing is stored for it, and nothing is shown."""
    _, inlet = room

    assert (await say(page, "hello", "nowhere")).status_code == 404
    assert (await press(page, "id-never")).status_code == 404
    assert inlet.stored == []
    assert await views(page) == []


async def test_a_button_that_was_taken_away_is_not_found(room, page):
    """Neither after an edit nor after the message is erased."""
    chat, inlet = room
    sent = await chat.deliver(delivery(message("step 1", buttons=NEXT)))
    await chat.deliver(delivery(message("step 2", buttons=((Button("On", "id-on"),),)), edit=sent))
    assert (await press(page, "id-next")).status_code == 404
    await chat.deliver(delivery(Message(), erase=sent))
    assert (await press(page, "id-on")).status_code == 404

    assert inlet.stored == []


async def test_words_that_could_not_be_stored_are_not_shown(room, page):
    """The call fails, and the page does not pretend."""
    room[1].broken = True

    assert (await say(page, "hello")).status_code == 500
    assert await views(page) == []


async def test_a_bot_that_is_going_away_takes_nothing_in(room, page):
    """After the stop the page hears that the bot isn't running."""
    await room[0].stop()

    assert (await say(page, "hello")).status_code == 503
    assert await views(page) == []


async def test_an_answer_never_stands_above_its_question(room, page):
    """However fast the bot is, what it answers comes after the words that asked."""
    chat, inlet = room
    put = inlet.put

    async def answering(*event):
        await chat.deliver(delivery(message("answer")))
        return await put(*event)

    inlet.put = answering
    await say(page, "question")

    assert [text_of(view) for view in await views(page)] == ["question", "answer"]


async def test_the_poll_is_held_until_something_changes():
    """It returns on the change, with that alone, long before its time is over."""
    chat, _ = await running_chat(hold=60)
    async with asking(chat) as page:
        known = (await news(page))["version"]
        poll = asyncio.create_task(news(page, known))
        await asyncio.wait([poll], timeout=0.01)
        assert not poll.done()
        sent = await chat.deliver(delivery(message("now")))
        async with asyncio.timeout(5):
            found = await poll

    assert [view["id"] for view in found["messages"]] == [sent]
    assert found["version"] > known
    await chat.stop()


async def test_the_poll_times_out_empty(room, page):
    """Without news it returns the version it was asked with."""
    known = (await news(page))["version"]

    assert await news(page, known) == {**await news(page), "messages": [], "version": known}


async def test_the_poll_ends_when_the_bot_stops():
    """A page that waits holds no stop up."""
    chat, _ = await running_chat(hold=60)
    async with asking(chat) as page:
        poll = asyncio.create_task(news(page, (await news(page))["version"]))
        await asyncio.wait([poll], timeout=0.01)
        await chat.stop()
        async with asyncio.timeout(5):
            assert (await poll)["messages"] == []


async def test_a_version_from_before_a_restart_shows_everything(room, page):
    """A page that knows more than there is starts over."""
    sent = await room[0].deliver(delivery(message("hello")))

    assert [view["id"] for view in (await news(page, 10**9))["messages"]] == [sent]


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "", "٣", "9" * 16])
async def test_a_version_is_a_number(page, after):
    """Anything else is refused."""
    assert (await page.get("/chat/messages", params={"after": after})).status_code == 400


async def test_the_board_keeps_the_newest(room, page):
    """Memory is bounded: the oldest messages fall off."""
    sent = [await room[0].deliver(delivery(message(f"{number}"))) for number in range(KEPT_MESSAGES + 5)]

    assert [view["id"] for view in await views(page)] == sent[5:]
