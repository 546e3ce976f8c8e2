"""What a key may do at Kraken: what it tells of itself, what reads show, and what nobody here knows."""

import json
from datetime import UTC, datetime
from typing import cast

import pytest

from chatbot.domain.permissions import Outcome, Permission, Policy, Source, Switch, decide
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.kraken import keyinfo
from chatbot.practice.kraken import PracticeKraken
from tests.support.kraken import answer, client, recorded, refused
from tests.support.practice import connected

POLICY = Policy(frozenset({Permission.WITHDRAW, Permission.TRANSFER}), frozenset({Permission.TRADE}))
VIEW = ["query-funds", "query-closed-trades"]
VIEWS = {Permission.BALANCES, Permission.FILLS}
KEPT = json.loads(recorded("GetApiKeyInfo"))


def told(*ticks, **changed):
    """An answer about a key with these ticks."""
    return json.dumps({"error": [], "result": {**KEPT["result"], "permissions": ticks, **changed}}).encode()


def on(report):
    return {permission for permission in Permission if report.is_on(permission)}


@pytest.mark.parametrize(
    ("tick", "permission"),
    [
        ("query-funds", Permission.BALANCES),
        ("query-closed-trades", Permission.FILLS),
        ("query-open-trades", Permission.ORDERS),
        ("query-ledger", Permission.ACCOUNT),
        ("modify-trades", Permission.TRADE),
        ("close-trades", Permission.TRADE),
        ("add-funds", Permission.TRANSFER),
        ("earn-funds", Permission.TRANSFER),
        ("withdraw-funds", Permission.WITHDRAW),
        ("add-withdraw-address", Permission.WITHDRAW),
        ("update-withdraw-address", Permission.WITHDRAW),
    ],
)
def test_each_documented_tick_is_a_permission(tick, permission):
    """One tick is one permission on and all others off, told by the exchange."""
    report = keyinfo.parse_key(told(tick))

    assert on(report) == {permission}
    assert {report.get(p).source for p in Permission} == {Source.REPORTED}
    assert (report.labels, report.strange) == ((), ())


def test_harmless_ticks_are_shown_in_krakens_words():
    """Exports and the WebSocket open nothing that the other ticks don't: shown, and no reason to warn."""
    report = keyinfo.parse_key(told(*VIEW, "export-data", "create-ws-token"))

    assert report.labels == ("Export data", "WebSocket interface")
    assert not report.powerful
    assert decide(report, POLICY).outcome is Outcome.ACCEPT


@pytest.mark.parametrize("tick", ["move-mountains", "QUERY_EVERYTHING", "", "\x00", "x" * 500])
def test_a_tick_nobody_knows_is_never_ignored(tick):
    """A tick that is not in the documents may be the right to withdraw, so the key is not taken."""
    report = keyinfo.parse_key(told(*VIEW, tick))

    assert len(report.strange) == 1
    assert 0 < len(report.strange[0]) <= 64
    assert report.powerful
    assert decide(report, POLICY).outcome is Outcome.REFUSE


def test_the_documented_answer_is_read_whole():
    """Kraken's own example: no end, no addresses, made in March, and two ticks too many."""
    report = keyinfo.parse_key(recorded("GetApiKeyInfo"))

    assert on(report) == {
        Permission.BALANCES,
        Permission.ORDERS,
        Permission.TRADE,
        Permission.WITHDRAW,
    }
    assert (report.ip_bound, report.addresses) == (Switch.OFF, ())
    assert (report.expires_at, report.history_from, report.history_to) == (None, None, None)
    assert report.created_at == datetime(2026, 3, 3, 13, 1, 40, tzinfo=UTC)


def test_the_other_spelling_is_read_as_well():
    """Fields with underscores mean the same: an end, a list of addresses, and a window of history."""
    report = keyinfo.parse_key(recorded("GetApiKeyInfo_snake"))

    assert on(report) == {Permission.BALANCES, Permission.ORDERS, Permission.FILLS, Permission.ACCOUNT}
    assert (report.ip_bound, report.addresses) == (Switch.ON, ("192.0.2.7", "198.51.100.0/24"))
    assert report.expires_at == datetime(2026, 12, 31, tzinfo=UTC)
    assert report.history_from == datetime(2026, 10, 26, 7, 33, 20, tzinfo=UTC)
    assert report.history_to == datetime(2026, 12, 23, 4, 26, 40, tzinfo=UTC)


@pytest.mark.parametrize("never", ["0", 0, "", None, "-1", -2, "86400"])
def test_no_end_is_no_end(never):
    """Nothing, zero, a negative number and the year 1970 mean that the key never ends."""
    report = keyinfo.parse_key(told(*VIEW, validUntil=never, createdTime=never))

    assert (report.expires_at, report.created_at) == (None, None)


def test_an_end_may_be_a_number():
    """Seconds count, whether they come quoted or bare."""
    for value in ("1798675200", 1798675200):
        assert keyinfo.parse_key(told(*VIEW, validUntil=value)).expires_at == datetime(
            2026, 12, 31, tzinfo=UTC
        )


@pytest.mark.parametrize(
    ("value", "bound"),
    [([], Switch.OFF), ([""], Switch.OFF), (["0.0.0.0/0", "::/0"], Switch.OFF), (["192.0.2.1"], Switch.ON)],
)
def test_an_empty_list_of_addresses_binds_nothing(value, bound):
    """An empty list, a list of one empty text and the whole internet are no restriction."""
    assert keyinfo.parse_key(told(*VIEW, ipAllowlist=value)).ip_bound is bound


