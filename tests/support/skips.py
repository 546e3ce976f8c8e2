"""What this machine cannot run, told in the last lines of a test run.

A fixture asks `missing("PostgreSQL", …)` to skip; conftest asks `last_lines()` when all is over. Nothing
that was left out goes unsaid, and with KEYHERALD_NO_SKIPS=1 leaving anything out fails the run.
"""

import os
from collections import Counter
from typing import NoReturn

import pytest

PACKAGES = {
    "PostgreSQL": "postgresql",
    "Chromium": "chromium",
    "Firefox": "firefox-esr",
    "WebKitGTK": "webkit2gtk-driver xvfb",
    "Node.js": "nodejs npm",
}
GRADERS = "npm ci --ignore-scripts --prefix tests/graders"
COMMANDS = {"axe-core": GRADERS, "The Observatory": GRADERS}
MARK = " is not installed"


def missing(what: str) -> NoReturn:
    """Skip the test because a program from PACKAGES or COMMANDS is not there."""
    pytest.skip(what + MARK)


def allowed() -> bool:
    """Whether a run with skipped tests may pass."""
    return os.environ.get("KEYHERALD_NO_SKIPS", "") in {"", "0"}


def reasons(reports: list[pytest.TestReport]) -> Counter[str]:
    """Count the skipped tests by the reason they gave."""
    return Counter(_reason(report) for report in reports)


def last_lines(counted: Counter[str]) -> list[str]:
    """Say what was left out and which command brings it back."""
    if not counted:
        return []
    lines = [f"Left out because {reason}: {count}" for reason, count in sorted(counted.items())]
    packages = [name for what, name in PACKAGES.items() if what + MARK in counted]
    if packages:
        lines.append(f"To run them too: apt install {' '.join(packages)}")
    commands = dict.fromkeys(command for what, command in COMMANDS.items() if what + MARK in counted)
    lines += [f"To run them too: {command}" for command in commands]
    if not allowed():
        lines.append("KEYHERALD_NO_SKIPS is set: nothing may be left out, so this run failed.")
    return lines


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
