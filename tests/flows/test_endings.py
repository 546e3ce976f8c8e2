"""How things end: /disconnect, /revoke by an admin, *Delete everything of mine*."""

from pathlib import Path

import pytest

from chatbot.errors import Fenced
from tests.support import leaks
from tests.support.bot import ADMIN, TEAM, YOU, Bot, link_of
from tests.support.connected import share
from tests.support.page import submit
from tests.support.practice import Running
from tests.support.rows import everything, rows, tables_naming


async def test_disconnect_asks_and_keep_changes_nothing(linked: Bot) -> None:
    """A slip of the finger costs nothing."""
    question = await linked.type("/disconnect")
    assert question.labels == ["Yes, do it", "Keep"]
    assert "Nothing was changed" in (await linked.press("Keep")).text
    assert "read at" in (await linked.type("/accounts")).text


async def test_disconnect_destroys_the_key_and_says_where_to_delete_it(linked: Bot, bitso: Running) -> None:
    """The row stays without its secret; nothing reads the account any more."""
    await linked.type("/disconnect")
    shown = await linked.press("Yes, do it")
    assert "is disconnected" in shown.text
    assert bitso.state.key[-4:] in shown.text
    assert linked.ctx.exchanges["bitso"].key_page in shown.text
    await _nothing_is_read(linked, bitso)
    (account,) = await rows(linked, "accounts")
    assert (account["box"], account["wrapped_dek"], account["fingerprint"]) == (None, None, None)


async def test_the_second_press_on_yes_says_that_it_is_done(linked: Bot) -> None:
    """Pressing twice does it once."""
    question = await linked.type("/disconnect")
    await linked.press("Yes, do it", on=question)
    assert "no longer connected" in (await linked.press("Yes, do it", on=question)).text
    assert [row["action"] for row in await rows(linked, "audit")].count("disconnect") == 1


async def test_an_admin_revokes_by_choosing_and_confirming(linked: Bot, bitso: Running) -> None:
    """The admin sees account and owner, says yes, and reads how to delete the key at the exchange."""
    chosen = await linked.type("/revoke", as_=ADMIN)
    assert chosen.labels == [f"Bitso …{bitso.state.key[-4:]} · You"]
    question = await linked.press("Bitso", as_=ADMIN)
    assert "Revoke Bitso" in question.text
    done = await linked.press("Yes, do it", as_=ADMIN)
    assert "is revoked" in done.text
    assert linked.ctx.exchanges["bitso"].key_page in done.text
    await _nothing_is_read(linked, bitso)


async def test_the_owner_is_told_of_a_revocation(linked: Bot) -> None:
    """In their own chat, with what to do now."""
    await _revoke(linked)
    assert "An admin revoked Bitso" in linked.last(YOU).text
    assert "delete the key" in linked.last(YOU).text


async def test_a_revocation_is_in_the_audit(linked: Bot) -> None:
    """Who did it, to what, with what outcome."""
    await _revoke(linked)
    (account,) = await rows(linked, "accounts")
    (entry,) = await rows(linked, "audit", action="revoke")
    assert entry["actor"] == "web:admin"
    assert (entry["subject"], entry["outcome"]) == (account["id"], "destroyed")


async def test_revoked_bytes_are_gone_from_file_and_log(linked: Bot, tmp_path: Path) -> None:
    """The sealed box and its wrapped key are overwritten, in the database file and in its log."""
    (account,) = await rows(linked, "accounts")
    sealed = [bytes(account["box"]), bytes(account["wrapped_dek"])]
    assert all(_holds(tmp_path, part) for part in sealed)
    await _revoke(linked)
    assert not any(_holds(tmp_path, part) for part in sealed)


async def test_a_revocation_takes_a_key_on_its_way_in_along(linked: Bot, bitso: Running) -> None:
    """What its owner handed in and not yet confirmed is destroyed too."""
    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await submit(linked.desk, await link_of(linked), key, secret)
    await linked.turn()
    question = linked.last()
    await _revoke(linked)
    assert "nothing to confirm" in (await linked.press("Confirm", on=question)).text
    assert [row["state"] for row in await rows(linked, "accounts")] == ["revoked"] * 2
    assert all(row["box"] is None for row in await rows(linked, "accounts"))
    assert len(await rows(linked, "audit", action="revoke")) == 2


