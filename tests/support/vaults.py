"""Made-up master keys and credentials for the vault's tests, and what every refusal is checked for."""

import base64
import secrets
from collections.abc import Callable

import pytest

from chatbot.domain.credentials import AccountId, Credentials
from chatbot.domain.people import TeamId
from chatbot.domain.secrets import Secret
from chatbot.errors import VaultError
from storage.masterkeys import MasterKeys, parse_master_keys

ACCOUNT, TEAM, EXCHANGE = AccountId("a1"), TeamId("web"), "bitso"
OWNER = (ACCOUNT, TEAM, EXCHANGE)
CANARY = "CANARY0123456789"
PEPPER = Secret(b"p" * 32)


def key_line(name: str) -> str:
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}\n"


def new_keys(*names: str) -> MasterKeys:
    return parse_master_keys("".join(map(key_line, names)), "keys")


def credentials(*parts: bytes | str) -> Credentials:
    return Credentials(*(Secret(part) for part in parts))


def fields(opened: Credentials) -> list[bytes | bytearray | None]:
    parts = (opened.api_key, opened.api_secret, opened.passphrase)
    return [None if part is None else part.reveal() for part in parts]


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def refuses(opening: Callable[[], object]) -> str:
    with pytest.raises(VaultError) as caught:
        opening()
    error: BaseException | None = caught.value
    while error:
        assert CANARY not in repr(error) + str(error)
        error = error.__cause__ or error.__context__
    return str(caught.value)
