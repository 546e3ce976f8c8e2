"""A guard that keeps every test on this machine.

conftest installs it once per process. An attempt to leave raises an error that is no OSError, so that code
which retries on network trouble cannot swallow it.
"""

import ipaddress
import socket
from typing import Any

import pytest


class NetworkBlocked(RuntimeError):
    """A test tried to reach something other than this machine."""


def guard(patch: pytest.MonkeyPatch) -> None:
    """Let sockets connect to loopback and unix addresses only, and resolve no foreign name."""
    for name in ("connect", "connect_ex"):
        patch.setattr(socket.socket, name, _guarded_connect(getattr(socket.socket, name)))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        patch.setattr(socket, name, _guarded_lookup(getattr(socket, name)))


def is_local(host: str | bytes | None) -> bool:
    """Whether a host is this machine; None and the empty string mean every own address."""
    name = host.decode() if isinstance(host, bytes) else host
    if not name or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _guarded_connect(real: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not is_local(address[0]):
            self.close()  # the caller only tidies up after an OSError
            raise NetworkBlocked(f"connect to {address[0]}")
        return real(self, address)

    return connect


def _guarded_lookup(real: Any) -> Any:
    def lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_local(host) and not _is_address(host):
            raise NetworkBlocked(f"resolve {host}")
        return real(host, *args, **kwargs)

    return lookup


def _is_address(host: str | bytes) -> bool:
    try:
        ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return True
