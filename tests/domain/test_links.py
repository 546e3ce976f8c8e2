"""The one-time link's pure parts: addresses, context, and the list of fields the page seals."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.links import (
    INFO,
    PAD,
    TRIES,
    Link,
    LinkState,
    MalformedSecret,
    b64url,
    code_for,
    fingerprint,
    from_b64url,
    info,
    link_id,
    pack,
    page_url,
    read_fields,
)
from chatbot.domain.people import ConversationId, PersonId, TeamId

NAMES = ["api_key", "api_secret", "passphrase"]
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=700)
LINK = Link(
    id=b"i" * 32,
    team=TeamId("web"),
    person=PersonId("p"),
    conversation=ConversationId("c"),
    exchange="bitso",
    label="Main",
    state=LinkState.OPEN,
    public_key=b"\x04" + b"k" * 64,
    sealed_private_key=b"sealed",
    expires_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def page_pack(values: list[bytes]) -> bytes:
    """What `pack` in the page's script does, written once more from the design."""
    body = bytes([len(values)])
    for value in values:
        body += bytes([0, 0, len(value) >> 8, len(value) & 255]) + value
    return body + bytes(-len(body) % 512)


@given(st.lists(VALUES, min_size=1, max_size=3))
def test_what_the_page_packs_is_read_back(values):
    """Every printable value comes back under its name, in order."""
    names = NAMES[: len(values)]
    fields = read_fields(page_pack([value.encode() for value in values]), names)

    assert {name: secret.reveal().decode() for name, secret in fields.items()} == dict(
        zip(names, values, strict=True)
    )


def test_only_a_field_of_many_lines_may_hold_line_ends():
    """A PEM block comes back byte for byte; the same in a field of one line is malformed, and so is a tab."""
    packed = page_pack([b"key", b"-----BEGIN\nabc=\n-----END"])
    names = ["api_key", "api_secret"]

    assert read_fields(packed, names, ["api_secret"])["api_secret"].reveal() == b"-----BEGIN\nabc=\n-----END"
    for malformed, long in ((packed, ["api_key"]), (page_pack([b"key", b"a\tb"]), names)):
        with pytest.raises(MalformedSecret):
            read_fields(malformed, names, long)


@pytest.mark.parametrize("size", [506, 507, 508, 1018, 1019, 1020])
def test_a_list_that_fills_its_last_step_needs_no_padding(size):
    """Lengths around a step of 512 bytes are read like all others."""
    packed = page_pack([b"k" * size])

    assert len(packed) % PAD == 0
    assert len(read_fields(packed, ["api_key"])["api_key"]) == size


@given(st.data(), st.lists(VALUES, min_size=1, max_size=3))
def test_a_cut_list_is_malformed(data, values):
    """No beginning of a packed list is taken for a whole one."""
    packed = page_pack([value.encode() for value in values])
    cut = data.draw(st.integers(0, len(packed) - 1))

    with pytest.raises(MalformedSecret):
        read_fields(packed[:cut], NAMES[: len(values)])


