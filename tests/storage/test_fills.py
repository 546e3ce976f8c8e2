"""Fills by order, by market and by bundle, as `chatbot/ports/records.py` promises them."""

from datetime import timedelta
from decimal import Decimal

from chatbot.domain.credentials import AccountId
from chatbot.domain.fills import Fill, Side
from chatbot.domain.orders import in_time, order_of
from chatbot.ports.stores import UnitOfWork
from tests.storage.rows import MINUTE, NOW, SECOND, World, connect, fill


async def test_a_contracts_result_is_kept(store: UnitOfWork, world: World):
    """What a fill was settled in, and what it brought, come back with every digit."""
    contract = fill("1", settle="USDT", result=Decimal("-0.000000012345678901"))
    await store.fills.add(world.account.id, [contract], NOW)

    assert await store.fills.recent([world.account.id], 1) == [(world.account.id, contract)]


async def test_an_order_has_its_own_fills_only(store: UnitOfWork, world: World):
    """Another market, side, account or order with the same words is another one."""
    other = await connect(store, world.alice, world.chat, "b1")
    mine = [fill("2", at=NOW + MINUTE), fill("1")]
    strangers = [
        fill("3", order="o2"), fill("4", market="eth_mxn"), fill("5", side=Side.SELL), fill("6", product="swap"),
    ]  # fmt: skip
    await store.fills.add(world.account.id, mine[:1], NOW)
    await store.fills.add(world.account.id, [*mine, *strangers], NOW + MINUTE)
    await store.fills.add(other.id, [fill("7")], NOW)

    found = await store.fills.of_order(world.account.id, order_of(fill("1")))

    assert [(one.fill, one.stored_at) for one in found] == [(mine[1], NOW + MINUTE), (mine[0], NOW)]


async def test_a_fill_without_an_order_is_found_alone(store: UnitOfWork, world: World):
    """No order id is no order that they share."""
    alone = [fill("1", order=""), fill("2", order="")]
    await store.fills.add(world.account.id, alone, NOW)

    found = await store.fills.of_order(world.account.id, order_of(alone[0]))

    assert [one.fill for one in found] == [alone[0]]


async def test_a_market_is_read_page_by_page_in_order_of_time(store: UnitOfWork, world: World):
    """However many fills share an instant, a page goes on exactly behind the one before."""
    fills = [
        fill(str(number), side=side, at=NOW + (number // 4) * SECOND) for number in range(12) for side in Side
    ]
    await store.fills.add(world.account.id, [*fills[::-1], fill("x", market="eth_mxn")], NOW)

    read: list[Fill] = []
    while page := await store.fills.of_market(
        world.account.id, "spot", "btc_mxn", read[-1] if read else None, 5
    ):
        read += page

    assert len(read) == len(fills)
    assert {f.at: f.side for f in read}.keys() == {f.at for f in fills}
    assert [(f.at, f.side) for f in read] == [(f.at, f.side) for f in in_time(fills)]
    assert sorted(read, key=lambda f: (f.id, f.side)) == sorted(fills, key=lambda f: (f.id, f.side))


async def test_fills_between_two_moments(store: UnitOfWork, world: World):
    """Both ends belong to it; of too many the latest are returned, oldest first."""
    fills = [fill(str(number), at=NOW + number * SECOND) for number in range(5)]
    await store.fills.add(world.account.id, fills, NOW)

    async def between(first: int, last: int, limit: int = 9) -> list[Fill]:
        since, until = NOW + first * SECOND, NOW + last * SECOND
        return list(await store.fills.between(world.account.id, since, until, limit))

    assert await between(1, 3) == fills[1:4]
    assert await between(0, 4, 2) == fills[3:]
    assert await store.fills.between(AccountId("nobody"), NOW, NOW + MINUTE, 9) == []


async def test_a_bundle_keeps_what_is_told_together(store: UnitOfWork, world: World):
    """Fills are put in, read page by page, moved to another bundle, and taken out again."""
    account = world.account.id
    fills = [fill(str(number), at=NOW + number * SECOND) for number in range(5)]
    await store.fills.add(account, [*fills, fill("0", side=Side.SELL)], NOW)

    await store.fills.bundle(account, fills[:4], "burst:1")
    await store.fills.bundle(account, fills[3:], "burst:2")
    await store.fills.bundle(account, [], "burst:3")

    assert await store.fills.in_bundle(account, "burst:1", 2) == (fills[:2], 3)
    assert await store.fills.in_bundle(account, "burst:1", 2, 2) == (fills[2:3], 3)
    assert await store.fills.in_bundle(account, "burst:2", 0) == ([], 2)
    await store.fills.rename_bundle(account, "burst:1", "burst:2")
    assert await store.fills.in_bundle(account, "burst:2", 9) == (fills, 5)
    assert await store.fills.in_bundle(account, "burst:1", 9) == ([], 0)
    await store.fills.bundle(account, fills, "")
    assert await store.fills.in_bundle(account, "burst:2", 9) == ([], 0)


async def test_a_bundle_is_the_accounts_own(store: UnitOfWork, world: World):
    """The same name and the same ids at another account are another bundle."""
    other = await connect(store, world.alice, world.chat, "b1")
    for account in (world.account, other):
        await store.fills.add(account.id, [fill("1")], NOW)
    await store.fills.bundle(other.id, [fill("1")], "burst:1")

    assert await store.fills.in_bundle(world.account.id, "burst:1", 9) == ([], 0)
    assert await store.fills.newest_bundle(world.account.id, "burst:") is None
    await store.fills.rename_bundle(world.account.id, "burst:1", "x")
    assert (await store.fills.in_bundle(other.id, "burst:1", 9))[1] == 1


async def test_the_newest_bundle_says_when_it_grew_last(store: UnitOfWork, world: World):
    """By name among those of a kind; when a fill of it was stored is what counts, not when it happened."""
    account, late = world.account.id, NOW + timedelta(minutes=5)
    for number, at in (("1", NOW), ("2", late), ("3", NOW + MINUTE)):
        await store.fills.add(account, [fill(number)], at)
    await store.fills.bundle(account, [fill("1"), fill("2")], "burst:20260102")
    await store.fills.bundle(account, [fill("3")], "burst:20260101")

    assert await store.fills.newest_bundle(account, "burst:") == ("burst:20260102", late)
    assert await store.fills.newest_bundle(account, "summary:") is None
    assert await store.fills.newest_bundle(account, "b_rst:") is None
