"""What people and the clock did is in the audit, with the person as its actor."""

from tests.support.bot import STRANGER, Bot, link_of
from tests.support.rows import rows


async def test_a_new_name_is_in_the_audit(linked: Bot) -> None:
    """Whose account it is, not what it is called."""
    await linked.type("/rename Whale")
    (entry,) = await rows(linked, "audit", action="rename")
    assert (entry["actor"], entry["outcome"]) == ("web:you", "renamed")


async def test_a_cancelled_link_is_in_the_audit(bot: Bot) -> None:
    """Ending a door is as much an act as opening one."""
    await bot.type("/cancel")
    assert await rows(bot, "audit", action="cancel") == []
    await link_of(bot)
    await bot.type("/cancel")
    (entry,) = await rows(bot, "audit", action="cancel")
    assert (entry["actor"], entry["subject"], entry["outcome"]) == ("web:you", "link", "ended")


async def test_commands_above_ones_role_are_in_the_audit(bot: Bot) -> None:
    """A member who tries an admin's command and a stranger who tries any; unknown words are not."""
    await bot.type("/revoke")
    await bot.type("/balances", as_=STRANGER)
    await bot.type("/nonsense", as_=STRANGER)
    denied = await rows(bot, "audit", action="denied")
    assert [(row["actor"], row["subject"], row["outcome"]) for row in denied] == [
        ("web:you", "revoke", "member"),
        ("web:stranger", "balances", "stranger"),
    ]


async def test_a_key_taken_in_names_who_handed_it_in(linked: Bot) -> None:
    """The page has no name of its own: the link's owner acts."""
    acts = [row for row in await rows(linked, "audit") if row["action"] != "open_link"]
    assert {row["actor"] for row in acts} == {"web:you"}
