"""An exchange in trouble: told once, retried with growing pauses, closed when it is over."""

import itertools

import pytest

from tests.support.bot import Bot
from tests.support.rows import rows

ODD_ANSWERS = (
    "html",
    "html-503",
    "half",
    "types",
    "empty",
    "list",
    "no-rows",
    "nan",
    "deep",
    "redirect",
    "close",
    "bomb",
    "0101",
)
FOREVER = 10_000


@pytest.mark.parametrize("kind", ODD_ANSWERS)
async def test_an_answer_that_makes_no_sense_is_told_once_and_over_once(
    linked: Bot, bitso, kind: str
) -> None:
    """Quiet for two failures, one message with the third, closed when it works again; never a traceback."""
    before = len(linked.texts())
    bitso.state.fail("", kind, times=FOREVER)
    await _polls(linked, bitso, 2)
    assert len(linked.texts()) == before
    await _polls(linked, bitso, 4)
    assert len(linked.texts()) == before + 1
    assert "can't read this account now" in linked.last().text
    bitso.state.faults.clear()
    await linked.turn(seconds=901)
    assert "back to normal" in linked.last().text
    assert len(linked.texts()) == before + 1
    assert [line for line in linked.log.lines if line[0] == "error"] == []


async def test_old_balances_stay_through_an_outage(linked: Bot, bitso) -> None:
    """No answer never becomes zero: the last snapshot is shown with its time."""
    before = (await linked.type("/balances")).text.split("\nAs of")[0]
    bitso.state.fail("", "no-rows", times=FOREVER)
    await _polls(linked, bitso, 4)
    assert (await linked.type("/balances")).text.split("\nAs of")[0] == before


async def test_the_pause_between_tries_grows(linked: Bot, bitso) -> None:
    """An exchange in trouble is asked less and less, up to a quarter of an hour."""
    bitso.state.fail("", "html", times=FOREVER)
    tries: list[float] = []
    for _ in range(2 * 3600 // 5):
        asked = len(bitso.state.requests)
        await linked.turn(seconds=5, jobs=("poll_accounts",))
        if len(bitso.state.requests) > asked:
            tries.append(linked.clock.monotonic())
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert all(later > sooner - 0.001 for sooner, later in itertools.pairwise(pauses))
    assert pauses[0] < 120
    assert 890 < pauses[-1] < 920


async def test_too_many_requests_waits_as_long_as_asked(linked: Bot, bitso) -> None:
    """After 0801 Bitso is left alone for a minute at least."""
    bitso.state.fail("", "0801", times=1)
    await linked.turn(seconds=31)
    asked = len(bitso.state.requests)
    for _ in range(11):
        await linked.turn(seconds=5)
    assert len(bitso.state.requests) == asked


@pytest.mark.parametrize(
    ("code", "sentence"),
    [("0201", "does not know this key"), ("0215", "secret does not match"), ("0326", "not active")],
)
async def test_a_refused_key_is_told_once_and_dead_after_three_refusals(
    linked: Bot, bitso, code: str, sentence: str
) -> None:
    """One refusal may be the exchange's mistake; three of a kind ten minutes apart are not, nor is a test one."""
    bitso.state.fail("", code, times=FOREVER)
    await linked.turn(seconds=31)
    assert sentence in linked.last().text
    told = len(linked.texts())
    await linked.turn(seconds=9 * 60)
    await linked.type("/test")
    await linked.turn()
    assert (await rows(linked, "accounts"))[0]["state"] == "active"
    await linked.turn(seconds=11 * 60)
    assert (await rows(linked, "accounts"))[0]["state"] == "active"
    await linked.turn(seconds=11 * 60)
    assert (await rows(linked, "accounts"))[0]["state"] == "dead"
    assert "no longer works" in linked.last().text
    assert "stopped using it" in linked.last().text
    assert len(linked.texts()) == told + 2
    asked = len(bitso.state.requests)
    await linked.turn(seconds=3600)
    assert [path for _, path in bitso.state.requests[asked:] if "ticker" not in path] == []


async def test_a_refusal_that_passes_leaves_the_key_alive(linked: Bot, bitso) -> None:
    """One bad answer among good ones: told, and back to normal."""
    bitso.state.fail("", "0201", times=1)
    await linked.turn(seconds=31)
    await linked.turn(seconds=11 * 60)
    assert "back to normal" in linked.last().text
    assert (await rows(linked, "accounts"))[0]["state"] == "active"


async def test_an_outage_that_becomes_something_else_is_told_anew(linked: Bot, bitso) -> None:
    """*Not reachable* was told; that our address is not on the list must be told as well."""
    bitso.state.fail("", "html", times=FOREVER)
    await _polls(linked, bitso, 4)
    bitso.state.faults.clear()
    bitso.state.fail("", "0213", times=FOREVER)
    await linked.turn(seconds=901)
    assert "addresses on its list" in linked.last().text
    told = len(linked.texts())
    await _polls(linked, bitso, 5)
    assert len(linked.texts()) == told


async def test_trouble_of_one_account_is_not_that_of_another(linked: Bot, bitso) -> None:
    """Each key is judged by its own answers."""
    from tests.support.connected import connect

    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await connect(linked, bitso, key=key, secret=secret)
    bitso.state.keys[key].active = False
    for _ in range(3):
        await linked.turn(seconds=11 * 60)
    states = {row["last4"]: row["state"] for row in await rows(linked, "accounts")}
    assert states == {bitso.state.key[-4:]: "active", key[-4:]: "dead"}


async def test_a_key_that_cannot_be_opened_pauses_and_is_kept(linked: Bot, bitso) -> None:
    """A missing master key stops reading, not living: nothing is destroyed, a test says so."""
    from chatbot.errors import VaultError

    unseal = linked.ctx.vault.unseal

    def sealed(*_: object):
        raise VaultError("no such key")

    linked.ctx.vault.unseal = sealed  # type: ignore[method-assign, assignment]
    card = await linked.type("/test")
    await linked.turn(seconds=31)
    assert "can't open the stored key" in card.text
    assert (await rows(linked, "accounts"))[0]["box"] is not None
    linked.ctx.vault.unseal = unseal  # type: ignore[method-assign]
    bitso.state.trade("buy", "btc_mxn", "0.0321")
    await linked.turn(seconds=601)
    assert "Bought 0.0321 BTC" in linked.last().text


async def test_a_bug_in_one_poll_does_not_stop_the_others(linked: Bot, bitso) -> None:
    """The bug is logged; the other account is read."""
    from tests.support.connected import connect

    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await connect(linked, bitso, key=key, secret=secret)
    client = linked.ctx.exchanges["bitso"].client

    def broken(credentials, nonce):
        if credentials.api_key.last4() == bitso.state.key[-4:]:
            raise ZeroDivisionError
        return client(credentials, nonce)

    linked.ctx.exchanges["bitso"].client = broken  # type: ignore[method-assign]
    bitso.state.trade("buy", "btc_mxn", "0.0765")
    await linked.turn(seconds=31, jobs=("poll_accounts",))
    assert [line[1] for line in linked.log.lines if line[0] == "error"] == ["work_failed"]
    await linked.turn(jobs=("deliver_messages",))
    assert sum("Bought 0.0765 BTC" in text for text in linked.texts()) == 1


async def _polls(bot: Bot, bitso, count: int) -> None:
    """Pass time until so many more polls were tried."""
    for _ in range(count):
        asked = len(bitso.state.requests)
        while len(bitso.state.requests) == asked:
            await bot.turn(seconds=10)