async def test_a_poll_under_way_is_fenced_off_by_a_revocation(linked: Bot) -> None:
    """What a poll found after the revocation is written nowhere."""
    linked.clock.advance(seconds=31)
    now = linked.clock.now()
    from datetime import timedelta

    from chatbot.ports.accounts import Progress

    async with linked.database.uow() as store:
        (work,) = await store.accounts.claim(now, now + timedelta(seconds=90), 5)
    await _revoke(linked)
    with pytest.raises(Fenced):
        async with linked.database.uow() as store:
            await store.accounts.finish(work, Progress(now, work.nonce, polled_at=now))
    assert "No account is connected" in (await linked.type("/accounts")).text


async def test_nothing_to_revoke_is_said_so(bot: Bot) -> None:
    """An admin with an empty team reads one sentence."""
    assert "no such account" in (await bot.type("/revoke", as_=ADMIN)).text


async def test_a_demoted_admin_presses_in_vain(linked: Bot) -> None:
    """The role counts when the button is pressed, not when it was shown."""
    from dataclasses import replace

    from chatbot.dispatcher import Dispatcher
    from chatbot.domain.people import Roster

    await linked.type("/revoke", as_=ADMIN)
    roster = Roster(frozenset(), frozenset({"web:you", "web:admin"}))
    ctx = replace(linked.ctx, roster=roster)
    linked.dispatcher = Dispatcher(linked.registry, ctx, linked.dispatcher._parse)
    assert "Only an admin" in (await linked.press("Bitso", as_=ADMIN)).text


async def test_privacy_says_what_is_stored(linked: Bot) -> None:
    """In plain words, with the person's own id and number of accounts."""
    shown = await linked.type("/privacy")
    assert "web:you" in shown.text
    assert "(1 now)" in shown.text
    assert shown.labels == ["Delete everything of mine"]


async def test_delete_everything_leaves_no_row_of_the_person(linked: Bot, bitso: Running) -> None:
    """Every table is looked through; only the audit keeps the id, without a name."""
    await share(linked)
    (person,) = await rows(linked, "people", user="you")
    await _forget(linked)
    await linked.turn(jobs=("forget_places",))
    assert await tables_naming(linked, person["id"], bitso.state.key[-4:], "'You'") <= {"audit"}
    held = await everything(linked)
    for table in (
        "people",
        "accounts",
        "fills",
        "balances",
        "subscriptions",
        "buttons",
        "guides",
        "links",
        "cards",
    ):
        assert held[table] == [], table
    assert [row["channel"] for row in held["conversations"]] == [TEAM]


async def test_delete_everything_is_confirmed_in_chat(linked: Bot, bitso: Running) -> None:
    """The last word reminds of the key at the exchange; afterwards nothing is read."""
    await _forget(linked)
    assert "is deleted here" in linked.last().text
    await _nothing_is_read(linked, bitso)


async def test_keep_deletes_nothing(linked: Bot) -> None:
    """*Keep* leaves everything as it was."""
    await linked.type("/privacy")
    await linked.press("Delete everything of mine")
    await linked.press("Keep")
    assert len(await rows(linked, "accounts")) == 1


async def test_who_was_forgotten_may_come_back(linked: Bot) -> None:
    """They are met as somebody new, and their place is theirs again."""
    await _forget(linked)
    await linked.turn(jobs=("forget_places",))
    assert "step 1 of" in (await linked.type("/connect bitso")).text


async def test_the_sealed_bytes_of_who_was_forgotten_are_gone(
    linked: Bot, tmp_path: Path, bitso: Running
) -> None:
    """Forgetting overwrites as revoking does."""
    (account,) = await rows(linked, "accounts")
    await _forget(linked)
    assert not _holds(tmp_path, bytes(account["wrapped_dek"]))
    assert leaks.found(linked, tmp_path, bitso.state.secret) == []


async def _revoke(bot: Bot) -> None:
    await bot.type("/revoke", as_=ADMIN)
    await bot.press("Bitso", as_=ADMIN)
    await bot.press("Yes, do it", as_=ADMIN)


async def _forget(bot: Bot) -> None:
    await bot.type("/privacy")
    await bot.press("Delete everything of mine")
    await bot.press("Yes, do it")


async def _nothing_is_read(bot: Bot, bitso: Running) -> None:
    asked = len(bitso.state.requests)
    for _ in range(3):
        await bot.turn(seconds=3600)
    assert [path for _, path in bitso.state.requests[asked:] if "ticker" not in path] == []
    assert "No account is connected" in (await bot.type("/accounts")).text


def _holds(folder: Path, part: bytes) -> bool:
    return any(part in path.read_bytes() for path in folder.glob("bot.sqlite*"))
