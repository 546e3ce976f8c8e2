"""What HitBTC's reads tell about a key's rights: never more than the documents say they prove."""

import pytest

from chatbot.domain.permissions import Outcome, Permission, Policy, Source, Switch, decide
from chatbot.errors import ExchangeError
from tests.support.hitbtc import answer, client, recorded, refused, trades
from tests.support.practice import connected

POLICY = Policy(frozenset({Permission.WITHDRAW, Permission.TRANSFER}), frozenset({Permission.TRADE}))
TO_TRADE = Policy(POLICY.refuse, POLICY.warn, trade=True)


async def prove(fee, wallet):
    reader, _ = client(answer(recorded("spot_balance")), trades(7), fee, wallet)
    return (await reader.prove()).report


GRANTED, DENIED = answer(b"[]"), refused(1003, 403)


async def test_the_order_right_shows_without_an_order():
    """Personal fees are read only with the order right: read it is on, code 1003 proves it off."""
    able, unable = await prove(GRANTED, DENIED), await prove(DENIED, DENIED)

    assert (able.get(Permission.TRADE).switch, able.get(Permission.TRADE).source) == (Switch.ON, Source.SEEN)
    assert (unable.get(Permission.TRADE).switch, unable.get(Permission.ORDERS).switch) == (
        Switch.OFF,
        Switch.OFF,
    )
    assert decide(able, POLICY).untick == (Permission.TRADE,)
    assert decide(unable, POLICY).outcome is Outcome.ACCEPT
    assert decide(able, TO_TRADE).outcome is Outcome.ACCEPT
    assert decide(unable, TO_TRADE).tick == (Permission.TRADE,)


async def test_the_wallet_right_refuses_the_key():
    """Payment information moves money, so it counts as transfer; without it transfers are still not known."""
    able, unable = await prove(DENIED, GRANTED), await prove(DENIED, DENIED)

    assert decide(able, POLICY).outcome is Outcome.REFUSE
    assert decide(able, POLICY).untick == (Permission.TRANSFER,)
    assert unable.get(Permission.TRANSFER).switch is Switch.UNKNOWN
    assert unable.get(Permission.TRANSFER).refused
    for report in (able, unable):
        assert report.get(Permission.WITHDRAW).switch is Switch.UNKNOWN


@pytest.mark.parametrize("probe", [refused(600), refused(403, 401), refused(10001), refused("7777")])
async def test_a_probe_that_fails_otherwise_proves_nothing(probe):
    """Only 1003 says anything about a right; any other refusal of a probe leaves it unknown."""
    report = await prove(probe, probe)

    for permission in (Permission.TRADE, Permission.TRANSFER):
        assert (report.get(permission).switch, report.get(permission).refused) == (Switch.UNKNOWN, False)


@pytest.mark.parametrize("probe", [refused(503, 503), refused(429, 429), answer(b"<html>"), answer(b"{}")])
async def test_an_outage_during_a_probe_is_no_proof(probe):
    """A key with too many rights does not slip in because the probe met a broken exchange."""
    for fee, wallet in ((probe, DENIED), (DENIED, probe)):
        with pytest.raises(ExchangeError) as raised:
            await prove(fee, wallet)
        assert raised.value.retry


async def test_rights_are_seen_over_the_wire():
    """Against the practice server, too: every extra right of a key shows, but for withdrawals."""
    async with connected("hitbtc") as (exchange, running):
        keys = running.state.new_key({"balances", "fills", "trade", "transfer", "withdraw"})

        report = (await exchange.client(running.credentials(*keys), 0).prove()).report

        assert report.is_on(Permission.TRADE)
        assert report.is_on(Permission.TRANSFER)
        assert report.get(Permission.WITHDRAW).switch is Switch.UNKNOWN
