"""Our polling against ccxt's, in one run on one machine: `python -m bench.polling` prints the tables.

Every client is a process of its own, and so is the practice exchange. Clients take turns, pass by pass, and
a ratio is taken from two passes that follow one another: a machine that is busy then slows both.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from bench import certificate

EXCHANGES = ("bitso", "bitstamp", "hitbtc", "kraken", "binance", "okx")
COUNTS = "/bench/counts"
CPU_PASSES, CPU_ACCOUNTS = 12, 100
MANY, MEMORY_PASSES = 5000, 2
DELAY_MS, AT_ONCE, DELAY_ACCOUNTS, DELAY_PASSES = 50, 200, 4000, 5
TLS_ACCOUNTS, TLS_GAP_SECONDS, TLS_PASSES = 200, 17, 3


class Child:
    """A process of the bench: it is told by lines and answers by lines of JSON."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"bench.{module}", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, line: str = "") -> None:
        """Send a line."""
        if self._process.stdin is not None:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def hear(self) -> Any:
        """Return the next line; ends the bench when the process has ended instead."""
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            sys.exit("A process of the bench has failed; its own words stand above.")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()


class Room:
    """A running practice exchange, and the clients that have been brought to it."""

    def __init__(self, server: Child, stack: ExitStack) -> None:
        self._server, self._stack = server.hear(), stack
        self._left = iter(self._server["keys"])

    def client(self, mode: str, *arguments: object) -> Child:
        """Start a client with keys of its own, and return it when it is warm."""
        child = self._stack.enter_context(Child("client", mode, *arguments))
        child.tell(json.dumps(self._server | {"keys": next(self._left)}))
        child.hear()
        return child

    def counts(self) -> dict[str, int]:
        """Return what the server has counted; ends the bench when an answer was no success."""
        with urllib.request.urlopen(self._server["origin"] + COUNTS) as answer:  # noqa: S310  our own server
            counts: dict[str, int] = json.loads(answer.read())
        if counts["refused"]:
            sys.exit(f"The practice exchange refused {counts['refused']} requests.")
        return counts


@contextmanager
def room(exchange: str, *arguments: object) -> Iterator[Room]:
    """Run a practice exchange until the block ends."""
    with ExitStack() as stack:
        yield Room(stack.enter_context(Child("server", exchange, *arguments)), stack)


def one_pass(client: Child) -> dict[str, float]:
    """Let a client poll all its accounts once."""
    client.tell()
    seen: dict[str, float] = client.hear()
    return seen


def cpu(exchanges: Sequence[str]) -> None:
    """Print CPU per poll of ours and of ccxt, and the ratios of passes that follow one another."""
    table("exchange", "ccxt", "ccxt, uvloop", "parsed", "nothing new", "parsed : ccxt", "nothing new : ccxt")
    for exchange in exchanges:
        modes = [("ccxt", "--loop", "asyncio"), ("ccxt",), ("parsed",), ("unchanged",)]
        with room(exchange, "--clients", len(modes), "--keys", CPU_ACCOUNTS) as here:
            clients = [here.client(*mode) for mode in modes]
            seen = [[one_pass(client)["cpu_ms"] for client in clients] for _ in range(CPU_PASSES)]
            asked = [requests(here, client) for client in clients]
        medians = [statistics.median(column) for column in zip(*seen, strict=True)]
        figures = [f"{ms:.2f} ({calls:.0f})" for ms, calls in zip(medians, asked, strict=True)]
        table(
            exchange, *figures, *(spread([row[0] / row[side] for row in seen]) for side in (2, 3)), head=False
        )


def requests(here: Room, client: Child) -> float:
    """Return how many requests a poll of a client takes."""
    before = here.counts()["answers"]
    one_pass(client)
    return (here.counts()["answers"] - before) / CPU_ACCOUNTS


def spread(ratios: Sequence[float]) -> str:
    """Return the median as `1 : n`, with the quartiles."""
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"1 : {middle:.1f} ({low:.1f} to {high:.1f})"


