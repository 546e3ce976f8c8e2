"""Balances by typing: at once with their age, renewed in place, as pictures, and several accounts as one."""

from decimal import Decimal
from itertools import pairwise

from chatbot.errors import SendError, Verdict
from tests.support.bot import TEAM, YOU, Bot
from tests.support.chat import Shown
from tests.support.connected import share
from tests.support.daily import change, days, sketches
from tests.support.practice import Running
from tests.support.rows import rows

FOREVER = 10_000


async def test_balances_say_how_old_they_are_and_are_renewed_in_place(linked: Bot, bitso) -> None:
    """The last reading comes at once with its age; the fresh one replaces it in the same message."""
    linked.clock.advance(minutes=7)
    shown = await linked.type("/balances")
    assert "(7 minutes ago)" in shown.text
    bitso.state.balances["btc"] += Decimal(3)
    count = len(linked.chat.messages)
    await linked.turn(seconds=1)
    assert len(linked.chat.messages) == count or "came in" in linked.last().text
    assert shown.edits == 1
    assert "(just now)" in shown.text


async def test_nothing_is_edited_before_it_is_read(linked: Bot) -> None:
    """A card waits for a reading that began after the question."""
    shown = await linked.type("/balances")
    await linked.turn(jobs=("refresh_balances", "deliver_messages"))
    assert shown.edits == 0
    assert len(await rows(linked, "wishes")) == 1


async def test_a_reading_that_fails_is_said_on_the_card(linked: Bot, bitso: Running) -> None:
    """After a minute the card keeps the old balances with their age and says why they are old."""
    bitso.state.fail("", "html", times=FOREVER)
    linked.clock.advance(minutes=3)
    shown = await linked.type("/balances")
    for _ in range(7):
        await linked.turn(seconds=10)
    assert shown.edits == 1
    assert "Total $" in shown.text
    assert "could not be read anew" in shown.text
    assert "(4 minutes ago)" in shown.text
    assert await rows(linked, "wishes") == []


async def test_asking_twice_renews_the_newer_card(linked: Bot) -> None:
    """The older one stays as it was; the newer is the one that is read."""
    linked.clock.advance(minutes=2)
    first = await linked.type("/balances")
    second = await linked.type("/balances")
    await linked.turn(seconds=1)
    assert (first.edits, second.edits > 0) == (0, True)


async def test_a_dead_key_shows_the_last_balances_and_what_is_wrong(linked: Bot) -> None:
    """No card waits for a reading that never comes."""
    await change(linked, "UPDATE accounts SET state = 'dead', trouble = 'bad_key'")
    shown = await linked.type("/balances")
    assert "Total $" in shown.text
    assert "does not know this key" in shown.text
    assert await rows(linked, "wishes") == []


async def test_several_accounts_are_also_shown_as_one(two: Bot) -> None:
    """One message per account, and one of all together that is renewed too."""
    two.clock.advance(minutes=4)
    before = len(two.texts())
    shown = await two.type("/balances")
    texts = two.texts()[before:]
    assert len(texts) == 3
    assert "All together · 2 accounts" in shown.text
    assert "Bitso" in shown.text
    assert "Kraken" in shown.text
    for _ in range(3):
        await two.turn(seconds=2)
    assert shown.edits == 1
    assert "(just now)" in shown.text or "seconds ago" in shown.text


async def test_one_account_is_not_together(two: Bot) -> None:
    """Who names an account gets that one."""
    before = len(two.texts())
    await two.type("/balances kraken")
    assert len(two.texts()) == before + 1


async def test_a_value_is_noted_at_most_every_quarter_of_an_hour(linked: Bot) -> None:
    """Readings come every two minutes, values every fifteen; each is what the account was worth."""
    for _ in range(60):
        await linked.turn(seconds=121, jobs=("poll_accounts",))
    kept = sorted(row["at"] for row in await rows(linked, "valuations"))
    assert 8 <= len(kept) <= 11
    apart = [later - former for former, later in pairwise(kept[1:])]
    assert min(apart) >= 15 * 60 * 1_000_000


async def test_a_value_by_old_prices_is_not_noted(linked: Bot, bitso: Running) -> None:
    """While prices can't be read, the curve has a gap, not a guess."""
    bitso.state.fail("ticker", "html", times=FOREVER)
    before = len(await rows(linked, "valuations"))
    for _ in range(60):
        await linked.turn(seconds=121, jobs=("poll_accounts",))
    kept = len(await rows(linked, "valuations"))
    assert before < kept <= before + 4


async def test_the_daily_post_has_a_picture_with_words(linked: Bot) -> None:
    """Value over time and what it is made of; who can't see it hears the same."""
    await days(linked, 2)
    post = _last_post(linked)
    assert post.message.image
    assert "Made of: " in post.message.image.alt
    assert "From $" in post.message.image.alt
    assert sketches(linked).asked[-1].curve
    assert sketches(linked).asked[-1].title in post.text


async def test_a_post_comes_without_a_picture_that_can_not_be_drawn(linked: Bot) -> None:
    """The message is what counts."""
    sketches(linked).broken = True
    before = len(linked.chat.messages)
    await days(linked, 1)
    assert len(linked.chat.messages) == before + 1
    assert _last_post(linked).message.image is None
    assert "Total $" in _last_post(linked).text


async def test_a_picture_the_server_refuses_costs_no_message(linked: Bot) -> None:
    """The same post is sent again without it, once."""
    before = len(linked.chat.messages)
    await days(linked, 1, deliver=False)
    linked.chat.refuse.append(SendError(Verdict.REFUSED, "PHOTO_INVALID_DIMENSIONS"))
    await linked.turn(jobs=("deliver_messages",))
    assert len(linked.chat.messages) == before + 1
    assert linked.last().message.image is None
    assert "Total $" in linked.last().text
    assert any(action == "picture_refused" for _, action, _ in linked.log.lines)


async def test_where_several_accounts_are_posted_one_more_post_shows_them_as_one(two: Bot) -> None:
    """In the group and in private, once per slot, after the accounts' own posts, with the change since then."""
    await share(two)
    await days(two, 2)
    for chat in (TEAM, YOU):
        texts = two.texts(chat)
        found = [n for n, text in enumerate(texts) if "All together · 2 accounts" in text]
        assert len(found) == 2
        assert all("Total $" in texts[n - 1] and "All together" not in texts[n - 1] for n in found)
        assert "since the last post" in texts[found[1]]
    assert await rows(two, "wishes") == []


async def test_one_account_alone_is_never_posted_together(linked: Bot) -> None:
    """There is nothing to add up."""
    await days(linked, 2)
    assert not any("All together" in text for text in linked.texts())


def _last_post(bot: Bot) -> Shown:
    return next(m for m in reversed(bot.chat.messages) if m.chat == YOU and "\nTotal" in m.text)
