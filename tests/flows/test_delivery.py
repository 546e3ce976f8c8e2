"""What becomes of a message by what its platform said: told once, or repeated with a mark, or let go."""

import pytest

from chatbot.domain.outbox import OutboxState
from chatbot.errors import SendError, StorageError, VaultError, Verdict
from storage.delivery import OutboxStore
from tests.support.bot import TEAM, YOU, Bot, link_of
from tests.support.connected import share
from tests.support.rows import rows

TOLD = "Bought 0.0123 BTC"


async def test_an_alert_whose_outcome_is_unknown_is_repeated_with_a_mark(linked: Bot, bitso) -> None:
    """It may have arrived: so it comes again and says so, with the same reference."""
    await _fill(linked, bitso, SendError(Verdict.UNKNOWN, "answer lost"))
    await linked.turn(seconds=5)
    shown = [m for m in linked.chat.messages if TOLD in m.text]
    assert [m.repeat for m in shown] == [True]
    assert len({row["ref"] for row in await rows(linked, "outbox", repeat=1)}) == 1


async def test_an_alert_surely_not_sent_is_sent_again_without_a_mark(linked: Bot, bitso) -> None:
    """Nobody is told of a repeat that is none."""
    await _fill(linked, bitso, SendError(Verdict.UNSENT, "refused"), SendError(Verdict.UNSENT, "refused"))
    for _ in range(3):
        await linked.turn(seconds=5)
    assert [m.repeat for m in linked.chat.messages if TOLD in m.text] == [False]


async def test_a_mark_stays_through_later_failures(linked: Bot, bitso) -> None:
    """Once it may be a repeat it is told as one, however often it fails afterwards."""
    await _fill(
        linked,
        bitso,
        SendError(Verdict.UNKNOWN, "lost"),
        SendError(Verdict.UNSENT, "refused"),
        SendError(Verdict.LIMITED, "slow", wait=2),
    )
    for _ in range(6):
        await linked.turn(seconds=10)
    assert [m.repeat for m in linked.chat.messages if TOLD in m.text] == [True]


async def test_a_report_whose_outcome_is_unknown_is_let_go(linked: Bot) -> None:
    """The daily post comes at most once, and the next one says that it may be missing."""
    before = sum("\nTotal" in text for text in linked.texts())
    while linked.clock.now().hour != 9:
        linked.clock.advance(minutes=30)
        await linked.turn(jobs=("poll_accounts",))
    await linked.turn(jobs=("post_balances",))
    linked.chat.refuse.append(SendError(Verdict.UNKNOWN, "lost"))
    for _ in range(3):
        await linked.turn(seconds=60, jobs=("deliver_messages",))
    assert sum("\nTotal" in text for text in linked.texts()) == before
    assert len(await rows(linked, "outbox", state=OutboxState.UNKNOWN)) == 1
    await linked.turn(seconds=86_400)
    assert "The post before this one may not have arrived." in linked.last().text
    await linked.turn(seconds=86_400)
    assert "may not have arrived" not in linked.last().text


async def test_an_answer_whose_outcome_is_unknown_is_let_go(linked: Bot) -> None:
    """Whoever asked asks again."""
    linked.chat.refuse.append(SendError(Verdict.UNKNOWN, "lost"))
    count = len(linked.chat.messages)
    await linked.type("/accounts")
    await linked.turn(seconds=60)
    assert len(linked.chat.messages) == count


async def test_a_card_ends_as_its_latest_state(linked: Bot) -> None:
    """An edit whose outcome is unknown is made again: the same words in the same message."""
    card = await linked.type("/test")
    linked.chat.refuse += [SendError(Verdict.UNKNOWN, "lost"), SendError(Verdict.UNSENT, "refused")]
    for _ in range(4):
        await linked.turn(seconds=5)
    assert "the key works" in card.text
    assert not card.repeat


async def test_a_card_that_was_deleted_is_shown_anew(linked: Bot) -> None:
    """Nothing to edit any more: a new message, then edited itself."""
    await linked.type("/test")
    count = len(linked.chat.messages)
    linked.chat.refuse.append(SendError(Verdict.EDIT_GONE, "message to edit not found"))
    await linked.turn()
    assert len(linked.chat.messages) == count + 1
    assert "the key works" in linked.last().text


