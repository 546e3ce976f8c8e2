"""One running house for every threat that needs one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.threats.house import House, house


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A bot that reads the practice Bitso, with its page served on loopback."""
    async with house(tmp_path) as running:
        yield running
