"""Only Telegram can say who opened the page, for this bot, now: everything else is nobody."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from aiogram.utils.web_app import check_webapp_signature
from hypothesis import given
from hypothesis import strategies as st

from chatbot.platforms.telegram.miniapp import user_of

TOKEN = "123456:a-token-of-the-test"
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
LIFE = timedelta(minutes=5)


def signed(token: str = TOKEN, at: datetime = NOW, **changed: str) -> str:
    """Sign as the document says, step by step and without our code."""
    user = {"id": 42, "first_name": "Ana 🦊", "language_code": "es"}
    fields = {
        "query_id": "AAH", "user": json.dumps(user, ensure_ascii=False),
        "auth_date": str(int(at.timestamp())), "signature": "x_-", **changed,
    }  # fmt: skip
    lines = [f"{name}={value}" for name, value in sorted(fields.items())]
    secret = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    mark = hmac.new(secret, "\n".join(lines).encode(), hashlib.sha256).hexdigest()
    return urlencode({**fields, "hash": mark})


def test_a_good_signature_names_the_user():
    """What Telegram hands to the page is believed, and an independent library agrees."""
    assert check_webapp_signature(TOKEN, signed())
    assert user_of(signed(), TOKEN, NOW, LIFE) == "42"


def test_a_vector_made_with_openssl():
    """The same bytes were signed by `openssl dgst -mac HMAC`, twice, as the document says."""
    init = (
        "auth_date=1795262400&user=%7B%22id%22%3A7%7D"
        "&hash=70f5dcfa463abd28bb0fba43791034a204efa3d80d2949912774fe3874468212"
    )

    assert user_of(init, TOKEN, datetime.fromtimestamp(1795262400, UTC), LIFE) == "7"


@pytest.mark.parametrize(("seconds", "who"), [(-31, None), (-30, "42"), (0, "42"), (300, "42"), (301, None)])
def test_it_counts_as_long_as_it_is_asked_to(seconds, who):
    """An older one is nobody's, and so is one from the future beyond what clocks differ."""
    assert user_of(signed(), TOKEN, NOW + timedelta(seconds=seconds), LIFE) == who


@pytest.mark.parametrize(
    "init",
    [
        signed(token="123456:another"),
        signed().replace("42", "43", 1),
        signed() + "&user=" + quote('{"id": 43}'),
        signed().partition("&hash=")[0],
        signed(user="[]"),
        signed(user='{"id": true}'),
        signed(user='{"id": -1}'),
        signed(user='{"id": "1; DROP"}'),
        signed(auth_date="soon"),
        signed(auth_date="1" * 400),
        signed(auth_date="9" * 20),
        "hash=",
        "",
        "%ff=%fe",
        "a" * 5000,
        signed(user="[" * 2000),
    ],
)
def test_anything_else_is_nobody(init):
    """Another bot's signature, a changed, doubled, missing or senseless field: no user, and no error."""
    assert user_of(init, TOKEN, NOW, LIFE) is None


@given(st.text(max_size=300))
def test_no_text_makes_it_fail(text):
    """Whatever is posted, the answer is a user or nobody."""
    assert user_of(text, TOKEN, NOW, LIFE) is None


@given(st.data())
def test_no_changed_byte_is_believed(data):
    """One other character anywhere makes it nobody's or leaves the user the same."""
    good = signed()
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.characters(codec="ascii"))

    assert user_of(good[:at] + other + good[at + 1 :], TOKEN, NOW, LIFE) in {None, "42"}
