"""What every platform promises: what is meant is what is seen, and what is typed is what is heard."""

import importlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.domain.messages import Button, Line, Look, Message, Piece, Table, bold, code, line, message
from chatbot.domain.outbox import Promise
from chatbot.domain.updates import Pressed, Said
from chatbot.errors import SendError, Verdict
from tests.contracts.platform_adapter import Chat, Seen

PLATFORMS = sorted(path.stem for path in (Path(__file__).parent / "adapters").glob("[a-z]*.py"))
# Nothing that is invisible by itself at the edges, so that trimming can't hide a difference.
HOSTILE = st.text(
    st.sampled_from("*_[]()<>&@`~|#/\\\"' \u202e\u200f\u2066ab1😀👩é漢"), min_size=1, max_size=40
)
LOOKS = st.sampled_from([Look.PLAIN, Look.BOLD, Look.CODE])
NEXT = (
    (Button("Next", "id-next"), Button("Back", "id-back")),
    (Button("Open", url="https://a.example/key#x"),),
)


@pytest.fixture(params=PLATFORMS)
async def chat(request: pytest.FixtureRequest) -> AsyncIterator[Chat]:
    """A private chat on each platform."""
    adapter = importlib.import_module(f"tests.contracts.adapters.{request.param}")
    async with adapter.opened() as chat:
        yield chat


async def last(chat: Chat) -> Seen:
    return (await chat.screen())[-1]


def words(text: str) -> str:
    return " ".join(text.split())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(st.tuples(HOSTILE, LOOKS), min_size=1, max_size=4), min_size=1, max_size=4))
async def test_labels_are_shown_as_they_stand(chat, rows):
    """No label can style, mention, link, hide or break anything: the text that is seen is the one meant."""
    meant = Message((line("label:"), *(Line(tuple(Piece(t, look) for t, look in row)) for row in rows)))

    await chat.deliver(meant)

    assert words((await last(chat)).text) == words(meant.plain())


async def test_every_kind_of_piece_is_seen(chat):
    """Lines, looks, links and tables all show their words."""
    table = Table((("asset", "total"), ("BTC", "0.5"), ("<b>", "*1*")))
    link = Piece("the page", Look.LINK, "https://a.example/b?c=1&d=2")

    await chat.deliver(message(line("plain ", bold("bold"), " ", code("…a1b2"), " ", link), table))

    assert words((await last(chat)).text) == "plain bold …a1b2 the page asset total BTC 0.5 <b> *1*"


async def test_a_long_message_arrives_whole(chat):
    """However long, every line is seen, in order, and the buttons stand at the end."""
    meant = message(*[f"line {number} " + "😀" * 40 for number in range(200)], buttons=NEXT)

    sent = await chat.deliver(meant)
    seen = await chat.screen()

    assert words(" ".join(m.text for m in seen)) == words(meant.plain())
    assert all(not chat.longest or len(m.text.encode("utf-16-le")) // 2 <= chat.longest for m in seen)
    assert [m.buttons for m in seen if m.buttons] == [["Next", "Back", "Open"]]
    assert sent == seen[-1].id


async def test_ids_are_told_apart(chat):
    """Each message has an id of its own, the one that is returned."""
    sent = [await chat.deliver(f"message {number}") for number in range(3)]

    assert [m.id for m in await chat.screen()] == sent
    assert len(set(sent)) == 3


async def test_an_edit_replaces_text_and_buttons(chat):
    """A card changes in place, keeps its id, and loses the buttons that are not meant any more."""
    sent = await chat.deliver(message("step 1", buttons=NEXT))

    kept = await chat.deliver("step 2", edit=sent, promise=Promise.CARD)

    assert kept == sent
    assert await chat.screen() == [Seen(sent, "step 2", [])]


async def test_an_edit_of_what_is_gone_says_so(chat):
    """The verdict lets the outbox show the card anew."""
    sent = await chat.deliver("step 1")
    await chat.deliver("", erase=sent)

    with pytest.raises(SendError) as raised:
        await chat.deliver("step 2", edit=sent)

    assert raised.value.verdict is Verdict.EDIT_GONE


async def test_an_edit_that_changes_nothing_does_no_harm(chat):
    """It counts as done, by its result or by its verdict."""
    sent = await chat.deliver(message("step 1", buttons=NEXT))

    said = None
    try:
        await chat.deliver(message("step 1", buttons=NEXT), edit=sent)
    except SendError as error:
        said = error.verdict

    assert said in {None, Verdict.UNCHANGED}
    assert await chat.screen() == [Seen(sent, "step 1", ["Next", "Back", "Open"])]


async def test_erasing_takes_a_message_away(chat):
    """What a person pasted, or a used link, is gone from the screen."""
    kept = await chat.deliver("kept")
    sent = await chat.deliver("secret")

    await chat.deliver("", erase=sent)

    assert [m.id for m in await chat.screen()] == [kept]


async def test_a_repeat_is_marked_with_the_same_reference(chat):
    """Whoever reads an alert twice sees that it may be the same one."""
    await chat.deliver("sold 1 BTC", promise=Promise.ALERT, ref="7K2Q")
    await chat.deliver("sold 1 BTC", promise=Promise.ALERT, ref="7K2Q", repeat=True)
    await chat.deliver("a reply", promise=Promise.REPLY, ref="ABCD")
    first, again, reply = await chat.screen()

    assert "7K2Q" in first.text
    assert "may be a repeat" not in first.text
    assert "↻ may be a repeat · ref 7K2Q" in again.text
    assert reply.text == "a reply"


@pytest.mark.parametrize(
    "text", ["/connect bitso", "hello *you* <b> @all 😀", "/start connect_bitso", "two\nlines"]
)
async def test_what_is_typed_is_what_is_heard(chat, text):
    """Words come through unchanged, from a known person in private."""
    heard = await chat.say(text)

    assert isinstance(heard, Said)
    assert heard.text == text
    assert heard.who.private
    assert heard.who.user
    assert heard.who.channel


async def test_a_press_names_its_button_and_message(chat):
    """The id that was given to the button comes back, with the message it hangs on and its presser."""
    sent = await chat.deliver(message("pick", buttons=NEXT))
    said = await chat.say("hello")

    pressed = await chat.press((await chat.screen())[0], "Back")

    assert isinstance(pressed, Pressed)
    assert (pressed.button, pressed.message_id) == ("id-back", sent)
    assert said is not None
    assert pressed.who.user == said.who.user
    await chat.platform.answer(pressed, "done")


async def test_the_platform_says_who_it_is(chat):
    """A token check names the bot, and the pace is one that can be kept."""
    assert await chat.platform.check()
    assert chat.platform.name in PLATFORMS
    assert chat.platform.pace.per_second > 0
