"""Whose token speaks where: one of the settings, or many that are renewed in time, by one process, without loss."""

import asyncio
from datetime import timedelta

import pytest

from chatbot.errors import SendError, StorageError, VaultError, Verdict
from chatbot.platforms.slack.clients import bare_client
from chatbot.platforms.slack.tokens import EARLY, RETRY_SECONDS, Bot, Tokens
from tests.support import leaks
from tests.support.botapi.wire import Fault
from tests.support.slackapi.methods import CLIENT
from tests.support.slackapi.world import APP_ID, BOT, BOT_ID
from tests.support.slackshop import shop

HALF_DAY = 43_200
DUE = HALF_DAY - EARLY.total_seconds() + 60


@pytest.fixture
async def store(slack, tmp_path):
    """An app whose tokens rotate, installed in T1 just now."""
    slack.methods.rotation = True
    async with shop(slack, tmp_path) as found:
        assert (await found.install("T1")).status_code == 200
        yield found


def tokens(store, owner="us"):
    """The tokens as a process of this name knows them."""
    installs = store.installs if owner == "us" else store.other_process(owner)
    name, secret = CLIENT
    clock, log = store.app.clock, store.app.notes
    return Tokens(
        installs, bare_client(store.api.url), clock=clock, log=log, client_id=name, client_secret=secret
    )


def renewals(slack):
    """How often a refresh token was used."""
    return sum(
        1 for method, params in slack.calls if method == "oauth.v2.access" and "refresh_token" in params
    )


async def refused(work):
    with pytest.raises(SendError) as raised:
        await work
    return raised.value.verdict


async def test_a_token_is_left_alone_until_two_hours_before_its_end(store, slack):
    """Until then it is the same one."""
    mine = tokens(store)
    first = await mine.token("T1")
    store.app.clock.passed += DUE - 180
    assert await mine.token("T1") == first
    assert renewals(slack) == 0


async def test_it_is_renewed_in_time_and_stored_before_it_is_used(store, slack, tmp_path):
    """Another process finds the new one; neither stands anywhere in clear."""
    mine = tokens(store)
    first = await mine.token("T1")
    store.app.clock.passed += DUE
    renewed = await mine.token("T1")

    assert renewed != first
    assert await tokens(store, "them").token("T1") == renewed
    assert await mine.token("T1") == renewed
    assert renewals(slack) == 1
    assert [leaks.in_files(tmp_path, secret) for secret in (first, renewed, *slack.methods.refreshes)] == [
        []
    ] * 3


async def test_it_goes_on_for_days(store, slack):
    """Each renewal brings what the next one needs."""
    mine = tokens(store)
    seen = set()
    for _ in range(6):
        seen.add(await mine.token("T1"))
        store.app.clock.passed += DUE

    assert len(seen) == 6


async def test_many_who_ask_at_once_renew_once(store, slack):
    """In this process and in others: one refresh token, one use."""
    ours = [tokens(store, owner) for owner in ("us", "them", "others")]
    store.app.clock.passed += DUE
    await asyncio.gather(*(mine.token("T1") for mine in ours for _ in range(10)))
    store.app.clock.passed += 61
    found = {await mine.token("T1") for mine in ours}

    assert renewals(slack) == 1
    assert len(found) == 1


async def test_whose_turn_it_is_not_uses_the_old_one_while_it_lives(store, slack):
    """Another process is at it; the old token is good for two hours more."""
    first = await tokens(store).token("T1")
    store.app.clock.passed += DUE
    assert await store.other_process("them").turn("rotate:T1", 60)

    assert await tokens(store).token("T1") == first
    assert renewals(slack) == 0


async def test_one_renewed_a_moment_ago_is_not_renewed_again(store, slack):
    """Another process was quicker, between our look and our turn: its refresh token is not spent on nothing."""
    turn, them = store.installs.turn, store.other_process("them")
    later = (store.app.clock.now() + timedelta(hours=22)).timestamp()

    async def late(*args):
        theirs = {"bot_token": "xoxb-theirs", "bot_token_expires_at": later}
        await them.keep("T1", "", {**await them.find("T1"), **theirs})
        return await turn(*args)

    store.installs.turn = late
    store.app.clock.passed += DUE

    assert await tokens(store).token("T1") == "xoxb-theirs"
    assert renewals(slack) == 0


async def test_with_a_dead_token_it_waits_for_the_other_process(store, slack):
    """It finds what the other one stored, or says that nothing was sent."""
    await tokens(store).token("T1")
    store.app.clock.passed += HALF_DAY + 1
    them = store.other_process("them")
    assert await them.turn("rotate:T1", 3600)
    assert await refused(tokens(store).token("T1")) is Verdict.UNSENT
    later = (store.app.clock.now() + timedelta(hours=12)).timestamp()
    await them.keep(
        "T1", "", {**await them.find("T1"), "bot_token": "xoxb-theirs", "bot_token_expires_at": later}
    )

    assert await tokens(store).token("T1") == "xoxb-theirs"
    assert renewals(slack) == 0


