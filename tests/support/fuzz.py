"""Answers spoilt by chance: what a parser may be fed, and what it may make of it."""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

from chatbot.domain.fills import Fill
from chatbot.domain.secrets import Secret
from chatbot.errors import ExchangeError

Place = tuple[Any, ...]

LONGEST_REASON = 200
LONGEST_TEXT = 200
SCALAR = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')

TEXTS = (
    *("", "0", "-1", "-0", "-0.5", "1e-80", "1e2222", "NaN", "-Infinity", "0x1f", "٣", "1_000", " 1 ", "1,5"),
    *("9" * 19, "9" * 400, "0." + "3" * 70, "\x00", "\u202e", "\ud800", "é" * 5000, "[" * 50),
    *("a_b", "a_b_c", "_", "/", "a/b", "a-b", "sell", "BUY", "None", "BTC", "BTCUSDT", "btc_usd"),
    *("2026-13-45T99:99:99Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01"),
    *("1763730000", "1763730000000", "99999999999999999999", "-62135596801"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 10**18, -(10**18), 2**31, 2**63, 2**64, 10**400),
    *(0.1, 1e300, -1e300, 5e-324, float("nan"), float("inf"), [], {}, [[]], [{}], {"": None}),
)
# What JSON itself may hold, or may not: these stand in place of one value, byte by byte.
LITERALS = (
    *(b"1e99999999", b"1e-99999999", b"-0", b"0.1000000000000000000000000000000001", b"01", b"-", b"NaN"),
    *(b'"\\ud800"', b'"\\u0000"', b'"\xff"', b"'x'", b"9" * 5000, b"{}", b"[]", b'""', b"null", b""),
)
PATCHES = (
    *LITERALS,
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b'"',
    b"\\",
    b"}",
    b"]",
    b",",
    b":",
    b"\x00",
    b"\xef\xbb\xbf",
)


class Spoiler:
    """Makes answers like a sample in which something is wrong: one seed, one answer."""

    def __init__(self, sample: bytes) -> None:
        self._sample = sample
        self._places = tuple(_places(json.loads(sample)))[1:]
        self._values = tuple(match.span() for match in SCALAR.finditer(sample))
        self._ways = (self._mangled, self._mangled, self._relettered, self._patched, self._noise)

    def spoilt(self, seed: int) -> bytes:
        """Return the sample with values replaced, dropped, repeated, renamed or swapped, or bytes changed."""
        random = Random(seed)
        return random.choice(self._ways)(random)

    def _mangled(self, random: Random) -> bytes:
        tree = {"": json.loads(self._sample)}
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            _change(tree, ("", *random.choice(self._places)), random)
        return json.dumps(tree[""]).encode()

    def _relettered(self, random: Random) -> bytes:
        """Put a literal, or another value of the same answer, in the place of a value or a name."""
        start, end = random.choice(self._values)
        other = slice(*random.choice(self._values))
        literal = random.choice((random.choice(LITERALS), self._sample[other]))
        return self._sample[:start] + literal + self._sample[end:]

    def _patched(self, random: Random) -> bytes:
        at = random.randint(0, len(self._sample))
        cut = random.choice((0, 1, random.randint(0, 8), len(self._sample)))
        patch = random.choice((random.choice(PATCHES), random.randbytes(random.randint(0, 6))))
        return self._sample[:at] + patch + self._sample[at + cut :]

    @staticmethod
    def _noise(random: Random) -> bytes:
        return random.randbytes(random.randint(0, 60))


def _places(tree: Any, here: Place = ()) -> Iterator[Place]:
    yield here
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, value in inner:
        yield from _places(value, (*here, name))


def _change(tree: Any, place: Place, random: Random) -> None:
    """Do something to one place; a place that an earlier change took away stays as it is."""
    *above, last = place
    for step in above:
        if not _has(tree, step):
            return
        tree = tree[step]
    if not _has(tree, last):
        return
    match random.choice(("replace", "replace", "drop", "repeat", "rename", "swap")):
        case "replace":
            tree[last] = _strange(random)
        case "drop" if above:
            del tree[last]
        case "repeat" if isinstance(tree, list):
            tree[last:last] = [tree[last]] * random.choice((1, 2, 300))
        case "rename" if isinstance(tree, dict) and above:
            tree[random.choice(TEXTS)] = tree.pop(last)
        case "swap":
            other = random.choice(list(tree) if isinstance(tree, dict) else range(len(tree)))
            tree[last], tree[other] = tree[other], tree[last]


def _has(tree: Any, step: Any) -> bool:
    if isinstance(tree, dict):
        return step in tree
    return isinstance(tree, list) and isinstance(step, int) and step < len(tree)


def _strange(random: Random) -> Any:
    match random.randrange(5):
        case 0:
            return random.choice(VALUES)
        case 1:
            return f"{random.randint(-99, 99)}e{random.randint(-99, 99)}"
        case 2:
            return random.choice((1, -1)) * random.random() * 10.0 ** random.randint(-30, 30)
        case 3:
            return "".join(
                chr(random.choice((random.randrange(32, 127), random.randrange(0x500)))) for _ in range(9)
            )
        case _:
            return random.choice(TEXTS)


def survives(parse: Callable[[bytes], Any], body: bytes) -> None:
    """Hold a parser to its promise: an `ExchangeError` that quotes nothing, or a value that makes sense."""
    reason, value = _outcome(parse, body)
    assert len(reason) < LONGEST_REASON
    _sound(value)


def _outcome(parse: Callable[[bytes], Any], body: bytes) -> tuple[str, Any]:
    try:
        return "", parse(body)
    except ExchangeError as error:
        return error.reason, None


def _sound(value: Any) -> None:
    assert not isinstance(value, float), "money is never a float"
    if isinstance(value, Decimal):
        assert value.is_finite()
        assert abs(value.adjusted() if value else 0) <= 64
    elif isinstance(value, datetime):
        assert value.tzinfo is UTC
    elif isinstance(value, str):
        assert len(value) <= LONGEST_TEXT
        value.encode()
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _sound(key)
            _sound(inner)
    elif isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
        for inner in value:
            _sound(inner)
    elif dataclasses.is_dataclass(value) and not isinstance(value, Secret):
        _sound_fields(value)


def _sound_fields(value: Any) -> None:
    for item in dataclasses.fields(value):
        _sound(getattr(value, item.name))
    if isinstance(value, Fill):
        assert value.id
        assert min(value.quantity, value.price, value.cost) >= 0
