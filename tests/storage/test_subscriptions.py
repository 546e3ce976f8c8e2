"""Who changes what about subscriptions, what an upgrade makes of old ones, and a clock that was set back."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData

from chatbot.domain.notices import NEVER_OFF, OWN, SHARED, Kind, Loudness
from chatbot.domain.people import HOME_TEAM, PersonId
from chatbot.errors import Fenced
from chatbot.ports.records import Listed
from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from storage.reports import report_to_json
from tests.storage.rows import MINUTE, NOW, REPORT, World, connect
from tests.storage.test_upgrade import upgrade_to

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def subscribe(store: UnitOfWork, world: World) -> list[Listed]:
    """Subscribe Alice's chat to everything and the group to what is shared."""
    for place, kinds in ((world.chat, OWN), (world.group, SHARED)):
        for kind in kinds:
            due = (NOW + DAY, "2026-11-22", "daily 09:00") if kind is Kind.BALANCES else ()
            await store.subscriptions.ensure(world.account.id, kind, place.id, *due)
    return list(await store.subscriptions.of_person(world.alice.id))


def ids(listed: list[Listed], *kinds: Kind) -> list[str]:
    """Return the ids of subscriptions of these kinds, all for none."""
    return [one.subscription.id for one in listed if not kinds or one.subscription.kind in kinds]


async def test_a_person_sees_all_their_subscriptions_with_account_and_place(store: UnitOfWork, world: World):
    """Their own chat first, then groups; also a place that can't be reached; nobody else's."""
    await subscribe(store, world)
    await connect(store, world.bob, world.bobs_chat, "b1")
    await store.subscriptions.ensure(
        (await store.accounts.of_person(world.bob.id))[0].id, "fills", world.bobs_chat.id
    )
    await store.conversations.leave(world.chat.id)

    listed = await store.subscriptions.of_person(world.alice.id)

    assert [one.conversation.id for one in listed] == [world.chat.id] * len(OWN) + [world.group.id] * len(
        SHARED
    )
    assert {one.subscription.kind for one in listed} == set(OWN)
    assert all(one.account == world.account for one in listed)
    assert not listed[0].conversation.live
    await store.accounts.shred(world.account.id, NOW)
    assert await store.subscriptions.of_person(world.alice.id) == []


async def test_the_targets_of_a_team_are_the_places_of_others(store: UnitOfWork, world: World):
    """An admin sees where accounts are told, but for each owner's own chat; other teams' are not shown."""
    await subscribe(store, world)

    targets = await store.subscriptions.targets(HOME_TEAM)

    assert {one.conversation.id for one in targets} == {world.group.id}
    assert len(targets) == len(SHARED)
    assert await store.subscriptions.targets(world.bob.team) == []


async def test_only_the_owner_says_how_loud(store: UnitOfWork, world: World):
    """Somebody else's wish changes nothing; one's own is there at once."""
    chosen = ids(await subscribe(store, world), Kind.FILLS)

    assert await store.subscriptions.set_loudness(world.bob.id, chosen, Loudness.OFF) == 0
    assert await store.subscriptions.set_loudness(world.alice.id, chosen, Loudness.SILENT) == 2

    found = await store.subscriptions.of_account(world.account.id, Kind.FILLS)
    assert [sub.loudness for sub in found] == [Loudness.SILENT] * 2


async def test_what_protects_the_account_stays_on(store: UnitOfWork, world: World):
    """Switching everything off leaves those kinds as they were."""
    everything = ids(await subscribe(store, world))

    changed = await store.subscriptions.set_loudness(world.alice.id, everything, Loudness.OFF)

    after = [one.subscription for one in await store.subscriptions.of_person(world.alice.id)]
    assert {sub.kind for sub in after if sub.loudness is Loudness.LOUD} == NEVER_OFF
    assert changed == len(everything) - len(NEVER_OFF)


