"""The vault: what is sealed opens again, and nothing that was changed, moved or cut does."""

import gc
import pickle
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.credentials import AccountId
from chatbot.domain.links import pack
from chatbot.domain.people import TeamId
from chatbot.domain.secrets import Secret
from chatbot.ports.vault import SealedCredential
from chatbot.ports.vault import Vault as Port
from storage.masterkeys import MasterKeys, add_master_key, create_master_key_file
from storage.masterkeys import read_master_key_file as read
from storage.vault import CREDENTIAL, DATA_KEY, UNOPENED, Sealer, Vault, rewrap_credential, sealed_under
from tests.support.vaults import (
    ACCOUNT,
    CANARY,
    EXCHANGE,
    OWNER,
    PEPPER,
    TEAM,
    credentials,
    fields,
    flipped,
    new_keys,
    refuses,
)

KEYS = new_keys("k2", "k1")
SEALER = Sealer(KEYS)
VAULT: Port = Vault(SEALER, PEPPER)
PLAIN = credentials(CANARY + "key", CANARY + "secret", CANARY + "phrase")
SEALED = VAULT.seal(*OWNER, PLAIN)


def changed(part: str, value: Any) -> SealedCredential:
    return replace(SEALED, **{part: value})


@given(st.binary(), st.binary(), st.none() | st.binary())
def test_what_is_sealed_opens_again(api_key, api_secret, passphrase):
    """Any key, secret and passphrase, or none, come back byte for byte."""
    parts = [api_key, api_secret] + ([] if passphrase is None else [passphrase])
    sealed = VAULT.seal(*OWNER, credentials(*parts))

    assert fields(VAULT.unseal(*OWNER, sealed)) == [api_key, api_secret, passphrase]


@given(st.data(), st.sampled_from(["wrapped_dek", "box"]))
def test_a_flipped_bit_does_not_open(data, part):
    """One changed bit anywhere in a row is noticed."""
    value: bytes = getattr(SEALED, part)
    bit = data.draw(st.integers(0, len(value) * 8 - 1))

    assert refuses(lambda: VAULT.unseal(*OWNER, changed(part, flipped(value, bit)))) == UNOPENED


@given(st.data(), st.sampled_from(["wrapped_dek", "box"]))
def test_a_cut_value_does_not_open(data, part):
    """No beginning of a sealed value is taken for the whole, the empty one included."""
    value: bytes = getattr(SEALED, part)
    short = value[: data.draw(st.integers(0, len(value) - 1))]

    assert refuses(lambda: VAULT.unseal(*OWNER, changed(part, short))) == UNOPENED


@pytest.mark.parametrize(
    "other",
    [
        ("a2", TEAM, EXCHANGE),
        (ACCOUNT, "slack:T1", EXCHANGE),
        (ACCOUNT, TEAM, "binance"),
        ("a1w", "eb", EXCHANGE),
    ],
)
def test_a_row_opens_in_its_own_place_only(other):
    """Another account, team or exchange, or the same letters cut elsewhere, does not open it."""
    assert refuses(lambda: VAULT.unseal(AccountId(other[0]), TeamId(other[1]), other[2], SEALED)) == UNOPENED


@pytest.mark.parametrize("part", ["kek_id", "wrapped_dek", "box"])
def test_a_part_of_another_row_does_not_open(part):
    """Rows can't be mixed: key, wrap and box belong together."""
    other = replace(VAULT.seal(*OWNER, credentials("k", "s")), kek_id="k1")

    assert refuses(lambda: VAULT.unseal(*OWNER, changed(part, getattr(other, part)))) == UNOPENED


def test_an_unknown_master_key_is_named():
    """Whoever lost a key learns which one to bring back."""
    said = refuses(lambda: VAULT.unseal(*OWNER, replace(SEALED, kek_id="k9")))

    assert said == "There is no master key 'k9': put it back beside the others."


