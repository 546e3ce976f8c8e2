"""The home page: what is on it, for whom, when it is published again, and what its buttons leave behind."""

import pytest
from sqlalchemy import text

from chatbot.errors import SendError, Verdict
from handlers.notifications import home as notifications
from tests.support.bot import Bot
from tests.support.connected import connect, share
from tests.support.practice import Running
from tests.support.rows import rows
from tests.support.workspaces import ANA, BO, BOSS, Town, beside

RENEW = ("publish_homes", "deliver_messages")


@pytest.fixture
async def town(bot: Bot) -> Town:
    """Two workspaces beside the web chat, nobody connected."""
    return await beside(bot)


@pytest.fixture
async def home(town: Town, bitso: Running) -> Town:
    """Ana of T1 with an account and her home page open."""
    await connect(town.slack, bitso, as_=ANA)
    await town.opens_home()
    return town


async def test_the_page_shows_accounts_health_schedule_and_settings(home: Town, bitso: Running) -> None:
    """What a person asks most: is it working, until when, what comes next, and how is it set."""
    shown = home.pages.home()
    for part in (
        f"Bitso …{bitso.state.key[-4:]}",
        "works, read within the last 5 minutes",
        "Expiry:",
        "9:00:00\u202fAM · in our private chat",
        "Language: English",
        "Time zone: UTC",
        "Currency: USD",
        "As of ",
    ):
        assert part in shown.text
    assert shown.labels == [
        "Balances", "Fills", "Keys", "Test a key", "Connect an exchange",
        "Language", "Time zone", "Currency", "What is stored",
    ]  # fmt: skip
    assert home.slack.last(ANA).text != shown.text


@pytest.mark.parametrize(
    ("label", "answer"),
    [
        ("Balances", "Total $"),
        ("Fills", "Latest fills"),
        ("Keys", "How we know"),
        ("Test a key", "Testing"),
        ("Connect an exchange", "Which exchange?"),
        ("Language", "Which language?"),
        ("Time zone", "Your time zone is"),
        ("Currency", "Values are shown in"),
        ("What is stored", "When you last opened my home page"),
    ],
)
async def test_every_button_does_what_its_command_does(home: Town, label: str, answer: str) -> None:
    """Its answer comes into the private chat, not onto the page."""
    pages = len(home.pages.homes[ANA])
    assert answer in (await home.slack.press(label, as_=ANA, on=home.pages.home())).text
    assert len(home.pages.homes[ANA]) == pages


async def test_trouble_and_a_change_of_settings_reach_the_page_by_themselves(home: Town, bitso) -> None:
    """Nobody has to open it again while they look at it."""
    bitso.state.keys[bitso.state.key].active = False
    await home.slack.turn(seconds=31)
    await home.slack.turn(jobs=RENEW)
    assert "says this key is not active" in home.pages.home().text
    await home.slack.type("/currency MXN", as_=ANA)
    await home.slack.turn(jobs=RENEW)
    assert "Currency: MXN" in home.pages.home().text


async def test_a_page_that_would_say_the_same_is_not_published(home: Town) -> None:
    """An hour of quiet polling is no reason to publish anything."""
    pages = len(home.pages.homes[ANA])
    for _ in range(10):
        await home.slack.turn(seconds=31)
        await home.slack.turn(jobs=RENEW)
    assert len(home.pages.homes[ANA]) == pages


async def test_a_page_nobody_looked_at_for_an_hour_is_left_alone_until_it_is_opened(home: Town) -> None:
    """Then it shows everything as it is."""
    pages = len(home.pages.homes[ANA])
    await home.slack.turn(seconds=3601, jobs=())
    await home.slack.type("/currency MXN", as_=ANA)
    await home.slack.turn(jobs=RENEW)
    assert len(home.pages.homes[ANA]) == pages
    assert "Currency: MXN" in (await home.opens_home()).text


async def test_replaced_pages_leave_nothing_behind(home: Town) -> None:
    """After two hundred pages the database holds the buttons of one, and that one's work."""
    before = await rows(home.slack, "buttons")
    for number in range(200):
        await home.slack.type(f"/currency {('MXN', 'USD')[number % 2]}", as_=ANA)
        await home.slack.turn(jobs=RENEW)
    assert len(home.pages.homes[ANA]) > 200
    assert len(await rows(home.slack, "outbox", home=True)) == 1
    assert len(await rows(home.slack, "buttons")) == len(before)
    await home.slack.press("Balances", as_=ANA, on=home.pages.home())
    assert "Total" in home.slack.last(ANA).text


