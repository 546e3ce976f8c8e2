"""A Bot API server on loopback: real HTTP, strict about what it is sent, and able to fail on command.

Tests type with `say` and `press`, read with `shown` and `latest`, and break things with `fail`. It runs on
the test's own loop (`async with running() as api`), or as a process: `python -m tests.support.botapi`.
"""

from tests.support.botapi.server import BotApi, running
from tests.support.botapi.wire import Answer, Fault
from tests.support.botapi.world import Shown

__all__ = ["Answer", "BotApi", "Fault", "Shown", "running"]
