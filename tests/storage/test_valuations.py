"""What accounts were worth over time, and what people wait to be shown."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from chatbot.domain.credentials import AccountId
from chatbot.domain.people import PersonId
from chatbot.domain.pictures import Point, Shade
from chatbot.ports.stores import UnitOfWork
from chatbot.ports.worth import WishKind
from storage.database import Database
from tests.storage.rows import MINUTE, NOW, World, connect

QUARTER = 15 * MINUTE
DAY = timedelta(days=1)
LATER = NOW + timedelta(minutes=1)


async def test_values_come_back_exact_and_in_order(store: UnitOfWork, world: World) -> None:
    """No digit is lost, and the oldest is first whatever the order of writing."""
    account = world.account.id
    large, small = Decimal("98765432109876543210.123456789"), Decimal("-0.00000001")
    await store.valuations.add(account, NOW, large, "USD")
    await store.valuations.add(account, NOW - DAY, small, "USD")
    found = await store.valuations.series([account], "USD", NOW - 2 * DAY, MINUTE)
    assert found == {account: [Point(NOW - DAY, small), Point(NOW, large)]}
    assert await store.valuations.last_at(account, "USD") == NOW


async def test_the_same_moment_is_kept_once(store: UnitOfWork, world: World) -> None:
    """A reading and a post at the same time are one value, the later one."""
    for total in (Decimal(1), Decimal(2)):
        await store.valuations.add(world.account.id, NOW, total, "USD")
    found = await store.valuations.series([world.account.id], "USD", NOW, MINUTE)
    assert found[world.account.id] == [Point(NOW, Decimal(2))]


async def test_a_long_time_is_thinned_to_the_last_of_each_step(store: UnitOfWork, world: World) -> None:
    """Ten days of quarters of an hour by days: at most eleven points, each the last of its day."""
    account = world.account.id
    for number in range(960):
        await store.valuations.add(account, NOW - QUARTER * number, Decimal(number), "USD")
    points = (await store.valuations.series([account], "USD", NOW - 11 * DAY, DAY))[account]
    assert 10 <= len(points) <= 11
    assert points[-1] == Point(NOW, Decimal(0))
    assert all(later.at - former.at == DAY for former, later in pairwise(points[:-1]))


async def test_currencies_accounts_and_earlier_times_stay_apart(store: UnitOfWork, world: World) -> None:
    """Only what was asked for comes; an account without any value is there with none."""
    other = await connect(store, world.alice, world.chat, "a2")
    await store.valuations.add(world.account.id, NOW, Decimal(1), "USD")
    await store.valuations.add(world.account.id, NOW, Decimal(17), "MXN")
    await store.valuations.add(world.account.id, NOW - DAY, Decimal(3), "USD")
    found = await store.valuations.series([world.account.id, other.id], "USD", NOW - MINUTE, MINUTE)
    assert found == {world.account.id: [Point(NOW, Decimal(1))], other.id: []}
    began = await store.valuations.began([world.account.id, other.id])
    assert began == {"USD": NOW - DAY, "MXN": NOW}
    assert await store.valuations.last_at(other.id, "USD") is None


async def test_nothing_is_kept_of_an_account_that_is_not_there(store: UnitOfWork, world: World) -> None:
    """A poll that ends after its account was deleted writes nothing."""
    await store.valuations.add(AccountId("gone"), NOW, Decimal(1), "USD")
    assert await store.valuations.began([AccountId("gone")]) == {}


async def test_forgetting_a_person_takes_their_values_and_wishes(database: Database, settled: World) -> None:
    """Nothing of theirs is left in either table."""
    async with database.uow() as store:
        await store.valuations.add(settled.account.id, NOW, Decimal(1), "USD")
        await store.wishes.add(WishKind.CHART, settled.alice.id, settled.chat.id, {"days": 30}, NOW)
    async with database.uow() as store:
        await store.people.forget(settled.alice.id)
    async with database.uow() as store:
        assert await store.valuations.began([settled.account.id]) == {}
        assert await store.wishes.waiting(WishKind.CHART, 10) == []


async def test_a_wish_waits_until_it_is_done_once(store: UnitOfWork, world: World) -> None:
    """Looking takes nothing; of two who end it only the first may show anything."""
    wanted = {"days": 30, "accounts": ["a1"]}
    await store.wishes.add(WishKind.CHART, world.alice.id, world.chat.id, wanted, NOW)
    for _ in range(2):
        (wish,) = await store.wishes.waiting(WishKind.CHART, 10)
    assert (wish.kind, wish.person, wish.conversation) == (WishKind.CHART, world.alice, world.chat.id)
    assert (wish.args, wish.asked_at) == (wanted, NOW)
    assert await store.wishes.done(wish.id)
    assert not await store.wishes.done(wish.id)
    assert await store.wishes.waiting(WishKind.CHART, 10) == []


async def test_the_very_same_wish_waits_once(store: UnitOfWork, world: World) -> None:
    """The newer one counts; another person's, or one for something else, is another wish."""
    for number, at in ((1, NOW), (2, NOW), (1, LATER)):
        await store.wishes.add(WishKind.REFRESH, world.alice.id, world.chat.id, {"number": number}, at)
    await store.wishes.add(WishKind.REFRESH, world.bob.id, world.bobs_chat.id, {"number": 1}, LATER)
    waiting = await store.wishes.waiting(WishKind.REFRESH, 10)
    assert sorted((wish.person.id == world.bob.id, wish.args["number"], wish.asked_at) for wish in waiting) == [
        (False, 1, LATER), (False, 2, NOW), (True, 1, LATER),
    ]  # fmt: skip


async def test_wishes_come_oldest_first_and_by_kind(store: UnitOfWork, world: World) -> None:
    """Who asked first is served first; another kind is another queue."""
    for number in (2, 0, 1):
        at = NOW + MINUTE * number
        await store.wishes.add(WishKind.REFRESH, world.alice.id, world.chat.id, {"number": number}, at)
    await store.wishes.add(WishKind.CHART, world.bob.id, world.bobs_chat.id, {}, NOW)
    waiting = await store.wishes.waiting(WishKind.REFRESH, 2)
    assert [wish.args["number"] for wish in waiting] == [0, 1]


async def test_the_shade_of_pictures_is_a_setting_of_the_person(store: UnitOfWork, world: World) -> None:
    """Light at first, dark once chosen, and nobody else's changes."""
    assert world.alice.shade is Shade.LIGHT
    await store.people.change(PersonId(world.alice.id), shade=Shade.DARK)
    assert (await store.people.get(world.alice.id)).shade is Shade.DARK
    assert (await store.people.get(world.bob.id)).shade is Shade.LIGHT
