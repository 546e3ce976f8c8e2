"""How a check ended: one line of the doctor's report."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check ended; a note is neither good nor bad."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the report; `todo` is empty unless there is something to do."""

    name: str
    state: State
    detail: str
    todo: str = ""


def problem(name: str, detail: str, todo: str) -> CheckResult:
    """Return a problem with what to do about it."""
    return CheckResult(name, State.PROBLEM, detail, todo)
