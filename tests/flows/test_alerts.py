"""/alerts: everything about what is told is shown and changed by buttons, in one card."""

import pytest

from chatbot.domain.people import Standing
from tests.support.bot import TEAM, YOU, Bot
from tests.support.chat import Shown
from tests.support.connected import connect, share
from tests.support.practice import Running
from tests.support.rows import rows


async def test_it_shows_every_account_and_place(linked: Bot, bitso: Running) -> None:
    """How many kinds are how loud, in the owner's chat and in each group."""
    await share(linked)
    shown = await linked.type("/alerts")
    name = f"Bitso …{bitso.state.key[-4:]}"
    assert shown.text.splitlines() == [
        "Alerts", "", name, "Your chat on Web: 9 loud", "“Team”: 3 loud, 3 switched off",
    ]  # fmt: skip
    assert shown.labels == [name, "Places", "Quiet hours", "Mute"]


async def test_without_an_account_it_says_how_to_begin(bot: Bot) -> None:
    """A sentence and the button that changes it."""
    shown = await bot.type("/alerts")
    assert (shown.text, shown.labels) == ("No account is connected yet.", ["/connect"])


@pytest.mark.parametrize(("press", "level"), [("Silent", "silent"), ("Off", "switched off")])
async def test_a_kind_is_made_quieter_and_louder_in_place(linked: Bot, press: str, level: str) -> None:
    """Account, place, kind, choice: always the same message, ticked as it stands; the audit has each change."""
    card = await linked.type("/alerts")
    messages = len(linked.chat.messages)
    await walk(linked, card, "Bitso", "Your chat", "Fills", press)
    assert f"Fills: {level}" in card.text
    assert f"✓ {press}" in card.labels
    assert await levels(linked, "fills") == [press.lower()]
    await linked.press("Loud", on=card)
    assert await levels(linked, "fills") == ["loud"]
    await walk(linked, card, "Back", "Back", "Back")
    assert card.text.startswith("Alerts")
    assert len(linked.chat.messages) == messages
    assert len(await rows(linked, "audit", action="loudness")) == 2


async def test_silent_and_off_are_obeyed(linked: Bot, bitso: Running) -> None:
    """Silent comes without a sound, off does not come."""
    card = await linked.type("/alerts")
    await walk(linked, card, "Bitso", "Your chat", "Fills", "Silent")
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert "Bought" in linked.last().text
    assert linked.last().silent
    await linked.press("Off", on=card)
    bitso.state.trade("sell", "btc_mxn", "0.01")
    await linked.turn(seconds=121)
    assert "Sold" not in "\n".join(linked.texts())


@pytest.mark.parametrize("kind", ["Security", "Unexplained outflow", "Permission changes"])
async def test_what_protects_the_account_is_muted_for_hours_not_switched_off(linked: Bot, kind: str) -> None:
    """No *Off*, the reason, and times to choose; a mute of it is in the audit and can be lifted."""
    card = await linked.type("/alerts")
    await walk(linked, card, "Bitso", "Your chat", kind)
    assert card.labels == ["✓ Loud", "Silent", "Mute 2 h", "Mute 8 h", "Mute 24 h", "Back"]
    assert "It can't be switched off, as it protects your account; mute it for hours." in card.text
    await linked.press("Mute 24 h", on=card)
    assert "muted until" in card.text
    (noted,) = await rows(linked, "audit", action="mute")
    assert "24 h" in noted["outcome"]
    await linked.press("Unmute", on=card)
    assert "muted until" not in card.text


@pytest.mark.parametrize(
    ("choice", "rule"),
    [
        ("Every day at 09:00", "daily 09:00"), ("Monday to Friday", "weekdays 09:00"),
        ("Every Mon at 09:00", "weekly mon 09:00"), ("On day 1 of", "monthly 1 09:00"),
        ("Every 4 h", "every 4h"),
    ],
)  # fmt: skip
async def test_the_times_of_the_balances_are_chosen(linked: Bot, choice: str, rule: str) -> None:
    """Each choice is stored with its next slot, and shown in words."""
    card = await linked.type("/alerts")
    await walk(linked, card, "Bitso", "Your chat", "Balances", choice)
    (sub,) = await rows(linked, "subscriptions", kind="balances")
    assert sub["rule"] == rule
    assert sub["due_at"] > linked.clock.now().timestamp() * 1e6
    assert f"loud · {choice}".casefold() in card.text.casefold()


