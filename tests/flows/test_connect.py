"""From `/connect` to the first balances, by typing and reading."""

from dataclasses import replace
from pathlib import Path

import pytest

from chatbot.dispatcher import Dispatcher
from chatbot.domain.outbox import Delivery
from chatbot.ports.desk import Accepted, BadSeal, Refused
from tests.support.bot import ADMIN, TEAM, YOU, Bot, link_of, open_bot
from tests.support.chat import Chat
from tests.support.connected import connect
from tests.support.page import submit, token_of
from tests.support.practice import Running


async def test_the_guide_counts_its_steps_and_is_edited_in_place(bot: Bot) -> None:
    """One step per message, the same message all along, with its number."""
    first = await bot.type("/connect bitso")
    assert "step 1 of" in first.text
    second = await bot.press("Next")
    assert "step 2 of" in second.text
    assert second.id == first.id
    assert "step 1 of" in (await bot.press("Back")).text


async def test_connect_without_a_name_offers_every_exchange(bot: Bot) -> None:
    """Nobody has to know how an exchange is spelled."""
    assert "Bitso" in (await bot.type("/connect")).labels
    assert "step 1 of" in (await bot.press("Bitso")).text


async def test_the_tick_list_names_what_to_leave_off(bot: Bot) -> None:
    """Monitoring asks for the two view rights and nothing else."""
    await bot.type("/connect bitso")
    shown = [bot.last().text]
    while not any("☑" in text for text in shown):
        shown.append((await bot.press("Next")).text)
    assert "☑ View balances" in shown[-1]
    assert "☑ View account information" in shown[-1]
    assert "☐ Place orders — leave off" in shown[-1]


async def test_the_guide_goes_on_after_a_restart(tmp_path: Path, bitso: Running) -> None:
    """Its state is a row: another process, a week later, shows the same step."""
    async with open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
        await bot.type("/connect bitso")
        reached = (await bot.press("Next")).text
    async with open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
        bot.clock.advance(days=7)
        assert (await bot.type("/connect bitso")).text == reached


async def test_a_good_key_is_proven_confirmed_and_its_balances_posted(bot: Bot, bitso: Running) -> None:
    """The main job of the product, end to end."""
    url = await link_of(bot)
    answer = await submit(bot.desk, url, bitso.state.key, bitso.state.secret)
    assert isinstance(answer, Accepted)
    await bot.turn()
    question = bot.last()
    assert question.labels == ["Confirm", "Not me"]
    assert answer.code in question.text
    assert "not reported" in question.text
    assert "is connected" in (await bot.press("Confirm")).text
    await bot.turn(seconds=3)
    await bot.turn(seconds=3)
    assert "Total $" in bot.last().text
    assert bitso.state.key[-4:] in bot.last().text


async def test_an_unconfirmed_key_is_used_by_nothing_and_gone_in_ten_minutes(
    bot: Bot, bitso: Running
) -> None:
    """Possession of a link is not enough: without the code it comes to nothing."""
    await submit(bot.desk, await link_of(bot), bitso.state.key, bitso.state.secret)
    await bot.turn(seconds=120)
    assert "No account is connected" in (await bot.type("/accounts")).text
    await bot.turn(seconds=9 * 60)
    assert any("Nobody confirmed" in text for text in bot.texts())
    await bot.press("Confirm", on=None) if "Confirm" in bot.last().labels else None
    assert "No account is connected" in (await bot.type("/accounts")).text


async def test_not_me_destroys_the_key(bot: Bot, bitso: Running) -> None:
    """A key somebody else handed in is not kept."""
    await submit(bot.desk, await link_of(bot), bitso.state.key, bitso.state.secret)
    await bot.turn()
    shown = await bot.press("Not me")
    assert "Destroyed" in shown.text
    assert "New link" in shown.labels
    assert "No account is connected" in (await bot.type("/accounts")).text