def memory(exchanges: Sequence[str]) -> None:
    """Print what an account takes in KiB: ours with many accounts, ccxt with a hundred."""
    table("exchange", f"ours, {MANY:,} accounts", "whole process, MiB", f"ccxt, {CPU_ACCOUNTS} accounts")
    for exchange in exchanges:
        with room(exchange, "--clients", 2, "--keys", MANY) as here:
            ours = here.client("unchanged", "--accounts", MANY)
            held = [one_pass(ours) for _ in range(MEMORY_PASSES)][-1]
            theirs = one_pass(here.client("ccxt", "--accounts", CPU_ACCOUNTS))
        own, whole, peer = held["kib_an_account"], held["rss_mib"], theirs["kib_an_account"]
        table(exchange, f"{own:.1f}", f"{whole:.0f}", f"{peer:,.0f}", head=False)


def latency(exchanges: Sequence[str]) -> None:
    """Print how many polls a second go through when every answer takes its time."""
    table("exchange", f"polls/s at {DELAY_MS} ms, {AT_ONCE} at a time", "best pass", "ideal", "CPU ms")
    many = ("--accounts", DELAY_ACCOUNTS, "--at-once", AT_ONCE)
    ideal = AT_ONCE / (2 * DELAY_MS / 1000)
    for exchange in exchanges:
        remember = ["--remember"] if exchange == "bitso" else []
        with room(exchange, "--keys", DELAY_ACCOUNTS, "--delay-ms", DELAY_MS, *remember) as here:
            ours = here.client("unchanged", *many)
            seen = [one_pass(ours) for _ in range(DELAY_PASSES)]
        rates, cost = [one["per_second"] for one in seen], statistics.median(one["cpu_ms"] for one in seen)
        shown = [f"{rate:,.0f} ({rate / ideal:.0%})" for rate in (statistics.median(rates), max(rates))]
        table(exchange, *shown, f"{ideal:,.0f}", f"{cost:.2f}", head=False)


def tls(exchanges: Sequence[str]) -> None:
    """Print how many TLS connections are opened for a poll when passes lie some time apart."""
    table("exchange", f"new connections per poll, every {TLS_GAP_SECONDS} s", "with the first pass", "CPU ms")
    for exchange in exchanges:
        with tempfile.TemporaryDirectory(prefix="keyherald-bench-") as folder:
            # Trusted by this process and the client for this run; nothing of ours has a switch for it.
            os.environ["SSL_CERT_FILE"] = str(certificate.make(Path(folder)))
            with room(exchange, "--keys", TLS_ACCOUNTS, "--tls", folder) as here:
                _tls_of(exchange, here)


def _tls_of(exchange: str, here: Room) -> None:
    before = here.counts()["connections"]
    ours = here.client("unchanged", "--accounts", TLS_ACCOUNTS)
    warm, costs = here.counts()["connections"], []
    for _ in range(TLS_PASSES):
        time.sleep(TLS_GAP_SECONDS)  # noqa: TID251  the gap is what is measured
        costs.append(one_pass(ours)["cpu_ms"])
    # Each look at the counts was a connection of its own.
    steady, first = here.counts()["connections"] - warm - 1, warm - before - 1
    polls = TLS_PASSES * TLS_ACCOUNTS
    overall = (steady + first) / (polls + TLS_ACCOUNTS)
    table(exchange, f"{steady / polls:.3f}", f"{overall:.3f}", f"{statistics.median(costs):.2f}", head=False)


def table(*cells: str, head: bool = True) -> None:
    """Print one line of a table, or its head."""
    say(f"| {' | '.join(cells)} |")
    if head:
        say("|" + "---|" * len(cells))


def say(line: str) -> None:
    """Print one line of a table."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


PARTS = {"cpu": cpu, "memory": memory, "latency": latency, "tls": tls}


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all when none is named")
    parser.add_argument("--exchanges", nargs="+", choices=EXCHANGES, default=list(EXCHANGES))
    given = parser.parse_args()
    for name in given.parts or PARTS:
        say(f"\n{name}: {len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}\n")
        PARTS[name](given.exchanges)


if __name__ == "__main__":
    main()
