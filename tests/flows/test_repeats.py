"""The same trouble of the same account is one message: edited, told again at its times, closed."""

from datetime import timedelta
from pathlib import Path

import pytest

from chatbot.errors import SendError, Verdict
from tests.support.bot import TEAM, YOU, Bot, open_bot
from tests.support.connected import connect
from tests.support.rows import rows

FOREVER = 100_000
READ = ("poll_accounts", "deliver_messages")
AWAY = "can't be reached now"


async def test_an_outage_of_forty_hours_is_five_messages(linked: Bot, bitso) -> None:
    """Told at once, after 1, 3, 12 and 24 hours, edited in between without a sound, closed in place."""
    before = len(linked.chat.messages)
    bitso.state.fail("", "close", times=FOREVER)
    told: dict[str, timedelta] = {}
    tries: list[timedelta] = []
    start = linked.clock.now()
    for _ in range(40 * 120):
        asked = len(bitso.state.requests)
        await linked.turn(seconds=30, jobs=("poll_accounts",))
        if len(bitso.state.requests) > asked:
            tries.append(linked.clock.now() - start)
            await linked.turn(jobs=("deliver_messages",))
        for shown in linked.chat.messages[before:]:
            told.setdefault(shown.id, linked.clock.now() - start)

    first, *later = told.values()
    assert first < timedelta(minutes=5)
    assert [round((at - first) / timedelta(hours=1)) for at in later] == [1, 3, 12, 24]
    late = [at - first - timedelta(hours=after) for at, after in zip(later, (1, 3, 12, 24), strict=True)]
    assert all(timedelta() <= one < timedelta(minutes=16) for one in late)
    messages = linked.chat.messages[before:]
    assert not any(shown.silent for shown in messages)
    # Every try a quarter of an hour apart is in the message; of the quick ones at first, every ten minutes.
    slow = [at for at in tries if at - first >= timedelta(minutes=10)]
    assert sum(shown.edits for shown in messages) == pytest.approx(len(slow) - len(later), abs=1)
    assert f"tried {len(tries)} times" in messages[-1].text

    bitso.state.faults.clear()
    await linked.turn(seconds=901, jobs=READ)
    assert linked.chat.messages[before:] == messages
    assert "back to normal after 1 d 16 h" in messages[-1].text
    assert await rows(linked, "troubles") == []


async def test_two_troubles_in_turn_are_two_messages(linked: Bot, bitso) -> None:
    """What becomes something else is told as such; when each comes back, its own message is edited."""
    before = len(linked.chat.messages)
    await _fails(linked, bitso, "close", minutes=20)
    await _fails(linked, bitso, "0213", minutes=20)
    away, blocked = linked.chat.messages[before:]
    assert AWAY in away.text
    assert "addresses on its list" in blocked.text

    await _fails(linked, bitso, "close", minutes=20)
    await _fails(linked, bitso, "0213", minutes=20)

    assert linked.chat.messages[before:] == [away, blocked]
    assert away.edits
    assert blocked.edits
    bitso.state.faults.clear()
    await linked.turn(seconds=901, jobs=READ)
    assert linked.chat.messages[before:] == [away, blocked]
    assert all("back to normal after 1 h" in shown.text for shown in (away, blocked))


async def test_an_exchange_away_then_in_maintenance_is_one_trouble(linked: Bot, bitso) -> None:
    """One outage with two faces is one message, which says what is the matter now."""
    before = len(linked.chat.messages)
    await _fails(linked, bitso, "close", minutes=20)
    await _fails(linked, bitso, "0101", minutes=40)
    (shown,) = linked.chat.messages[before:]
    assert "maintenance" in shown.text


async def test_a_new_outage_is_a_new_message(linked: Bot, bitso) -> None:
    """What was closed stays closed; the next time somebody has to hear of it again."""
    before = len(linked.chat.messages)
    for _ in range(2):
        await _fails(linked, bitso, "close", minutes=20)
        bitso.state.faults.clear()
        await linked.turn(seconds=901, jobs=READ)
    assert ["back to normal" in shown.text for shown in linked.chat.messages[before:]] == [True, True]


