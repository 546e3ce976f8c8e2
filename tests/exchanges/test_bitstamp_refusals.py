"""What Bitstamp's refusals mean: every documented code and text, in each form, and what is tried again."""

import json

import ccxt
import pytest

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Answer
from chatbot.exchanges.bitstamp import ERRORS, wire
from chatbot.practice.bitstamp import ERRORS as PRACTISED
from tests.support.bitstamp import answer, client, recorded, refused

OK = answer(recorded("account_balances"))


async def test_a_refusal_is_heard_without_a_signature():
    """Who is refused for a wrong secret can't check the refusal's signature, and still is told why."""
    unsigned = Answer(
        403, "application/json", recorded("error"), headers={"Content-Type": "application/json"}
    )
    reader, _ = client(unsigned)

    with pytest.raises(ExchangeError) as raised:
        await reader.balances()

    assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "balances")


@pytest.mark.parametrize("key", sorted(ERRORS))
def test_every_refusal_has_its_meaning(key):
    """Row by row, in each form a refusal is known to come in, with the status of an error or of a success."""
    status, text = PRACTISED[key]
    forms = (
        [{"error": key}, {"error": {"__all__": [key]}}, {"status": "error", "reason": key}]
        if " " in key
        else [
            {"status": "error", "reason": text, "code": key},
            {"status": "error", "reason": {"__all__": [text]}, "response_code": key},
            {"code": key, "message": text},
        ]
    )
    for form in forms:
        for http_status in (status, 200):
            with pytest.raises(ExchangeError) as raised:
                wire.check(answer(json.dumps(form).encode(), http_status), "fills")
            assert (raised.value.trouble, raised.value.wait) == (ERRORS[key].trouble, ERRORS[key].wait)
            assert raised.value.subject == (ERRORS[key].subject or "fills")


def test_ccxt_takes_the_same_texts_for_refusals():
    """Each text that ccxt knows of a read's refusal is known here."""
    elsewhere = {"Order not found.", "Order could not be placed."}

    known = set(ccxt.bitstamp().describe()["exceptions"]["exact"]) - elsewhere

    assert known <= ERRORS.keys()


def test_a_limit_without_a_code_is_obeyed():
    """Any 429, even from a gateway, means to stay away for a minute at least; Retry-After may say more."""
    for body in (b"<html>", b"{}", b'"x"', b""):
        with pytest.raises(ExchangeError) as raised:
            wire.check(Answer(429, "text/html", body, wait=5))
        assert (raised.value.trouble, raised.value.wait) == (Trouble.RATE_LIMIT, 60)
    with pytest.raises(ExchangeError) as raised:
        wire.check(Answer(429, "text/html", b"{}", wait=300))
    assert raised.value.wait == 300


def test_an_unknown_code_is_not_guessed():
    """An undocumented code or text is unknown and not retried; only the server's own failures are."""
    for body in (b'{"code": "API7777"}', b'{"error": "Something else"}', b'{"status": "error"}'):
        with pytest.raises(ExchangeError) as raised:
            wire.check(answer(body, 403))
        assert (raised.value.trouble, raised.value.retry) == (Trouble.UNKNOWN, False)
        with pytest.raises(ExchangeError) as raised:
            wire.check(answer(body, 503))
        assert raised.value.retry


def test_maintenance_is_known_in_other_words():
    """The sentence about maintenance may change around its two words."""
    with pytest.raises(ExchangeError) as raised:
        wire.check(answer(b'{"error": "We are under Scheduled Maintenance until 10:00."}'))

    assert raised.value.trouble is Trouble.MAINTENANCE


async def test_a_clock_error_is_tried_once_more_with_a_new_nonce():
    """A refused nonce gets one fresh one; a second refusal rises; other refusals are never tried again."""
    reader, http = client(refused("API0004"), OK)
    assert len(await reader.balances()) == 2
    nonces = [headers["X-Auth-Nonce"] for *_, headers, _ in http.asked]
    assert len(set(nonces)) == 2

    for codes in (["API0017", "API0018"], ["API0001"], ["API0003"], ["400.002"], ["API0005"]):
        reader, http = client(*[refused(code) for code in codes])
        with pytest.raises(ExchangeError):
            await reader.balances()
        assert http.answers == []
