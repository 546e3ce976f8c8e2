"""What Bybit tells about a key: read-only first, then the areas, addresses, and when it ends."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from chatbot.domain.expiry import ExpirySource, expiry
from chatbot.domain.permissions import (
    POWERS,
    Finding,
    Outcome,
    Permission,
    Policy,
    Source,
    Switch,
    decide,
)
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.bybit import Bybit, keyinfo
from chatbot.practice.bybit import PracticeBybit
from tests.support.bybit import NOW, answer, client, envelope, recorded, refused
from tests.support.practice import connected

POLICY = Policy(frozenset({Permission.WITHDRAW, Permission.TRANSFER}), frozenset({Permission.TRADE}))
EMPTY = answer(envelope({"list": [], "nextPageCursor": ""}).body)
HOLDINGS = (answer(recorded("wallet_balance")), answer(recorded("query_account_coins_balance")))


def info(permissions=None, name="query_api_read_only", **changed):
    """Return a recorded answer with some of its fields, and some groups of permissions, changed."""
    told = json.loads(recorded(name))
    told["result"] |= changed
    if permissions is not None:
        told["result"]["permissions"] = permissions
    return json.dumps(told).encode()


def on(report):
    return {permission for permission in Permission if report.is_on(permission)}


def test_a_read_only_key_has_no_power_whatever_it_lists():
    """The documented read-only key lists transfers, cards and payments: it can only look at them."""
    report = keyinfo.parse_report(recorded("query_api_read_only"))

    assert not on(report) & POWERS
    assert {report.get(p).source for p in Permission} == {Source.REPORTED}
    assert (report.powerful, report.strange) == (False, ())
    assert decide(report, POLICY).outcome is Outcome.ACCEPT
    assert report.ip_bound is Switch.ON
    assert report.addresses == ("18.181.170.164", "13.212.45.47", "13.212.45.48")
    assert report.expires_at is None
    assert report.created_at == datetime(2025, 10, 13, 3, 20, 45, tzinfo=UTC)


def test_what_is_ticked_without_need_is_named():
    """A person may untick what we don't need; what we ask for is not among it."""
    report = keyinfo.parse_report(recorded("query_api_read_only"))

    assert "Earn" in report.labels
    assert "BitCard" in report.labels
    assert "Wallet: SubMemberTransfer" in report.labels
    assert not set(report.labels) & keyinfo.NEEDED


def test_the_documented_read_write_key_is_powerful():
    """With Read-Write the same areas let it trade and transfer; without an address it has a date."""
    report = keyinfo.parse_report(recorded("query_api"))

    assert on(report) & POWERS == {Permission.TRADE, Permission.TRANSFER}
    assert decide(report, POLICY).outcome is Outcome.REFUSE
    assert (report.ip_bound, report.addresses) == (Switch.OFF, ())
    assert report.expires_at == datetime(2023, 12, 22, 7, 20, 25, tzinfo=UTC)


@pytest.mark.parametrize("tick", sorted(keyinfo.ALLOWS))
def test_each_tick_of_a_writing_key_has_its_power(tick):
    """Row by row: alone in a key that can write, a tick gives what the table says."""
    group, _, name = tick.partition(": ")
    report = keyinfo.parse_report(info({group: [name or group]}, readOnly=0))

    power = keyinfo.ALLOWS[tick]
    assert on(report) & POWERS == ({power} if power else set())
    assert report.strange == ()
    assert report.labels == (() if power or tick in keyinfo.NEEDED else (tick,))


@pytest.mark.parametrize("permissions", [{"Lending": ["Borrow"]}, {"Spot": ["SpotTrade", "SpotMargin"]}])
def test_a_tick_nobody_knows_is_never_passed_over(permissions):
    """In a key that can write it counts as powerful; in one that can only look it is named."""
    writing = keyinfo.parse_report(info(permissions, readOnly=0))
    looking = keyinfo.parse_report(info(permissions, readOnly=1))

    group, names = next(iter(permissions.items()))
    strange = f"{group}: {names[-1]}"
    assert writing.strange == (strange,)
    assert decide(writing, POLICY).outcome is Outcome.REFUSE
    assert (looking.strange, looking.labels) == ((), (strange,))
    assert decide(looking, POLICY).outcome is not Outcome.REFUSE


