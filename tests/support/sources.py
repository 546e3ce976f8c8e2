"""Our own source files, parsed once, for the tests that read code instead of running it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
PACKAGES = ("chatbot", "handlers", "storage")
SKIPPED = {"__pycache__", "node_modules"}
TEXT_FOLDERS = (*PACKAGES, "tests", "docs", "bench", ".ci")
Node = TypeVar("Node", bound=ast.AST)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: str) -> list[Path]:
    """List the Python files below some folders; migrations are history and stay as written."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if not {"migrations", *SKIPPED}.intersection(path.parts))


def text_files() -> Iterator[Path]:
    """List every text file that people read in the repository."""
    files = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".env"]
    for folder in TEXT_FOLDERS:
        files += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in files:
        if not SKIPPED.intersection(path.parts) and b"\0" not in path.read_bytes():
            yield path


@cache
def parse(path: Path) -> ast.Module:
    """Parse one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def nodes(path: Path, kind: type[Node]) -> Iterator[Node]:
    """Walk the nodes of one kind in one file."""
    return (node for node in ast.walk(parse(path)) if isinstance(node, kind))


def functions(path: Path) -> Iterator[Function]:
    """Walk the functions and methods of one file."""
    return (node for node in ast.walk(parse(path)) if isinstance(node, Function))


def place(path: Path, line: int = 0) -> str:
    """Name a place the way editors open it."""
    name = path.relative_to(ROOT).as_posix()
    return f"{name}:{line}" if line else name


def dotted(node: ast.AST) -> str:
    """Spell a name or attribute as written: `datetime.now`; empty when it is neither."""
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
