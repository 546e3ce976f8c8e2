"""The link's page inside the platform: the owner needs no token, and nobody else's proof opens it."""

import pytest

from chatbot.domain.links import b64url, fingerprint
from chatbot.domain.people import Identity
from chatbot.ports.desk import Accepted
from tests.support.bot import ADMIN, YOU, Bot, link_of
from tests.support.page import seal, token_of
from tests.support.practice import Running
from tests.support.rows import rows

ME = Identity("web", YOU)


def app_button(bot: Bot) -> str:
    (url,) = [button.url for button in bot.last().buttons if button.app]
    return url


async def test_the_address_holds_no_token(bot: Bot) -> None:
    """Whoever sees it can open nothing; the public key's mark in it is checked by the page."""
    token, mark = token_of(await link_of(bot))
    url = app_button(bot)
    opened = await bot.desk.open(ME, "en")

    assert opened is not None
    assert token not in url
    assert url == f"https://bot.example.com/key-app?lang=en&k={b64url(mark)}"
    assert fingerprint(opened.pk) == mark


async def test_the_owner_connects_inside_the_platform(bot: Bot, bitso: Running) -> None:
    """From the button to *Confirm* as over the link, and the link is used up by it."""
    url = await link_of(bot)
    opened = await bot.desk.open(ME, "en")
    assert opened is not None

    done = await bot.desk.submit(ME, seal(opened, bitso.state.key, bitso.state.secret), "en")
    await bot.turn()

    assert isinstance(done, Accepted)
    assert done.code in bot.last().text
    assert await bot.desk.open(ME, "en") is None
    assert await bot.desk.open(token_of(url)[0], "en") is None


@pytest.mark.parametrize(
    "other",
    [
        Identity("web", ADMIN),
        Identity("web", "nobody"),
        Identity("telegram", YOU),
        Identity("web", YOU, "T1"),
    ],
)
async def test_somebody_elses_proof_opens_nothing(bot: Bot, other: Identity) -> None:
    """Neither an admin, nor a stranger, nor the same number on another platform."""
    await link_of(bot)

    assert await bot.desk.open(other, "en") is None
    assert await bot.desk.submit(other, b"x" * 400, "en") is None
    (link,) = await rows(bot, "links")
    assert (link["state"], link["attempts"]) == ("open", 0)


async def test_the_newest_link_is_the_one_that_is_meant(bot: Bot) -> None:
    """A new link ends the one before, inside the platform as outside."""
    await link_of(bot)
    before = await bot.desk.open(ME, "en")
    await link_of(bot, "bitstamp")
    after = await bot.desk.open(ME, "en")

    assert before is not None
    assert after is not None
    assert (before.exchange, after.exchange) == ("Bitso", "Bitstamp")
    assert before.pk != after.pk


async def test_an_expired_link_opens_for_nobody(bot: Bot) -> None:
    """Ten minutes later the proof is good and the link is not."""
    await link_of(bot)
    bot.clock.advance(minutes=11)

    assert await bot.desk.open(ME, "en") is None
