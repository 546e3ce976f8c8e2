"""Every way in which Bitso can refuse a key becomes a sentence of its own on the link page."""

import asyncio

import pytest

from chatbot.exchanges.bitso.client import BitsoClient
from chatbot.ports.desk import Accepted, BadSeal, Refused
from chatbot.practice.bitso import ERRORS
from tests.support.bot import Bot, link_of
from tests.support.connected import connect
from tests.support.page import submit, token_of
from tests.support.rows import rows

SENTENCES = {
    "does not know this key": ("0201",),
    "secret does not match the key": ("0215",),
    "key is not active": ("0326",),
    "tick “View balances”": ("0202",),
    "addresses on its list": ("0213",),
    "sign in on its web page": ("0203", "0204", "0205", "0208", "0209", "0210", "0211"),
    "restricted this account": ("0212", "0216", "0705"),
    "finish verifying your identity": ("0701", "0702", "0709"),
    "accept its terms": ("0706",),
    "refused the order of our requests": ("0206", "0207", "0104"),
    "asks us to slow down": ("0801", "0802"),
    "not available now": ("1000", "1004", "1008", "1103", "0101"),
    "an answer I don't know": ("0301", "0303", "0304", "0320", "0330", "0703", "0901"),
}
BY_CODE = {code: sentence for sentence, codes in SENTENCES.items() for code in codes}
TRY_KEPT = {*SENTENCES["asks us to slow down"], *SENTENCES["not available now"]}


def test_every_documented_error_is_covered() -> None:
    """The practice exchange's table of documented codes and this one name the same."""
    assert set(BY_CODE) == set(ERRORS)


@pytest.mark.parametrize("code", sorted(BY_CODE))
async def test_each_documented_error_is_told_in_its_own_words(bot: Bot, bitso, code: str) -> None:
    """What is wrong, what to do, and whether the try counts; the link stays open for the next."""
    url = await link_of(bot)
    bitso.state.fail("balance", code, times=2)
    answer = await submit(bot.desk, url, bitso.state.key, bitso.state.secret)
    assert isinstance(answer, Refused)
    assert BY_CODE[code] in answer.reason
    assert answer.tries_left == (3 if code in TRY_KEPT else 2)
    bitso.state.faults.clear()
    assert isinstance(await submit(bot.desk, url, bitso.state.key, bitso.state.secret), Accepted)


@pytest.mark.parametrize(
    "kind", ["html", "html-503", "half", "types", "empty", "list", "no-rows", "nan", "redirect", "close"]
)
async def test_an_exchange_out_of_order_costs_no_try(bot: Bot, bitso, kind: str) -> None:
    """Not the person's mistake, and no traceback."""
    url = await link_of(bot)
    bitso.state.fail("balance", kind, times=2)
    answer = await submit(bot.desk, url, bitso.state.key, bitso.state.secret)
    assert isinstance(answer, Refused)
    assert answer.tries_left == 3
    assert "by myself" in answer.reason
    assert [line for line in bot.log.lines if line[0] == "error"] == []


async def test_tries_that_are_given_back_are_bounded(bot: Bot, bitso) -> None:
    """An exchange that stays away costs no try, but no link can be used to hammer it; the chat says so."""
    url = await link_of(bot)
    bitso.state.fail("balance", "1000", times=10_000)
    answers = [await submit(bot.desk, url, bitso.state.key, bitso.state.secret) for _ in range(14)]
    assert [a.tries_left for a in answers if isinstance(a, Refused)] == [3] * 11 + [0]
    assert answers[12:] == [None, None]
    await bot.turn()
    assert "its tries are used up" in bot.last().text


async def test_a_proof_that_takes_too_long_is_given_up(bot: Bot, bitso, monkeypatch) -> None:
    """Long before the claim runs out the person reads that the exchange does not answer."""
    monkeypatch.setattr("handlers.events.link_submitted.PROVE_SECONDS", 0)
    answer = await submit(bot.desk, await link_of(bot), bitso.state.key, bitso.state.secret)
    assert isinstance(answer, Refused)
    assert "can't be reached now" in answer.reason
    assert answer.tries_left == 3


async def test_three_bad_seals_end_the_link_and_the_chat_says_so(bot: Bot) -> None:
    """A page that can't seal is not left to say nothing; nothing more is said when the time is over."""
    token, _ = token_of(await link_of(bot))
    assert [await bot.desk.submit(token, b"x" * 400, "en") for _ in range(4)] == [BadSeal()] * 3 + [None]
    await bot.turn()
    assert "its tries are used up and no key was accepted" in bot.last().text
    assert [row["state"] for row in await rows(bot, "links")] == ["revoked"]
    shown = len(bot.texts())
    await bot.turn(seconds=660)
    assert (len(bot.texts()), "tries are used up" in bot.last().text) == (shown, True)
    tries = await rows(bot, "audit", action="submit")
    assert [(row["actor"], row["outcome"]) for row in tries] == [("web:you", "bad_seal")] * 3


async def test_an_expired_link_says_what_is_true_and_is_in_the_audit(bot: Bot) -> None:
    """Also after a try that was refused, no key was accepted."""
    await submit(bot.desk, await link_of(bot), "WrongKeyAb", "f" * 32)
    await bot.turn(seconds=660)
    assert "No key was accepted over it" in bot.last().text
    assert len(await rows(bot, "audit", action="link_expired")) == 1


async def test_a_key_of_somebody_else_is_not_named(bot: Bot, bitso) -> None:
    """What another member calls an account stays theirs."""
    await connect(bot, bitso)
    await bot.type("/rename Whale")
    answer = await submit(bot.desk, await link_of(bot, as_="other"), bitso.state.key, bitso.state.secret)
    assert isinstance(answer, Refused)
    assert "already connected here" in answer.reason
    assert "Whale" not in answer.reason


async def test_one_key_over_two_links_at_once_is_taken_once(bot: Bot, bitso, monkeypatch) -> None:
    """The later one is told so, and keeps the link."""
    urls = [await link_of(bot), await link_of(bot, as_="other")]
    both, turns = asyncio.Barrier(2), asyncio.Lock()
    prove = BitsoClient.prove

    async def together(client):
        async with turns:
            bot.clock.advance(seconds=1)
            proof = await prove(client)
        await both.wait()
        return proof

    monkeypatch.setattr(BitsoClient, "prove", together)
    key, secret = bitso.state.key, bitso.state.secret
    answers = await asyncio.gather(*(submit(bot.desk, url, key, secret) for url in urls))
    assert sorted(type(answer).__name__ for answer in answers) == ["Accepted", "Refused"]
    assert len(await rows(bot, "accounts")) == 1
    assert sorted(row["state"] for row in await rows(bot, "links")) == ["open", "used"]


async def test_the_address_to_add_is_named(bot: Bot, bitso) -> None:
    """With fixed addresses in the settings the sentence holds them."""
    from dataclasses import replace

    url = await link_of(bot)
    ctx = replace(bot.ctx, options=replace(bot.ctx.options, egress=("192.0.2.7", "192.0.2.8")))
    bot.desk = replace(bot.desk, ctx=ctx)
    bitso.state.fail("balance", "0213")
    answer = await submit(bot.desk, url, bitso.state.key, bitso.state.secret)
    assert isinstance(answer, Refused)
    assert "192.0.2.7, 192.0.2.8" in answer.reason
