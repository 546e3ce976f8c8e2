"""What Kraken's refusals mean: each message by itself, with details, beside others, and without any."""

import pytest

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Answer
from chatbot.exchanges.kraken import ERRORS, errors
from tests.support.kraken import answer, recorded, refused

# By hand from the documents, so that a slip in the table is seen here.
MEANINGS = [
    ("EAPI:Invalid key", Trouble.BAD_KEY, 0),
    ("EAPI:Invalid signature", Trouble.BAD_SECRET, 0),
    ("EAPI:Invalid nonce", Trouble.CLOCK_OR_NONCE, 0),
    ("ESession:Invalid session", Trouble.KEY_INACTIVE, 0),
    ("EGeneral:Permission denied", Trouble.NO_PERMISSION, 0),
    ("EAPI:Rate limit exceeded", Trouble.RATE_LIMIT, 60),
    ("EAuth:Rate limit exceeded", Trouble.RATE_LIMIT, 60),
    ("EAuth:Too many requests", Trouble.RATE_LIMIT, 60),
    ("EGeneral:Too many requests", Trouble.RATE_LIMIT, 60),
    ("EService: Throttled: 1741500000", Trouble.RATE_LIMIT, 60),
    ("EService:Throttled", Trouble.RATE_LIMIT, 60),
    ("EGeneral:Temporary lockout", Trouble.RATE_LIMIT, 900),
    ("EService:Unavailable", Trouble.MAINTENANCE, 0),
    ("EService:Busy", Trouble.MAINTENANCE, 0),
    ("EService:Deadline elapsed", Trouble.MAINTENANCE, 0),
    ("EService:Market in cancel_only mode", Trouble.MAINTENANCE, 0),
    ("EService:Market in post_only mode", Trouble.MAINTENANCE, 0),
    ("EService:Market in limit_only mode", Trouble.MAINTENANCE, 0),
    ("EGeneral:Internal error", Trouble.MAINTENANCE, 0),
    ("EGeneral:Internal error:57", Trouble.MAINTENANCE, 0),
    ("EDatabase:Internal error", Trouble.MAINTENANCE, 0),
    ("EAuth:Account temporary disabled", Trouble.ACCOUNT_BLOCKED, 0),
    ("ETrade:Locked", Trouble.ACCOUNT_BLOCKED, 0),
    ("ETrade:User Locked", Trouble.ACCOUNT_BLOCKED, 0),
    ("EAuth:Account unconfirmed", Trouble.USER_ACTION, 0),
    ("EAccount:Invalid permissions", Trouble.USER_ACTION, 0),
    ("EAccount:Invalid permissions:USDT trading restricted for DE.", Trouble.USER_ACTION, 0),
    ("EAPI:Bad request", Trouble.UNKNOWN, 0),
    ("EAPI:Feature disabled", Trouble.UNKNOWN, 0),
    ("EAPI:Feature disabled:viqc", Trouble.UNKNOWN, 0),
    ("EGeneral:Unknown Method", Trouble.UNKNOWN, 0),
    ("EGeneral:Invalid arguments", Trouble.UNKNOWN, 0),
    ("EGeneral:Invalid arguments:Index unavailable", Trouble.UNKNOWN, 0),
    ("EQuery:Unknown asset pair", Trouble.UNKNOWN, 0),
    ("EOrder:Rate limit exceeded", Trouble.UNKNOWN, 0),
    ("EOrder:Insufficient funds", Trouble.UNKNOWN, 0),
    ("EFunding:Unknown withdraw key", Trouble.UNKNOWN, 0),
    ("EBM:limit exceeded:CAL", Trouble.UNKNOWN, 0),
    ("ENew:Something nobody has seen", Trouble.UNKNOWN, 0),
    ("EGeneral:Permission denied:IP not in allowlist", Trouble.IP_BLOCKED, 0),
    ("EAPI:IP address is not whitelisted", Trouble.IP_BLOCKED, 0),
]


def raised(refusal, subject="fills"):
    with pytest.raises(ExchangeError) as caught:
        errors.check(refusal, subject)
    return caught.value


@pytest.mark.parametrize(("message", "trouble", "wait"), MEANINGS)
def test_each_message_has_its_meaning(message, trouble, wait):
    """A message is known with or without its detail, whatever its case and blanks."""
    error = raised(refused(message))

    assert (error.trouble, error.wait) == (trouble, wait)


@pytest.mark.parametrize("message", ERRORS)
def test_a_detail_changes_nothing(message):
    """What follows a known message after a colon is a detail of it."""
    assert raised(refused(f"{message}:what:ever")).trouble is ERRORS[message].trouble


def test_a_missing_right_is_told_by_name():
    """What was asked for goes along with a missing right; what the person has to do, with what they have to do."""
    assert raised(refused("EGeneral:Permission denied"), "balances").subject == "balances"
    assert raised(refused("EAuth:Account unconfirmed"), "balances").subject == "verification"


def test_a_warning_is_no_failure():
    """Warnings beside a good result are passed over, beside a failure the failure counts."""
    errors.check(answer(b'{"error": ["WGeneral:Deprecated parameter"], "result": {}}'))
    errors.check(answer(recorded("BalanceEx")))

    assert raised(refused("WGeneral:Danger", "EAPI:Invalid key")).trouble is Trouble.BAD_KEY


def test_of_several_failures_the_known_one_counts():
    """An unknown message before a known one does not hide it; a lone text is read as a list of one."""
    assert raised(refused("ENew:What", "EService:Busy")).trouble is Trouble.MAINTENANCE
    assert raised(answer(b'{"error": "EAPI:Invalid nonce"}')).trouble is Trouble.CLOCK_OR_NONCE


@pytest.mark.parametrize(
    ("status", "body", "trouble", "wait"),
    [
        (429, b"<html>", Trouble.RATE_LIMIT, 60),
        (418, b'{"error": []}', Trouble.RATE_LIMIT, 60),
        (520, b"<html>", Trouble.MAINTENANCE, 0),
        (503, b'{"error": ["ENew:What"]}', Trouble.MAINTENANCE, 0),
        (403, b"<html>", Trouble.MAINTENANCE, 0),
        (200, b"[1]", Trouble.UNREACHABLE, 0),
        (404, b'{"error": []}', Trouble.UNKNOWN, 0),
        (200, b"", Trouble.MAINTENANCE, 0),
    ],
)
def test_without_a_message_the_status_counts(status, body, trouble, wait):
    """A gateway's page is an outage, a limit is a limit, and what is left is not guessed."""
    error = raised(Answer(status, "text/html", body))

    assert (error.trouble, error.wait) == (trouble, wait)


def test_an_asked_wait_is_obeyed_when_longer():
    """Retry-After counts where it is longer than our own wait."""
    assert raised(Answer(429, "text/html", b"", wait=300)).wait == 300
    assert raised(Answer(429, "text/html", b"", wait=3)).wait == 60


def test_a_long_message_is_cut():
    """Whatever the exchange writes, the reason stays short."""
    assert len(raised(refused("E" + "\U0001f600" * 4000)).reason) < 120
