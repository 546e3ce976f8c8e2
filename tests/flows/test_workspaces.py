"""A workspace removes the bot and lets it in again: what ends, what is kept, and what nobody else notices."""

from datetime import timedelta

import pytest

from chatbot.domain.messages import Post, message
from chatbot.domain.outbox import Promise
from chatbot.domain.people import HOME_TEAM, Identity, Place, TeamId
from chatbot.errors import SendError, Verdict
from tests.support.bot import TEAM, YOU, Bot, link_of
from tests.support.connected import connect, share
from tests.support.page import token_of
from tests.support.practice import Running
from tests.support.rows import rows
from tests.support.workspaces import ANA, BO, Town, beside

T1, T2 = TeamId("slack:T1"), TeamId("slack:T2")
CHANNEL = "T1/C7"


@pytest.fixture
async def town(bot: Bot, bitso: Running) -> Town:
    """Ana of T1, Bo of T2 and somebody on the web, each with a key of their own; T1 and the web with a group."""
    opened = await beside(bot)
    for at, who in ((opened.slack, ANA), (opened.slack, BO), (opened.web, YOU)):
        key, secret = bitso.state.new_key(("account", "balances", "fills"))
        await connect(at, bitso, as_=who, key=key, secret=secret)
    await share(opened.slack, CHANNEL, as_=ANA)
    await share(opened.slack, "T2/C8", as_=BO)
    await share(opened.web)
    return opened


async def states(town: Town) -> dict[str, str]:
    """Return each account's state by its team."""
    return {row["team"]: row["state"] for row in await rows(town.slack, "accounts")}


async def asked(town: Town, bitso: Running, seconds: float = 130) -> int:
    """Let time pass and return how many requests for balances reached the exchange."""
    before = len(bitso.state.requests)
    await town.slack.turn(seconds=seconds)
    return len([path for _, path in bitso.state.requests[before:] if path.endswith("/balance/")])


async def test_reading_stops_at_once_for_that_workspace_only(town: Town, bitso: Running) -> None:
    """The keys of the others are read on, and theirs stay active."""
    assert await asked(town, bitso) == 3
    await town.removes("T1")
    assert await states(town) == {"slack:T1": "suspended", "slack:T2": "active", "home": "active"}
    for _ in range(3):
        assert await asked(town, bitso) == 2
    assert await states(town) == {"slack:T1": "suspended", "slack:T2": "active", "home": "active"}


async def test_nothing_goes_there_any_more_and_everything_to_the_others(town: Town, bitso: Running) -> None:
    """A fill of everybody's is told to two people and their groups."""
    await town.removes("T1")
    said = len(town.slack.texts(ANA)), len(town.slack.texts(CHANNEL))
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await town.slack.turn(seconds=31)
    assert (len(town.slack.texts(ANA)), len(town.slack.texts(CHANNEL))) == said
    for at, chat in ((town.slack, BO), (town.slack, "T2/C8"), (town.web, YOU), (town.web, TEAM)):
        assert "Bought 0.01 BTC" in at.last(chat).text


async def test_what_waits_there_is_gone_and_nobody_elses(town: Town) -> None:
    """Also what was being sent at that moment: it does not come with the next installation."""
    town.pages.refuse = [SendError(Verdict.UNSENT, "away") for _ in range(4)]
    await town.slack.type("/help", as_=ANA)
    await town.slack.type("/help", as_=BO)
    await _queue(town, ANA, "second")
    async with town.slack.ctx.uow() as store:
        now = town.slack.clock.now() + timedelta(minutes=5)
        taken = await store.outbox.claim(now, now + timedelta(minutes=1), 1, (), ("slack",))
    assert [delivery.place.workspace for delivery in taken] == ["T1"]

    await town.removes("T1")

    left = {(row["team"], row["state"], row["reason"]) for row in await rows(town.slack, "outbox")}
    assert ("slack:T1", "gone", "workspace left") in left
    assert not {state for team, state, _ in left if team == T1} & {"pending", "claimed", "begun"}
    assert ("slack:T2", "pending", "away") in left


async def _queue(town: Town, who: str, words: str) -> None:
    async with town.slack.ctx.uow() as store:
        workspace, _, user = who.partition("/")
        person = await store.people.meet(
            Identity("slack", user, workspace), "", "en", ("UTC", "USD"), town.slack.clock.now()
        )
        place = await store.conversations.private_of(person.id)
        assert place is not None
        await store.outbox.put(place.id, Post(message(words)), Promise.ALERT, town.slack.clock.now())


