"""Where ccxt goes on after an error and guesses, we do not: an outage is told as one."""

import ccxt.async_support as ccxt
import pytest

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.other.unified import BALANCES, FILLS, Library
from tests.support.clock import VirtualClock
from tests.support.venues import venue


@pytest.fixture
async def kucoin():
    async with venue("kucoin") as state:
        library = Library("kucoin", VirtualClock(), state.origin)
        await library.markets()
        yield library, state
        await library.wire.close()


@pytest.mark.parametrize(("status", "code"), [(503, ""), (429, "429000"), (200, "400002")])
async def test_a_failure_that_ccxt_takes_for_an_answer_is_a_failure(kucoin, status, code):
    """Which of two accounts is read is never guessed: an outage while asking that fails the whole read."""
    library, state = kucoin
    state.fail("v1/accounts", status, {"code": code, "msg": ""} if code else "<html>", "application/json")

    async def tampered(*_: object) -> object:
        try:
            return await ccxt.kucoin.fetch_balance(instance)
        except Exception:  # noqa: BLE001  as ccxt's own classes do
            return {"total": {"BTC": "1"}, "free": {}, "used": {}}

    with library.key(state.credentials, 0) as key:
        instance = key._instance
        instance.fetch_balance = tampered
        with pytest.raises(ExchangeError) as raised:
            await key.read(BALANCES)
        assert raised.value.retry
        assert (await key.read(BALANCES))["total"] != {"BTC": "1"}


async def test_a_refusal_that_ccxt_takes_for_an_answer_is_one(kucoin):
    """Where the exchange says no for good, ccxt may go on: so it tells one kind of account from another."""
    library, state = kucoin
    state.fail("v1/accounts", 200, {"code": "400007", "msg": "Require more permission"})

    async def tampered(*_: object) -> object:
        try:
            return await ccxt.kucoin.fetch_balance(instance)
        except ccxt.AuthenticationError:
            return {"total": {"BTC": "1"}, "free": {}, "used": {}}

    with library.key(state.credentials, 0) as key:
        instance = key._instance
        instance.fetch_balance = tampered
        assert (await key.read(BALANCES))["total"] == {"BTC": "1"}


@pytest.mark.parametrize("what", [BALANCES, FILLS])
async def test_a_read_that_needs_more_than_a_market_is_a_refusal(kucoin, what):
    """An exchange that wants a parameter we don't have is told of as trouble, and breaks no poll."""
    library, state = kucoin
    library.by_market = True

    async def wants_more(*_: object) -> object:
        raise ccxt.ArgumentsRequired("a code")

    with library.key(state.credentials, 0) as key:
        setattr(key._instance, what, wants_more)
        with pytest.raises(ExchangeError) as raised:
            await key.read(what)
    assert raised.value.trouble is Trouble.UNKNOWN
