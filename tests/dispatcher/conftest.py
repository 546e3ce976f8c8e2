"""A bot without any exchange to ask: what the dispatcher does needs none."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.bot import Bot, open_bot


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    """A bot whose exchange nobody will reach."""
    async with open_bot(tmp_path, {"bitso": "http://127.0.0.1:9"}) as opened:
        yield opened