async def test_only_the_person_the_link_was_for_may_confirm(bot: Bot, bitso: Running) -> None:
    """Another member who presses Confirm changes nothing and is told so."""
    await submit(bot.desk, await link_of(bot), bitso.state.key, bitso.state.secret)
    await bot.turn()
    await bot.type("/help", as_=ADMIN)
    button = bot.button("Confirm", YOU)
    raw = {"kind": "pressed", "user": ADMIN, "chat": ADMIN, "button": button.action, "id": "m"}
    await bot.inlet.put("web", "forged", raw)
    await bot.dispatcher.sweep()
    assert bot.chat.toasts[-1] == "This button isn't yours, or its time is over."
    assert "No account is connected" in (await bot.type("/accounts")).text


@pytest.mark.parametrize("egress", [(), ("192.0.2.7",)])
async def test_the_message_with_the_link_is_protected_from_its_first_send(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, egress: tuple[str, ...]
) -> None:
    """An edit can't protect what was sent openly; addresses to copy stay open, in a message of their own."""
    ctx = replace(bot.ctx, options=replace(bot.ctx.options, egress=egress))
    bot.dispatcher = Dispatcher(bot.registry, ctx, lambda _, raw: bot.chat.parse(raw))
    firsts: dict[str, bool] = {}
    deliver = Chat.deliver

    async def watch(chat: Chat, delivery: Delivery) -> str:
        shown = await deliver(chat, delivery)
        if not delivery.edit:
            firsts[shown] = delivery.protect
        return shown

    monkeypatch.setattr(Chat, "deliver", watch)
    await link_of(bot)
    assert list(firsts.values()) == ([False, True] if egress else [True])
    assert bot.last().id == list(firsts)[-1]


async def test_a_wrong_secret_keeps_the_link_for_three_tries(bot: Bot, bitso: Running) -> None:
    """A typing mistake costs a try, not the link; the third ends it and the chat says why."""
    url = await link_of(bot)
    for left in (2, 1):
        answer = await submit(bot.desk, url, bitso.state.key, "0" * 32)
        assert isinstance(answer, Refused)
        assert answer.tries_left == left
    last = await submit(bot.desk, url, bitso.state.key, "0" * 32)
    assert isinstance(last, Refused)
    assert last.tries_left == 0
    assert await submit(bot.desk, url, bitso.state.key, bitso.state.secret) is None
    await bot.turn()
    assert "its tries are used up and no key was accepted" in bot.last().text
    assert "New link" in bot.last().labels


async def test_im_stuck_opens_at_the_cause_that_really_happened(bot: Bot, bitso: Running) -> None:
    """After a refused key the answer to *I'm stuck* is about that refusal."""
    url = await link_of(bot)
    bitso.state.fail("balance", "0213")
    answer = await submit(bot.desk, url, bitso.state.key, bitso.state.secret)
    assert isinstance(answer, Refused)
    assert "addresses on its list" in answer.reason
    shown = await bot.press("I'm stuck")
    assert "Something else" in shown.labels


async def test_trouble_at_the_exchange_gives_the_try_back(bot: Bot, bitso: Running) -> None:
    """Maintenance is not the person's mistake."""
    url = await link_of(bot)
    bitso.state.fail("balance", "1000", times=3)
    answer = await submit(bot.desk, url, bitso.state.key, bitso.state.secret)
    assert isinstance(answer, Refused)
    assert answer.tries_left == 3


async def test_opening_never_consumes(bot: Bot, bitso: Running) -> None:
    """Scanners may open a link as often as they like."""
    url = await link_of(bot)
    token, _ = token_of(url)
    for _ in range(20):
        assert await bot.desk.open(token, "en") is not None
    assert isinstance(await submit(bot.desk, url, bitso.state.key, bitso.state.secret), Accepted)


