"""What proving a Binance key finds, and what -2015 means where: key, address or tick, nobody is told which."""

import pytest

from chatbot.domain.permissions import Outcome, Permission, Policy, Source, Switch, decide
from chatbot.errors import ExchangeError, Trouble
from chatbot.practice.binance import PracticeBinance
from tests.support.binance import answer, client, recorded, refused
from tests.support.practice import connected

POLICY = Policy(frozenset({Permission.WITHDRAW, Permission.TRANSFER}), frozenset({Permission.TRADE}))


def first_key(running):
    assert isinstance(running.state, PracticeBinance)
    return running.state.keys[running.state.key]


async def test_a_proof_is_four_requests_and_the_clock_comes_before_the_balances():
    """The key's ticks, Binance's clock, balances, one look at trades; all of them harmless."""
    async with connected("binance", history=5) as (exchange, running):
        proof = await exchange.client(running.credentials(), 0).prove()

        assert running.state.requests == [
            ("GET", "/sapi/v1/account/apiRestrictions"),
            ("GET", "/api/v3/time"),
            ("GET", "/api/v3/account"),
            ("GET", "/api/v3/myTrades"),
        ]
        assert {proof.report.get(p).source for p in Permission} == {Source.REPORTED}
        assert proof.report.created_at is not None


@pytest.mark.parametrize(
    ("permissions", "outcome", "on"),
    [
        ({"trade"}, Outcome.WARN, {Permission.TRADE}),
        ({"transfer"}, Outcome.REFUSE, {Permission.TRANSFER}),
        ({"withdraw"}, Outcome.REFUSE, {Permission.WITHDRAW}),
        ({"trade", "withdraw"}, Outcome.REFUSE, {Permission.TRADE, Permission.WITHDRAW}),
    ],
)
async def test_powers_of_a_key_are_reported(permissions, outcome, on):
    """A key that can do more is warned of or refused, by what Binance says of the key itself."""
    async with connected("binance") as (exchange, running):
        keys = running.state.new_key(
            PracticeBinance.permissions - {"trade", "transfer", "withdraw"} | permissions
        )

        report = (await exchange.client(running.credentials(*keys), 0).prove()).report

        powers = {Permission.TRADE, Permission.TRANSFER, Permission.WITHDRAW}
        assert {p for p in powers if report.is_on(p)} == on
        assert decide(report, POLICY).outcome is outcome


async def test_an_address_list_is_noticed_and_one_without_us_is_refused():
    """With our address the key is bound and works; without it, it is refused and balances are named."""
    async with connected("binance") as (exchange, running):
        key = first_key(running)
        client = exchange.client(running.credentials(), 0)
        assert (await client.prove()).report.ip_bound is Switch.OFF
        key.addresses = ("127.0.0.1",)
        assert (await client.prove()).report.ip_bound is Switch.ON
        key.addresses = ("203.0.113.9",)
        with pytest.raises(ExchangeError) as raised:
            await client.prove()
        assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "balances")


async def test_a_key_that_is_gone_altogether_is_not_a_key_without_fills():
    """While fills are read the refusal of balances is named as such, so that fills are not switched off."""
    async with connected("binance") as (exchange, running):
        client = exchange.client(running.credentials(), 0)
        head = (await client.prove()).head
        assert head is not None
        first_key(running).active = False

        with pytest.raises(ExchangeError) as raised:
            await client.fills_after(head.after)

        assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "balances")


async def test_a_key_nobody_knows_and_one_of_no_key_s_form():
    """An unknown key and a mutilated one are told as a wrong key, with one request each."""
    async with connected("binance") as (exchange, running):
        for key in ("A" * 63 + "1", "A1b" * 20):
            with pytest.raises(ExchangeError) as raised:
                await exchange.client(running.credentials(key), 0).prove()
            assert raised.value.trouble is Trouble.BAD_KEY


async def test_what_is_seen_stands_where_nothing_is_told():
    """When Binance does not tell of the key, only what was really read is known: nothing of its powers."""
    reader, http = client(
        refused(-2015, 401), answer(recorded("time")), answer(recorded("account")), answer(b"[]")
    )

    proof = await reader.prove()

    assert {p: f.source for p, f in proof.report.findings.items()} == {
        Permission.BALANCES: Source.SEEN,
        Permission.FILLS: Source.SEEN,
    }
    assert proof.report.get(Permission.WITHDRAW).switch is Switch.UNKNOWN
    assert len(http.asked) == 4


@pytest.mark.parametrize("fills", [answer(b"[]"), refused(-1121)])
async def test_a_real_read_wins_over_what_is_told(fills):
    """Told not to read and yet read: balances and fills are on, as seen; a symbol less refuses nothing."""
    body = recorded("api_restrictions").replace(b'"enableReading": true', b'"enableReading": false')
    reader, _ = client(answer(body), answer(recorded("time")), answer(recorded("account")), fills)

    report = (await reader.prove()).report

    for permission in (Permission.BALANCES, Permission.FILLS):
        assert (report.get(permission).switch, report.get(permission).source) == (Switch.ON, Source.SEEN)
    assert report.get(Permission.TRADE).switch is Switch.OFF


@pytest.mark.parametrize("at", [0, 2, 3])
@pytest.mark.parametrize("code", [-1003, -1021, -1022, -1000])
async def test_other_troubles_leave_the_proof_unfinished(at, code):
    """Whatever is not a missing right is raised, at whichever request it comes."""
    good = [recorded("api_restrictions"), recorded("time"), recorded("account"), b"[]"]
    answers = [answer(body) for body in good]
    answers[at:] = [refused(code)] * 2
    reader, _ = client(*answers)

    with pytest.raises(ExchangeError) as raised:
        await reader.prove()

    assert raised.value.trouble is not Trouble.NO_PERMISSION
