"""What the link page sends: opens with the link's own key only, and every fault gets one answer.

The known answers are the vector of RFC 9180 for our suite, and one sealed by the page's own script.
"""

import json

import pytest
from cryptography.hazmat.bindings._rust import openssl as rust
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.links import read_fields
from storage import vault
from storage.vault import BAD_SUBMISSION, LARGEST_SUBMISSION, SUITE, Sealer, Vault, link_purpose
from tests.support.sources import ROOT
from tests.support.vaults import PEPPER, flipped, new_keys, refuses

LINK = b"L" * 32
INFO = b"keyherald/link/1"
SEALER = Sealer(new_keys("k2", "k1"))
VAULT = Vault(SEALER, PEPPER)
PAIR = VAULT.link_keys(LINK)
PUBLIC = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), PAIR.public)
SUBMISSION = SUITE.encrypt(b"x" * 512, PUBLIC, info=INFO)


def opened(sealed: bytes, context: bytes = INFO) -> bytearray:
    return VAULT.open_submission(LINK, PAIR.sealed_private, sealed, context)


def test_a_submission_opens_with_its_link_only():
    """What the page sealed opens with the link's own key; another link's id does not even open the key."""
    assert VAULT.open_submission(LINK, PAIR.sealed_private, SUBMISSION, INFO) == b"x" * 512
    assert len(PAIR.public) == 65
    refuses(lambda: VAULT.open_submission(b"M" * 32, PAIR.sealed_private, SUBMISSION, INFO))
    other = VAULT.link_keys(LINK)
    assert (
        refuses(lambda: VAULT.open_submission(LINK, other.sealed_private, SUBMISSION, INFO)) == BAD_SUBMISSION
    )


BAD = {
    "nothing": b"",
    "one byte": b"\x04",
    "half a point": SUBMISSION[:33],
    "only the point": SUBMISSION[:65],
    "no whole tag": SUBMISSION[:80],
    "last byte missing": SUBMISSION[:-1],
    "a byte more": SUBMISSION + b"\0",
    "off the curve": b"\x04" + b"\x01" * 64 + SUBMISSION[65:],
    "infinity": bytes(65) + SUBMISSION[65:],
    "compressed point": b"\x02" + SUBMISSION[1:33] + SUBMISSION[65:],
    "another's point": VAULT.link_keys(LINK).public + SUBMISSION[65:],
    "too big": SUITE.encrypt(bytes(LARGEST_SUBMISSION), PUBLIC, info=INFO),
    "text": b"api_key=abc&api_secret=def" * 20,
}


@pytest.mark.parametrize("sealed", BAD.values(), ids=BAD)
def test_every_bad_submission_gets_the_same_answer(sealed):
    """Nobody learns from the error what was wrong with the bytes they sent."""
    assert refuses(lambda: opened(sealed)) == BAD_SUBMISSION


@given(st.integers(0, len(SUBMISSION) * 8 - 1), st.binary(max_size=30).filter(lambda info: info != INFO))
def test_a_flipped_bit_or_another_context_gets_the_same_answer(bit, info):
    """Any changed bit and any other link's context are refused with the same words."""
    assert refuses(lambda: opened(flipped(SUBMISSION, bit))) == BAD_SUBMISSION
    assert refuses(lambda: opened(SUBMISSION, info)) == BAD_SUBMISSION


def test_the_pages_script_and_the_vault_agree():
    """What our own script sealed once in JavaScript opens here, padding and fields included."""
    known = json.loads((ROOT / "tests/storage/sealed_by_page.json").read_text())
    private = SEALER.seal_bytes(link_purpose(LINK), bytes.fromhex(known["private"]))

    plain = VAULT.open_submission(LINK, private, bytes.fromhex(known["sealed"]), known["info"].encode())
    read_back = read_fields(plain, ["api_key", "api_secret"])

    assert {name: value.reveal().decode() for name, value in read_back.items()} == {
        "api_key": known["api_key"],
        "api_secret": known["api_secret"],
    }


def test_the_suite_is_the_one_of_rfc_9180():
    """The published vector of this suite opens, so any HPKE library can take our place."""
    vector = json.loads((ROOT / "tests/web/rfc9180_p256_sha256_aes256gcm.json").read_text())
    private = ec.derive_private_key(int(vector["skRm"], 16), ec.SECP256R1())
    sealed, info, aad = (
        bytes.fromhex(text) for text in (vector["enc"] + vector["ct"], vector["info"], vector["aad"])
    )

    assert rust.hpke._decrypt_with_aad(SUITE, sealed, private, info, aad) == bytes.fromhex(vector["pt"])


@pytest.mark.parametrize("plain", [b"", b"x", b"xy", b"x" * 512])
def test_what_the_library_opened_is_overwritten_and_nothing_else(plain):
    """The opened bytes come as a buffer to zero; those that Python shares with everybody stay what they are."""
    kept = [bytes([number]) for number in range(256)]
    found = opened(SUITE.encrypt(plain, PUBLIC, info=INFO))

    assert (type(found), found) == (bytearray, bytearray(plain))
    assert [one[0] for one in kept] == list(range(256))
    assert bytes([120]) == b"\x78"


def test_the_library_s_own_bytes_are_overwritten(monkeypatch):
    """Dropped as they are they would stay in memory until somebody else needs the place."""
    given = []
    library = vault.SUITE.decrypt

    class Watching:
        def decrypt(self, *args, **kwargs):
            given.append(library(*args, **kwargs))
            return given[0]

    monkeypatch.setattr(vault, "SUITE", Watching())

    assert opened(SUBMISSION) == b"x" * 512
    assert given == [bytes(512)]