async def test_other_times_are_typed(linked: Bot) -> None:
    """`/alerts balances daily 18:30`: the next post comes then, once, and the one of nine not."""
    shown = await linked.type("/alerts balances daily 18:30")
    assert shown.text.startswith("Alerts")
    before = sum("\nTotal" in text for text in linked.texts())
    came: list[int] = []
    for _ in range(24 * 2):
        await linked.turn(seconds=1800)
        now = sum("\nTotal" in text for text in linked.texts())
        if now > before:
            came.append(linked.clock.now().hour)
        before = now
    assert came == [18]


async def test_typed_times_switch_a_silenced_post_on_again(linked: Bot) -> None:
    """Off by words, then a time: it is loud again."""
    await linked.type("/alerts balances off")
    assert await levels(linked, "balances") == ["off"]
    await linked.type("/alerts balances weekly fri 10:00")
    assert await levels(linked, "balances") == ["loud"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("balances daily 25:00", "I can't read “daily 25:00” as times for a post. Write one of these: daily"),
        ("balances whenever", "I can't read “whenever” as times for a post."),
        ("nonsense daily 09:00", "Write it like this: /alerts balances daily 18:30, or /alerts fills silent"),
        ("balances", "Write it like this: /alerts balances daily 18:30"),
        ("fills daily 09:00", "Write it like this: /alerts balances daily 18:30"),
        ("security off", "This can't be switched off: it protects your account."),
    ],
)
async def test_what_cannot_be_read_changes_nothing(linked: Bot, words: str, said: str) -> None:
    """A sentence with an example that works."""
    before = await rows(linked, "subscriptions")
    assert said in (await linked.type(f"/alerts {words}")).text
    assert await rows(linked, "subscriptions") == before


async def test_places_are_listed_and_stopped(linked: Bot) -> None:
    """Each group with its *Stop*; a second press finds it stopped."""
    await share(linked)
    card = await linked.type("/alerts")
    await linked.press("Places", on=card)
    assert "“Team”: Bitso" in card.text
    stop = linked.button("Stop: “Team”", YOU, card)
    for _ in range(2):
        await press(linked, stop.action)
        assert "None but your own chat. To add one, send /here in a group." in card.text
    assert len(await rows(linked, "audit", action="target_removed")) == 1


async def test_an_owner_adds_a_kind_to_a_group(linked: Bot) -> None:
    """Key trouble for the team room, beside what it hears; what protects the account is not offered there."""
    await share(linked)
    card = await linked.type("/alerts")
    await walk(linked, card, "Bitso", "“Team”")
    assert not {"Security", "Permission changes", "Unexplained outflow"} & set(card.labels)
    await walk(linked, card, "Key trouble", "Loud")
    assert await levels(linked, "keys") == ["loud", "loud"]
    assert "Key trouble: loud" in card.text


async def test_an_older_card_says_what_is_gone(linked: Bot) -> None:
    """Its account was disconnected since: the press is answered by how things stand now."""
    card = await linked.type("/alerts")
    await linked.press("Bitso", on=card)
    button = linked.button("Your chat", YOU, card)
    await linked.type("/disconnect")
    await linked.press("Yes, do it")
    await press(linked, button.action)
    assert linked.chat.toasts[-1] == "That is no longer there."
    assert card.text == "Alerts"


async def test_an_older_card_keeps_working(linked: Bot) -> None:
    """A press on it acts, and shows in the newest."""
    old = await linked.type("/alerts")
    new = await linked.type("/alerts")
    await linked.press("Bitso", on=old)
    assert new.text.splitlines()[1] == "Your chat on Web: 9 loud"


async def test_nobody_changes_what_is_anothers(linked: Bot, bitso: Running) -> None:
    """Buttons are their reader's, and ids in them are looked up among one's own accounts alone."""
    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await connect(linked, bitso, as_="other", key=key, secret=secret)
    card = await linked.type("/alerts")
    await linked.press("Bitso", on=card)
    theirs = await linked.type("/alerts", as_="other")
    assert key[-4:] in theirs.text
    assert bitso.state.key[-4:] not in theirs.text
    await press(linked, linked.button("Your chat", YOU, card).action, as_="other", chat="other")
    assert "isn't yours" in linked.chat.toasts[-1]


