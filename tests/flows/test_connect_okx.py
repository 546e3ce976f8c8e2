"""OKX through the whole bot: three fields over the real link page's calls, sealed, used and wiped."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from chatbot.domain.credentials import Credentials
from chatbot.domain.links import b64url, fingerprint, from_b64url
from chatbot.exchanges.okx import OKX
from chatbot.ports.desk import OpenedLink
from chatbot.practice.okx import PracticeOKX
from chatbot.web import WebOptions, create_app
from chatbot.web.server import bind, serve
from tests.support import leaks
from tests.support.bot import YOU, Bot, link_of, open_bot
from tests.support.page import seal, token_of
from tests.support.practice import Running, practice
from tests.web.weblink import ListLog, all_well, echo

Page = tuple[Bot, str]


def account(okx: Running) -> PracticeOKX:
    """Return the practice account with all that only an OKX has."""
    assert isinstance(okx.state, PracticeOKX)
    return okx.state


@pytest.fixture
async def okx() -> AsyncIterator[Running]:
    """A practice OKX on loopback with some history."""
    async with practice("okx") as running:
        running.state.seed(12)
        yield running


@pytest.fixture
async def page(tmp_path: Path, okx: Running) -> AsyncIterator[Page]:
    """A bot that reads the practice OKX, and its link page on a real socket."""
    listener, stop = bind("127.0.0.1", 0), asyncio.Event()
    url = f"http://localhost:{listener.getsockname()[1]}"
    async with open_bot(tmp_path, {"okx": okx.origin}, public_url=url) as bot:
        account(okx).clock = bot.clock.now
        app = create_app(bot.desk, echo, all_well, ListLog(), WebOptions(url))
        running = asyncio.create_task(serve(app, listener, stop))
        yield bot, url
        stop.set()
        await running


async def post(url: str, call: str, body: dict[str, str]) -> httpx.Response:
    """Make one of the page's two calls, as the browser does."""
    headers = {"Origin": url, "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=url) as web:
        return await web.post(f"/api/{call}", content=json.dumps(body), headers=headers)


async def hand_in(page: Page, link: str, *values: str) -> httpx.Response:
    """Open the link, check whose key seals, seal the values of the form in its order, and send them."""
    _, url = page
    token, mark = token_of(link)
    told = (await post(url, "open", {"token": token})).json()
    assert [field["name"] for field in told["fields"]] == ["api_key", "api_secret", "passphrase"]
    assert [field["secret"] for field in told["fields"]] == [False, True, True]
    assert told["fields"][2]["title"] == "Passphrase"
    public = from_b64url(told["pk"])
    assert fingerprint(public) == mark
    opened = OpenedLink(public, told["exchange"], told["label"], (), from_b64url(told["info"]), 1, 1)
    return await post(url, "submit", {"token": token, "sealed": b64url(seal(opened, *values))})


def parts(okx: Running, passphrase: str = "") -> tuple[str, str, str]:
    return okx.state.key, okx.state.secret, passphrase or okx.state.passphrase


async def connected(page: Page, okx: Running) -> Bot:
    """Guide, link, three fields, code, Confirm; then every job has run."""
    bot, _ = page
    answer = await hand_in(page, await link_of(bot, "okx"), *parts(okx))
    assert answer.status_code == 200, answer.text
    await bot.turn()
    assert answer.json()["code"] in bot.last(YOU).text
    await bot.press("Confirm")
    for _ in range(3):
        await bot.turn(seconds=3)
    return bot


async def test_a_key_with_its_passphrase_is_taken_and_read(page: Page, okx: Running) -> None:
    """From the guide to balances and a fill: the passphrase sealed on the page signs every poll."""
    bot = await connected(page, okx)
    assert any("Total $" in text for text in bot.texts())

    okx.state.trade("buy", "eth_usdt", "0.25")
    for _ in range(4):
        await bot.turn(seconds=40)

    assert len([text for text in bot.texts() if "0.25 ETH" in text]) == 1
    assert len([text for text in bot.texts() if "No fill explains" in text]) == 0


async def test_a_contract_is_told_and_moves_nothing_else(page: Page, okx: Running) -> None:
    """A swap is a fill like any other, and what it did to the balance is no riddle."""
    bot = await connected(page, okx)

    account(okx).trade_swap("sell", contracts="6", gain="41.5")
    for _ in range(6):
        await bot.turn(seconds=40)

    assert len([text for text in bot.texts() if "0.06 BTC" in text]) == 1
    assert [text for text in bot.texts() if "No fill explains" in text] == []


async def test_no_part_is_left_in_clear_anywhere(page: Page, okx: Running, tmp_path: Path) -> None:
    """Neither key, secret nor passphrase is in log, chat, database or its log, after good and bad days."""
    bot = await connected(page, okx)
    for name in ("accounts", "balances", "fills", "keys", "status", "test"):
        await bot.type(f"/{name}")
    for code in ("50105", "50113", "50110", "50119", "50001"):
        okx.state.fail("", code, times=3)
        await bot.turn(seconds=700)

    assert leaks.found(bot, tmp_path, *parts(okx)) == []


async def test_all_three_parts_are_wiped_after_each_use(
    page: Page, okx: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the proof and after each poll nothing is left in memory, passphrase included."""
    used: list[Credentials] = []
    client = OKX.client

    def watched(self: OKX, credentials: Credentials, nonce: int):
        assert credentials.passphrase is not None
        assert credentials.passphrase.reveal().decode() == okx.state.passphrase
        used.append(credentials)
        return client(self, credentials, nonce)

    monkeypatch.setattr(OKX, "client", watched)
    bot = await connected(page, okx)
    await bot.turn(seconds=40)

    assert len(used) >= 3
    left = [part for one in used for part in (one.api_key, one.api_secret, one.passphrase) if part]
    assert left == []


async def test_a_wrong_passphrase_is_named_and_costs_a_try(page: Page, okx: Running) -> None:
    """The page says that it is the passphrase, keeps the link, and *I'm stuck* opens at the answer."""
    bot, _ = page
    link = await link_of(bot, "okx")

    answer = await hand_in(page, link, *parts(okx, "Another-1!"))

    assert (answer.status_code, answer.json()["tries_left"]) == (422, 2)
    assert "passphrase" in answer.json()["reason"]
    assert "Something else" in (await bot.press("I'm stuck")).labels
    assert "passphrase" in bot.last(YOU).text
    assert (await hand_in(page, link, *parts(okx))).status_code == 200


@pytest.mark.parametrize("passphrase", ["With blanks, a1!", "\"q'uo\\te<&>%41+=", "~" * 32])
async def test_any_passphrase_that_okx_takes_gets_through(page: Page, okx: Running, passphrase: str) -> None:
    """Blanks inside, quotes and signs arrive at the exchange as they were typed."""
    account(okx).keys[okx.state.key].passphrase = passphrase

    answer = await hand_in(page, await link_of(page[0], "okx"), *parts(okx))

    assert answer.status_code == 200, answer.text


async def test_two_fields_are_no_submission(page: Page, okx: Running) -> None:
    """A page that leaves the passphrase out seals something else than this link wants."""
    answer = await hand_in(page, await link_of(page[0], "okx"), okx.state.key, okx.state.secret)

    assert answer.status_code == 400
    assert okx.state.requests == []


async def test_a_key_that_may_do_more_is_told_by_the_tick(page: Page, okx: Running) -> None:
    """One that withdraws is not kept, one that trades is warned about, each by OKX's own label."""
    bot, _ = page
    for extra, status in (("withdraw", 422), ("trade", 200)):
        keys = okx.state.new_key({"balances", "fills", "account", extra})
        answer = await hand_in(page, await link_of(bot, "okx"), *keys, okx.state.passphrase)
        assert answer.status_code == status
        await bot.turn()
        shown = answer.json().get("reason", "") + bot.last(YOU).text
        assert f"“{extra.capitalize()}”" in shown
