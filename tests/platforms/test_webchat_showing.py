"""What the web chat shows: deliveries once, edits and erasures, toasts, pictures and private addresses."""

from collections.abc import AsyncIterator

import httpx
import pytest

from chatbot.domain.messages import Button, File, Image, Message, line, message
from chatbot.domain.outbox import Promise
from chatbot.domain.updates import Pressed
from chatbot.errors import SendError, Verdict
from chatbot.platforms.webchat import WebChat
from tests.support.webchat import (
    FakeInlet,
    asking,
    delivery,
    labels_of,
    news,
    press,
    running_chat,
    text_of,
    views,
)

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes([0, 0, 2, 88, 0, 0, 1, 44]) + b"and so on"
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


async def test_a_press_is_answered_by_a_toast(room, page):
    """The toast names the press; an empty one only ends its wait."""
    chat, inlet = room
    await chat.deliver(delivery(message("Which?", buttons=NEXT)))
    event = (await press(page, "id-next")).json()["id"]
    pressed = chat.parse(inlet.stored[0])
    assert isinstance(pressed, Pressed)
    known = (await news(page))["version"]
    await chat.answer(pressed, "Muted")
    await chat.answer(pressed, "")

    assert (await news(page, known))["toasts"] == [
        {"chat": "you", "text": text, "press": event} for text in ("Muted", "")
    ]


async def test_a_file_is_saved_never_shown_and_for_the_session_alone(room, page):
    """The link names it; what comes is an attachment that no browser opens in place."""
    chat, _ = room
    file = File("keyherald fills ñ.csv", b"<script>alert(1)</script>")
    sent = await chat.deliver(delivery(Message((line("Fills 2026"),), file=file)))
    [view] = await views(page)
    found = await page.get(view["file"]["url"])

    assert view["file"]["name"] == file.name
    assert (found.content, found.headers["content-type"]) == (file.content, "text/csv; charset=utf-8")
    assert (
        found.headers["content-disposition"] == "attachment; filename*=UTF-8''keyherald%20fills%20%C3%B1.csv"
    )
    assert found.headers["x-content-type-options"] == "nosniff"
    async with asking(chat, token=None) as stranger:
        assert (await stranger.get(view["file"]["url"])).status_code == 401
    await chat.deliver(delivery(Message(), erase=sent))
    assert (await page.get(view["file"]["url"])).status_code == 404


async def test_a_picture_is_served_to_the_session_alone(room, page):
    """It has its words and size, and goes away with its message."""
    chat, _ = room
    sent = await chat.deliver(delivery(Message((line("30 days"),), image=Image(PNG, "A rising line"))))
    [view] = await views(page)
    found = await page.get(view["image"]["url"])

    assert view["image"] | {"url": ""} == {"url": "", "alt": "A rising line", "width": 600, "height": 300}
    assert (found.content, found.headers["content-type"]) == (PNG, "image/png")
    async with asking(chat, token=None) as stranger:
        assert (await stranger.get(view["image"]["url"])).status_code == 401
    await chat.deliver(delivery(Message(), erase=sent))
    assert (await page.get(view["image"]["url"])).status_code == 404
    assert (await page.get("/chat/image/none")).status_code == 404


async def test_the_private_address_is_known_as_such(room, page):
    """A button with it carries the payload, so that the page changes the chat instead of leaving."""
    chat, _ = room
    address = chat.private_url("connect bitso/ñ")
    await chat.deliver(delivery(message("In private", buttons=((Button("Go", url=address),),)), "team"))
    await chat.deliver(
        delivery(message("Away", buttons=((Button("Go", url="https://a.example/?start=x"),),)))
    )
    first, second = await views(page)

    assert address.startswith("http://localhost:8080/chat?start=connect%20bitso%2F")
    assert first["buttons"][0][0]["start"] == "connect bitso/ñ"
    assert second["buttons"] == [[{"text": "Go", "url": "https://a.example/?start=x"}]]


async def test_a_delivery_is_taken_once(room, page):
    """The same row again, as after a crash, shows nothing new; with newer words it changes what it showed."""
    chat, _ = room
    once = delivery(message("Sold 1 BTC"), id="row", promise=Promise.ALERT)
    sent = await chat.deliver(once)

    assert await chat.deliver(delivery(message("Sold 1 BTC"), id="row", repeat=True)) == sent
    assert [text_of(view) for view in await views(page)] == ["Sold 1 BTC\nref 7K2Q"]
    assert await chat.deliver(delivery(message("Sold 2 BTC"), id="row")) == sent
    assert [(text_of(v), v["edited"]) for v in await views(page)] == [("Sold 2 BTC", True)]


async def test_newer_words_of_an_erased_message_are_shown_anew(room, page):
    """A row whose message is gone does not ask for the impossible again and again."""
    chat, _ = room
    gone = await chat.deliver(delivery(message("step 1"), id="row"))
    await chat.deliver(delivery(Message(), erase=gone))
    sent = await chat.deliver(delivery(message("step 2"), id="row"))

    assert [view["id"] for view in await views(page)] == [sent] != [gone]


@pytest.mark.parametrize("field", ["edit", "erase"])
async def test_after_a_restart_old_messages_are_gone(room, page, field):
    """The verdict lets the outbox show the card anew, and no id of before is taken for one of now."""
    before, _ = await running_chat()
    old = await before.deliver(delivery(message("step 1")))
    await room[0].deliver(delivery(message("something else")))

    with pytest.raises(SendError) as raised:
        await room[0].deliver(delivery(message("step 2"), **{field: old}))

    assert raised.value.verdict is Verdict.EDIT_GONE
    assert [text_of(view) for view in await views(page)] == ["something else"]


async def test_a_message_is_only_changed_in_its_own_chat(room):
    """An id of another chat is none."""
    sent = await room[0].deliver(delivery(message("step 1")))

    with pytest.raises(SendError) as raised:
        await room[0].deliver(delivery(message("step 2"), "admin", edit=sent))

    assert raised.value.verdict is Verdict.EDIT_GONE


async def test_an_unknown_place_is_gone(room):
    """Nobody sits there."""
    with pytest.raises(SendError) as raised:
        await room[0].deliver(delivery(message("hello"), "nowhere"))

    assert raised.value.verdict is Verdict.GONE


async def test_an_edit_and_an_erasure_are_news(room, page):
    """A page that has the message hears of its change, and of its end without its words."""
    chat, _ = room
    sent = await chat.deliver(delivery(message("step 1", buttons=NEXT)))
    known = (await news(page))["version"]
    await chat.deliver(delivery(message("step 2"), edit=sent))
    changed = await news(page, known)
    await chat.deliver(delivery(Message(), erase=sent))
    [erased] = (await news(page, changed["version"]))["messages"]

    assert [(v["id"], text_of(v), labels_of(v)) for v in changed["messages"]] == [(sent, "step 2", [])]
    assert (erased["id"], erased["deleted"], erased["body"]) == (sent, True, [])