async def test_the_tokens_are_destroyed_and_the_end_is_written_down(town: Town) -> None:
    """In the audit: the end, and each account that was suspended for it."""
    await town.removes("T1")
    assert await town.installs.find("T1") is None
    assert await town.installs.find("T2") == {"token": "token-of-T2"}
    (ended,) = await rows(town.slack, "installations", team=T1)
    assert ended["sealed"] is None
    audit = await rows(town.slack, "audit", team=T1)
    told = {(row["actor"], row["action"], row["outcome"]) for row in audit}
    assert ("slack", "workspace_left", "ended") in told
    assert ("policy", "suspend", "workspace_left") in told
    assert await rows(town.slack, "audit", team=T2, action="workspace_left") == []


async def test_a_poll_under_way_asks_nothing_more_and_writes_nothing(town: Town, bitso: Running) -> None:
    """The exchange hears nothing of that key after the end, and what was read is not kept."""
    prices, before = town.slack.ctx.exchanges["bitso"].prices, await rows(town.slack, "accounts", team=T1)
    found: list[int] = []

    async def meanwhile(self: object) -> object:
        # The balances have been read, and the fills come next.
        if not found:
            await town.removes("T1")
            found.append(len(bitso.state.requests))
        return await prices()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(town.slack.ctx.exchanges["bitso"]), "prices", meanwhile)
        town.slack.clock.advance(seconds=130)
        await town.slack.registry.jobs["poll_accounts"].run(town.slack.ctx)

    assert found
    trades = [path for _, path in bitso.state.requests[found[0] :] if "user_trades" in path]
    assert len(trades) == 2
    (after,) = await rows(town.slack, "accounts", team=T1)
    assert (after["polled_at"], after["state"]) == (before[0]["polled_at"], "suspended")


async def test_a_second_word_of_the_same_end_changes_nothing(town: Town) -> None:
    """The platform says it twice: the app was removed, and its tokens revoked."""
    await town.removes("T1")
    once = await rows(town.slack, "audit")
    await town.removes("T1")
    assert await rows(town.slack, "audit") == once


async def test_let_in_again_reading_goes_on_with_what_happened_meanwhile(town: Town, bitso: Running) -> None:
    """In private at once; a group asks for it anew."""
    await town.removes("T1")
    await town.slack.turn(seconds=31)
    said = len(town.slack.texts(CHANNEL))
    bitso.state.trade("buy", "btc_mxn", "0.0123")
    await town.slack.turn(seconds=31)
    assert "0.0123" not in town.slack.last(ANA).text

    await town.lets_in("T1", by="ana")
    await town.slack.turn(seconds=61)

    assert await states(town) == {"slack:T1": "active", "slack:T2": "active", "home": "active"}
    assert "Bought 0.0123 BTC" in town.slack.last(ANA).text
    assert len(town.slack.texts(CHANNEL)) == said
    joined = await rows(town.slack, "audit", team=T1, action="workspace_joined")
    assert [row["actor"] for row in joined] == ["slack", "slack:T1/ana"]
    assert len(await rows(town.slack, "audit", team=T1, action="resume")) == 1


async def test_a_new_token_in_the_settings_is_a_new_installation(town: Town, bitso: Running) -> None:
    """With one workspace nothing else tells that it let us in again; each further start changes nothing."""
    await town.removes("T1")
    bitso.state.trade("buy", "btc_mxn", "0.0124")
    for _ in range(2):
        await town.installs.alive("T1")
        await town.slack.turn(seconds=61)
    assert len([text for text in town.slack.texts(ANA) if "Bought 0.0124 BTC" in text]) == 1
    assert len(await rows(town.slack, "audit", team=T1, action="workspace_joined")) == 2


async def test_the_late_word_of_an_earlier_end_ends_nothing(town: Town) -> None:
    """Removed and let in again while we were away, the first may be heard of last."""
    removed = town.slack.clock.now() + timedelta(seconds=5)
    town.slack.clock.advance(seconds=60)
    await town.lets_in("T1")
    await town.removes("T1", at=str(int(removed.timestamp())))
    assert (await states(town))["slack:T1"] == "active"
    town.slack.clock.advance(seconds=60)
    await town.removes("T1", at=str(int(town.slack.clock.now().timestamp())))
    assert (await states(town))["slack:T1"] == "suspended"


