"""The template for a new exchange stays true: it imports, is hidden, and its parts do what they say."""

import pytest

from chatbot.domain.secrets import Secret
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import _template, discover
from chatbot.exchanges._http import Answer
from tests.support.practice import MachineClock


async def test_the_template_can_be_built_and_is_never_offered():
    """Whoever copies it starts from something that works; nobody is asked to connect to Acme."""
    exchange = _template.EXCHANGE(MachineClock())

    assert exchange.name not in discover()
    assert set(exchange.tick) <= exchange.labels.keys()
    await exchange.close()


def test_its_pure_parts_work():
    """Signing takes all it signs, parsing drops zeros, and a code becomes its trouble."""
    body = b'[{"asset": "btc", "free": "1", "total": "2"}, {"asset": "eth", "free": 0, "total": 0}]'

    assert _template.sign("GET", "/v1/balances", Secret("k"), Secret("s"), 7)["Acme-Nonce"] == "7"
    assert [b.asset for b in _template.parse_balances(body)] == ["BTC"]
    with pytest.raises(ExchangeError) as raised:
        _template.check(Answer(429, "application/json", b'{"error": "too_many_requests"}'))
    assert (raised.value.trouble, raised.value.wait) == (Trouble.RATE_LIMIT, 60)
    with pytest.raises(ExchangeError) as raised:
        _template.check(Answer(200, "text/html", b"<html>"))
    assert raised.value.trouble is Trouble.MAINTENANCE
