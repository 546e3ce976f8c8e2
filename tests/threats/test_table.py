"""The table of threats in `docs/security.md` and the tests in this folder are one list."""

import ast
import re

from tests.support.sources import ROOT, functions, python_files

DOCUMENT = ROOT / "docs/security.md"
COUNT = 57
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+) \|$")


def table() -> dict[int, str]:
    """Return the last cell of each row of the table, by its number."""
    text = DOCUMENT.read_text().partition("## The threats")[2].partition("\n## ")[0]
    found = [ROW.fullmatch(line) for line in text.splitlines()]
    rows = [(int(row[1]), row[4]) for row in found if row]
    assert [number for number, _ in rows] == list(range(1, COUNT + 1))
    return dict(rows)


def named() -> dict[int, dict[str, bool]]:
    """Return the tests of this folder by the number of their threat, each with whether it is a long one."""
    found: dict[int, dict[str, bool]] = {}
    for path in python_files("tests/threats"):
        for function in functions(path):
            number = re.match(r"test_(\d\d)_", function.name)
            if number:
                long = any("mark.long" in ast.unparse(mark) for mark in function.decorator_list)
                found.setdefault(int(number[1]), {})[function.name] = long
    return found


def test_every_threat_has_a_test_that_always_runs() -> None:
    """All of them are played, each by one test at least that is part of `make test`."""
    assert sorted(named()) == list(range(1, COUNT + 1))
    assert [number for number, tests in named().items() if all(tests.values())] == []


def test_the_table_names_just_these_tests() -> None:
    """Whoever reads the table finds every test, and only tests that are there, the long ones marked."""
    told = {
        number: {name: bool(long) for name, long in re.findall(r"`(test_\w+)`( \(long\))?", cell)}
        for number, cell in table().items()
    }

    assert told == named()


def test_other_files_named_in_the_document_exist() -> None:
    """Nothing is promised in the name of a file that is gone."""
    files = re.findall(r"`(tests/[\w./]+)`", DOCUMENT.read_text())

    assert [name for name in files if not (ROOT / name).exists()] == []
    assert len(files) > 20