LAYOUTS = {
    "nothing": b"",
    "no part": b"\x02",
    "one part": b"\x02\0\0\0\x01a",
    "one empty part": b"\x01\0\0\0\0",
    "a part beyond the end": b"\x02\0\0\0\x01a\0\0\0\x09b",
    "more announced": b"\x03\0\0\0\x01a\0\0\0\x01b",
    "four parts": b"\x04" + b"\0\0\0\x01a" * 4,
}


def by_hand(plain: bytes, data_key: bytes) -> SealedCredential:
    context = pack([CREDENTIAL, b"a1", b"web", b"bitso"])
    box = bytes(12) + AESGCM(data_key).encrypt(bytes(12), plain, context)
    return SealedCredential(*SEALER.wrap(DATA_KEY, context, data_key), box)


@pytest.mark.parametrize("plain", LAYOUTS.values(), ids=LAYOUTS)
def test_a_sealed_value_of_another_layout_does_not_open(plain):
    """Even what we sealed ourselves is checked before it is used as a key."""
    assert refuses(lambda: VAULT.unseal(*OWNER, by_hand(plain, bytes(32)))) == UNOPENED


def test_a_shorter_data_key_does_not_open():
    """A credential sealed with less than AES-256 is not ours, whoever wrapped its key."""
    plain = b"\x02\0\0\0\x01a\0\0\0\x01b"

    assert fields(VAULT.unseal(*OWNER, by_hand(plain, bytes(32)))) == [b"a", b"b", None]
    assert refuses(lambda: VAULT.unseal(*OWNER, by_hand(plain, bytes(16)))) == UNOPENED


def test_equal_credentials_look_different():
    """Two rows of one key share no byte sequence; nobody sees that they are the same."""
    one, other = VAULT.seal(*OWNER, PLAIN), VAULT.seal(*OWNER, PLAIN)

    assert one.box[:12] != other.box[:12]
    assert one.box[12:] != other.box[12:]
    assert one.wrapped_dek != other.wrapped_dek


def test_nothing_readable_is_in_a_row():
    """Neither the sealed row nor its printed form holds any part of the key."""
    row = pickle.dumps(SEALED) + repr(SEALED).encode()

    assert CANARY.encode() not in row
    assert CANARY not in repr([PLAIN, VAULT, SEALER, KEYS, PEPPER])


def test_the_newest_key_seals_and_older_ones_still_open():
    """After a new key is put first, old rows open and new rows name the new key."""
    old = Sealer(MasterKeys(KEYS.keys[1:]))
    row = Vault(old, PEPPER).seal(*OWNER, PLAIN)

    assert (row.kek_id, SEALED.kek_id) == ("k1", "k2")
    assert fields(VAULT.unseal(*OWNER, row)) == fields(PLAIN)
    refuses(lambda: Vault(old, PEPPER).unseal(*OWNER, SEALED))


def test_rewrapping_changes_the_wrap_and_keeps_the_box():
    """The data key moves under the newest master key; the credential itself is not sealed again."""
    row = Vault(Sealer(MasterKeys(KEYS.keys[1:])), PEPPER).seal(*OWNER, PLAIN)

    fresh = rewrap_credential(SEALER, OWNER, row)

    assert (fresh.kek_id, fresh.box) == ("k2", row.box)
    newest_only = Vault(Sealer(MasterKeys(KEYS.keys[:1])), PEPPER)
    assert fields(newest_only.unseal(*OWNER, fresh)) == fields(PLAIN)


@pytest.mark.parametrize("part", ["wrapped_dek", "box"])
def test_a_damaged_row_is_not_rewrapped(part):
    """What doesn't open is reported, not wrapped again as if it were whole."""
    damaged = changed(part, flipped(getattr(SEALED, part), 200))

    refuses(lambda: rewrap_credential(SEALER, OWNER, damaged))


@given(st.text(), st.binary(max_size=100))
def test_small_secrets_open_for_their_purpose(purpose, data):
    """A small secret comes back for the same purpose, names its key, and can be sealed again."""
    try:
        purpose.encode()
    except UnicodeEncodeError:
        return
    blob = SEALER.seal_bytes(purpose, data)

    assert SEALER.open_bytes(purpose, blob) == data
    assert sealed_under(blob) == "k2"
    assert SEALER.open_bytes(purpose, SEALER.reseal_bytes(purpose, blob)) == data
    refuses(lambda: SEALER.open_bytes(purpose + "x", blob))


