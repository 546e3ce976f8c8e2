"""Troubles that last, row by row."""

from dataclasses import replace

from chatbot.domain.credentials import AccountId
from chatbot.domain.repeats import Spell, rung
from chatbot.ports.stores import UnitOfWork
from tests.storage.rows import MINUTE, NOW, World

SPELL = Spell("unreachable", NOW, NOW + 3 * MINUTE, 3)


async def test_a_spell_comes_back_as_it_was_kept(store: UnitOfWork, world: World) -> None:
    """Counts and times survive, told or not; the newest state replaces the older."""
    account, team = world.account.id, world.alice.team
    later = rung(replace(SPELL, tries=4), NOW + 60 * MINUTE)
    blocked = Spell("ip_blocked", NOW + 120 * MINUTE, NOW + 120 * MINUTE)
    await store.troubles.save(account, team, blocked)
    await store.troubles.save(account, team, SPELL)
    assert list(await store.troubles.of_account(account)) == [SPELL, blocked]
    await store.troubles.save(account, team, later)
    assert list(await store.troubles.of_account(account)) == [later, blocked]


async def test_the_end_takes_all_spells_of_one_account(store: UnitOfWork, world: World) -> None:
    """What is over for one account is not over for another."""
    account = world.account.id
    await store.troubles.save(account, world.alice.team, SPELL)
    await store.troubles.end(AccountId("another"))
    assert await store.troubles.of_account(account)
    await store.troubles.end(account)
    assert not await store.troubles.of_account(account)