@pytest.mark.parametrize(
    "what", [Fault.CLOSE_EARLY, Fault.CUT, Fault.CLOSE, Fault.GARBAGE, 503, "internal_error", "ratelimited"]
)
async def test_a_renewal_that_is_cut_leaves_the_old_token(store, slack, what):
    """It is tried again a minute later, not at every message."""
    mine = tokens(store)
    first = await mine.token("T1")
    store.app.clock.passed += DUE
    slack.fail("oauth.v2.access", what)

    assert [await mine.token("T1") for _ in range(5)] == [first] * 5
    assert store.app.notes.actions().count("slack_token_not_renewed") == 1
    store.app.clock.passed += RETRY_SECONDS
    if what in {Fault.CUT, Fault.CLOSE, Fault.GARBAGE}:
        # Slack had taken it, so the pair it made is lost.
        assert await refused(mine.token("T1")) is Verdict.UNAUTHORISED
    else:
        assert await mine.token("T1") != first


async def test_when_the_old_one_is_dead_too_nothing_is_sent(store, slack):
    """And what waits may be sent later."""
    mine = tokens(store)
    store.app.clock.passed += HALF_DAY
    slack.fail("oauth.v2.access", Fault.CLOSE_EARLY)

    assert await refused(mine.token("T1")) is Verdict.UNSENT
    assert await mine.token("T1")


@pytest.mark.parametrize(
    "code", ["invalid_refresh_token", "bad_client_secret", "token_revoked", "account_inactive"]
)
async def test_a_refused_renewal_holds_the_workspace(store, slack, code):
    """Its messages wait for a new installation; the log names the reason and no token."""
    mine = tokens(store)
    first = await mine.token("T1")
    store.app.clock.passed += DUE
    slack.fail("oauth.v2.access", code)

    assert await refused(mine.token("T1")) is Verdict.UNAUTHORISED
    assert (
        "warning",
        "slack_token_not_renewed",
        {"workspace": "T1", "reason": code},
    ) in store.app.notes.lines
    assert first not in repr(store.app.notes.lines)


async def test_one_workspace_in_trouble_stops_no_other(store, slack):
    """Each has its own token."""
    await store.install("T2")
    store.app.clock.passed += DUE
    mine = tokens(store)
    slack.fail("oauth.v2.access", "invalid_refresh_token")

    assert await refused(mine.token("T1")) is Verdict.UNAUTHORISED
    assert await mine.token("T2")


@pytest.mark.parametrize("away", [1, 2, 3, 5])
async def test_a_new_pair_is_not_lost_when_it_cant_be_stored(store, slack, away):
    """It is tried again until it is; Slack is not asked a second time, for the old refresh token is spent."""
    mine = tokens(store)
    renew, left = store.installs.renew, [away]

    async def sometimes(*args):
        left[0] -= 1
        if left[0] >= 0:
            raise StorageError("away", retry=True)
        return await renew(*args)

    store.app.clock.passed += DUE
    store.installs.renew = sometimes
    if away >= 3:
        assert await refused(mine.token("T1")) is Verdict.UNSENT
        store.app.clock.passed += 61
    renewed = await mine.token("T1")

    assert renewals(slack) == 1
    assert (await store.installs.find("T1"))["bot_token"] == renewed
    assert store.app.notes.actions().count("slack_token_not_stored") == away


async def test_an_installation_that_ended_meanwhile_stays_ended(store, slack):
    """A renewal under way does not bring it back, however close the two come: one conditional write decides."""
    mine = tokens(store)
    store.app.clock.passed += DUE
    renew = store.installs.renew

    async def removed(*args):
        await store.end()
        return await renew(*args)

    store.installs.renew = removed

    assert await refused(mine.token("T1")) is Verdict.UNAUTHORISED
    assert renewals(slack) == 1
    assert await store.installs.find("T1") is None
    assert await store.installs.ended("T1")


async def test_a_renewal_is_no_new_installation(store, slack):
    """Removed by Slack's clock a moment before our own renewed its token, it has ended all the same."""
    removed_at = store.app.clock.now() + timedelta(seconds=DUE)
    store.app.clock.passed += DUE + 3
    assert await tokens(store).token("T1")
    await store.end(removed_at)

    assert await store.installs.ended("T1")


async def test_a_workspace_without_an_installation_has_no_token(store):
    """And no bot."""
    mine = tokens(store)

    assert await mine.bot("T9") is None
    assert await refused(mine.token("T9")) is Verdict.UNAUTHORISED


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [(StorageError("away", retry=True), Verdict.UNSENT), (VaultError("no key"), Verdict.UNAUTHORISED)],
)
async def test_tokens_that_cant_be_read_are_told_apart(store, failure, verdict):
    """A database that is away comes back; a token that can't be unsealed does not."""

    async def broken(*_):
        raise failure

    store.installs.find = broken

    assert await refused(tokens(store).token("T1")) is verdict
    with pytest.raises(type(failure)):
        await tokens(store).bot("T1")


async def test_who_we_are_is_kept_with_the_tokens(store):
    """By that our own words and mentions are known, and the app can be opened."""
    assert await tokens(store).bot("T1") == Bot("T1", BOT, BOT_ID, APP_ID)


async def test_an_end_is_noticed_within_a_minute(store):
    """What is remembered is looked at again."""
    mine = tokens(store)
    assert await mine.token("T1")
    await store.end()
    store.app.clock.passed += 61
    assert await refused(mine.token("T1")) is Verdict.UNAUTHORISED
