"""Files on Telegram, what is left of a message whose looks are refused, and mentions that are only text."""

import pytest
from aiogram import methods, types

from chatbot.domain.messages import Button, File, Message, Table, bold, line, message
from chatbot.errors import SendError, Verdict
from chatbot.platforms.telegram.writing import calls
from chatbot.text import Translator
from tests.support.botapi.rules import check
from tests.support.telegrams import ANA, delivery


def requests(shown: Message):
    """The requests of a delivery, each as the strict server and aiogram's own types accept them."""
    made = calls(delivery(shown), Translator())
    for call in made:
        check(call.method, call.params)
        oracle = getattr(methods, call.method[0].upper() + call.method[1:])
        params = {
            k: types.BufferedInputFile(b"", "x") if k == "document" else v for k, v in call.params.items()
        }
        assert oracle.model_validate(params).model_extra in ({}, None)
    return made


async def test_a_file_reaches_the_chat_whole_under_its_name(bot):
    """The bytes arrive as they are, the words stand beside them."""
    shown = Message(
        (line(bold("Fills 2026")),), file=File("keyherald-fills-2026.csv", b"time_utc\r\n" * 5000)
    )

    [call] = requests(shown)
    await bot.telegram.deliver(delivery(shown))

    assert (call.method, call.params["caption"]) == ("sendDocument", "Fills 2026")
    assert call.params["document"].filename == "keyherald-fills-2026.csv"
    assert bot.api.latest(ANA).document == b"time_utc\r\n" * 5000
    assert bot.api.latest(ANA).text == "Fills 2026"


async def test_long_words_follow_their_file(bot):
    """What does not fit under a file comes as a message of its own."""
    await bot.telegram.deliver(delivery(Message((line("w" * 1025),), file=File("a.csv", b"a"))))

    file, words = bot.api.shown(ANA)
    assert (file.document, file.text, words.text) == (b"a", "", "w" * 1025)


@pytest.mark.parametrize(
    "refusal",
    [
        "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 3",
        "Bad Request: ENTITY_BOUNDS_INVALID",
        "Bad Request: entity beginning at UTF-16 offset 3 is invalid",
    ],
)
@pytest.mark.parametrize("edit", [False, True])
async def test_looks_that_are_refused_fall_back_to_plain_words_once(bot, refusal, edit):
    """The words and buttons are what counts: the same again without any style, one time."""
    method, shown = ("editMessageText", "two") if edit else ("sendMessage", "one")
    sent = await bot.telegram.deliver(delivery("one")) if edit else ""
    bot.api.refuse(method, 400, refusal)
    styled_words = message(bold(shown), buttons=((Button("Next", "id1"),),))

    await bot.telegram.deliver(delivery(styled_words, edit=sent))

    latest = bot.api.latest(ANA)
    assert (latest.text, latest.entities, latest.buttons) == (shown, [], ["Next"])

    bot.api.refuse(method, 400, refusal, times=2)
    with pytest.raises(SendError) as raised:
        await bot.telegram.deliver(delivery(message(bold("three")), edit=sent))
    assert raised.value.verdict is Verdict.REFUSED


async def test_plain_words_that_are_refused_are_not_tried_again(bot):
    """Without any look there is nothing to leave out."""
    bot.api.refuse("sendMessage", 400, "Bad Request: can't parse entities", times=2)

    with pytest.raises(SendError):
        await bot.telegram.deliver(delivery("plain"))
    assert await bot.telegram.deliver(delivery(message(bold("styled"))))


@pytest.mark.parametrize(
    "word", ["@CHANNEL", "@here", "<!here>", "<!channel>", "<@U123>", "<#C1>", "[x](tg://user?id=1)"]
)
def test_a_mention_in_what_an_exchange_says_is_text(word):
    """An asset or market named like a mention is shown letter by letter, and made into nothing."""
    told = Message((line("Bought 1 ", bold(word), f" at 5 {word}"), Table((("asset", "total"), (word, "1")))))

    [call] = requests(told)

    assert call.params["text"] == told.plain()
    assert {entity["type"] for entity in call.params["entities"]} == {"bold", "pre"}