async def test_a_mute_lasts_as_long_as_its_kind_allows_and_can_be_lifted(store: UnitOfWork, world: World):
    """A week for fills, a day for security; only for one's own; a time that has come ends it."""
    chosen = ids(await subscribe(store, world), Kind.FILLS, Kind.SECURITY)

    assert await store.subscriptions.mute(world.bob.id, chosen, NOW + HOUR, NOW) == 0
    assert await store.subscriptions.mute(world.alice.id, chosen, NOW + 30 * DAY, NOW) == 3

    (security,) = await store.subscriptions.of_account(world.account.id, Kind.SECURITY)
    fills = await store.subscriptions.of_account(world.account.id, Kind.FILLS)
    assert security.muted_until == NOW + DAY
    assert [sub.muted_until for sub in fills] == [NOW + 7 * DAY] * 2
    await store.subscriptions.mute(world.alice.id, chosen, NOW, NOW)
    assert (await store.subscriptions.of_account(world.account.id, Kind.SECURITY))[0].muted_until is None


async def test_a_rule_is_set_for_what_is_scheduled_only(store: UnitOfWork, world: World):
    """It comes with its zone and its next slot, and fences off a post that was being made."""
    listed = await subscribe(store, world)
    (posts, _), (fills, _) = ids(listed, Kind.BALANCES), ids(listed, Kind.FILLS)
    (claimed, _) = await store.subscriptions.claim_due("balances", NOW + DAY, NOW + DAY + MINUTE, 5)
    rule = "every 4h", "Asia/Tokyo", (NOW + HOUR, "2026-11-21T16:00")

    assert not await store.subscriptions.set_rule(world.bob.id, posts, *rule)
    assert not await store.subscriptions.set_rule(world.alice.id, fills, *rule)
    assert await store.subscriptions.set_rule(world.alice.id, claimed.id, *rule)

    with pytest.raises(Fenced):
        await store.subscriptions.posted(claimed, NOW, "2026-11-23", None, "", NOW)
    (found,) = [s for s in await store.subscriptions.scheduled_of(world.alice.id) if s.id == claimed.id]
    assert (found.rule, found.clock, found.due_at, found.slot) == (
        "every 4h", "Asia/Tokyo", NOW + HOUR, "2026-11-21T16:00",
    )  # fmt: skip


async def test_a_place_knows_its_quiet_hours_and_its_mute(store: UnitOfWork, world: World):
    """They are set, found with every subscription of the place, and taken back."""
    await subscribe(store, world)
    await store.conversations.set_quiet(world.group.id, "22:00-07:00 mon-fri", "UTC")
    await store.conversations.mute(world.group.id, NOW + HOUR)

    found = {s.conversation: s.hush for s in await store.subscriptions.of_account(world.account.id, "fills")}
    hush = await store.conversations.hush(world.group.id)

    assert found[world.group.id] == hush
    assert (hush.quiet, hush.zone, hush.muted_until) == ("22:00-07:00 mon-fri", "UTC", NOW + HOUR)
    assert found[world.chat.id].until(NOW, "UTC") is None
    await store.conversations.mute(world.group.id, None)
    assert (await store.conversations.hush(world.group.id)).muted_until is None


async def test_posts_do_not_wait_for_the_old_time(store: UnitOfWork, world: World):
    """What is due in two months by a clock that was set back is taken now, one that is due tomorrow is not."""
    await subscribe(store, world)
    assert await store.subscriptions.claim_due("balances", NOW, NOW + MINUTE, 5) == []

    taken = await store.subscriptions.claim_due("balances", NOW - 60 * DAY, NOW - 60 * DAY + MINUTE, 5)

    assert len(taken) == 2


async def test_another_kind_is_not_claimed_with_the_balances(store: UnitOfWork, world: World):
    """A digest that has a time of its own is no post of balances."""
    await store.subscriptions.ensure(
        world.account.id, Kind.DIGEST, world.chat.id, NOW, "2026-11-21", "daily 09:00"
    )

    assert await store.subscriptions.claim_due("balances", NOW, NOW + MINUTE, 5) == []


