"""Our sending against python-telegram-bot's own limiter, in one run: `python -m bench.sending` prints tables.

The Bot API on loopback refuses whatever comes too early, by strict sliding windows. Each side is a process of
its own, and so is the server; the sides take turns.
"""

import argparse
import json
import os
import statistics
import urllib.request
from typing import Any

from bench.botapi import COUNTS
from bench.polling import Child, say, table

ALLOWED, ALLOWED_IN_A_GROUP = 30.0, 20 / 60
MESSAGES, RUNS, IN_A_GROUP = 1000, 5, 60


def one_run(origin: str, side: str, messages: int, *more: str) -> dict[str, Any]:
    """Let one side send its messages; return its own figures beside the server's."""
    with Child("senders", side, origin, messages, *more) as sender:
        _counts(origin)
        sender.tell()
        seen: dict[str, Any] = sender.hear()
    seen |= _counts(origin)
    seen["rate"] = (seen["taken"] - 1) / max(seen["last"] - seen["first"], 1e-9)
    return seen


def _counts(origin: str) -> dict[str, Any]:
    with urllib.request.urlopen(origin + COUNTS) as answer:  # noqa: S310  our own server
        counts: dict[str, Any] = json.loads(answer.read())
    return counts


def fan_out(origin: str, messages: int, runs: int, *, alone: bool) -> None:
    """Send a message to each of many private chats, in turns with the peer."""
    table("side", "taken", "429", "lost", "a second", "of the allowed rate", "CPU ms each", "load")
    costs: dict[str, list[float]] = {"ours": []} if alone else {"ours": [], "peer": []}
    for _ in range(runs):
        for side, seen_costs in costs.items():
            seen = one_run(origin, side, messages)
            seen_costs.append(seen["cpu_ms"])
            _row(side, seen, messages, ALLOWED)
    if alone:
        return
    ratios = [ours / peer for ours, peer in zip(costs["ours"], costs["peer"], strict=True)]
    mine, theirs = (statistics.median(column) for column in costs.values())
    say(f"\nCPU, ours : peer = {statistics.median(ratios):.2f} ({mine:.2f} and {theirs:.2f} ms, medians)")


def group(origin: str, messages: int, runs: int) -> None:
    """Send many messages into one group: twenty a minute and one a second are allowed."""
    table("side", "taken", "429", "lost", "a second", "of the allowed rate", "CPU ms each", "load")
    for _ in range(runs):
        _row("ours", one_run(origin, "ours", messages, "--group"), messages, ALLOWED_IN_A_GROUP)


def _row(side: str, seen: dict[str, Any], messages: int, allowed: float) -> None:
    lost = messages - seen["texts"]
    share, load = f"{seen['rate'] / allowed:.1%}", f"{os.getloadavg()[0]:.1f}"
    figures = (seen["taken"], seen["refused"], lost, f"{seen['rate']:.2f}", share, f"{seen['cpu_ms']:.2f}")
    table(side, *map(str, figures), load, head=False)


def main() -> None:
    """Run the part that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", choices=["fan_out", "group"], default="fan_out")
    parser.add_argument("--messages", type=int, default=0)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--alone", action="store_true", help="without the peer, which needs aiolimiter")
    given = parser.parse_args()
    say(f"\n{given.part}: {len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}\n")
    with Child("botapi") as server:
        origin = server.hear()["origin"]
        if given.part == "group":
            group(origin, given.messages or IN_A_GROUP, given.runs or 1)
        else:
            fan_out(origin, given.messages or MESSAGES, given.runs or RUNS, alone=given.alone)


if __name__ == "__main__":
    main()
