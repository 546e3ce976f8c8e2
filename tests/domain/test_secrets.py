"""A secret has one way out: every other one that text usually takes is tried here, one by one."""

import copy
import dataclasses
import gc
import io
import json
import logging
import pickle
import sys
import traceback

import msgspec
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret, SecretShape, find_pasted

CANARY = "canary0123456789abcdefKEY"
SHAPES = (
    SecretShape("bitso", r"[0-9a-f]{32}"),
    SecretShape("binance", r"[A-Za-z0-9]{64}"),
    SecretShape("kraken", r"[A-Za-z0-9+/]{86}=="),
)


REFUSED = {
    "str": str,
    "format": format,
    "f-string": lambda secret: f"{secret}",
    "f-string with a width": lambda secret: f"{secret:>40}",
    "str.format": "{}".format,
    "percent": lambda secret: "%s" % secret,  # noqa: UP031  the old way is the point
    "percent bytes": lambda secret: b"%s" % secret,
    "join": lambda secret: "".join([secret]),  # noqa: FLY002  the way is the point
    "join bytes": lambda secret: b"".join([secret]),
    "concatenation": lambda secret: "key " + secret,
    "int": int,
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "list": list,
    "tuple": tuple,
    "unpacking": lambda secret: [*secret],
    "contains": lambda secret: 99 in secret,
    "index": lambda secret: secret[0],
    "slice": lambda secret: secret[:4],
    "reversed": reversed,
    "sorted": sorted,
    "hash": hash,
    "dictionary key": lambda secret: {secret: 1},
    "vars": vars,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "pickle 0": lambda secret: pickle.dumps(secret, 0),
    "json": json.dumps,
    "json with str": lambda secret: json.dumps({"key": secret}, default=str),
    "msgspec json": msgspec.json.encode,
    "msgspec msgpack": msgspec.msgpack.encode,
    "msgspec builtins": msgspec.to_builtins,
    "write": lambda secret: io.StringIO().write(secret),
    "asdict": lambda secret: dataclasses.asdict(Credentials(secret, secret)),
    "text of an error": lambda secret: str(ValueError(secret)),
}


@pytest.mark.parametrize("way", REFUSED.values(), ids=REFUSED)
def test_every_way_into_text_is_refused(way):
    """Whoever tries to print, iterate, copy or serialise a secret gets an error that doesn't show it."""
    with pytest.raises(TypeError) as caught:
        way(Secret(CANARY))

    assert CANARY not in "".join(traceback.format_exception(caught.value))


MASKED = {
    "repr": repr,
    "ascii": ascii,
    "f-string with !r": lambda secret: f"{secret!r}",
    "percent r": lambda secret: "%r" % secret,  # noqa: UP031  the old way is the point
    "in a list": lambda secret: str([secret]),
    "in a dictionary": lambda secret: str({"key": secret}),
    "in a dataclass": lambda secret: str(Credentials(secret, secret)),
    "in a KeyError": lambda secret: str(KeyError(secret)),
    "json with repr": lambda secret: json.dumps({"key": secret}, default=repr),
    "structlog as JSON": lambda secret: structlog.processors.JSONRenderer()(None, "", {"key": secret}),
    "structlog as pairs": lambda secret: structlog.processors.KeyValueRenderer()(None, "", {"key": secret}),
    "structlog for people": lambda secret: structlog.dev.ConsoleRenderer()(
        None, "", {"event": "x", "key": secret}
    ),
}


@pytest.mark.parametrize("way", MASKED.values(), ids=MASKED)
def test_what_must_not_fail_shows_a_mask(way):
    """A representation never fails and never shows more than that there is a secret."""
    shown = way(Secret(CANARY))

    assert "Secret(****)" in shown
    assert CANARY not in shown


def test_a_log_line_does_not_show_it(caplog):
    """Logging a secret as a value of the message shows the mask, and as text is an error of the line."""
    logging.getLogger("leak").warning("the key is %r", Secret(CANARY))

    assert "Secret(****)" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize("value", [CANARY + "\ud800", 12, None, ["canary"], 3.5])
