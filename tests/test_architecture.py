"""The house rules that no linter knows, each as one test that names every offending place.

What may import what is the import linter's part (`make lint`, tests/test_import_contracts.py).
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.sources import (
    PACKAGES,
    ROOT,
    Function,
    dotted,
    functions,
    nodes,
    parse,
    place,
    python_files,
    text_files,
)

FILE_LINES = 300
FUNCTION_LINES = 60
# The only places where a secret may leave its wrapper: signing, sealing and the link's intake.
REVEALERS = (
    "chatbot/exchanges/",
    "chatbot/domain/links.py",
    "handlers/events/link_submitted.py",
    "storage/vault.py",
)
# The borders where an unforeseen error is turned into a sentence; everywhere else it must rise.
CATCH_ALLS = ("chatbot/__main__.py", "chatbot/dispatcher/", "chatbot/engine/", "chatbot/web/")
# A float is fine for a duration, never for an amount; "rate" is no such name, it may be a price.
DURATION = re.compile(r"second|timeout|delay|wait|backoff|interval|deadline", re.IGNORECASE)
CLOCKS = re.compile(r"(datetime\.)?(datetime|date)\.(now|utcnow|today)|time\.(time|time_ns|monotonic)")
# In two parts each, so that this file does not report itself.
FORBIDDEN_TEXT = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "deb." + "debian.org",
    "/work/" + "main",
    "/work/" + "shared",
    "/work/" + "steering",
    "/ro" + "ot/",
    "." + "library/",
]


def test_files_stay_short():
    """A file that outgrows 300 lines becomes a package."""
    lengths = {place(path): len(path.read_text().splitlines()) for path in python_files(*PACKAGES, "tests")}

    assert {name: length for name, length in lengths.items() if length > FILE_LINES} == {}


def test_functions_stay_short():
    """A function fits on one screen."""
    lengths = {
        f"{place(path, function.lineno)} {function.name}": _lines(function)
        for path in python_files(*PACKAGES, "tests")
        for function in functions(path)
    }

    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES} == {}


def test_every_module_says_what_it_is():
    """Whoever opens a file reads first what it is, who calls it and what it promises."""
    silent = [place(path) for path in python_files(*PACKAGES, "tests") if not ast.get_docstring(parse(path))]

    assert silent == []


def test_every_test_states_its_promise():
    """A failing test tells in one sentence what no longer holds."""
    tests = [
        (place(path, function.lineno), ast.get_docstring(function) or "")
        for path in python_files("tests")
        if path.name.startswith("test_")
        for function in functions(path)
        if function.name.startswith("test")
    ]

    assert [where for where, promise in tests if not promise.strip()] == []


def test_no_float_touches_money():
    """Amounts are Decimal from the parser on: the domain and the exchanges know no float."""
    floats = [
        place(path, line)
        for path in python_files("chatbot/domain", "chatbot/exchanges")
        for line in _floats(path)
    ]

    assert floats == []


def test_secrets_are_revealed_in_few_places_only():
    """A secret leaves its wrapper only to sign, to be sealed, or on its way in."""
    reveals = [
        place(path, call.lineno)
        for path in _outside(REVEALERS)
        for call in nodes(path, ast.Call)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "reveal"
    ]

    assert reveals == []


def test_errors_rise_to_the_borders():
    """Nothing but the command line, the dispatcher, the engine and the web's error page catches everything."""
    catch_alls = [
        place(path, handler.lineno)
        for path in _outside(CATCH_ALLS)
        for handler in nodes(path, ast.ExceptHandler)
        if _catches_everything(handler) and not _rises_again(handler)
    ]

    assert catch_alls == []


def test_rules_and_handlers_are_told_the_time():
    """Domain and handlers get the time from the context's clock, never from the machine."""
    looks = [
        place(path, call.lineno)
        for path in python_files("chatbot/domain", "handlers")
        for call in nodes(path, ast.Call)
        if CLOCKS.fullmatch(dotted(call.func))
    ]

    assert looks == []


def test_a_command_lives_in_the_file_of_its_name():
    """Whoever looks for /connect opens handlers/commands/connect.py; a long one is a package of its name."""
    top = ROOT / "handlers" / "commands"
    files = {path.stem: path for path in python_files("handlers/commands") if path.parent == top}
    packages = {
        folder.name: folder / "__init__.py" for folder in top.iterdir() if (folder / "__init__.py").exists()
    }
    commands = {name: path for name, path in {**files, **packages}.items() if name != "__init__"}

    assert [name for name, path in commands.items() if name not in _registered_commands(path)] == []


def test_no_trace_of_the_machine_it_was_written_on():
    """Files name no registry host and no path of somebody's machine."""
    traces = [
        (place(path, number), text)
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        for text in FORBIDDEN_TEXT
        if text in line
    ]

    assert traces == []


def test_the_top_level_is_three_folders():
    """Beside the three packages, tests, docs and bench no other folder holds Python."""
    known = {*PACKAGES, "tests", "docs", "bench", "build", "dist", "var"}
    folders = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))]

    assert [path.name for path in folders if path.name not in known and any(path.rglob("*.py"))] == []


def _lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _outside(allowed: tuple[str, ...]) -> list[Path]:
    return [path for path in python_files(*PACKAGES) if not place(path).startswith(allowed)]


def _floats(path: Path) -> Iterator[int]:
    durations = _duration_annotations(path)
    for name in nodes(path, ast.Name):
        if name.id == "float" and name not in durations:
            yield name.lineno


def _duration_annotations(path: Path) -> set[ast.AST]:
    """Collect what stands for durations: their annotations, and types named after them."""
    annotations = [annotation for name, annotation in _annotations(path) if DURATION.search(name)]
    return {part for annotation in annotations if annotation for part in ast.walk(annotation)}


def _annotations(path: Path) -> Iterator[tuple[str, ast.expr | None]]:
    for parameter in nodes(path, ast.arg):
        yield parameter.arg, parameter.annotation
    for variable in nodes(path, ast.AnnAssign):
        yield dotted(variable.target), variable.annotation
    for function in functions(path):
        yield function.name, function.returns
    for alias in nodes(path, ast.Assign):
        # A name for the type itself, `Seconds = float`; a value called so is still no excuse.
        yield dotted(alias.targets[0]), alias.value if isinstance(alias.value, ast.Name) else None


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(dotted(kind).split(".")[-1] in {"Exception", "BaseException"} for kind in caught)


def _rises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _registered_commands(path: Path) -> set[object]:
    return {
        decorator.args[0].value
        for function in functions(path)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        and dotted(decorator.func).split(".")[-1] == "command"
        and decorator.args
        and isinstance(decorator.args[0], ast.Constant)
    }
