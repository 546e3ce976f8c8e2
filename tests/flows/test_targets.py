"""A place that shuts its door: that target stops, its owners hear of it elsewhere, and how it goes on."""

from dataclasses import replace

from chatbot.domain.people import Place, Roster
from tests.support.bot import STRANGER, TEAM, YOU, Bot
from tests.support.connected import connect, share
from tests.support.practice import Running
from tests.support.rows import rows


async def test_the_owner_is_told_in_private_that_a_group_shut_its_door(linked: Bot, bitso: Running) -> None:
    """Which place, whose account, and how it goes on; in the audit as well; a second kick says nothing."""
    await share(linked)
    await linked.happens("left", chat=TEAM, as_=STRANGER)
    told = linked.last()
    assert told.text.startswith("I can't write to “Team” any more")
    assert f"Nothing of Bitso …{bitso.state.key[-4:]} goes there now." in told.text
    assert "I ask you here before anything goes there" in told.text
    (noted,) = await rows(linked, "audit", action="target_removed")
    assert noted["outcome"] == "shut"
    said = len(linked.texts())
    await linked.happens("left", chat=TEAM, as_=STRANGER)
    assert len(linked.texts()) == said


async def test_let_in_by_its_owner_it_goes_on(linked: Bot, bitso: Running) -> None:
    """They said yes before and bring the bot back themselves: the group is told, and hears again."""
    await share(linked)
    await linked.happens("left", chat=TEAM, as_=STRANGER)
    await linked.happens("joined", chat=TEAM)
    assert "From now on" in linked.last(TEAM).text
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert "Bought" in linked.last(TEAM).text


async def test_let_in_by_somebody_else_its_owner_is_asked(linked: Bot, bitso: Running) -> None:
    """Anybody may bring the bot back, so that alone starts nothing; the question comes once."""
    await share(linked)
    await linked.happens("left", chat=TEAM, as_=STRANGER)
    said = len(linked.texts())
    for _ in range(2):
        await linked.happens("joined", chat=TEAM, as_=STRANGER)
    assert [text.splitlines()[0] for text in linked.texts()[said:]] == [
        f"Send balances and fills of Bitso …{bitso.state.key[-4:]} to “Team”?"
    ]
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert "Bought" not in "\n".join(linked.texts(TEAM))
    await linked.press("Yes")
    bitso.state.trade("sell", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert "Sold" in linked.last(TEAM).text


async def test_whoever_left_the_list_is_not_asked(linked: Bot) -> None:
    """Nor told what they no longer take part in."""
    await share(linked)
    await linked.happens("left", chat=TEAM, as_=STRANGER)
    said = len(linked.texts())
    vars(linked.dispatcher)["_ctx"] = replace(linked.ctx, roster=Roster(frozenset(), frozenset()))
    await linked.happens("joined", chat=TEAM)
    assert len(linked.texts()) == said


async def test_an_account_that_went_meanwhile_is_not_asked_for(linked: Bot) -> None:
    """Disconnected while the bot was out: nothing to ask, and nothing kept."""
    await share(linked)
    await linked.happens("left", chat=TEAM, as_=STRANGER)
    await linked.type("/disconnect")
    await linked.press("Yes, do it")
    said = len(linked.texts())
    await linked.happens("joined", chat=TEAM, as_=STRANGER)
    assert len(linked.texts()) == said
    assert await rows(linked, "consents") == []


async def test_each_owner_of_a_group_is_told(linked: Bot, bitso: Running) -> None:
    """Of their own accounts alone."""
    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await connect(linked, bitso, as_="other", key=key, secret=secret)
    await share(linked)
    await share(linked, as_="other")
    await linked.happens("left", chat=TEAM, as_=STRANGER)
    for who, mine in ((YOU, bitso.state.key), ("other", key)):
        assert f"Nothing of Bitso …{mine[-4:]} goes there now." in linked.last(who).text


async def test_a_blocked_chat_is_told_of_elsewhere(linked: Bot, bitso: Running) -> None:
    """In another private chat of the owner; /start where it was blocked, and all goes on."""
    (you,) = await rows(linked, "people", user=YOU)
    async with linked.ctx.uow() as store:
        person = await store.people.get(you["id"])
        await store.conversations.enter(Place("web", "phone"), person.team, person.id)
    await linked.happens("left", chat=YOU)
    assert linked.last("phone").text.startswith("I can't write to your chat on Web any more")
    assert "send /start" in linked.last("phone").text
    await linked.type("/start")
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert "Bought" in linked.last(YOU).text


async def test_at_night_it_is_said_without_a_sound(linked: Bot) -> None:
    """It is no emergency: quiet hours are kept."""
    await share(linked)
    hour = linked.clock.now().hour
    await linked.type(f"/quiet {hour:02}:00-{(hour + 2) % 24:02}:00")
    await linked.happens("left", chat=TEAM, as_=STRANGER)
    assert linked.last().silent


async def test_a_yes_for_a_place_that_shut_meanwhile_starts_nothing(linked: Bot) -> None:
    """Asked, then thrown out, then *Yes*: a sentence that says what to do."""
    await linked.type("/here", chat=TEAM)
    await linked.happens("left", chat=TEAM, as_=STRANGER)
    await linked.press("Yes")
    assert linked.last().text == "I am not there any more. Let me in and send /here there again."
    assert len({row["conversation"] for row in await rows(linked, "subscriptions")}) == 1
