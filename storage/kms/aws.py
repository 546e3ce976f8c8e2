"""AWS KMS: `Encrypt` and `Decrypt` with an encryption context, by boto3 and its usual login.

Documents: AWS KMS API Reference, *Encrypt*, *Decrypt*; boto3's *Credentials* and *Configuration*.
"""

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chatbot.errors import ConfigError

PATIENCE = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})


class AwsKeeper:
    """One key of AWS KMS."""

    def __init__(self, key: str) -> None:
        self._key = key
        try:
            self._client = boto3.client("kms", config=PATIENCE)
        except (BotoCoreError, ValueError) as error:
            raise _refused(error) from None

    def wrap(self, key: bytes, purpose: str) -> bytes:
        try:
            answer = self._client.encrypt(
                KeyId=self._key, Plaintext=key, EncryptionContext={"purpose": purpose}
            )
        except (BotoCoreError, ClientError) as error:
            raise _refused(error) from None
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, purpose: str) -> bytes:
        try:
            answer = self._client.decrypt(
                KeyId=self._key, CiphertextBlob=wrapped, EncryptionContext={"purpose": purpose}
            )
        except (BotoCoreError, ClientError) as error:
            raise _refused(error) from None
        return bytes(answer["Plaintext"])


def open_keeper(key: str) -> AwsKeeper:
    """Return the keeper of a key, named by ARN, id or alias."""
    return AwsKeeper(key)


def _refused(error: Exception) -> ConfigError:
    """Name the reason by its code alone: a message may quote the request."""
    response = getattr(error, "response", None)
    code = response["Error"]["Code"] if isinstance(response, dict) else type(error).__name__
    return ConfigError(
        f"AWS KMS did not give the master key ({code}): check KMS_KEY, the region and the AWS login."
    )
