"""Reading an account by typing: /accounts /balances /fills /keys /status /rename /test."""

from pathlib import Path

import pytest

from chatbot.domain.permissions import Permission, Policy
from tests.support.bot import ADMIN, Bot, open_bot
from tests.support.connected import connect
from tests.support.practice import Running
from tests.support.rows import rows, tables_naming

READERS = ("accounts", "balances", "fills", "keys", "rename x", "test", "disconnect")
ODD_LABELS = {
    "bidi": "\u202eevil\u2066 name",
    "emoji": "👛 Savings 🇲🇽",
    "long": "x" * 10_000,
    "markup": "*_[<@channel>](http://x.example)",
    "lines": "one\ntwo\r\n\tthree",
}


@pytest.mark.parametrize("typed", READERS)
async def test_without_an_account_every_reader_leads_to_connect(bot: Bot, typed: str) -> None:
    """No dead end: the button that connects is right there."""
    shown = await bot.type(f"/{typed}")
    assert "No account is connected" in shown.text
    assert "Bitso" in (await bot.press("/connect")).labels


async def test_accounts_names_each_with_its_last_reading(linked: Bot, bitso: Running) -> None:
    """Label, exchange, last four characters and when it was read."""
    shown = await linked.type("/accounts")
    assert f"Bitso …{bitso.state.key[-4:]}" in shown.text
    assert "read at" in shown.text


async def test_balances_come_at_once_with_value_and_age(linked: Bot) -> None:
    """The last snapshot is shown without waiting, with total, table and times."""
    shown = await linked.type("/balances")
    assert "Total $" in shown.text
    assert "BTC" in shown.text
    assert "prices of" in shown.text


async def test_balances_are_read_anew_after_asking(linked: Bot, bitso: Running) -> None:
    """Asking makes the next reading due now."""
    asked = len(bitso.state.requests)
    await linked.type("/balances")
    await linked.turn()
    assert any(path.endswith("/balance/") for _, path in bitso.state.requests[asked:])


async def test_fills_shows_the_latest_first(linked: Bot, bitso: Running) -> None:
    """The newest fill is the first row."""
    bitso.state.trade("sell", "btc_mxn", "0.01234567")
    await linked.turn(seconds=31)
    first = (await linked.type("/fills")).text.splitlines()[2]
    assert "0.01234567 BTC" in first
    assert "sell" in first


async def test_a_name_nobody_has_offers_the_accounts_there_are(linked: Bot) -> None:
    """/balances, /fills, /test and /disconnect answer alike."""
    for name in ("balances", "fills", "test", "disconnect"):
        shown = await linked.type(f"/{name} savings")
        assert "“savings”" in shown.text
        assert shown.labels[0].startswith("Bitso …")
    assert "Disconnect Bitso" in (await linked.press("Bitso …")).text


async def test_keys_says_what_is_known_and_how(linked: Bot) -> None:
    """Seen, or not reported: nothing is claimed that we can't know."""
    text = (await linked.type("/keys")).text
    rows_of = {line.split("  ")[0]: line for line in text.splitlines()}
    assert rows_of["balances"].split() == ["balances", "on", "seen"]
    assert rows_of["fills"].split() == ["fills", "on", "seen"]
    assert rows_of["withdraw"].split() == ["withdraw", "?", "not", "reported"]
    assert "Addresses it works from: not reported" in text
    assert "this bot's policy asks for a new key by" in text


async def test_i_checked_is_recorded_with_its_date(linked: Bot) -> None:
    """What only the person can see is kept as their word, with the day, and survives the daily check."""
    await linked.type("/keys")
    shown = await linked.press("I checked")
    day = linked.ctx.translator(await _you(linked)).day(linked.clock.now())
    assert "you said so" in shown.text
    assert f"You checked on {day}." in shown.text
    assert linked.chat.toasts[-1] == "Noted, thank you."
    await linked.turn(seconds=25 * 3600)
    assert f"You checked on {day}." in (await linked.type("/keys")).text
    assert [row["action"] for row in await rows(linked, "audit")].count("attest") == 1


async def test_a_trading_installation_checks_for_its_own_ticks(tmp_path: Path, bitso: Running) -> None:
    """Where orders are wanted, *I checked* does not say that they are off."""
    policy = Policy(frozenset({Permission.WITHDRAW}), frozenset(), trade=True)
    async with open_bot(tmp_path, {"bitso": bitso.origin}, policy=policy) as bot:
        await connect(bot, bitso)
        assert "Place orders" in (await bot.type("/keys")).text
        text = (await bot.press("I checked")).text
    said = {line.split("  ")[0]: "you said so" in line for line in text.splitlines()}
    assert said["withdraw"]
    assert not said["trade"]


