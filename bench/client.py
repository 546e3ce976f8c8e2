"""One side of the bench in a process of its own: it polls all accounts once for each line that it reads.

`parsed` and `unchanged` are ours: one connection pool for all accounts. `ccxt` has one instance per account,
as its documents advise, all with the markets of the first.
"""

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import uvloop

from bench import peers
from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.exchanges import _http, load
from chatbot.exchanges._unchanged import KNOWN

FILLS = 25
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Side(Protocol):
    """What polls the accounts: opened once, then asked for one account after the other."""

    async def open(self, start: int, stop: int) -> None:
        """Get ready for these accounts."""
        ...

    async def poll(self, number: int) -> tuple[int, int]:
        """Read one account; return how many balances and fills came back."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass over all accounts cost: CPU and throughput of a poll, memory of an account so far."""

    cpu_ms: float
    per_second: float
    kib_an_account: float
    rss_mib: float


class MachineClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Ours:
    """Our own client of an exchange, without the budget that paces it: a bench is not to wait its turn.

    As in the bot a client is made for each poll and the cursor goes on; with `parsed` every answer is
    parsed, because the cursor stays where it was and what was known is forgotten.
    """

    def __init__(self, server: dict[str, Any], *, parsed: bool) -> None:
        factory: Any = load(server["exchange"])
        # What paces us at a real exchange would only make the bench wait.
        setattr(_http, "Meter", lambda _: None)  # noqa: B010  a constant of that module, for good reasons
        self._exchange: Any = factory(MachineClock(), server["origin"])
        self._keys, self._parsed = server["keys"], parsed
        self._held: dict[int, Credentials] = {}
        self._nonces: dict[int, int] = {}
        self._cursors: dict[int, str] = {}

    async def open(self, start: int, stop: int) -> None:
        for number in range(start, stop):
            key, secret, third = self._keys[number]
            self._held[number] = Credentials(Secret(key), Secret(secret), Secret(third) if third else None)

    async def poll(self, number: int) -> tuple[int, int]:
        if self._parsed:
            KNOWN.clear()
        client = self._exchange.client(self._held[number], self._nonces.get(number, 0))
        balances = await client.balances()
        page = await client.fills_after(self._cursors.get(number, ""))
        self._nonces[number] = client.last_nonce
        if not self._parsed:
            self._cursors[number] = page.cursor
        check(isinstance(balance.total, Decimal) for balance in balances)
        check(isinstance(fill.price, Decimal) for fill in page.fills)
        return len(balances), len(page.fills)

    async def close(self) -> None:
        await self._exchange.close()


class Theirs:
    """ccxt, one instance per account; its numbers are `Decimal` too, its rate limiter is off."""

    def __init__(self, server: dict[str, Any]) -> None:
        self._server = server
        self._symbol = server["book"].upper().replace("_", "/")
        self._first: Any = None
        self._held: dict[int, Any] = {}

    async def open(self, start: int, stop: int) -> None:
        if self._first is None:
            self._first = peers.make(self._server, ["", "", ""])
            await peers.load_markets(self._first)
        for number in range(start, stop):
            self._held[number] = peers.make(self._server, self._server["keys"][number])
            self._held[number].set_markets_from_exchange(self._first)

    async def poll(self, number: int) -> tuple[int, int]:
        instance = self._held[number]
        balance = await instance.fetch_balance()
        trades = await instance.fetch_my_trades(self._symbol, limit=FILLS)
        check(isinstance(total, Decimal) for total in balance["total"].values())
        check(isinstance(trade["price"], Decimal) for trade in trades)
        return sum(1 for total in balance["total"].values() if total), len(trades)

    async def close(self) -> None:
        await asyncio.gather(*(instance.close() for instance in (self._first, *self._held.values())))


def check(facts: Iterable[bool]) -> None:
    """Stop the bench unless all of it is true: figures of a client that reads nothing are worthless."""
    if not all(facts):
        raise ValueError("what came back is not what the practice exchange holds")


async def measure(side: Side, given: argparse.Namespace) -> None:
    """Warm up with some accounts, then with all; then make one pass for each line of standard input."""
    warm = min(given.at_once, given.accounts)
    await side.open(0, warm)
    held, fills = await side.poll(0)
    check([held > 0, fills == FILLS])
    await _pass(side, range(warm), given.at_once)
    before = _rss()
    await side.open(warm, given.accounts)
    everyone = range(given.accounts)
    await _pass(side, everyone, given.at_once)
    # With nothing new some exchanges tell the last fills once more, in case one came late.
    least = 0 if given.mode == "unchanged" else FILLS
    tell({"ready": True})
    while await asyncio.to_thread(sys.stdin.readline):
        cpu, wall = time.process_time(), time.monotonic()
        found = await _pass(side, everyone, given.at_once)
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        check(balances == held and least <= fills <= FILLS for balances, fills in found)
        gc.collect()
        grown = (_rss() - before) / 1024 / max(1, given.accounts - warm)
        number = given.accounts
        tell(asdict(Pass(cpu * 1000 / number, number / wall, grown, _rss() / 2**20)))


def tell(facts: dict[str, Any]) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


async def _pass(side: Side, numbers: Sequence[int], at_once: int) -> set[tuple[int, int]]:
    left, found = iter(numbers), set()

    async def work() -> None:
        for number in left:
            found.add(await side.poll(number))

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    return found


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


async def run(given: argparse.Namespace, server: dict[str, Any]) -> None:
    """Measure one side, which is closed whatever happens."""
    side: Side = Theirs(server) if given.mode == "ccxt" else Ours(server, parsed=given.mode == "parsed")
    try:
        await measure(side, given)
    finally:
        await side.close()


def main() -> None:
    """Read the server's line from standard input and measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["parsed", "unchanged", "ccxt"])
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    given = parser.parse_args()
    server = json.loads(sys.stdin.readline())
    runner: Any = uvloop.run if given.loop == "uvloop" else asyncio.run
    runner(run(given, server))


if __name__ == "__main__":
    main()
