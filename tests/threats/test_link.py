"""Threats to the one-time link itself: found by others, forwarded, fetched, replayed, flooded."""

import asyncio
from pathlib import Path

import pytest

from chatbot.web.limits import FailureBudget
from tests.support.bot import ADMIN, TEAM, YOU
from tests.support.rows import rows
from tests.threats.house import House, house, random_token

PREVIEWS = (
    "TelegramBot (like TwitterBot)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "facebookexternalhit/1.1",
    "Mozilla/5.0 (compatible; SafeLinks/1.0)",
)
ALIVE = ("open", "verifying")
GUESSES = 100_000


async def test_01_a_link_never_shows_in_a_group_and_opens_for_nobody_else(home: House) -> None:
    """A group gets a way into the private chat, another person's proof is worth nothing, and nothing unconfirmed stays."""
    shown = await home.bot.type("/connect bitso", chat=TEAM)
    assert shown.labels == ["Open private chat"]
    assert not any("/key" in button.url for button in shown.buttons)

    link = await home.link()
    foreign = {"init": f"signed:{ADMIN}"}
    body = await home.sealed(link)
    assert (await home.post("open", foreign)).status_code == 404
    assert (await home.post("submit", foreign | {"sealed": body["sealed"]})).status_code == 404
    assert await home.state(link) == ("open", 0)

    assert (await home.post("submit", body)).status_code == 200
    proven = len(home.exchange.state.requests)
    await home.bot.turn(seconds=9 * 60)
    assert await home.accounts() == ["pending"]
    assert len(home.exchange.state.requests) == proven
    await home.bot.turn(seconds=61)
    assert await home.accounts() == []
    assert "/key#" not in "".join(b.url for m in home.bot.chat.messages if m.chat == TEAM for b in m.buttons)


async def test_02_a_strangers_key_over_a_forwarded_link_is_used_by_nothing(home: House) -> None:
    """The owner is asked, no job reads the key meanwhile, and *Not me* destroys it."""
    theirs = home.exchange.state.new_key(("balances", "fills", "account"))
    code = (await home.submit(await home.link(), *theirs)).json()["code"]
    proven = len(home.exchange.state.requests)
    for _ in range(5):
        await home.bot.turn(seconds=60)

    assert len(home.exchange.state.requests) == proven
    assert await home.accounts() == ["pending"]
    question = next(m for m in home.bot.chat.messages if m.labels == ["Confirm", "Not me"])
    assert question.chat == YOU
    assert (theirs[0][-4:] in question.text, code in question.text) == (True, True)
    assert "Destroyed" in (await home.bot.press("Not me")).text
    (left,) = await rows(home.bot, "accounts")
    assert (left["state"], left["box"], left["wrapped_dek"]) == ("revoked", None, None)


async def test_03_previews_never_use_a_link_up(home: House) -> None:
    """Four kinds of bot that fetch and even open a link leave it as it was."""
    link = await home.link()
    for agent in PREVIEWS * 5:
        looks = [
            await home.web.request(verb, "/key", headers={"User-Agent": agent}) for verb in ("GET", "HEAD")
        ]
        looks.append(await home.open(link, User_Agent=agent))
        assert [look.status_code for look in looks] == [200, 200, 200]

    assert await home.state(link) == ("open", 0)
    assert (await home.submit(link)).status_code == 200


async def test_10_a_used_link_is_not_used_again(home: House) -> None:
    """The same post twice is one key and one dead answer."""
    body = await home.sealed(await home.link())

    assert [(await home.post("submit", body)).status_code for _ in range(3)] == [200, 404, 404]
    assert await home.accounts() == ["pending"]


async def test_11_what_was_sealed_for_one_link_opens_no_other(home: House) -> None:
    """A recorded ciphertext posted to another link is refused and costs that link a try."""
    first, second = await home.link(), await home.link(as_="other")
    body = await home.sealed(first)
    other = (await home.sealed(second))["token"]

    assert (await home.post("submit", body | {"token": other})).status_code == 400
    assert await home.state(second) == ("open", 1)
    assert await home.state(first) == ("open", 0)
    assert await home.accounts() == []