@pytest.mark.parametrize(("told", "looks"), [(1, True), (True, True), (0, False), (2, False), (-1, False)])
def test_only_a_clear_word_makes_a_key_read_only(told, looks):
    """Anything but Bybit's own word for read-only is taken for a key that can write."""
    assert keyinfo.parse_report(info(readOnly=told)).is_on(Permission.TRADE) is not looks


def test_a_key_of_which_nothing_is_said_can_write():
    """Where the word is missing, the lists are believed."""
    told = json.loads(recorded("query_api_read_only"))
    del told["result"]["readOnly"]

    assert keyinfo.parse_report(json.dumps(told).encode()).powerful


@pytest.mark.parametrize("permissions", [{}, {"Wallet": []}, {"Wallet": None, "Spot": []}])
def test_a_writing_key_without_a_single_area_is_not_known_to_be_harmless(permissions):
    """It can write, and what is not told: the powers are open, and the person is asked to look."""
    writing = keyinfo.parse_report(info(permissions, readOnly=0))
    looking = keyinfo.parse_report(info(permissions, readOnly=1))

    assert writing.untold == POWERS
    assert (looking.untold, on(looking) & POWERS) == (frozenset(), set())


@pytest.mark.parametrize(
    ("ips", "bound", "addresses"),
    [
        (["*"], Switch.OFF, ()),
        ([], Switch.OFF, ()),
        ([""], Switch.OFF, ()),
        (None, Switch.OFF, ()),
        (["203.0.113.7"], Switch.ON, ("203.0.113.7",)),
        (["2001:db8::7", "203.0.113.7"], Switch.ON, ("2001:db8::7", "203.0.113.7")),
    ],
)
def test_a_star_and_an_empty_list_are_no_address(ips, bound, addresses):
    """Both spellings of no restriction mean that the key works from anywhere."""
    report = keyinfo.parse_report(info(ips=ips))

    assert (report.ip_bound, report.addresses) == (bound, addresses)


@pytest.mark.parametrize(
    ("expired_at", "days", "expected"),
    [
        ("1970-01-01T00:00:00Z", -2, None),
        ("1970-01-01T00:00:00Z", 0, None),
        ("", -1, None),
        ("", None, None),
        (None, 0, None),
        ("0", -2, None),
        ("-1", None, None),
        ("2027-01-01T09:00:00Z", 41, datetime(2027, 1, 1, 9, tzinfo=UTC)),
        ("2027-01-01T09:00:00+08:00", 41, datetime(2027, 1, 1, 1, tzinfo=UTC)),
        ("2026-04-14T22:00:00Z", 0, datetime(2026, 4, 14, 22, tzinfo=UTC)),
        ("2027-01-01T09:00:00Z", -2, datetime(2027, 1, 1, 9, tzinfo=UTC)),
        ("", 7, datetime(2026, 4, 21, tzinfo=UTC)),
    ],
)
def test_when_a_key_ends(expired_at, days, expected):
    """A date is believed; 1970 and a negative number are never; days alone count from the server's day."""
    report = keyinfo.parse_report(info(expiredAt=expired_at, deadlineDay=days))

    assert report.expires_at == expected


def test_without_a_date_the_rule_of_ninety_days_is_for_keys_without_address():
    """Bybit's own rule: bound to an address a key has no end, without one it ends 90 days after it was made."""
    loose = keyinfo.parse_report(info(ips=["*"], expiredAt="", createdAt="2026-01-01T00:00:00Z"))
    bound = keyinfo.parse_report(info(expiredAt=""))

    ends = expiry(loose, Bybit.expiry, NOW, None, 0)
    assert (ends.at, ends.source) == (datetime(2026, 4, 1, tzinfo=UTC), ExpirySource.DERIVED)
    assert expiry(bound, Bybit.expiry, NOW, None, 0).at is None


