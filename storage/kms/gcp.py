"""Google Cloud KMS: `encrypt` and `decrypt` of a crypto key, over REST with google-auth's usual login.

Documents: Cloud KMS REST reference, *projects.locations.keyRings.cryptoKeys* `encrypt` and `decrypt`. The
checksums are checked, as the guide *Verifying end-to-end data integrity* asks.
"""

import base64
import binascii
import os
import re
from typing import Any

import google.auth
import google.auth.exceptions
import google_crc32c
import requests
from google.auth.transport.requests import AuthorizedSession

from chatbot.errors import ConfigError

HOME = "https://cloudkms.googleapis.com"
# gcloud's own variable for another address of this service.
ELSEWHERE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS"
SCOPE = "https://www.googleapis.com/auth/cloudkms"
PATIENCE = 10
NAME = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/?#]+")


class GcpKeeper:
    """One crypto key of Google Cloud KMS."""

    def __init__(self, key: str) -> None:
        if not NAME.fullmatch(key):
            raise ConfigError(
                "KMS_KEY must name the whole key: "
                "gcp-kms:projects/<p>/locations/<l>/keyRings/<r>/cryptoKeys/<k>."
            )
        self._url = f"{os.environ.get(ELSEWHERE, HOME).rstrip('/')}/v1/{key}"
        try:
            credentials, _ = google.auth.default(scopes=[SCOPE])
        except google.auth.exceptions.GoogleAuthError as error:
            raise _refused(type(error).__name__) from None
        self._session = AuthorizedSession(credentials)

    def wrap(self, key: bytes, purpose: str) -> bytes:
        return self._ask("encrypt", "plaintext", key, "ciphertext", purpose)

    def unwrap(self, wrapped: bytes, purpose: str) -> bytes:
        return self._ask("decrypt", "ciphertext", wrapped, "plaintext", purpose)

    def _ask(self, verb: str, sent: str, value: bytes, wanted: str, purpose: str) -> bytes:
        bound = purpose.encode()
        body = {
            sent: base64.b64encode(value).decode(),
            f"{sent}Crc32c": str(google_crc32c.value(value)),
            "additionalAuthenticatedData": base64.b64encode(bound).decode(),
            "additionalAuthenticatedDataCrc32c": str(google_crc32c.value(bound)),
        }
        try:
            answer = self._session.post(f"{self._url}:{verb}", json=body, timeout=PATIENCE)
            if answer.status_code != requests.codes.ok:
                raise _refused(f"HTTP {answer.status_code}")
            return _checked(answer.json(), wanted)
        except (google.auth.exceptions.GoogleAuthError, requests.RequestException) as error:
            raise _refused(type(error).__name__) from None


def open_keeper(key: str) -> GcpKeeper:
    """Return the keeper of a crypto key, named in full."""
    return GcpKeeper(key)


def _checked(answer: Any, wanted: str) -> bytes:
    try:
        value = base64.b64decode(answer[wanted], validate=True)
        whole = int(answer[f"{wanted}Crc32c"]) == google_crc32c.value(value)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise _refused("an answer of another shape") from None
    if not whole:
        raise _refused("a damaged answer")
    return value


def _refused(reason: str) -> ConfigError:
    return ConfigError(
        f"Google Cloud KMS did not give the master key ({reason}): check KMS_KEY and the login "
        "(GOOGLE_APPLICATION_CREDENTIALS)."
    )
