"""From an update to an answer when something goes wrong on our side: nothing half done, nothing lost, no loop."""

import pytest

import handlers
from chatbot.domain.messages import reply
from chatbot.domain.people import Role
from chatbot.errors import BotError, ConfigError, Fenced, StorageError, mark
from chatbot.registry import CommandEntry, Registry, Where
from storage.inbox import InboxStore
from tests.support.bot import ADMIN, TEAM, YOU, Bot
from tests.support.rows import rows


def add(bot: Bot, name: str, run, role: Role = Role.MEMBER, where: Where = Where.ANYWHERE) -> None:
    """Add a command for one test."""
    known = bot.registry.commands["help"]
    bot.registry.commands[name] = CommandEntry(name, "x", "", role, where, known.section, run)


async def say(bot: Bot, text: str, *, chat: str = YOU, event: str = "e1") -> None:
    """Store an update without handling it."""
    await bot.inlet.put("web", event, {"kind": "said", "user": YOU, "chat": chat, "text": text, "id": "m1"})


async def test_a_bug_is_tried_three_times_and_then_apologised_for(bot: Bot) -> None:
    """The person reads that nothing was changed, with a reference; the log has the traceback."""

    async def broken(cmd, ctx):
        await ctx.store.people.change(ctx.person.id, currency="EUR")
        raise ZeroDivisionError

    add(bot, "broken", broken)
    await say(bot, "/broken")
    for _ in range(5):
        await bot.dispatcher.sweep()
    await bot.turn(jobs=("deliver_messages",))
    errors = [line for line in bot.log.lines if line[1] == "update_failed"]
    assert len(errors) == 3
    assert "ZeroDivisionError" in str(errors[0][2]["trace"])
    assert len(bot.texts()) == 1
    assert "nothing was changed" in bot.last().text
    assert (await rows(bot, "people"))[0]["currency"] == "USD"
    (parked,) = await rows(bot, "inbox")
    assert (parked["state"], parked["raw"]) == ("parked", None)


async def test_a_bug_in_a_group_is_not_talked_about_there(bot: Bot) -> None:
    """An apology without anybody to blame helps nobody in a channel."""

    async def broken(cmd, ctx):
        raise ZeroDivisionError

    add(bot, "broken", broken)
    await say(bot, "/broken", chat=TEAM)
    for _ in range(4):
        await bot.dispatcher.sweep()
    await bot.turn(jobs=("deliver_messages",))
    assert bot.texts(TEAM) == []


async def test_a_bug_does_not_hold_up_the_next_update(bot: Bot) -> None:
    """Others are answered in the same sweep."""

    async def broken(cmd, ctx):
        raise ZeroDivisionError

    add(bot, "broken", broken)
    await say(bot, "/broken", event="e1")
    await say(bot, "/help", event="e2")
    await bot.dispatcher.sweep()
    await bot.turn(jobs=("deliver_messages",))
    assert "What I can do" in bot.last().text


@pytest.mark.parametrize("raw", [{}, {"kind": "said"}, {"kind": 7, "user": None}])
async def test_an_update_nobody_can_read_is_parked(bot: Bot, raw: dict[str, object]) -> None:
    """It is tried three times, loses its content, and never blocks what follows."""
    await bot.inlet.put("web", "odd", raw)
    for _ in range(4):
        await bot.dispatcher.sweep()
    assert (await rows(bot, "inbox"))[0]["state"] == "parked"
    assert "What I can do" in (await bot.type("/help")).text


async def test_an_update_of_a_platform_that_is_gone_is_done(bot: Bot) -> None:
    """What nobody can parse any more is taken off the list."""
    await bot.inlet.put("telegram", "old", {"update_id": 1})
    await bot.dispatcher.sweep()
    assert (await rows(bot, "inbox"))[0]["state"] == "done"


@pytest.mark.parametrize("gone", [Fenced("taken over"), StorageError("away", retry=True)])
async def test_an_update_is_put_off_when_the_database_is_away(bot: Bot, gone: Exception) -> None:
    """No answer, no apology: after its lease it is handled again."""
    tries = []

    async def once_broken(cmd, ctx):
        tries.append(1)
        if len(tries) == 1:
            raise gone
        return reply("done")

    add(bot, "slow", once_broken)
    await say(bot, "/slow")
    await bot.dispatcher.sweep()
    assert [line[1] for line in bot.log.lines if line[0] == "warning"] == ["update_put_off"]
    bot.clock.advance(seconds=61)
    await bot.dispatcher.sweep()
    await bot.turn(jobs=("deliver_messages",))
    assert bot.texts() == ["done"]


