"""Threats in the chat: false bots and domains, pasted keys, hostile names, keys that can do too much."""

import csv
import io
import random
from pathlib import Path

import pytest
from aiogram import methods

from chatbot import exchanges
from chatbot.dispatcher.inlet import Scrubber
from chatbot.errors import ConfigError
from chatbot.platforms.telegram.writing import calls
from chatbot.practice import discover, open_practice
from chatbot.settings import Settings
from chatbot.text import Translator
from tests.support import leaks
from tests.support.botapi.rules import check
from tests.support.rows import rows
from tests.support.telegrams import delivery
from tests.threats.house import House, house

MARKUP = "*_[](x)~`>#+-=|{}.!<@U1>&"
FORMULAS = ("=HYPERLINK(1)", "+1+cmd", "-2+3", "@SUM(A1)")
WORDS = [
    "hello",
    "btc",
    "price",
    "today",
    "sold",
    "bought",
    "the",
    "desk",
    "please",
    "confirm",
    "address",
    "wallet",
    "limit",
    "order",
    "market",
    "Binance",
    "invoice",
    "meeting",
    "tomorrow",
    "61,234.56",
    "0.5",
    "BTC/USDT",
    "order-1234567890",
    "ref:20261121",
    "https://example.com/a/b?c=d",
    "JavaScript",
    "PostgreSQL",
    "e.g.",
    "…a1b2",
    "+52",
    "55",
    "1234",
    "5678",
    "name@example.com",
    "#general",
    "@maria",
    "12:30",
    "v22.1.0",
    "0x1f",
    "0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "gracias",
    "obrigado",
    "ñandú",
    "東京",
    "🙂",
]


async def test_25_a_false_bot_or_page_gives_itself_away(tmp_path: Path) -> None:
    """The page shows words only the owner chose, the bot says it never asks in chat, another bot's link is dead here."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "false").mkdir()
    async with house(tmp_path / "ours") as home, house(tmp_path / "false") as other:
        await home.bot.type("/phrase blue otter")
        opened = (await home.open(await home.link())).json()
        forged = await other.link()
        shown = (await home.bot.type("/verify")).text

        assert opened["phrase"] == "blue otter"
        assert (await other.open(forged)).json()["phrase"] == ""
        assert (await home.open(forged)).status_code == 404
        assert "We never ask for a key or a secret in a chat." in shown
        assert all(words in shown for words in (home.url, "localhost", "blue otter"))


@pytest.mark.parametrize(
    "url",
    [
        "https://kеyherald.example",  # noqa: RUF001  a Cyrillic e, as in the attack
        "https://keyherald。example",
        "https://192.0.2.7",
        "https://3221225991",
        "https://[2001:db8::7]",
        "http://keyherald.example",
        "https://keyherald.example@evil.example",
        "https://key_herald.example",
        "https://keyherald.example/?x",
    ],
)
def test_26_an_address_that_can_be_mistaken_stops_the_start(url: str) -> None:
    """Only https with plain ASCII letters in a name is taken as our address: no look-alikes, no numbers."""
    with pytest.raises(ConfigError, match="PUBLIC_URL"):
        Settings.from_environ({"PUBLIC_URL": url})


def _venue_keys() -> list[str]:
    """Return keys and secrets as every exchange gives them out, twenty or more."""
    found = []
    for name in discover():
        state, _ = open_practice(name)
        found += [state.key, state.secret, *state.new_key(("balances",))]
    return found


async def test_27_a_key_pasted_into_a_chat_is_erased_and_kept_nowhere(home: House, tmp_path: Path) -> None:
    """Whatever exchange it is of: the message goes, no file and no line holds it, and the secure way is offered."""
    pasted = _venue_keys()
    assert len(pasted) >= 20
    for number, secret in enumerate(pasted, start=1):
        shown = await home.bot.type(f"here it is: {secret}")
        assert len(home.bot.chat.erased) == number, number
        assert "Connect safely" in shown.labels
    assert [leaks.found(home.bot, tmp_path, secret) for secret in pasted] == [[]] * len(pasted)


def test_27_ordinary_messages_are_never_taken_for_keys() -> None:
    """Two thousand everyday messages, addresses of coins among them: not one is erased."""
    dice = random.Random(27)
    scrubber = Scrubber(exchanges.build({}, None).shapes)  # type: ignore[arg-type]
    texts = [" ".join(dice.choices(WORDS, k=dice.randrange(1, 12))) for _ in range(2000)]

    assert [text for text in texts if "pasted" in scrubber.update({"text": text})] == []


HOSTILE_NAMES = {
    "right to left": "Main\u202etnuocca",
    "joiners": "Ma\u200di\u200bn\ufeff",
    "stacked marks": "M" + "\u0301" * 10_000 + "ain",
    "lines": "Main\n\nAdmin: send your key\r\u2028now",
    "controls": "Ma\x00in\x1b[31m\x07",
    "long": "M" * 10_000,
}


async def test_43_a_hostile_name_is_shown_as_one_clean_line(home: House) -> None:
    """Direction marks, invisible letters, piles of marks, line ends and controls never reach a message."""
    await home.connect()
    for kind, name in HOSTILE_NAMES.items():
        await home.bot.type(f"/rename {name}")
        (row,) = await rows(home.bot, "accounts")
        label = row["label"]
        lines = [line for line in (await home.bot.type("/accounts")).text.splitlines() if label in line]

        assert (kind, bool(label), label.isprintable(), len(lines)) == (kind, True, True, 1)
        assert len(label) <= 32
        assert not set(label) & set("\u202e\u200d\u200b\ufeff\u2028\n\r\x00\x1b")
        assert label.count("\u0301") <= 2


async def test_44_markup_in_a_name_stays_text(home: House) -> None:
    """A name made of markup is shown letter by letter: no style, no mention, no link, by Telegram's own rules."""
    await home.connect()
    await home.bot.type(f"/rename {MARKUP}")
    shown = [(await home.bot.type(command)).message for command in ("/accounts", "/keys", "/test")]
    texts = []
    for message in shown:
        for call in calls(delivery(message), Translator()):
            check(call.method, call.params)
            methods.SendMessage.model_validate(call.params)
            assert "parse_mode" not in call.params
            kinds = {entity["type"] for entity in call.params.get("entities", ())}
            assert not kinds & {"mention", "text_mention", "text_link", "url", "hashtag"}
            texts.append(call.params["text"])
    assert any(MARKUP in text for text in texts)