def test_what_is_no_secret_is_refused_without_showing_it(value):
    """Neither the error nor what it was raised from carries the value, not even for broken text."""
    with pytest.raises((TypeError, ValueError)) as caught:
        Secret(value)

    error: BaseException | None = caught.value
    while error:
        assert CANARY not in f"{error.args}{vars(error)}{getattr(error, 'object', '')}"
        error = error.__context__


def test_a_traceback_with_locals_shows_the_mask():
    """Error reporters that print local variables find the mask in every frame below the test's own."""
    secret = Secret(CANARY)
    try:
        str(secret)
    except TypeError:
        _, error, trace = sys.exc_info()
        assert error is not None
        lines = list(traceback.TracebackException(TypeError, error, trace, capture_locals=True).format())

    assert any("Secret(****)" in line for line in lines)
    assert not any(CANARY in line for line in lines)


@given(st.binary())
def test_the_one_way_out_gives_back_what_went_in(value):
    """`reveal` returns exactly the bytes, from whatever kind of buffer they came."""
    assert Secret(value).reveal() == value
    assert Secret(bytearray(value)).reveal() == value
    assert Secret(memoryview(value)).reveal() == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_is_kept_as_utf8(text):
    """Text of any language goes in and out unchanged."""
    assert Secret(text).reveal().decode() == text


@given(st.binary(), st.binary())
def test_secrets_are_equal_by_value_only(one, other):
    """Two secrets are equal when their bytes are, and never equal to anything else."""
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) != one


def test_a_secret_keeps_its_own_copy():
    """Zeroing the buffer a secret was made from leaves the secret whole."""
    buffer = bytearray(CANARY.encode())
    secret = Secret(buffer)
    buffer[:] = bytes(len(buffer))

    assert secret.reveal() == CANARY.encode()


def test_wiping_overwrites_the_bytes_and_leaves_nothing_to_sign_with():
    """After a wipe the buffer is empty, and asking for it is an error instead of an empty key."""
    secret = Secret(CANARY)
    assert secret
    assert len(secret) == len(CANARY)

    secret.wipe()
    secret.wipe()

    assert not secret
    assert len(secret) == 0
    with pytest.raises(ValueError, match="wiped"):
        secret.reveal()


def test_a_forgotten_secret_is_wiped():
    """When nobody holds a secret any more its bytes are overwritten, wiped by hand or not."""
    secret = Secret(CANARY)
    buffer = secret._value

    del secret
    gc.collect()

    assert buffer == b""


@pytest.mark.parametrize(
    ("value", "shown"),
    [("abcdefgh", "efgh"), ("bitsoKEYabc", "Yabc"), ("abcdefg", "****"), ("ab", "****"), ("", "****")],
)
def test_only_the_last_four_are_shown(value, shown):
    """Four characters of a long value are shown, nothing of one they would nearly give away."""
    assert Secret(value).last4() == shown


HEX = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        f"my key is {HEX}.",
        f"secret={HEX}",
        f'API_SECRET="{HEX}"',
        f"key:{HEX}, and now?",
        f"env=live=secret={HEX}",
        f"_{HEX}_",
        f"-{HEX}",
        f"`{HEX}`",
        f"first line\n{HEX}\nlast line",
        HEX[:9] + "\u200b" + HEX[9:],
    ],
)
def test_a_pasted_secret_is_noticed(text):
    """A key is found wherever people put it: alone, quoted, behind a name, in markup, with hidden marks."""
    assert find_pasted(text, SHAPES) == "bitso"


@pytest.mark.parametrize(
    "text",
    ["", "/connect bitso", "0123456789abcdef", "I sold 0.5 BTC at 61234.56", f"{HEX}ff", "a" * 63, "=" * 40],
)
def test_ordinary_messages_are_left_alone(text):
    """What only resembles a key is no reason to delete somebody's message."""
    assert find_pasted(text, SHAPES) is None


def test_the_exchange_is_named_by_its_shape():
    """The first exchange whose shape fits is the one the person is sent to."""
    assert find_pasted("B" * 64, SHAPES) == "binance"
    assert find_pasted("secret=" + "aB+/" * 21 + "cd==", SHAPES) == "kraken"
    assert find_pasted("B" * 64, ()) is None


@given(st.text(max_size=3000))
def test_any_text_can_be_searched(text):
    """No message makes the search fail."""
    find_pasted(text, SHAPES)
