"""The three companies called OKX: each has its own address and knows only its own keys.

A key doesn't say whose it is, so the addresses are asked in turn; which one knew it is remembered for as
long as the process runs, under a fingerprint made with a secret of this process, never under the key.
"""

import hmac
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from chatbot.domain.secrets import Secret
from chatbot.exchanges._http import Http

HOMES = ("https://www.okx.com", "https://eea.okx.com", "https://us.okx.com")
MOST_SEATS = 10_000


@dataclass(slots=True)
class Seat:
    """What is remembered of one key: which address knew it, and whether it could read the funding account."""

    host: int = 0
    funding: bool = False


@dataclass
class Hosts:
    """The ways out, one for each address, with one allow-list; a single one where the operator set it."""

    allow: Collection[tuple[str, str]]
    origin: str = ""
    _salt: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _seats: dict[bytes, Seat] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        homes = HOMES[:1] if self.origin else HOMES
        self.all = tuple(Http(home, self.allow, self.origin) for home in homes)

    @property
    def first(self) -> Http:
        """The way out for what needs no key."""
        return self.all[0]

    def seat(self, key: Secret) -> Seat:
        """Return what is remembered of a key."""
        mark = hmac.digest(self._salt, key.reveal(), "sha256")
        if mark not in self._seats and len(self._seats) >= MOST_SEATS:
            # The oldest; it costs a few more requests when that key comes again.
            del self._seats[next(iter(self._seats))]
        return self._seats.setdefault(mark, Seat())

    def in_turn(self, seat: Seat) -> Iterator[tuple[int, Http]]:
        """Return the addresses with their numbers, first the one that knew the key."""
        order = sorted(range(len(self.all)), key=lambda number: number != seat.host)
        return ((number, self.all[number]) for number in order)

    async def close(self) -> None:
        """Close all connections."""
        for http in self.all:
            await http.close()