def test_a_missing_list_of_addresses_is_not_known():
    """Where Kraken says nothing of addresses, we don't claim that there is no list."""
    result = {name: value for name, value in KEPT["result"].items() if name != "ipAllowlist"}

    assert keyinfo.parse_key(json.dumps({"result": result}).encode()).ip_bound is Switch.UNKNOWN


@pytest.mark.parametrize("permissions", [None, {"query-funds": True}, "query-funds", [1, 2]])
def test_ticks_in_another_shape_are_an_outage(permissions):
    """What can't be read is asked again, and never taken for a key without powers."""
    body = json.dumps({"result": {**KEPT["result"], "permissions": permissions}}).encode()

    with pytest.raises(ExchangeError) as raised:
        keyinfo.parse_key(body)

    assert raised.value.trouble is Trouble.UNREACHABLE


async def proven(*answers):
    reader, http = client(*answers)
    return await reader.prove(), http


async def test_a_proof_asks_three_times():
    """Balances, fills, and what the key says of itself: four points of the key's fifteen."""
    proof, http = await proven(
        answer(recorded("BalanceEx")), answer(recorded("TradesHistory")), answer(told(*VIEW))
    )

    names = [path.rpartition("/")[2] for _, path, *_ in http.asked]
    assert names == ["BalanceEx", "TradesHistory", "GetApiKeyInfo"]
    assert on(proof.report) == {Permission.BALANCES, Permission.FILLS}
    assert proof.report.get(Permission.BALANCES).source is Source.REPORTED
    assert proof.report.get(Permission.WITHDRAW).switch is Switch.OFF
    assert proof.head is not None
    assert (proof.head.after, proof.head.before) == ("1688667796.8802", "1688667796.8802")


async def test_what_a_read_shows_wins():
    """A tick that is told off and works is on; one that is told on and refused is off."""
    works, _ = await proven(answer(recorded("BalanceEx")), answer(recorded("TradesHistory")), answer(told()))
    fails, _ = await proven(
        answer(recorded("BalanceEx")), refused("EGeneral:Permission denied"), answer(told(*VIEW))
    )

    lacks, _ = await proven(
        answer(recorded("BalanceEx")), refused("EGeneral:Permission denied"), answer(told("query-funds"))
    )

    assert lacks.report.get(Permission.FILLS).refused
    assert works.report.get(Permission.BALANCES).source is Source.SEEN
    assert on(works.report) == {Permission.BALANCES, Permission.FILLS}
    finding = fails.report.get(Permission.FILLS)
    assert (finding.switch, finding.refused, fails.head) == (Switch.OFF, True, None)


@pytest.mark.parametrize("message", ["EGeneral:Permission denied", "EGeneral:Unknown method"])
async def test_without_introspection_only_what_was_seen_is_known(message):
    """Where Kraken does not tell, powers stay unknown; nothing is turned into off."""
    proof, _ = await proven(
        answer(recorded("BalanceEx")), answer(recorded("TradesHistory")), refused(message)
    )

    assert on(proof.report) == {Permission.BALANCES, Permission.FILLS}
    for power in (Permission.TRADE, Permission.TRANSFER, Permission.WITHDRAW):
        assert proof.report.get(power).switch is Switch.UNKNOWN


async def test_an_outage_leaves_the_proof_undone():
    """A key is not taken with unknown powers because Kraken was busy for a moment."""
    with pytest.raises(ExchangeError) as raised:
        await proven(
            answer(recorded("BalanceEx")), answer(recorded("TradesHistory")), refused("EService:Busy")
        )

    assert raised.value.trouble is Trouble.MAINTENANCE


async def test_a_key_tells_all_of_itself_over_the_wire():
    """Against the practice exchange: ticks, addresses and the end of a key, and what bound and ended keys meet."""
    async with connected("kraken", history=2) as (exchange, running):
        key, secret = running.state.new_key({"balances", "fills", "trade", "create-ws-token"})
        made = cast("PracticeKraken", running.state).keys[key]
        made.addresses, made.expires_at = ("127.0.0.0/8",), datetime(2030, 1, 1, tzinfo=UTC)
        client = exchange.client(running.credentials(key, secret), 0)

        report = (await client.prove()).report

        assert on(report) == {Permission.BALANCES, Permission.FILLS, Permission.TRADE}
        assert (report.ip_bound, report.addresses) == (Switch.ON, ("127.0.0.0/8",))
        assert (report.expires_at, report.labels) == (made.expires_at, ("WebSocket interface",))
        for changed, trouble in (
            ({"addresses": ("192.0.2.0/24",)}, Trouble.IP_BLOCKED),
            ({"addresses": (), "expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, Trouble.BAD_KEY),
        ):
            for name, value in changed.items():
                setattr(made, name, value)
            with pytest.raises(ExchangeError) as raised:
                await client.prove()
            assert raised.value.trouble is trouble


async def test_an_empty_list_of_ticks_tells_nothing():
    """A key that reads balances has a tick: from an empty list no power is taken for off."""
    proof, _ = await proven(answer(recorded("BalanceEx")), answer(recorded("TradesHistory")), answer(told()))

    assert on(proof.report) == VIEWS
    assert proof.report.untold == {Permission.TRADE, Permission.TRANSFER, Permission.WITHDRAW}
