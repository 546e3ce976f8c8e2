"""How a message looks on Telegram: entities, parts, keyboards, pictures, marks."""

from datetime import timedelta

import pytest
from aiogram import methods, types
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.messages import (
    Button,
    Image,
    Line,
    Look,
    Message,
    Piece,
    Table,
    bold,
    code,
    line,
    message,
)
from chatbot.domain.outbox import Promise
from chatbot.errors import SendError, Verdict
from chatbot.platforms.telegram.writing import calls, units
from chatbot.text import Translator
from tests.support.botapi import Fault
from tests.support.botapi.rules import check
from tests.support.telegrams import ANA, GROUP, NOW, delivery

HOSTILE = st.text(st.sampled_from("*_[]()<>&@`~|#/\\ \n\u202e\u200fabc😀👨\u200d👩é漢\ud83d\t"), max_size=60)
PNG = b"\x89PNG made up"
TABLE = Table((("asset", "total"), ("BTC", "0.5"), ("USDC", "1,200.00")))


def requests(shown, **fields):
    """The requests of a delivery, each as the strict server and aiogram's own types accept them."""
    made = calls(delivery(shown, **fields), Translator())
    for call in made:
        check(call.method, call.params)
        oracle = getattr(methods, call.method[0].upper() + call.method[1:])
        params = {k: types.BufferedInputFile(b"", "x") if k == "photo" else v for k, v in call.params.items()}
        assert oracle.model_validate(params).model_extra in ({}, None)
    return made


def styled(params, kind):
    raw = params["text"].encode("utf-16-le")
    return [
        raw[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le")
        for e in params["entities"]
        if e["type"] == kind
    ]


def test_each_look_is_an_entity_counted_in_utf_16():
    """Emoji before a styled word don't shift its style."""
    shown = message(
        line(
            "😀👨‍👩‍👧 ",
            bold("fett 😀"),
            " and ",
            code("…a1b2"),
            " ",
            Piece("here", Look.LINK, "https://a.example/b"),
        ),
        TABLE,
    )

    [call] = requests(shown)

    assert call.params["text"].startswith("😀👨‍👩‍👧 fett 😀 and …a1b2 here\nasset")
    assert styled(call.params, "bold") == ["fett 😀"]
    assert styled(call.params, "code") == ["…a1b2"]
    assert styled(call.params, "text_link") == ["here"]
    assert styled(call.params, "pre") == ["asset     total\nBTC         0.5\nUSDC   1,200.00"]
    assert "parse_mode" not in call.params


@given(
    st.lists(
        st.lists(st.tuples(HOSTILE, st.sampled_from([Look.PLAIN, Look.BOLD, Look.CODE])), max_size=4),
        max_size=6,
    )
)
def test_what_is_shown_is_what_was_meant(pieces):
    """No text of a piece can change, style or swallow another: it is shown as it stands."""
    shown = Message((line("start"), *(Line(tuple(Piece(t, k) for t, k in row)) for row in pieces)))

    [call] = requests(shown)

    meant = shown.plain().encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert call.params["text"] == meant
    bolds = [t for row in pieces for text, look in row if look is Look.BOLD for t in text.split("\n") if t]
    cleaned = [t.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") for t in bolds]
    assert styled(call.params, "bold") == cleaned


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 6000), min_size=1, max_size=6), st.sampled_from(["x", "😀", "word ", "é漢😀 "])
)
def test_a_split_loses_nothing(lengths, stuff):
    """However long the lines, the parts together hold every character in order, each within the limit."""
    rows = [line(bold((stuff * length)[:length])) for length in lengths]
    made = requests(Message((line("start"), *rows)))
    texts = [call.params["text"] for call in made]

    assert all(units(text) <= 4096 for text in texts)
    assert "".join("".join(texts).split()) == "".join(Message((line("start"), *rows)).plain().split())
    for call in made:
        assert "".join(styled(call.params, "bold")) == call.params["text"].removeprefix("start").replace(
            "\n", ""
        )


def test_a_line_that_had_to_be_cut_gets_no_line_break_of_its_own():
    """A cut between words puts the rest into the next message, never behind a break nobody wrote."""
    shown = "x" * 2500 + " " + "y" * 2500

    texts = [call.params["text"] for call in requests(message(shown))]

    assert texts == ["x" * 2500 + " ", "y" * 2500]


def test_parts_end_at_line_ends_and_buttons_stand_below_the_last():
    """A long message breaks between lines, and is answered where reading ends."""
    shown = message(
        *[f"line {number} " + "x" * 90 for number in range(100)], buttons=((Button("Next", "id1"),),)
    )

    made = requests(shown)

    assert "\n".join(call.params["text"] for call in made) == shown.plain()
    assert ["reply_markup" in call.params for call in made] == [False] * (len(made) - 1) + [True]


def test_a_long_table_stays_a_table_in_every_part():
    """Each part of a table is aligned and fixed-width on its own."""
    made = requests(message(Table(tuple((f"ASSET{n}", f"{n}.00") for n in range(600)))))

    assert len(made) > 1
    assert all(styled(call.params, "pre") == [call.params["text"]] for call in made)


def test_more_than_a_hundred_styles_need_another_part():
    """Telegram styles a hundred things a message; the hundred-and-first starts a new one."""
    made = requests(message(*[bold(f"b{n}") for n in range(150)]))

    assert [len(call.params["entities"]) for call in made] == [100, 50]


def test_the_keyboard():
    """Buttons carry their id or address; a long text is shortened in whole characters."""
    shown = message(
        "pick",
        buttons=(
            (Button("Next", "a" * 64), Button("😀" * 40, "id2")),
            (Button("Open", url="https://a.example/key#x"),),
            (),
        ),
    )

    [call] = requests(shown)

    assert call.params["reply_markup"]["inline_keyboard"] == [
        [{"text": "Next", "callback_data": "a" * 64}, {"text": "😀" * 31 + "…", "callback_data": "id2"}],
        [{"text": "Open", "url": "https://a.example/key#x"}],
    ]