@given(st.data())
def test_a_changed_small_secret_does_not_open(data):
    """One changed or missing bit, in the key's name too, is noticed."""
    blob = SEALER.seal_bytes("purpose", b"data")
    bit = data.draw(st.integers(0, len(blob) * 8 - 1))
    cut = data.draw(st.integers(0, len(blob) - 1))

    refuses(lambda: SEALER.open_bytes("purpose", flipped(blob, bit)))
    refuses(lambda: SEALER.open_bytes("purpose", blob[:cut]))


def test_resealing_proves_that_the_new_seal_opens(monkeypatch):
    """A seal that opens to something else is an error before it replaces the good one."""
    blob = SEALER.seal_bytes("purpose", b"data")
    wrong = SEALER.seal_bytes("purpose", b"atad")
    monkeypatch.setattr(SEALER, "seal_bytes", lambda *_: wrong)

    assert refuses(lambda: SEALER.reseal_bytes("purpose", blob)) == UNOPENED


def test_a_running_bot_follows_a_rotation(tmp_path):
    """A row under a key that was added to the file later opens, and from then on that key seals."""
    path = tmp_path / "master.key"
    create_master_key_file(path)
    running = Vault(Sealer(read(path)), PEPPER)
    name = add_master_key(path)
    row = Vault(Sealer(read(path)), PEPPER).seal(*OWNER, PLAIN)

    assert fields(running.unseal(*OWNER, row)) == fields(PLAIN)
    assert running.seal(*OWNER, PLAIN).kek_id == name


def test_a_key_file_in_the_middle_of_an_edit_breaks_nothing(tmp_path):
    """While the file is unreadable the known keys keep working and an unknown one is just unknown."""
    path = tmp_path / "master.key"
    create_master_key_file(path)
    running = Vault(Sealer(read(path)), PEPPER)
    row = running.seal(*OWNER, PLAIN)
    path.write_text("half a li")

    assert "no master key 'k2'" in refuses(lambda: running.unseal(*OWNER, SEALED))
    assert fields(running.unseal(*OWNER, row)) == fields(PLAIN)


def test_a_fingerprint_knows_the_same_key_again():
    """The same API key has the same fingerprint, under any master key; anything else has another."""
    other_keys = Vault(Sealer(new_keys("z")), PEPPER)
    mine = VAULT.fingerprint(TEAM, EXCHANGE, PLAIN)

    assert other_keys.fingerprint(TEAM, EXCHANGE, replace(PLAIN, api_secret=Secret("new"))) == mine
    assert len(mine) == 32
    others = {
        VAULT.fingerprint(TEAM, "binance", PLAIN),
        VAULT.fingerprint(TeamId("slack:T1"), EXCHANGE, PLAIN),
        VAULT.fingerprint(TEAM, EXCHANGE, credentials("another", "secret")),
        Vault(SEALER, Secret(b"q" * 32)).fingerprint(TEAM, EXCHANGE, PLAIN),
    }
    assert len(others | {mine}) == 5


def test_buffers_are_zeroed_after_use(monkeypatch):
    """No data key and no plaintext that the vault made is left in its buffers."""
    buffers: list[bytearray] = []

    class Seen(bytearray):
        def __init__(self, *args) -> None:
            super().__init__(*args)
            buffers.append(self)

    monkeypatch.setattr("storage.vault.bytearray", Seen, raising=False)
    row = VAULT.seal(*OWNER, PLAIN)
    VAULT.unseal(*OWNER, row).wipe()
    rewrap_credential(SEALER, OWNER, row)
    SEALER.reseal_bytes("purpose", SEALER.seal_bytes("purpose", b"data"))
    gc.collect()

    assert len(buffers) >= 8
    assert not any(any(buffer) for buffer in buffers)