async def test_an_update_that_comes_after_the_end_wakes_nothing(town: Town) -> None:
    """What somebody typed just before is not answered into a workspace that is gone."""
    await town.removes("T1")
    said = len(town.slack.chat.messages)
    number = next(town.slack.events)
    raw = {"kind": "said", "user": ANA, "chat": ANA, "text": "/help", "id": f"u{number}"}
    await town.slack.inlet.put("slack", f"late{number}", raw)
    await town.slack.dispatcher.sweep()
    await town.slack.turn()
    assert len(town.slack.chat.messages) == said
    assert not any(row["live"] for row in await rows(town.slack, "conversations", workspace="T1"))


async def test_a_link_of_that_workspace_is_dead(town: Town) -> None:
    """Nobody hands in a key for a workspace that threw us out; the link of another opens."""
    dead = await link_of(town.slack, "bitso", as_=ANA)
    other = await link_of(town.slack, "bitso", as_=BO)
    await town.removes("T1")
    assert await town.slack.desk.open(token_of(dead)[0], "en") is None
    assert await town.slack.desk.open(token_of(other)[0], "en") is not None


async def test_who_also_talks_to_us_elsewhere_is_told_there(town: Town) -> None:
    """Once, with the accounts that are not read any more, and how to destroy their keys."""
    await town.web.type("/help", as_="ana-on-web")
    async with town.slack.ctx.uow() as store:
        now = town.slack.clock.now()
        ana = await store.people.meet(Identity("slack", "ana", "T1"), "Ana", "en", ("UTC", "USD"), now)
        await store.conversations.enter(Place("web", "ana-on-web"), HOME_TEAM, ana.id)
    await town.removes("T1")
    told = [text for text in town.web.texts("ana-on-web") if "removed me" in text]
    assert len(told) == 1
    assert "Your Slack workspace removed me" in told[0]
    assert "I stopped reading Bitso …" in told[0]
    assert "/disconnect" in told[0]
    assert not any("removed me" in text for text in (*town.web.texts(YOU), *town.slack.texts(BO)))


async def test_an_organisation_ends_and_comes_back_with_each_of_its_workspaces(town: Town) -> None:
    """One that was let in by the organisation; another with an installation of its own goes on throughout."""
    await town.installs.keep("E1", "E1", {"token": "of-all"})
    await town.installs.keep("T1", "E1", {"of": "E1"})
    await town.removes("E1")
    assert await states(town) == {"slack:T1": "suspended", "slack:T2": "active", "home": "active"}
    assert await town.installs.find("T1", "E1") is None

    await town.lets_in("E1", wide="E1")
    await town.slack.turn(seconds=61)
    assert (await states(town))["slack:T1"] == "active"
    assert await town.installs.find("T1") == {"token": "token-of-E1"}
    assert "/connect" in (await town.slack.type("/help", as_=ANA)).text


@pytest.mark.parametrize("whole", [False, True], ids=["installed anew", "after the end of all"])
async def test_what_an_organisation_took_away_from_one_workspace_stays_away(town: Town, whole: bool) -> None:
    """Who approves the app anew for the organisation has not given it back to that workspace."""
    await town.installs.keep("E1", "E1", {"token": "of-all"})
    await town.installs.keep("T1", "E1", {"of": "E1"})
    await town.removes("T1")
    town.slack.clock.advance(seconds=5)
    if whole:
        await town.removes("E1")
    await town.lets_in("E1", wide="E1")
    await town.slack.turn(seconds=61)
    assert await states(town) == {"slack:T1": "suspended", "slack:T2": "active", "home": "active"}
    assert await town.installs.ended("T1")


async def test_what_installations_and_pages_leave_behind_is_swept(town: Town) -> None:
    """States nobody came back with, and pages of a workspace that is gone; a page on show is kept."""
    await town.opens_home(ANA)
    await town.opens_home(BO)
    await town.installs.issue_state(600)
    await town.removes("T1")
    await town.slack.turn(seconds=601, jobs=["prune_rows"])
    assert await rows(town.slack, "installation_states") == []
    assert [row["team"] for row in await rows(town.slack, "homes")] == [T2]