async def test_an_edit_that_changes_nothing_is_done(linked: Bot) -> None:
    """*Not modified* is success."""
    await linked.type("/test")
    linked.chat.refuse.append(SendError(Verdict.UNCHANGED, "not modified"))
    sends = linked.chat.sends
    for _ in range(3):
        await linked.turn(seconds=5, jobs=("poll_accounts", "deliver_messages"))
    assert linked.chat.sends == sends + 1


async def test_a_limited_chat_waits_as_long_as_asked_and_others_do_not(linked: Bot, bitso) -> None:
    """Retry-After holds this conversation, to the second, and no other."""
    await _fill(linked, bitso, SendError(Verdict.LIMITED, "slow down", wait=30))
    assert "Keyherald" in (await linked.type("/start", chat=TEAM)).text
    for _ in range(5):
        await linked.turn(seconds=5)
    assert not any(TOLD in text for text in linked.texts())
    await linked.turn(seconds=6)
    assert any(TOLD in text for text in linked.texts())


async def test_a_limit_that_names_no_time_is_not_asked_in_a_circle(linked: Bot, bitso) -> None:
    """Without Retry-After we wait at least a second between tries."""
    await _fill(linked, bitso, *[SendError(Verdict.LIMITED, "slow down") for _ in range(20)])
    assert len(linked.chat.refuse) == 19


async def test_a_gone_chat_is_written_to_once(linked: Bot, bitso) -> None:
    """Blocked is blocked: nothing more is tried until the person speaks."""
    await _fill(linked, bitso, SendError(Verdict.GONE, "blocked"))
    sends = linked.chat.sends
    bitso.state.trade("sell", "btc_mxn", "0.01")
    for _ in range(5):
        await linked.turn(seconds=60)
    assert linked.chat.sends == sends


async def test_a_refused_message_is_parked_and_the_next_goes_out(linked: Bot, bitso) -> None:
    """One message a platform can't take does not hold up the others."""
    await _fill(linked, bitso, SendError(Verdict.REFUSED, "bad request"))
    assert "Status" in (await linked.type("/status")).text
    assert len(await rows(linked, "outbox", state=OutboxState.PARKED)) == 1


@pytest.mark.parametrize("locale", ["en", "es", "pt"])
async def test_two_lines_get_out_when_the_whole_is_refused(linked: Bot, bitso, locale: str) -> None:
    """Whoever was to be told learns that there is something, and where to look; once, and counted as lost."""
    await linked.type(f"/language {locale}")
    await _fill(linked, bitso, SendError(Verdict.REFUSED, "bad request"))
    notice = linked.last()
    (row,) = await rows(linked, "outbox", state=OutboxState.PARKED)
    assert len(notice.text.splitlines()) == 2
    assert f"ref {row['ref']}" in notice.text
    assert "/fills" in notice.text
    count = len(linked.texts())
    for _ in range(3):
        await linked.turn(seconds=60, jobs=("deliver_messages",))
    assert len(linked.texts()) == count
    async with linked.ctx.uow() as store:
        assert (await store.outbox.counts())["lost"] == 1


async def test_a_notice_that_is_refused_too_is_let_go(linked: Bot, bitso) -> None:
    """Nothing gets out: given up without asking again and again."""
    await _fill(linked, bitso, SendError(Verdict.REFUSED, "bad"), SendError(Verdict.REFUSED, "bad"))
    sends = linked.chat.sends
    for _ in range(3):
        await linked.turn(seconds=5, jobs=("deliver_messages",))
    assert linked.chat.sends == sends
    assert any(line[1] == "notice_failed" for line in linked.log.lines)


