"""Master keys as text: the order they are read in, and each refusal with the sentence a person reads."""

import base64
import secrets
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.errors import ConfigError
from storage.keyline import PUBLISHED
from storage.masterkeys import parse_master_keys

HOW = "`openssl rand -base64 32` makes one"


def line(name: str = "k1", key: bytes | None = None) -> str:
    return f"{name}:{base64.b64encode(key or secrets.token_bytes(32)).decode()}"


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_master_keys(text, "MASTER_KEY")
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


@given(st.lists(st.integers().map(lambda seed: sha256(str(seed).encode()).digest()), min_size=1, max_size=4))
def test_keys_come_newest_first_with_their_bytes(keys):
    """A list by lines or commas, standard or URL-safe, padded or not, is read in its order."""
    standard = [line(f"k{number}", key) for number, key in enumerate(keys)]
    bare = [entry.rstrip("=").replace("+", "-").replace("/", "_") for entry in standard]
    for text in ("\n".join(["# newest first", *standard, ""]), ",".join(bare), " , \n".join(standard)):
        parsed = parse_master_keys(text, "MASTER_KEY")
        assert [key.key.reveal() for key in parsed.keys] == keys
        assert parsed.newest.id == "k0"
        assert parsed.ids == {f"k{number}" for number in range(len(keys))}


@pytest.mark.parametrize("text", ["", " \n ", "# only a comment", ",,"])
def test_no_key_is_refused(text):
    """An empty setting says how a key is made."""
    assert refusal(text) == f"MASTER_KEY holds no master key: write an id, a colon and the key ({HOW})."


MALFORMED = (
    "Entry 2 of MASTER_KEY is not a master key: write an id of up to 32 letters and digits, a colon"
    f" and the key in base64 ({HOW})."
)


@pytest.mark.parametrize(
    "entry",
    [
        "k2",
        "k2=",
        ":AAAA",
        "k2:",
        "k 2:AAAA",
        "k2:AA AA",
        "k2:!!!!",
        "-k:AAAA",
        "k" * 33 + ":AAAA",
        "k2:A:A",
        "ñ:AA",
    ],
)
def test_a_malformed_entry_is_named_by_its_number(entry):
    """Which entry is wrong is said by number, for any part of it may be the key."""
    assert refusal(f"{line()}\n{entry}") == MALFORMED


@pytest.mark.parametrize("size", [1, 16, 31, 33, 64])
def test_a_key_of_another_length_is_refused(size):
    """Only 32 bytes are a master key."""
    assert (
        refusal(line("short", secrets.token_bytes(size)))
        == f"Master key short in MASTER_KEY is not 32 bytes in base64: {HOW}."
    )


def test_a_broken_base64_is_refused():
    """One character too many is not silently dropped."""
    assert refusal("k1:AAAAA") == f"Master key k1 in MASTER_KEY is not 32 bytes in base64: {HOW}."


def test_an_id_twice_is_refused():
    """Two keys of one id would make it a matter of luck which one opens a row."""
    assert refusal(f"{line()},{line()}") == "MASTER_KEY holds master key k1 twice: give each key its own id."


WEAK = {
    "zeros": (bytes(32), "is all zeros"),
    "one byte": (b"\x17" * 32, "repeats itself"),
    "two bytes": (b"\x17\x99" * 16, "repeats itself"),
    "eight bytes": (bytes.fromhex("1f7ea8c8fa0d1bd2") * 4, "repeats itself"),
    "counting": (bytes(range(40, 72)), "is not random"),
    "counting down": (bytes(range(255, 223, -1)), "is not random"),
    "few bytes": (b"\x01" + bytes(31), "is not random"),
    "typed": (b"correct horse battery staple 123", "is not random"),
    "hex digits": (b"6f1ed002ab5595859014ebf0951522d9", "is not random"),
    **{f"published {key[:4]}": (bytes.fromhex(key), "is a published test key") for key in sorted(PUBLISHED)},
}


@pytest.mark.parametrize(("key", "fault"), WEAK.values(), ids=WEAK)
def test_a_guessable_key_is_refused(key, fault):
    """Zeros, patterns, typed text and keys from public documents are no keys."""
    assert refusal(line(key=key)) == f"Master key k1 in MASTER_KEY {fault}: {HOW} that nobody can guess."


def test_no_refusal_shows_any_part_of_a_key():
    """Whatever is wrong around it, a good key in the text never gets into the sentence."""
    key = secrets.token_bytes(32)
    good = base64.b64encode(key).decode()
    for text in (
        f"k1:{good},k1:{good}",
        good,
        f"{good}:k1",
        f"k1:{good}x",
        f"k1:{good[:-5]}",
    ):
        said = refusal(text)
        assert not any(good[at : at + 6] in said for at in range(len(good) - 6))


def test_keys_never_show_in_a_repr():
    """The keys print without their bytes."""
    key = secrets.token_bytes(32)

    shown = repr(parse_master_keys(line(key=key), "MASTER_KEY"))

    assert "Secret(****)" in shown
    assert base64.b64encode(key).decode() not in shown
    assert repr(key) not in shown
