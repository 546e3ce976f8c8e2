"""*Details* under an order's message: every id and fee, in private, for the members of its team."""

from decimal import Decimal
from typing import Any

from tests.support.bot import STRANGER, TEAM, Bot
from tests.support.connected import share
from tests.support.orders import part

OTHER = "other"


async def test_details_are_answered_in_private(linked: Bot, bitso) -> None:
    """Order id, fill ids, single prices, fees, maker or taker."""
    parts = [part(bitso, "whale-1") for _ in range(2)]
    parts[0]["maker_side"], parts[1]["maker_side"] = "sell", "buy"
    await linked.turn(seconds=31)
    text = (await linked.press("Details")).text
    assert "whale-1" in text
    for row in parts:
        assert row["tid"] in text
        assert f"{Decimal(row['price']):,}".rstrip("0").rstrip(".") in text
    assert "maker" in text
    assert "taker" in text


async def test_details_of_many_fills_are_turned_page_by_page(linked: Bot, bitso) -> None:
    """Thirty fills in one message that is turned with *Next* and *Back*, each on exactly one page."""
    ids = [part(bitso, "whale", amount="0.0001")["tid"] for _ in range(30)]
    await linked.turn(seconds=121)
    before = len(linked.texts())
    page = await linked.press("Details")
    pages = [page.text]
    while "Next" in page.labels:
        page = await linked.press("Next", on=page)
        pages.append(page.text)
    assert len(linked.texts()) == before + 1
    assert [sum(f"Fill {tid} " in text for text in pages) for tid in ids] == [1] * 30
    await linked.press("Back", on=page)
    assert page.text == pages[-2]


async def test_a_member_reads_details_of_a_groups_fill_in_private(linked: Bot, bitso) -> None:
    """The group sees no id; who pressed does, in their own chat."""
    await _into_the_group(linked, bitso)
    await linked.type("/start", as_=OTHER)
    await linked.press("Details", chat=TEAM, as_=OTHER)
    assert "whale" in linked.last(OTHER).text
    assert "in private" in linked.chat.toasts[-1]
    assert "whale" not in "".join(linked.texts(TEAM))


async def test_a_member_without_a_private_chat_is_led_to_one(linked: Bot, bitso) -> None:
    """Nothing personal is said in the group instead."""
    await _into_the_group(linked, bitso)
    await linked.press("Details", chat=TEAM, as_=OTHER)
    assert "in private" in linked.last(TEAM).text
    assert "whale" not in "".join(linked.texts(TEAM))


async def test_a_stranger_in_the_group_sees_no_details(linked: Bot, bitso) -> None:
    """Whoever is on no list is told so, and nothing is sent anywhere."""
    await _into_the_group(linked, bitso)
    sends = linked.chat.sends
    await linked.press("Details", chat=TEAM, as_=STRANGER)
    assert "Only members" in linked.chat.toasts[-1]
    assert linked.chat.sends == sends


async def test_nothing_is_shown_of_an_account_that_was_removed(linked: Bot, bitso) -> None:
    """The button outlives the account, what it showed does not."""
    part(bitso, "whale")
    await linked.turn(seconds=31)
    card = linked.last()
    await linked.type("/disconnect")
    await linked.press("Yes, do it")
    sends = linked.chat.sends
    await linked.press("Details", on=card)
    assert "Nothing of this is stored" in linked.chat.toasts[-1]
    assert linked.chat.sends == sends


async def _into_the_group(bot: Bot, bitso: Any) -> None:
    await share(bot)
    part(bitso, "whale")
    await bot.turn(seconds=31)
    assert "Details" in bot.last(TEAM).labels