async def test_status_shows_how_far_the_history_is(linked: Bot) -> None:
    """The person sees the background work end."""
    assert "history" in (await linked.type("/status")).text
    for _ in range(5):
        await linked.turn(seconds=2)
    assert "history complete: 120 earlier fills stored" in (await linked.type("/status")).text


async def test_status_of_messages_is_for_admins(linked: Bot) -> None:
    """Members see their accounts, admins also the outbox."""
    assert "Messages:" not in (await linked.type("/status")).text
    assert "Messages:" in (await linked.type("/status", as_=ADMIN)).text


async def test_rename_gives_the_new_name_everywhere(linked: Bot, bitso: Running) -> None:
    """With one account the last four characters may be left out."""
    last4 = bitso.state.key[-4:]
    await linked.type("/rename Savings")
    assert f"Savings …{last4}" in (await linked.type("/accounts")).text
    await linked.type(f"/rename {last4} Second name")
    assert f"Second name …{last4}" in (await linked.type("/balances second")).text


async def test_rename_without_a_name_shows_how(linked: Bot, bitso: Running) -> None:
    """The example holds the person's own last four characters, so that it can be copied."""
    assert f"/rename {bitso.state.key[-4:]} Savings" in (await linked.type("/rename")).text


async def test_two_accounts_keep_two_names(linked: Bot, bitso: Running) -> None:
    """A name that is taken, in whatever case, is refused; without the four characters we ask which."""
    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await connect(linked, bitso, key=key, secret=secret)
    await linked.type(f"/rename {key[-4:]} Savings")
    assert "already called" in (await linked.type(f"/rename {bitso.state.key[-4:]} SAVINGS")).text
    assert "last four characters" in (await linked.type("/rename Other")).text
    assert len((await linked.type("/test")).labels) == 2


@pytest.mark.parametrize("kind", ODD_LABELS)
async def test_an_odd_label_is_cleaned_and_shown_literally(linked: Bot, kind: str) -> None:
    """One line, at most 32 characters, no marks that turn text around; markup stays plain letters."""
    await linked.type(f"/rename {ODD_LABELS[kind]}")
    (account,) = await rows(linked, "accounts")
    label = account["label"]
    assert 0 < len(label) <= 32
    assert not set("\u202e\u2066\n\r\t") & set(label)
    shown = await linked.type("/accounts")
    assert label in shown.text
    assert len(shown.message.body) == 4


async def test_a_test_that_succeeds_says_so_on_its_card(linked: Bot) -> None:
    """*Testing…* becomes the result in the same message."""
    card = await linked.type("/test")
    assert "Testing" in card.text
    await linked.turn()
    assert "the key works" in card.text
    assert "Addresses it works from: not reported" in card.text
    assert "see that only these are ticked" in card.text
    assert card.edits == 1


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("0201", "does not know this key"),
        ("0213", "addresses on its list"),
        ("1000", "maintenance"),
        ("0202", "View balances"),
    ],
)
async def test_a_test_that_fails_says_why_on_its_card_and_nowhere_else(
    linked: Bot, bitso: Running, code: str, sentence: str
) -> None:
    """One answer to one question."""
    before = len(linked.texts())
    bitso.state.fail("balance", code)
    card = await linked.type("/test")
    await linked.turn()
    assert "the test failed" in card.text
    assert sentence in card.text
    assert len(linked.texts()) == before + 1


async def test_a_dead_key_can_be_tested(linked: Bot, bitso: Running) -> None:
    """The exchange is asked once more, and its answer comes on the card of the test."""
    await _kill_key(linked, bitso)
    bitso.state.fail("", "0201", times=9)
    card = await linked.type("/test")
    await linked.turn()
    assert "the test failed" in card.text
    assert "does not know this key" in card.text
    assert (await rows(linked, "accounts"))[0]["state"] == "dead"


async def test_nobody_reads_anothers_account(linked: Bot) -> None:
    """Another member, and an admin, see none of it; its id typed by hand leads nowhere."""
    (account,) = await rows(linked, "accounts")
    for who in ("other", ADMIN):
        for name in ("balances", "fills", "test", "disconnect", "keys"):
            shown = await linked.type(f"/{name} {account['id']}", as_=who)
            assert "No account is connected" in shown.text


async def test_reading_writes_no_key_into_any_table(linked: Bot, bitso: Running) -> None:
    """Neither key nor secret stands readable in any row."""
    await linked.type("/keys")
    assert await tables_naming(linked, bitso.state.key, bitso.state.secret) == set()


async def _you(bot: Bot):
    (person,) = await rows(bot, "people", user="you")
    async with bot.database.uow() as store:
        return await store.people.get(person["id"])


async def _kill_key(bot: Bot, bitso: Running) -> None:
    for _ in range(3):
        bitso.state.fail("", "0201", times=9)
        await bot.turn(seconds=11 * 60)