async def test_45_a_name_is_no_formula_in_what_people_export(home: House) -> None:
    """Names that a spreadsheet would run leave as text: no cell of a file begins as a formula, numbers stay numbers."""
    await home.connect()
    home.exchange.state.trade("buy", "btc_mxn", "0.01")
    await home.bot.turn(seconds=31)
    for formula in FORMULAS:
        await home.bot.type(f"/rename {formula}")
        await home.bot.turn()
        for what in ("balances", "fills"):
            await home.bot.type(f"/export {what}")
            await home.bot.turn()
            file = home.bot.last().message.file
            assert file
            found = list(csv.DictReader(io.StringIO(file.content.decode(), newline="")))
            assert all(row["account"].startswith(f"'{formula}") for row in found)
            assert found
            cells = [(name, cell) for row in found for name, cell in row.items()]
            assert not [cell for _, cell in cells if cell.startswith(tuple("=+@\t\r"))]
            signed = {name for name, cell in cells if cell.startswith("-")}
            assert signed <= {"fee", "result", "value", "total", "free", "locked"}
    for path in ("/key", "/readyz", "/metrics", "/export", "/audit.csv"):
        answer = await home.web.get(path)
        assert "csv" not in answer.headers["content-type"]
        assert not any(formula in answer.text for formula in FORMULAS)


async def test_50_a_key_that_can_withdraw_is_not_kept(tmp_path: Path) -> None:
    """Where the exchange tells it: refused on the page by the tick's own name, nothing stored, the link still open."""
    async with house(tmp_path, "binance") as home:
        link = await home.link()
        answer = await home.submit(
            link, *home.exchange.state.new_key({"balances", "fills", "account", "withdraw"})
        )

        assert answer.status_code == 422
        assert "can do too much" in answer.json()["reason"]
        assert await home.accounts() == []
        assert (await home.state(link))[0] == "open"
        assert (await home.submit(link)).status_code == 200
