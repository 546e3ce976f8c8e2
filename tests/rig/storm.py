"""What happens to an installation in a storm: fills, commands, kills and a bad line, all from one seed.

The test starts one, lets it rage for so many kills, and asks `ledger.py` afterwards what people were told.
"""

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.rig.installation import Installation
from tests.rig.process import until
from tests.support.botapi import Fault

OWNER = 77
FIRST_VISITOR = 10_000
FILL_PAUSE = 1.5
SINCE, SPACED = timedelta(minutes=9), timedelta(seconds=7)
COMMAND_PAUSE = 0.5
FAULT_PAUSE = 0.7
LONGEST_LIFE = 2.0
FAULTS = (
    Fault.CLOSE_EARLY,
    Fault.BAD_GATEWAY,
    Fault.CLOSE,
    Fault.RESET,
    Fault.HANG,
    Fault.CUT,
    Fault.GARBAGE,
)
# Hanging polls would only make the bot deaf until the next kill; the others hit them too.
POLL_FAULTS = tuple(fault for fault in FAULTS if fault is not Fault.HANG)


@dataclass
class Storm:
    """One run: what was done so far. With an `order` all fills are parts of that one."""

    here: Installation
    seed: int
    kills: int = 0
    faults: int = 0
    quantities: list[str] = field(default_factory=list)
    visitors: list[int] = field(default_factory=list)
    asked_by_owner: int = 0
    order: str = ""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    async def rage(self, kills: int) -> None:
        """Kill the bot so many times while all the rest goes on, then let it live in peace."""
        endless = (self._fills(), self._commands(), self._faults())
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_ending(work)) for work in endless]
            for _ in range(kills):
                await self._kill()
            for task in tasks:
                task.cancel()
        self.here.api._faults.clear()
        # What hangs at Telegram would hang on: only a kill ends it soon.
        await self._kill()

    async def _kill(self) -> None:
        program, early = self.here.program, self._chance.random() < 0.2
        ups = program.err.count("platform_started")
        if early:
            await asyncio.sleep(self._chance.uniform(0.1, 1.5))
        await program.kill()
        self.kills += 1
        await program.start()
        if self._chance.random() < 0.8:
            what = f"the bot works again after kill {self.kills}"
            await until(lambda: program.err.count("platform_started") > ups or not program.running, 30, what)
            assert program.running, program.err[-3000:]
            await asyncio.sleep(self._chance.uniform(0.05, LONGEST_LIFE))

    async def _fills(self) -> None:
        state = self.here.bitso.state
        while True:
            for _ in range(self._chance.choice((1, 1, 1, 2, 3, 12))):
                side = "buy" if len(self.quantities) % 2 and not self.order else "sell"
                self.quantities.append(f"1.{len(self.quantities):05}1")
                trade = state.trade(side, "xrp_mxn", self.quantities[-1])
                trade["created_at"] = self._apart(datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S+0000")
                trade["oid"] = self.order or trade["oid"]
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * FILL_PAUSE)

    def _apart(self, now: datetime) -> datetime:
        """Date a fill so that it shares its minute with few others: else all of them would be one table."""
        number = len(self.quantities) % (SINCE // SPACED)
        return now - SINCE + number * SPACED

    async def _commands(self) -> None:
        while True:
            visitor = FIRST_VISITOR + len(self.visitors)
            self.visitors.append(visitor)
            await self.here.api.say(visitor, "/status")
            if len(self.visitors) % 20 == 0:
                self.asked_by_owner += 1
                await self.here.api.say(OWNER, "/status")
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * COMMAND_PAUSE)

    async def _faults(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * FAULT_PAUSE)
            kind = self._chance.random()
            method = "sendMessage" if kind < 0.75 else "getUpdates"
            # One at a time: a stack of them would be an outage, not a bad line.
            if self.here.api._faults[method]:
                continue
            self.faults += 1
            self._spoil(method, limited=kind < 0.15)

    def _spoil(self, method: str, *, limited: bool) -> None:
        api = self.here.api
        if limited:
            api.refuse(method, 429, "Too Many Requests: retry after 1", retry_after=1)
        else:
            api.fail(method, self._chance.choice(FAULTS if method == "sendMessage" else POLL_FAULTS))


async def _ending(work: Coroutine[Any, Any, None]) -> None:
    """Run endless work until it is cancelled, without taking its group along."""
    try:
        await work
    except asyncio.CancelledError:
        return