async def test_an_upgrade_lets_nothing_fall_silent(database_url: str):
    """Whoever heard of keys or balances hears the kinds that were made of them, as loud as before, once each."""
    database = Database(database_url)
    async with database.transaction() as tx:
        await tx.call(upgrade_to("0003"))
        await tx.call(_fill)

    await database.migrate()

    async with database.uow() as store:
        listed = list(await store.subscriptions.of_person(PersonId("p")))
    heard = {
        place: {one.subscription.kind for one in listed if one.conversation.id == place} for place in "cg"
    }
    assert heard == {"c": set(OWN), "g": set(SHARED)}
    assert len(listed) == len(OWN) + len(SHARED)
    assert {one.subscription.loudness for one in listed} == {Loudness.LOUD}
    rules = {one.subscription.kind: (one.subscription.rule, one.subscription.slot) for one in listed}
    assert rules.pop(Kind.BALANCES) == ("daily 09:00", "2026-11-21")
    assert set(rules.values()) == {("", None)}
    await database.close()


SHARED_BY_ALL = {
    "team": "home",
    "platform": "web",
    "workspace": "",
    "thread": "",
    "last_currency": "",
    "fence": 0,
}
ACCOUNT = {
    "id": "a", "owner": "p", "exchange": "bitso", "label": "Main", "last4": "a1b2", "state": "active",
    "report": json.dumps(report_to_json(REPORT)), "created_at": 1, "trouble": "", "trouble_told": False,
    "failures": 0, "code": "", "history_pages": 0, "history_count": 0, "history_done": True, "fills_on": True,
    "due_at": 1, "hurried": 0, "nonce": 0,
}  # fmt: skip
PERSON = {
    "id": "p", "user": "you", "name": "You", "locale": "en", "timezone": "UTC", "currency": "USD", "met_at": 1,
}  # fmt: skip
POSTS = {"account": "a", "kind": "balances", "slot": "2026-11-21", "due_at": 1}
OLD_ROWS: dict[str, list[dict[str, Any]]] = {
    "people": [PERSON],
    "conversations": [
        {"id": "c", "channel": "you", "private": True, "person": "p", "live": True},
        {"id": "g", "channel": "g", "private": False, "live": True},
    ],
    "accounts": [ACCOUNT],
    "subscriptions": [
        {"id": "1", "conversation": "c", **POSTS},
        {"id": "2", "account": "a", "kind": "fills", "conversation": "c"},
        {"id": "3", "account": "a", "kind": "keys", "conversation": "c"},
        {"id": "4", "conversation": "g", **POSTS},
        {"id": "5", "account": "a", "kind": "fills", "conversation": "g"},
    ],
}


def _fill(connection: Connection) -> None:
    known = MetaData()
    known.reflect(connection)
    for name, rows in OLD_ROWS.items():
        table = known.tables[name]
        for row in rows:
            whole = {key: value for key, value in (SHARED_BY_ALL | row).items() if key in table.c}
            connection.execute(table.insert().values(whole))


@pytest.mark.parametrize(
    ("rule", "longest"),
    [
        ("daily 09:00", 3),
        ("every 4h", 3),
        ("weekdays 09:00", 5),
        ("weekly mon 09:00", 9),
        ("monthly 1 09:00", 33),
    ],
)
async def test_what_is_due_later_than_its_rule_allows_is_taken(
    store: UnitOfWork, world: World, rule: str, longest: int
):
    """A clock that was days ahead wrote it; what its rule allows waits for its time."""
    (sub, *_) = ids(await subscribe(store, world), Kind.BALANCES)
    for days, taken in ((longest, False), (longest + 1, True)):
        due = NOW + timedelta(days=days), "x"
        assert await store.subscriptions.set_rule(world.alice.id, sub, rule, "", due)
        claimed = await store.subscriptions.claim_due(Kind.BALANCES, NOW, NOW + MINUTE, 5)
        assert bool(claimed) is taken