@given(st.data(), st.lists(VALUES, min_size=1, max_size=3))
def test_a_flipped_bit_is_malformed_or_another_character(data, values):
    """A changed bit outside the values is malformed; inside it changes that value alone, never the others."""
    packed = bytearray(page_pack([value.encode() for value in values]))
    bit = data.draw(st.integers(0, len(packed) * 8 - 1))
    packed[bit // 8] ^= 1 << bit % 8
    try:
        fields = read_fields(bytes(packed), NAMES[: len(values)])
    except MalformedSecret:
        return

    read = [secret.reveal().decode() for secret in fields.values()]
    assert [len(value) for value in read] == [len(value) for value in values]
    assert sum(now != then for now, then in zip(read, values, strict=True)) == 1


@given(st.binary(max_size=1100) | st.binary(min_size=512, max_size=512), st.integers(1, 3))
def test_no_bytes_raise_another_error(plaintext, count):
    """Whatever was sealed, the answer is the fields or `MalformedSecret`."""
    try:
        fields = read_fields(plaintext, NAMES[:count])
    except MalformedSecret:
        return
    assert list(fields) == NAMES[:count]


MALFORMED = {
    "nothing": b"",
    "only padding": bytes(512),
    "too few fields": page_pack([b"key"]),
    "too many fields": page_pack([b"key", b"secret", b"more"]),
    "an empty value": page_pack([b"key", b""]),
    "a line break": page_pack([b"key", b"se\ncret"]),
    "a control character": page_pack([b"key", b"se\x00cret"]),
    "a header break": page_pack([b"key\r\nX-Evil: 1", b"secret"]),
    "letters no header carries": page_pack([b"key", "secreto ñ".encode()]),
    "no UTF-8": page_pack([b"key", b"\xff\xfe"]),
    "a length beyond the end": b"\x02\xff\xff\xff\xff".ljust(512, b"\0"),
    "a last length beyond the end": b"\x02\0\0\0\x01k\0\0\x02\x58" + b"s" * 502,
    "a whole step of padding": page_pack([b"key", b"secret"]) + bytes(512),
    "padding that is not zero": page_pack([b"key", b"secret"])[:-1] + b"\x01",
    "no whole step": page_pack([b"key", b"secret"])[:-1],
}


@pytest.mark.parametrize("plaintext", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_list_is_refused_without_a_word_of_it(plaintext):
    """One error for every fault, with nothing of the value in it."""
    with pytest.raises(MalformedSecret) as caught:
        read_fields(plaintext, ["api_key", "api_secret"])

    assert caught.value.args == ()


@given(st.binary())
def test_base64url_round_trip(data):
    """Bytes go through an address unchanged, without a sign that means something there."""
    text = b64url(data)

    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert from_b64url(text) == data


@pytest.mark.parametrize(
    "text", ["A", "AA==", "AAA=", "AB", "a+/b", "AAAA\n", " AAA", "AÄAA", "A.AA", "===="]
)
def test_only_one_spelling_of_bytes_is_taken(text):
    """Padding, the other alphabet, blanks and stray bits are refused, always as ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011  the words are Python's own
        from_b64url(text)


@given(st.text(max_size=40))
def test_any_text_is_decoded_or_refused(text):
    """What decodes encodes to the same text again."""
    try:
        data = from_b64url(text)
    except ValueError:
        return
    assert b64url(data) == text


@given(st.lists(st.binary(max_size=8), max_size=5), st.lists(st.binary(max_size=8), max_size=5))
def test_packed_lists_never_collide(one, other):
    """Moving a byte from one part to the next gives other bytes."""
    assert (pack(one) == pack(other)) is (one == other)


OTHERS = {
    "link": replace(LINK, id=b"j" * 32),
    "team": replace(LINK, team=TeamId("slack:T1")),
    "exchange": replace(LINK, exchange="binance"),
    "moved letter": replace(LINK, team=TeamId("webb"), exchange="itso"),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_the_context_names_link_team_and_exchange(other):
    """What was sealed for one link is bound to it, its team and its exchange."""
    assert info(other, "https://example.org") != info(LINK, "https://example.org")


def test_the_context_names_label_and_origin():
    """The context begins with our label and ends with the origin, in the layout the page is handed."""
    bound = info(LINK, "https://example.org")

    assert bound.startswith(len(INFO).to_bytes(4, "big") + b"keyherald/link/1")
    assert bound.endswith(b"\x00\x00\x00\x13https://example.org")
    assert bound != info(LINK, "https://example.com")


def test_the_stored_id_is_a_hash_apart_from_the_key_hash():
    """The database never holds the token, and its id is no hash used elsewhere."""
    token = b"t" * 32

    assert link_id(token) == hashlib.sha256(b"link" + token).digest()
    assert fingerprint(token) == hashlib.sha256(token).digest()[:16]


def test_everything_secret_is_in_the_fragment():
    """The path is the same for everybody; token, key hash and language stand behind the `#`."""
    url = page_url("https://example.org/bot", b"t" * 32, b"k" * 65, "es")
    address, _, fragment = url.partition("#")
    token, print_, locale = fragment.split(".")

    assert address == "https://example.org/bot/key"
    assert (from_b64url(token), from_b64url(print_), locale) == (b"t" * 32, fingerprint(b"k" * 65), "es")
    assert (len(token), len(print_)) == (43, 22)


@pytest.mark.parametrize(("attempts", "left"), [(0, 3), (1, 2), (3, 0), (4, 0)])
def test_tries_run_out(attempts, left):
    """A link takes three keys and never counts below none."""
    assert replace(LINK, attempts=attempts).tries_left == left
    assert TRIES == 3


@given(st.integers(0, 2**64))
def test_the_code_has_four_digits(number):
    """The code on the page and in the chat is four digits, leading zeros included."""
    assert len(code_for(number)) == 4
    assert code_for(number).isdigit()
    assert code_for(7) == "0007"
