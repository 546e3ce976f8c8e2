"""Answers that say nothing new are not parsed again; what is told is always what parsing would have told.

**Fills** need no memory for it: the cursor of a last page ends in a `Mark`, a digest of the answer that the
page was read from. It is stored in the transaction that stores the fills, so an answer that fits the mark
holds only what is stored; where a transaction failed the old mark stands, and the answer is parsed again.

**Balances** are kept as they were parsed, in one place per account, until the account answers something else
or nobody has asked for it for `KEEP_SECONDS`: every reading drops what is older. Where there is no room a
newcomer is not taken in, so that the others stay known however many accounts are read in turn.
"""

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from chatbot.domain.balances import Balance
from chatbot.ports.exchanges import Page

SIGN = "#"
MARK_BYTES = 12
KEEP_SECONDS = 300
# Of all accounts together. A place with its dozen of balances takes some 2.5 KB, so this is about 10 MB.
MOST_BALANCES = 50_000
Balances = tuple[Balance, ...]
T = TypeVar("T")


class Mark:
    """The mark at the end of a cursor, for one reading of what is newer; one answer is all it is good for."""

    def __init__(self, cursor: str) -> None:
        """Take a cursor with or without a mark; `cursor` is the exchange's own part of it."""
        self.cursor, _, self._known = cursor.partition(SIGN)
        self._seen = ""

    def unless_known(self, parse: Callable[[bytes], tuple[T, ...]]) -> Callable[[bytes], tuple[T, ...]]:
        """Return a parser that finds nothing in the answer that the mark was made of."""

        def parsed(body: bytes) -> tuple[T, ...]:
            self._seen = base64.b64encode(_digest(body)[:MARK_BYTES]).decode("ascii")
            return () if self._seen == self._known else parse(body)

        return parsed

    def on(self, page: Page) -> Page:
        """Return the page with the mark of its answer, unless there is more to be read beyond it."""
        return page if page.more else replace(page, cursor=f"{page.cursor}{SIGN}{self._seen}")


@dataclass(frozen=True, slots=True)
class _Place:
    digest: bytes
    balances: Balances
    seconds: float


class Known:
    """The balances last read of each account; a key is remembered by its digest only."""

    def __init__(self, most: int = MOST_BALANCES) -> None:
        """Take how many balances are kept at most."""
        self._most, self._left = most, most
        self._places: OrderedDict[bytes, _Place] = OrderedDict()

    def parser(
        self, parse: Callable[[bytes], Balances], key: bytes | bytearray, seconds: float
    ) -> Callable[[bytes], Balances]:
        """Return a parser that knows the last answer of a key again; `seconds` is the monotonic time."""

        def parsed(body: bytes) -> Balances:
            whose, digest = _digest(key), _digest(body)
            place = self._take(whose)
            self._sweep(seconds - KEEP_SECONDS)
            balances = place.balances if place and place.digest == digest else _lean(parse(body))
            self._put(whose, _Place(digest, balances, seconds))
            return balances

        return parsed

    def clear(self) -> None:
        """Forget everything."""
        self._places.clear()
        self._left = self._most

    def __len__(self) -> int:
        return len(self._places)

    def _take(self, whose: bytes) -> _Place | None:
        place = self._places.pop(whose, None)
        self._left += len(place.balances) if place else 0
        return place

    def _put(self, whose: bytes, place: _Place) -> None:
        if len(place.balances) <= self._left:
            self._places[whose] = place
            self._left -= len(place.balances)

    def _sweep(self, before_seconds: float) -> None:
        while self._places:
            oldest = next(iter(self._places))
            if self._places[oldest].seconds >= before_seconds:
                return
            self._take(oldest)


# One for the process: the room is the process's, whatever the exchange.
KNOWN = Known()


def _lean(balances: Balances) -> Balances:
    """Return the balances with one number where two are the same to the last digit: a third less memory."""
    return tuple(
        Balance(balance.asset, balance.total, balance.total)
        if not balance.free.compare_total(balance.total)
        else balance
        for balance in balances
    )


def _digest(text: bytes | bytearray) -> bytes:
    return hashlib.sha256(text).digest()