@pytest.mark.parametrize("button", [Button("x", "a" * 65), Button("x", "é" * 33), Button("x")])
def test_a_button_that_telegram_would_refuse_is_refused_here(button):
    """An id that does not fit is our mistake; nothing is sent."""
    with pytest.raises(SendError) as raised:
        calls(delivery(message("x", buttons=((button,),))), Translator())

    assert raised.value.verdict is Verdict.REFUSED


@pytest.mark.parametrize("fields", [{}, {"edit": "5"}])
def test_an_empty_message_is_refused_here(fields):
    """Nothing to show is our mistake; nothing is sent."""
    with pytest.raises(SendError) as raised:
        calls(delivery(message("  "), **fields), Translator())

    assert raised.value.verdict is Verdict.REFUSED


def test_manner_and_place():
    """Silent, protected, in a topic; the General topic is never named."""
    [call] = requests("x", chat=GROUP, thread="9", silent=True, protect=True)
    [general] = requests("x", chat=GROUP, thread="1")

    assert (
        call.params | {"disable_notification": True, "protect_content": True, "message_thread_id": 9}
        == call.params
    )
    assert call.params["chat_id"] == str(GROUP)
    assert general.params.keys() & {"message_thread_id", "disable_notification", "protect_content"} == set()


def test_an_alert_can_be_recognised_when_it_comes_again():
    """An alert carries its reference, and a repeat says so in its first line with the same reference."""
    [first] = requests("sold", promise=Promise.ALERT)
    [again] = requests("sold", promise=Promise.ALERT, repeat=True)
    [reply] = requests("sold")

    assert first.params["text"] == "sold\nref 7K2Q"
    assert styled(first.params, "code") == ["ref 7K2Q"]
    assert again.params["text"] == "↻ may be a repeat · ref 7K2Q\nsold"
    assert reply.params["text"] == "sold"


def test_a_picture_takes_a_short_text_as_its_caption():
    """Text, style and buttons stand under the picture."""
    shown = Message((line(bold("week")),), ((Button("Details", "id1"),),), Image(PNG, "a line going up"))

    [call] = requests(shown)

    assert (call.method, call.params["caption"]) == ("sendPhoto", "week")
    assert call.params["caption_entities"] == [{"type": "bold", "offset": 0, "length": 4}]
    assert call.params["reply_markup"]


@pytest.mark.parametrize("text", ["", "w" * 1025])
def test_a_picture_is_described_when_its_text_is_long_or_missing(text):
    """The words for those who can't see it become the caption, the text follows."""
    shown = Message((line(text),), (), Image(PNG, "a line going up"))

    photo, *rest = requests(shown)

    assert photo.params["caption"] == "a line going up"
    assert [call.params["text"] for call in rest] == ([text] if text else [])


async def test_delivering_returns_the_id_of_the_last_part(bot):
    """Parts arrive in order, no faster than a chat may take them, and the last one's id is kept."""
    sent = await bot.telegram.deliver(delivery(message(*["y" * 3000] * 3)))

    assert len(bot.api.shown(ANA)) == 3
    assert sent == str(bot.api.latest(ANA).id)
    assert bot.clock.slept == [1.05, 1.05]


async def test_a_picture_reaches_the_chat_whole(bot):
    """The bytes of a picture arrive as they are."""
    await bot.telegram.deliver(delivery(Message((line("week"),), (), Image(PNG * 1000, "alt"))))

    assert bot.api.latest(ANA).photo == PNG * 1000


async def test_an_unknown_part_does_not_drop_the_tail(bot):
    """What follows an uncertain part is still sent; the whole is unknown."""
    bot.api.fail("sendMessage", Fault.CLOSE)

    with pytest.raises(SendError) as raised:
        await bot.telegram.deliver(delivery(message(*["y" * 3000] * 3)))

    assert raised.value.verdict is Verdict.UNKNOWN
    assert bot.api.count("sendMessage") == 3


async def test_a_later_part_waits_out_a_limit(bot):
    """Once the first part is on the screen a 429 is waited out, so that nothing is repeated unmarked."""
    shown = delivery(message(*["y" * 3000] * 2))
    bot.api._faults["sendMessage"].append(None)
    bot.api.refuse("sendMessage", 429, "Too Many Requests: retry after 3", retry_after=3)

    await bot.telegram.deliver(shown)

    assert bot.clock.slept == [1.05, 3]
    assert len(bot.api.shown(ANA)) == 2


@pytest.mark.parametrize(("wait", "deadline"), [(300, 75), (3, 4)])
async def test_a_later_part_that_can_not_wait_is_unknown(bot, wait, deadline):
    """Half a message is never reported as unsent."""
    bot.api._faults["sendMessage"].append(None)
    bot.api.refuse("sendMessage", 429, "Too Many Requests", retry_after=wait)

    with pytest.raises(SendError) as raised:
        await bot.telegram.deliver(
            delivery(message(*["y" * 3000] * 2), deadline=NOW + timedelta(seconds=deadline))
        )

    assert raised.value.verdict is Verdict.UNKNOWN


async def test_a_later_part_that_is_refused_ends_it(bot):
    """A chat that closes between two parts is gone."""
    bot.api._faults["sendMessage"].append(None)
    bot.api.refuse("sendMessage", 403, "Forbidden: bot was blocked by the user")

    with pytest.raises(SendError) as raised:
        await bot.telegram.deliver(delivery(message(*["y" * 3000] * 2)))

    assert raised.value.verdict is Verdict.GONE
