"""Vault's (or OpenBao's) Transit engine: `encrypt` and `decrypt` with associated data, by hvac.

Address and login come from VAULT_ADDR, VAULT_TOKEN, VAULT_NAMESPACE and VAULT_CACERT, as for its own tools.
Documents: *Transit secrets engine (API)*, `associated_data` for AEAD keys such as the default aes256-gcm96.
"""

import base64
import binascii
import os

import hvac
import requests
from hvac.exceptions import VaultError

from chatbot.errors import ConfigError

PATIENCE = 10


class VaultKeeper:
    """One key of a Transit engine."""

    def __init__(self, key: str) -> None:
        mount, slash, self._name = key.rpartition("/")
        self._mount = mount or "transit"
        if not self._name or (slash and not mount):
            raise ConfigError("KMS_KEY must name mount and key: vault-transit:transit/<name>.")
        if not os.environ.get("VAULT_ADDR"):
            raise ConfigError("Set VAULT_ADDR and VAULT_TOKEN: the master key is wrapped by Vault.")
        self._transit = hvac.Client(
            verify=os.environ.get("VAULT_CACERT") or True,
            namespace=os.environ.get("VAULT_NAMESPACE"),
            timeout=PATIENCE,
        ).secrets.transit

    def wrap(self, key: bytes, purpose: str) -> bytes:
        try:
            answer = self._transit.encrypt_data(
                name=self._name,
                plaintext=_text(key),
                associated_data=_text(purpose.encode()),
                mount_point=self._mount,
            )
            return str(answer["data"]["ciphertext"]).encode()
        except (VaultError, requests.RequestException, KeyError, TypeError) as error:
            raise _refused(error) from None

    def unwrap(self, wrapped: bytes, purpose: str) -> bytes:
        try:
            answer = self._transit.decrypt_data(
                name=self._name,
                ciphertext=wrapped.decode("ascii"),
                associated_data=_text(purpose.encode()),
                mount_point=self._mount,
            )
            return base64.b64decode(answer["data"]["plaintext"], validate=True)
        except (
            VaultError,
            requests.RequestException,
            KeyError,
            TypeError,
            ValueError,
            binascii.Error,
        ) as error:
            raise _refused(error) from None


def open_keeper(key: str) -> VaultKeeper:
    """Return the keeper of a key, named `mount/key`, or `key` in the usual mount `transit`."""
    return VaultKeeper(key)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _refused(error: Exception) -> ConfigError:
    """Name the reason by its class alone: a message may quote the request."""
    return ConfigError(
        f"Vault did not give the master key ({type(error).__name__}): "
        "check KMS_KEY, VAULT_ADDR and VAULT_TOKEN."
    )
