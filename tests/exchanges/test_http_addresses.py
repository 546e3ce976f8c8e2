"""Where a call may go: to the operator's own origin, or to the production host on the public internet."""

import aiohttp
import pytest

from chatbot.errors import ConfigError, ExchangeError, Trouble
from chatbot.exchanges import _http
from chatbot.exchanges._http import Http, PublicResolver, is_public
from tests.support.rawserver import ALLOW, ask


class FakeResolver(aiohttp.abc.AbstractResolver):
    """Resolves every name to the same addresses."""

    def __init__(self, *addresses):
        self.addresses = addresses

    async def resolve(self, host, port=0, family=0):
        return [
            {"hostname": host, "host": a, "port": port, "family": family, "proto": 0, "flags": 0}
            for a in self.addresses
        ]

    async def close(self):
        return


PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.3.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104  an address to refuse
    "::1",
    "fe80::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "224.0.0.1",
]


@pytest.mark.parametrize(
    "origin",
    [
        "ftp://x",
        "http://",
        "https://bitso.com/api",
        "https://u:p@bitso.com",
        "https://bitso.com?x",
        "bitso.com",
    ],
)
def test_an_origin_is_nothing_but_an_origin(origin):
    """A path or a name and password in EXCHANGE_<NAME>_URL stops the start with a sentence."""
    with pytest.raises(ConfigError, match="origin"):
        Http("https://bitso.com", ALLOW, origin)


@pytest.mark.parametrize("address", PRIVATE)
async def test_the_production_host_never_leads_inside(address):
    """A name that resolves to an inner address, alone or among others, is refused."""
    assert not is_public(address)
    for addresses in ([address], ["104.16.0.1", address]):
        with pytest.raises(OSError, match="private"):
            await PublicResolver("bitso.com", FakeResolver(*addresses)).resolve("bitso.com", 443)


async def test_only_the_production_host_is_looked_up():
    """Public addresses of the one host pass; another host is not even asked for."""
    resolver = PublicResolver("bitso.com", FakeResolver("104.16.0.1", "2606:4700::1"))

    assert len(await resolver.resolve("bitso.com", 443)) == 2
    with pytest.raises(OSError, match="another"):
        await resolver.resolve("evil.example", 443)


async def test_the_check_stands_in_the_way_of_a_real_call(monkeypatch):
    """With no origin set, a production name that points inside is an outage; nothing is sent."""
    monkeypatch.setattr(_http, "DefaultResolver", lambda: FakeResolver("127.0.0.1"))

    with pytest.raises(ExchangeError) as raised:
        await ask("")

    assert raised.value.trouble is Trouble.UNREACHABLE
