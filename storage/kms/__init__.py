"""Key services that keep a master key wrapped: asked once at start, and once when a master key is made.

A line of the master key file then reads `id:<service>:<wrapped key in base64>` instead of `id:<key>`; whoever
has the file without the service's consent has nothing. `KMS_KEY` names service and key, as `service:key`:
`aws-kms:<ARN or alias>`, `gcp-kms:projects/…/cryptoKeys/<name>`, `vault-transit:<mount>/<name>`. Each service
is an extra of its name (`keyherald[aws]`, `[gcp]`, `[vault]`) and finds its own login in the environment, the
way its own tools do.
"""

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Protocol, cast

from chatbot.errors import ConfigError


class Keeper(Protocol):
    """One key at one service. Blocking: call it in a thread."""

    def wrap(self, key: bytes, purpose: str) -> bytes:
        """Return the key as only the service can open it, bound to a purpose; raises ConfigError."""
        ...

    def unwrap(self, wrapped: bytes, purpose: str) -> bytes:
        """Return the key again; raises ConfigError when the service refuses or can't be reached."""
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """Where a key service's code is, and the extra that brings its library."""

    title: str
    module: str
    package: str
    extra: str


SERVICES = {
    "aws-kms": Service("AWS KMS", "storage.kms.aws", "boto3", "aws"),
    "gcp-kms": Service("Google Cloud KMS", "storage.kms.gcp", "google.auth", "gcp"),
    "vault-transit": Service("Vault", "storage.kms.vault", "hvac", "vault"),
}


def find_keeper(setting: str) -> Keeper:
    """Return the keeper that a KMS_KEY names; raises ConfigError for a malformed one or a missing extra."""
    name, colon, key = setting.strip().partition(":")
    service = SERVICES.get(name)
    if service is None or not colon or not key:
        known = ", ".join(f"{known}:<key>" for known in SERVICES)
        raise ConfigError(f"KMS_KEY must be one of {known}.")
    if not _installed(service.package):
        raise ConfigError(
            f"{service.title} needs an extra that is not installed: pip install 'keyherald[{service.extra}]'."
        )
    return cast("Keeper", importlib.import_module(service.module).open_keeper(key))


def unwrap(service: str, wrapped: bytes, name: str, setting: str) -> bytes:
    """Return the master key `name` that a line of the file holds wrapped.

    Raises:
        ConfigError: when KMS_KEY names another service, or the service does not give the key.
    """
    if setting.partition(":")[0].strip() != service:
        raise ConfigError(f"Master key {name} is wrapped by {service}: set KMS_KEY to {service}:<its key>.")
    return find_keeper(setting).unwrap(wrapped, purpose(name))


def purpose(name: str) -> str:
    """Return what a wrapped master key is bound to: one can't stand in for another."""
    return f"keyherald/kek/{name}"


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False
