"""What came or left without a fill: told when two readings show it, never for a fill that is only late."""

from tests.support.bot import YOU, Bot
from tests.support.connected import connect
from tests.support.rows import rows


async def test_what_moves_without_a_fill_is_told(linked: Bot, bitso) -> None:
    """A withdrawal and a deposit are told with the second reading that shows them, each once."""
    before = len(linked.texts())
    bitso.state.transfer("withdrawal", "usdt", "100")
    bitso.state.transfer("deposit", "mxn", "5000")
    await linked.turn(seconds=121)
    assert len(linked.texts()) == before
    await linked.turn(seconds=121)
    text = linked.last(YOU).text
    assert "100 USDT left the account" in text
    assert "5,000.00 MXN came in" in text
    assert "No fill explains this" in text
    told = len(linked.texts())
    for _ in range(5):
        await linked.turn(seconds=121)
    assert len(linked.texts()) == told


async def test_a_move_that_a_fill_explains_is_not_told(linked: Bot, bitso) -> None:
    """Trading moves balances too; that is told as a fill and as nothing else."""
    for _ in range(6):
        bitso.state.trade("buy", "btc_mxn", "0.001")
        await linked.turn(seconds=63)
    assert not any("No fill explains" in text for text in linked.texts())


async def test_without_fills_a_move_is_not_called_a_deposit(linked: Bot, bitso) -> None:
    """Where fills can't be read the message says that it may be a trade."""
    bitso.state.permit(bitso.state.key, ("account", "balances"))
    await linked.turn(seconds=31)
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=121)
    assert "may be a trade" in linked.last().text


async def test_a_fill_that_is_listed_late_is_no_move(linked: Bot, bitso) -> None:
    """The exchange moves the balances at once and lists the fill two minutes later: one fill, no alarm."""
    await _polls(linked, 5)
    bitso.state.trade("buy", "btc_mxn", "0.001")
    late = bitso.state.trades.pop()
    await _polls(linked, 4)
    bitso.state.trades.append(late)
    await _polls(linked, 12)
    assert _alarms(linked) == []
    assert sum("Bought 0.001 BTC" in text for text in linked.texts()) == 1


async def test_a_withdrawal_beside_a_fill_is_told(linked: Bot, bitso) -> None:
    """Fill and withdrawal of the same assets in one window: the fill is subtracted, the rest is told."""
    await _polls(linked, 5)
    bitso.state.trade("buy", "btc_mxn", "0.0001")
    bitso.state.transfer("withdrawal", "btc", "0.3")
    bitso.state.transfer("withdrawal", "mxn", "3000")
    await _polls(linked, 12)
    (alarm,) = _alarms(linked)
    assert "0.3 BTC left the account" in alarm
    assert "3,000.00 MXN left the account" in alarm


async def test_a_withdrawal_amid_trading_is_told_when_it_is_sure(linked: Bot, bitso) -> None:
    """Whoever trades all the time hides nothing: what no fill explains stays open until it is told."""
    await _polls(linked, 5)
    bitso.state.transfer("withdrawal", "btc", "0.01")
    for _ in range(8):
        bitso.state.trade("buy", "btc_mxn", "0.02")
        await _polls(linked, 1)
    await _polls(linked, 12)
    assert sum("0.01 BTC left the account" in alarm for alarm in _alarms(linked)) == 1


async def test_history_being_read_hides_no_withdrawal(bot: Bot, bitso) -> None:
    """Fills of long ago are stored now and explain nothing of now."""
    bitso.state.seed(3000)
    await connect(bot, bitso)
    assert not (await rows(bot, "accounts"))[0]["history_done"]
    bitso.state.transfer("withdrawal", "usdt", "100")
    await _polls(bot, 12)
    assert (await rows(bot, "accounts"))[0]["history_done"]
    assert sum("100 USDT left the account" in alarm for alarm in _alarms(bot)) == 1


async def _polls(bot: Bot, count: int) -> None:
    for _ in range(count):
        await bot.turn(seconds=31)


def _alarms(bot: Bot) -> list[str]:
    return [text for text in bot.texts() if "look at your account now" in text]