async def test_a_key_that_may_not_ask_about_itself_is_judged_by_what_it_could_read():
    """Refused the question, we report what was seen, and no power as off."""
    reader, _ = client(*HOLDINGS, *[EMPTY] * 4, refused(10005))

    proof = await reader.prove()

    assert proof.head is not None
    seen = Finding(Switch.ON, Source.SEEN)
    assert {p: proof.report.get(p) for p in ("balances", "fills", "account")} == dict.fromkeys(
        ("balances", "fills", "account"), seen
    )
    assert proof.report.untold == POWERS


async def test_an_outage_of_the_question_is_no_answer():
    """When Bybit can't tell now, the proof fails and is tried again: nothing is guessed."""
    reader, _ = client(*HOLDINGS, *[EMPTY] * 4, refused(10016))

    with pytest.raises(ExchangeError) as raised:
        await reader.prove()

    assert raised.value.trouble is Trouble.MAINTENANCE


async def test_what_was_read_wins_over_what_was_told():
    """Fills that answered are on though no area says so; fills that were refused are off though one does."""
    areas = info({"Wallet": ["AccountTransfer"]})
    reader, _ = client(*HOLDINGS, *[EMPTY] * 4, answer(areas))
    assert (await reader.prove()).report.get(Permission.FILLS) == Finding(Switch.ON, Source.SEEN)

    reader, _ = client(*HOLDINGS, *[refused(10005)] * 4, answer(recorded("query_api_read_only")))
    proof = await reader.prove()
    assert proof.report.get(Permission.FILLS) == Finding(Switch.OFF, Source.SEEN, refused=True)
    assert proof.head is None


@pytest.mark.parametrize(
    ("words", "powers"),
    [
        ({"balances", "fills", "account"}, set()),
        ({"balances", "fills", "trade"}, {Permission.TRADE}),
        ({"balances", "fills", "account", "transfer"}, {Permission.TRADE, Permission.TRANSFER}),
        ({"balances", "fills", "withdraw"}, {Permission.TRADE, Permission.WITHDRAW}),
    ],
)
async def test_powers_are_seen_over_the_wire(words, powers):
    """What a key of the practice exchange may do is what the report says, over a real connection."""
    async with connected("bybit") as (exchange, running):
        keys = running.state.new_key(words)

        report = (await exchange.client(running.credentials(*keys), 0).prove()).report

        assert on(report) & POWERS == powers
        assert report.is_on(Permission.ACCOUNT) is ("account" in words)


async def test_addresses_and_the_end_of_a_key_are_enforced_and_told():
    """A bound key has no end; one from elsewhere, one past its end and one switched off are told apart."""
    async with connected("bybit") as (exchange, running):
        assert isinstance(running.state, PracticeBybit)
        key, client_ = running.state.keys[running.state.key], exchange.client(running.credentials(), 0)
        report = (await client_.prove()).report
        assert report.expires_at is not None
        assert abs(report.expires_at - (running.state.clock() + timedelta(days=90))) < timedelta(minutes=1)
        key.addresses = ("127.0.0.1",)
        report = (await client_.prove()).report
        assert (report.ip_bound, report.addresses, report.expires_at) == (Switch.ON, ("127.0.0.1",), None)

        key.addresses = ("203.0.113.7",)
        assert await trouble(client_) is Trouble.IP_BLOCKED
        key.addresses, key.expires_at = (), running.state.clock() - timedelta(seconds=1)
        assert await trouble(client_) is Trouble.EXPIRED
        key.active = False
        assert await trouble(client_) is Trouble.BAD_KEY


async def trouble(reader):
    with pytest.raises(ExchangeError) as raised:
        await reader.prove()
    return raised.value.trouble