async def test_a_group_sees_what_comes_and_may_only_lower_it(linked: Bot, bitso: Running) -> None:
    """From whom and how loud, without amounts; louder again is the owner's to choose."""
    await share(linked)
    card = await linked.type("/alerts", chat=TEAM, as_="other")
    name = f"Bitso …{bitso.state.key[-4:]} of You"
    assert card.text.splitlines() == [
        "What comes here", "", name, "Balances: loud · every day at 09:00", "Fills: loud",
        "Deposits and withdrawals: loud",
    ]  # fmt: skip
    await linked.press("Bitso", chat=TEAM, as_="other", on=card)
    old = linked.button("Fills: Silent", TEAM, card)
    await linked.press("Fills: Off", chat=TEAM, as_="other", on=card)
    assert "Fills: switched off" in card.text
    await press(linked, old.action, as_="other", chat=TEAM)
    assert "only its owner makes it louder" in linked.chat.toasts[-1]
    assert sorted(await levels(linked, "fills")) == ["loud", "off"]
    (noted,) = await rows(linked, "audit", action="loudness")
    assert (noted["actor"], noted["outcome"].split()[:2]) == ("web:other", ["fills", "off"])


async def test_in_a_group_only_its_admins_see_and_lower(linked: Bot) -> None:
    """Whoever stopped being one meanwhile is refused at the press."""
    await share(linked)
    card = await linked.type("/alerts", chat=TEAM, as_="other")
    linked.chat.standings["other"] = Standing.PERSON
    await linked.press("Bitso", chat=TEAM, as_="other", on=card)
    assert linked.chat.toasts[-1] == "Only an admin of this group or channel may do that."
    refused = await linked.type("/alerts", chat=TEAM, as_="other")
    assert "Only an admin of this group or channel may send /alerts in it." in refused.text


async def test_in_a_group_times_are_typed_for_ones_own_accounts(linked: Bot) -> None:
    """The owner sets those of the group in it; somebody else has nothing to set there."""
    await share(linked)
    await linked.type("/alerts balances weekdays 08:15", chat=TEAM)
    rules = sorted(row["rule"] for row in await rows(linked, "subscriptions", kind="balances"))
    assert rules == ["daily 09:00", "weekdays 08:15"]
    refused = await linked.type("/alerts balances daily 10:00", chat=TEAM, as_="other")
    assert "Nothing of this comes here of accounts of yours" in refused.text


async def test_an_empty_group_says_how_to_begin(linked: Bot) -> None:
    """Nothing comes there yet."""
    assert (
        "Nothing yet. To add an account of yours, send /here."
        in (await linked.type("/alerts", chat=TEAM)).text
    )


@pytest.mark.parametrize("language", ["es", "pt"])
async def test_it_speaks_the_readers_language(linked: Bot, language: str) -> None:
    """Weekdays in the choice of times are words of that language."""
    await linked.type(f"/language {language}")
    card = await linked.type("/alerts")
    found = next(b for b in card.buttons if b.text.startswith("Bitso"))
    await press(linked, found.action)
    await press(linked, card.buttons[0].action)
    await press(linked, card.buttons[0].action)
    assert {"es": "lun", "pt": "seg"}[language] in "".join(card.labels)


async def walk(bot: Bot, card: Shown, *labels: str) -> None:
    """Press one button after the other on a card."""
    for label in labels:
        await bot.press(label, on=card)


async def levels(bot: Bot, kind: str) -> list[str]:
    """Return how loud a kind is in each place."""
    return [row["loudness"] for row in await rows(bot, "subscriptions", kind=kind)]


async def press(bot: Bot, button: str, *, as_: str = YOU, chat: str = YOU) -> None:
    """Press a button by its id, whatever the chat shows by now."""
    raw = {"kind": "pressed", "user": as_, "chat": chat, "button": button, "id": "m"}
    await bot.inlet.put("web", f"p{next(bot.events)}", raw)
    await bot._handled()