async def test_a_refused_token_pauses_its_platform_and_loses_nothing(linked: Bot, bitso) -> None:
    """An hour without a valid token: few tries, no parked alert, and all is told afterwards."""
    linked.chat.refuse += [SendError(Verdict.UNAUTHORISED, "401") for _ in range(10_000)]
    sends = linked.chat.sends
    for _ in range(60):
        bitso.state.trade("buy", "btc_mxn", "0.0001")
        await linked.turn(seconds=60)
    assert linked.chat.sends - sends <= 62
    assert await rows(linked, "outbox", state=OutboxState.PARKED) == []
    linked.chat.refuse.clear()
    for _ in range(100):
        await linked.turn(seconds=10, jobs=("deliver_messages",))
    assert sum(text.count("Bought 0.0001 BTC") for text in linked.texts()) == 60


async def test_a_platform_that_is_not_configured_keeps_its_messages(linked: Bot, bitso) -> None:
    """Taken out of the settings for a while: what waits is told when it is back."""
    platforms = vars(linked.ctx.postbox)["_platforms"]
    kept = platforms.pop("web")
    bitso.state.trade("buy", "btc_mxn", "0.0123")
    for _ in range(20):
        await linked.turn(seconds=61)
    platforms["web"] = kept
    await linked.turn(seconds=301)
    assert [m.repeat for m in linked.chat.messages if TOLD in m.text] == [False]


async def test_a_sealed_link_that_cannot_be_opened_parks_only_its_message(bot: Bot) -> None:
    """After the master key was lost the guide's old link is given up, not the delivery job."""
    await link_of(bot)
    opened = bot.ctx.vault.open_bytes

    def refused(*_: object):
        raise VaultError("no such key")

    bot.ctx.vault.open_bytes = refused  # type: ignore[method-assign, assignment]
    await bot.type("/connect bitso")
    assert len(await rows(bot, "outbox", state=OutboxState.PARKED)) == 1
    assert "What I can do" in (await bot.type("/help")).text
    bot.ctx.vault.open_bytes = opened  # type: ignore[method-assign]
    assert "Open secure page" in (await bot.type("/connect bitso")).labels


async def test_a_bug_in_one_delivery_does_not_stop_the_others(linked: Bot, bitso) -> None:
    """The bug is logged; other conversations get their message."""
    await share(linked)
    bitso.state.trade("buy", "btc_mxn", "0.0123")
    await linked.turn(seconds=31, jobs=("poll_accounts",))
    deliver = linked.chat.deliver

    async def broken(delivery):
        if delivery.place.channel == YOU:
            raise ZeroDivisionError
        return await deliver(delivery)

    platforms = vars(linked.ctx.postbox)["_platforms"]
    platforms["web"] = type("Broken", (), {"deliver": staticmethod(broken), "pace": linked.chat.pace})()
    await linked.turn(jobs=("deliver_messages",))
    assert [line[1] for line in linked.log.lines if line[0] == "error"] == ["work_failed"]
    assert TOLD in linked.last(TEAM).text


async def test_the_link_itself_is_sent_readable_and_stored_sealed(bot: Bot) -> None:
    """The person's message holds the address; no row holds its token."""
    url = await link_of(bot)
    token = url.partition("#")[2].split(".")[0]
    assert token not in repr(await rows(bot, "outbox"))


async def _fill(bot: Bot, bitso, *errors: SendError) -> None:
    """Let a fill happen, and its delivery fail in these ways."""
    bitso.state.trade("buy", "btc_mxn", "0.0123")
    await bot.turn(seconds=31, jobs=("poll_accounts",))
    bot.chat.refuse += errors
    await bot.turn(jobs=("deliver_messages",))


@pytest.mark.parametrize("failures", [1, 3])
async def test_a_disk_that_is_full_for_a_moment_repeats_nothing(
    linked: Bot, bitso, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    """What was sent is recorded as soon as the database takes it, and told once."""
    record = OutboxStore.sent_all
    refused: list[int] = []

    async def sent(self, results):
        if results and len(refused) < failures:
            refused.append(1)
            raise StorageError("SQLITE_FULL", retry=True)
        return await record(self, results)

    monkeypatch.setattr(OutboxStore, "sent_all", sent)
    await _fill(linked, bitso)
    for _ in range(6):
        await linked.turn(seconds=31)
    assert [m.repeat for m in linked.chat.messages if TOLD in m.text] == [False]
    assert len(refused) == failures