async def test_a_used_link_is_dead(bot: Bot, bitso: Running) -> None:
    """The second use gets the one plain answer."""
    url = await link_of(bot)
    await submit(bot.desk, url, bitso.state.key, bitso.state.secret)
    assert await submit(bot.desk, url, bitso.state.key, bitso.state.secret) is None


async def test_a_new_link_ends_the_old_one(bot: Bot, bitso: Running) -> None:
    """One open link per person."""
    first = await link_of(bot)
    second = await link_of(bot)
    assert first != second
    assert await submit(bot.desk, first, bitso.state.key, bitso.state.secret) is None
    assert isinstance(await submit(bot.desk, second, bitso.state.key, bitso.state.secret), Accepted)


async def test_an_expired_link_is_told_in_chat_with_a_new_one_at_hand(bot: Bot) -> None:
    """The page says one plain thing; the chat says why."""
    url = await link_of(bot)
    await bot.turn(seconds=601)
    assert await bot.desk.open(token_of(url)[0], "en") is None
    assert "closed now" in bot.last().text
    await bot.press("New link")
    assert "Open secure page" in bot.last().labels


async def test_too_many_links_in_an_hour_are_refused_politely(bot: Bot) -> None:
    """Link bombing ends after five, and the place in the guide is kept."""
    for _ in range(5):
        await link_of(bot)
    assert "links in the last hour" in (await bot.type("/connect bitso")).text


async def test_what_was_sealed_for_another_link_does_not_open(bot: Bot, bitso: Running) -> None:
    """Replaying a ciphertext elsewhere is a bad seal and costs a try."""
    from tests.support.page import seal

    first, _ = token_of(await link_of(bot))
    opened = await bot.desk.open(first, "en")
    assert opened is not None
    sealed = seal(opened, bitso.state.key, bitso.state.secret)
    second, _ = token_of(await link_of(bot))
    assert isinstance(await bot.desk.submit(second, sealed, "en"), BadSeal)


async def test_the_same_key_is_not_connected_twice(bot: Bot, bitso: Running) -> None:
    """A key that is connected already is named instead."""
    await connect(bot, bitso)
    answer = await submit(bot.desk, await link_of(bot), bitso.state.key, bitso.state.secret)
    assert isinstance(answer, Refused)
    assert "already connected" in answer.reason


async def test_in_a_group_connect_leads_to_the_private_chat(bot: Bot) -> None:
    """Nothing personal in a group, only the way out of it."""
    shown = await bot.type("/connect bitso", chat=TEAM)
    assert shown.labels == ["Open private chat"]
    assert shown.buttons[0].url.endswith("start=connect_bitso")
    assert "step 1 of" in (await bot.type("/start connect_bitso")).text


async def test_a_key_without_fills_is_taken_with_fills_off_and_tried_again_daily(
    bot: Bot, bitso: Running
) -> None:
    """Code 0202 on fills is no refusal: the message names the ticks, and a day later it works."""
    key, secret = bitso.state.new_key(("balances", "account"))
    bitso.state.fail("user_trades", "0202", times=1)
    answer = await submit(bot.desk, await link_of(bot), key, secret)
    assert isinstance(answer, Accepted)
    await bot.turn()
    assert "Fills are off" in bot.last().text
    assert "View account information" in bot.last().text
    await bot.press("Confirm")
    await bot.turn(seconds=5)
    bitso.state.permit(key, ("balances", "account", "fills"))
    await bot.turn(seconds=24 * 3600 + 60)
    shown = (await bot.type("/keys")).text.splitlines()
    assert ["fills", "on", "seen"] in [line.split() for line in shown]
    assert not any("Fills are off" in line for line in shown)


@pytest.mark.parametrize("locale", ["es", "pt"])
async def test_a_new_person_is_met_in_their_own_language(bot: Bot, locale: str) -> None:
    """The platform's hint chooses the first language."""
    shown = await bot.type("/start", locale=f"{locale}-XX")
    assert "Hello!" not in shown.text