async def test_a_restart_goes_on_with_the_message(tmp_path: Path, bitso) -> None:
    """Told before the restart, edited and closed after it; no second message."""
    async with open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
        bitso.state.clock = bot.clock.now
        await connect(bot, bitso)
        await _fails(bot, bitso, "close", minutes=20)
        chat, at = bot.chat, bot.clock.now()
    count, told = len(chat.messages), chat.messages[-1]
    assert AWAY in told.text

    async with open_bot(tmp_path, {"bitso": bitso.origin}, start=at) as bot:
        bitso.state.clock = bot.clock.now
        bot.chat.messages = chat.messages
        edits = told.edits
        await bot.turn(seconds=901, jobs=READ)
        assert told.edits == edits + 1
        bitso.state.faults.clear()
        await bot.turn(seconds=901, jobs=READ)

    assert len(chat.messages) == count
    assert "back to normal after" in told.text


async def test_each_place_has_its_own_message(linked: Bot, bitso) -> None:
    """A team's channel with key trouble switched on sees the same one, edited there."""
    await linked.type("/start", chat=TEAM)
    account = (await rows(linked, "accounts"))[0]["id"]
    (team,) = await rows(linked, "conversations", channel=TEAM)
    async with linked.ctx.uow() as store:
        await store.subscriptions.ensure(account, "exchange", team["id"])
    await _fails(linked, bitso, "close", minutes=90)
    bitso.state.faults.clear()
    await linked.turn(seconds=901, jobs=READ)
    for chat in (YOU, TEAM):
        shown = [text for text in linked.texts(chat) if "read this account" in text or "normal" in text]
        assert len(shown) == 2
        assert "back to normal" in shown[-1]


async def test_what_waits_to_be_sent_is_still_heard_in_its_newer_state(linked: Bot, bitso) -> None:
    """A chat that can't be reached while it is told and edited gets one message, with a sound."""
    before = len(linked.chat.messages)
    linked.chat.refuse += [SendError(Verdict.UNSENT, "down") for _ in range(FOREVER)]
    await _fails(linked, bitso, "close", minutes=50)
    linked.chat.refuse.clear()
    await linked.turn(seconds=301, jobs=READ)
    (shown,) = linked.chat.messages[before:]
    assert "tried" in shown.text
    assert not shown.silent


async def test_a_dead_key_closes_its_trouble_aloud_and_ends_it_when_it_works(linked: Bot, bitso) -> None:
    """That a key is dead is told as news, and so is that it works again."""
    before = len(linked.chat.messages)
    bitso.state.fail("", "0326", times=FOREVER)
    for _ in range(3):
        await linked.turn(seconds=11 * 60, jobs=READ)
    began, dead = linked.chat.messages[before:]
    assert "not active" in began.text
    assert "no longer works" in dead.text
    await linked.turn(seconds=25 * 3600, jobs=READ)
    assert linked.chat.messages[before:] == [began, dead]
    bitso.state.faults.clear()
    await linked.turn(seconds=25 * 3600, jobs=READ)
    assert "back to normal after 2 d" in linked.last().text
    assert len(linked.chat.messages) == before + 3


async def test_a_failure_or_two_leave_nothing_behind(linked: Bot, bitso) -> None:
    """What passes unnoticed is neither told nor counted into the next outage."""
    before = len(linked.chat.messages)
    bitso.state.fail("", "close", times=1)
    await linked.turn(seconds=31, jobs=READ)
    assert len(await rows(linked, "troubles")) == 1
    await linked.turn(seconds=301, jobs=READ)
    assert await rows(linked, "troubles") == []
    assert linked.chat.messages[before:] == []


async def _fails(bot: Bot, bitso, kind: str, *, minutes: int) -> None:
    """Let every call fail in one way for some time."""
    bitso.state.faults.clear()
    bitso.state.fail("", kind, times=FOREVER)
    for _ in range(minutes):
        await bot.turn(seconds=60, jobs=READ)