async def test_a_mistake_of_the_person_leaves_nothing_half_done(bot: Bot) -> None:
    """What the handler changed before it refused is undone; the refusal is told."""

    async def refuses(cmd, ctx):
        await ctx.store.people.change(ctx.person.id, currency="EUR")
        raise BotError(mark("No account is connected yet."))

    add(bot, "refuses", refuses)
    assert "No account" in (await bot.type("/refuses")).text
    assert (await rows(bot, "people"))[0]["currency"] == "USD"


async def test_a_done_update_keeps_its_id_and_loses_its_content(bot: Bot) -> None:
    """What was said is not kept longer than it takes to answer."""
    await bot.type("/help please")
    (row,) = await rows(bot, "inbox")
    assert (row["state"], row["raw"]) == ("done", None)


async def test_what_is_private_is_said_in_private_or_not_at_all(bot: Bot) -> None:
    """A private post from a group goes to the private chat; without one the group gets an invitation."""
    from chatbot.domain.messages import Post, Reply, message

    async def whispers(cmd, ctx):
        return Reply((Post(message("your secret number is 7"), private=True),))

    add(bot, "whisper", whispers)
    shown = await bot.type("/whisper", chat=TEAM)
    assert "7" not in shown.text
    assert shown.labels == ["Open private chat"]
    await bot.type("/start")
    await bot.type("/whisper", chat=TEAM)
    assert bot.last(YOU).text == "your secret number is 7"
    assert not any("7" in text for text in bot.texts(TEAM))


@pytest.mark.parametrize("who", [YOU, ADMIN])
async def test_who_may_do_what_follows_the_role_alone(bot: Bot, who: str) -> None:
    """Every command, in private: refused as unknown exactly where the role is too low."""
    role = Role.ADMIN if who == ADMIN else Role.MEMBER
    for name, entry in bot.registry.commands.items():
        shown = await bot.type(f"/{name}", as_=who)
        assert (f"don't know /{name}" in shown.text) == (entry.role > role), name


async def test_a_sweep_ends_when_the_process_stops(bot: Bot) -> None:
    """What waits is left for the next process."""
    await say(bot, "/help")
    vars(bot.ctx.queue)["stopping"] = True
    await bot.dispatcher.sweep()
    assert (await rows(bot, "inbox"))[0]["state"] == "pending"


def test_two_handlers_of_one_name_stop_the_start() -> None:
    """A copy that forgot its name is noticed before anybody uses it."""
    registry = Registry().load(handlers)
    with pytest.raises(ConfigError, match="two handlers are called"):
        registry.load(handlers)


@pytest.mark.parametrize("failures", [1, 2])
async def test_trouble_of_the_database_keeps_the_order(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    """An update that could not be written waits, with all behind it and all that come later, and then goes first."""
    finish = InboxStore.done
    refused: list[int] = []

    async def done(self, row):
        if len(refused) < failures:
            refused.append(1)
            raise StorageError("SQLITE_FULL", retry=True)
        await finish(self, row)

    monkeypatch.setattr(InboxStore, "done", done)
    await say(bot, "/currency EUR", event="e1")
    await say(bot, "/currency MXN", event="e2")
    for event, code in (("e3", "BRL"), ("e4", "EUR"), ("e5", "USDT")):
        await bot.dispatcher.sweep()
        await say(bot, f"/currency {code}", event=event)
    await bot.dispatcher.sweep()
    assert (await rows(bot, "people"))[0]["currency"] == "USDT"
    done_rows = await rows(bot, "inbox")
    assert {row["state"] for row in done_rows} == {"done"}
    assert {row["attempts"] for row in done_rows} == {1}


async def test_an_update_the_database_can_not_take_holds_nobody_up(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trouble that no trying again helps is that of one update: it is parked, and the next one is handled."""

    async def broken(cmd, ctx):
        raise StorageError("a value out of range", retry=False)

    add(bot, "broken", broken)
    await say(bot, "/broken", event="e1")
    await say(bot, "/currency MXN", event="e2")
    for _ in range(4):
        await bot.dispatcher.sweep()
    assert [row["state"] for row in await rows(bot, "inbox")] == ["parked", "done"]
    assert (await rows(bot, "people"))[0]["currency"] == "MXN"