async def test_the_buttons_of_the_page_on_show_work_until_the_next_is_on_show(home: Town) -> None:
    """While the platform can't be reached the old page stays, and so does what it can do."""
    old = home.pages.home()
    home.pages.refuse = [SendError(Verdict.UNSENT, "away", wait=60)]
    for _ in range(20):
        await home.opens_home()
    assert home.pages.home() is old
    # The one that was tried, and the newest: those between would only be replaced.
    assert len(await rows(home.slack, "outbox", home=True, state="pending")) == 2
    assert len(await rows(home.slack, "buttons", id=old.buttons[0].action)) == 1
    await home.slack.turn(seconds=61, jobs=("deliver_messages",))
    assert home.pages.home() is not old
    assert await rows(home.slack, "buttons", id=old.buttons[0].action) == []


async def test_somebody_without_an_account_is_led_to_one(town: Town) -> None:
    """One button for each exchange, and the guide begins in the private chat."""
    shown = await town.opens_home()
    assert "No account is connected yet." in shown.text
    assert "Connect Bitso" in shown.labels
    assert "step 1 of" in (await town.slack.press("Connect Bitso", as_=ANA, on=shown)).text


async def test_a_stranger_reads_how_to_get_in(town: Town) -> None:
    """Their own id to hand to an admin, and nothing to press."""
    shown = await town.opens_home("T1/eve")
    assert "slack:T1/eve" in shown.text
    assert shown.labels == []


async def test_who_was_taken_off_the_list_can_still_end_what_is_theirs(home: Town) -> None:
    """The page changes by itself to what they can still do."""
    roster = home.slack.ctx.roster
    object.__setattr__(roster, "members", frozenset())
    await home.slack.turn(jobs=RENEW)
    shown = home.pages.home()
    assert "not on this bot's list any more" in shown.text
    assert shown.labels == ["/privacy", "/disconnect"]
    assert "What I store" in (await home.slack.press("/privacy", as_=ANA, on=shown)).text


async def test_an_admin_sees_nothing_of_others(home: Town, bitso: Running) -> None:
    """Nor does anybody of another workspace."""
    for who in (BOSS, BO):
        assert bitso.state.key[-4:] not in (await home.opens_home(who)).text


async def test_where_the_next_post_goes_is_told_place_by_place(home: Town) -> None:
    """A channel by its id: its name is not ours to read."""
    await share(home.slack, "T1/C7", as_=ANA)
    await home.slack.turn(jobs=RENEW)
    shown = home.pages.home().text
    assert "in our private chat" in shown
    assert "in the group or channel C7" in shown


async def test_a_page_of_many_accounts_says_how_many_more_there_are(
    home: Town, bitso: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No page outgrows what a platform shows."""
    monkeypatch.setattr(notifications, "MOST_ACCOUNTS", 1)
    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await connect(home.slack, bitso, as_=ANA, key=key, secret=secret)
    assert "And 1 more: see /accounts." in (await home.opens_home()).text


async def test_deleting_everything_empties_the_page(home: Town, bitso: Running) -> None:
    """The platform would go on showing it for ever."""
    await home.slack.type("/privacy", as_=ANA)
    await home.slack.press("Delete everything of mine", as_=ANA)
    await home.slack.press("Yes, do it", as_=ANA)
    assert home.pages.home().text == "Nothing of yours is stored here."
    assert home.pages.home().labels == []
    assert await rows(home.slack, "homes") == []


async def test_one_broken_page_stops_no_other(home: Town) -> None:
    """A bug with one person's page is logged, and the next person's is renewed."""
    await home.opens_home(BO)
    await home.slack.type("/currency MXN", as_=BO)
    async with home.slack.database.transaction() as tx:
        await tx.run(text("UPDATE people SET timezone = 'Nowhere/City' WHERE \"user\" = 'ana'"))
    await home.slack.turn(jobs=RENEW)
    assert "Currency: MXN" in home.pages.home(BO).text
    assert [ids for _, action, ids in home.slack.log.lines if action == "home_failed"]