async def _guess(home: House, count: int, callers: int = 1) -> list[int]:
    """Guess so many times, from so many addresses, and return what was answered."""

    async def some(start: int) -> list[int]:
        # By hand: a client of comfort would take longer than the server.
        reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
        answers = []
        for number in range(start, count, 8):
            body = f'{{"token": "{random_token()}"}}'
            writer.write(
                f"POST /api/open HTTP/1.1\r\nHost: {home.host}\r\nOrigin: {home.url}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                f"X-Forwarded-For: 198.51.100.{number % callers}\r\n\r\n{body}".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
            answers.append(int(head[9:12]))
        writer.close()
        return answers

    return [status for part in await asyncio.gather(*(some(start) for start in range(8))) for status in part]


async def test_21_guessing_finds_nothing_and_is_slowed(tmp_path: Path) -> None:
    """Random tokens are dead links, then too many; whoever holds a live link is served from the same address."""
    budget = FailureBudget(each=30, total=1000, clock=lambda: 0.0)
    async with house(tmp_path, budget=budget) as home:
        link = await home.link()
        answers = await _guess(home, 60)

        assert (answers.count(404), answers.count(429)) == (30, 30)
        assert (await home.open(link)).status_code == 200
        assert (await home.submit(link)).status_code == 200


@pytest.mark.long
async def test_21_a_hundred_thousand_guesses_find_nothing(tmp_path: Path) -> None:
    """From many addresses at once the common budget trips, and an honest person elsewhere is served."""
    # The pots as they are shipped; time stands still, or a slow machine would let them refill.
    budget = FailureBudget(clock=lambda: 0.0)
    async with house(tmp_path, trusted_proxies=["127.0.0.1"], budget=budget) as home:
        link = await home.link()
        answers = await _guess(home, GUESSES, callers=200)

        assert (answers.count(404), answers.count(429)) == (20_000, GUESSES - 20_000)
        assert (await home.open(link, X_Forwarded_For="203.0.113.9")).status_code == 200
        unlucky = await home.post("open", {"token": random_token()}, X_Forwarded_For="203.0.113.10")
        assert unlucky.status_code == 404


async def test_35_a_hundred_asks_leave_one_live_link(home: House) -> None:
    """Whoever floods the bot with /connect gets five links an hour, one of them alive, and a polite sentence."""
    for _ in range(5):
        await home.link()
    said = {"kind": "said", "user": YOU, "chat": YOU, "text": "/connect bitso", "id": "m", "locale": ""}
    for number in range(95):
        await home.bot.inlet.put("web", f"flood{number}", said)
    await home.bot.dispatcher.sweep()
    await home.bot.turn()

    assert all("links in the last hour" in text for text in home.bot.texts()[-90:])
    minted = await rows(home.bot, "links")
    assert len(minted) == 5
    assert sum(row["state"] in ALIVE for row in minted) == 1


async def test_36_a_clock_that_jumps_brings_no_dead_link_back(home: House) -> None:
    """An hour back ends no live link and wakes no used or expired one; an hour on ends it, once and for all."""
    used, kept = await home.link(), await home.link(as_="other")
    assert (await home.submit(used)).status_code == 200
    home.bot.clock.advance(hours=-1)
    assert (await home.open(kept)).status_code == 200
    assert (await home.open(used)).status_code == 404
    await home.bot.turn()
    assert await home.state(kept) == ("open", 0)

    await home.bot.turn(seconds=2 * 3600)
    assert (await home.open(kept)).status_code == 404
    home.bot.clock.advance(hours=-2)
    assert (await home.open(kept)).status_code == 404
    assert await home.state(kept) == ("expired", 0)
