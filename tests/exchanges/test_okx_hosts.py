"""Whose key it is: the three companies called OKX are asked in turn, and the right one is remembered."""

import pytest

from chatbot.domain.permissions import Permission
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import build
from chatbot.exchanges.okx import ALLOW, ERRORS
from chatbot.exchanges.okx.hosts import HOMES, Hosts
from tests.support.okx import client, credentials, good, refused
from tests.support.practice import MachineClock, practice

NOBODY = refused("50119", 401)
EMPTY = good({"details": []})


def test_there_is_one_way_out_for_each_company_and_one_alone_where_it_is_set():
    """All share the allow-list; the operator's own address is the only one that is ever asked."""
    three, one = Hosts(ALLOW), Hosts(ALLOW, "http://127.0.0.1:1")

    assert tuple(http._origin for http in three.all) == HOMES
    assert {http._allow for http in three.all} == {ALLOW}
    assert [http._origin for http in one.all] == ["http://127.0.0.1:1"]
    assert HOMES == ("https://www.okx.com", "https://eea.okx.com", "https://us.okx.com")


async def test_the_companies_are_asked_in_turn_and_the_right_one_is_remembered():
    """A European key costs one request more, once; after that its company is asked at once."""
    reader, www, eea, us = client(NOBODY, others=([EMPTY, good(), EMPTY, good()], []))

    await reader.balances()
    await reader.balances()

    assert (len(www.asked), len(eea.asked), len(us.asked)) == (1, 4, 0)


@pytest.mark.parametrize("code", sorted(set(ERRORS) - {"50119"}))
async def test_no_other_refusal_is_taken_to_another_company(code):
    """Only an unknown key is: a wrong secret or address shows that the company knows it."""
    reader, _, eea, us = client(*[refused(code)] * 2, others=([], []))

    with pytest.raises(ExchangeError) as raised:
        await reader.balances()

    assert raised.value.trouble is ERRORS[code].trouble
    assert (eea.asked, us.asked) == ([], [])


async def test_a_key_that_no_company_knows_is_a_bad_key():
    """Each is asked once; a key that one of them has deleted is looked for at the others again."""
    reader, www, eea, us = client(NOBODY, others=([EMPTY, good(), NOBODY], [NOBODY, NOBODY]))
    www.answers.append(NOBODY)
    await reader.balances()

    with pytest.raises(ExchangeError) as raised:
        await reader.balances()

    assert (raised.value.trouble, raised.value.retry) == (Trouble.BAD_KEY, False)
    assert (len(www.asked), len(eea.asked), len(us.asked)) == (2, 3, 1)


def test_the_memory_of_keys_holds_no_key_and_is_bounded(monkeypatch):
    """Not the key but a keyed hash, another in each process; the oldest makes room."""
    monkeypatch.setattr("chatbot.exchanges.okx.hosts.MOST_SEATS", 2)
    one, two = Hosts(ALLOW), Hosts(ALLOW)
    for hosts in (one, two):
        for key in ("a" * 36, "b" * 36, "c" * 36):
            hosts.seat(credentials(key).api_key).host = 1

    assert len(one._seats) == 2
    assert one.seat(credentials("c" * 36).api_key).host == 1
    assert one.seat(credentials("a" * 36).api_key).host == 0
    assert one._seats.keys() & two._seats.keys() == set()
    assert "c" * 8 not in repr(vars(one))


async def test_two_real_companies(monkeypatch):
    """Over true sockets: the first knows nobody, the second the key; balances and fills come from there."""
    async with practice("okx") as stranger, practice("okx") as home:
        monkeypatch.setattr("chatbot.exchanges.okx.hosts.HOMES", (stranger.origin, home.origin))
        home.state.seed(3)
        exchange = build({}, MachineClock())["okx"]
        proof = await exchange.client(home.credentials(), 0).prove()
        await exchange.close()

        assert (len(proof.balances), proof.report.is_on(Permission.FILLS)) == (6, True)
        assert stranger.state.requests == [("GET", "/api/v5/account/balance")]
