"""The hand-kept lists of documented calls that write, `tests/data/<exchange>/writes.txt`, and how to compare them."""

import re

from tests.support.sources import ROOT

DATA = ROOT / "tests/data"
LINE = re.compile(r"(?P<method>GET|POST|PUT|PATCH|DELETE) (?P<path>/\S*) +# (?P<source>\S.*)")


def listed(exchange: str, name: str) -> list[tuple[str, str]]:
    """Return the calls of a list: method and path, with `{name}` for one part of it."""
    lines = (DATA / exchange / name).read_text().splitlines()
    found = [LINE.fullmatch(line) for line in lines if line.strip() and not line.startswith("#")]
    assert all(found), f"{exchange}/{name}: METHOD /path  # source"
    return [(match["method"], match["path"]) for match in found if match]


def same(written: str, path: str) -> bool:
    """Tell whether a path is one of those that a line of a list writes."""
    pattern = "[^/]+".join(re.escape(part) for part in re.split(r"\{[^}]*\}", written.rstrip("/")))
    return re.fullmatch(pattern, path.rstrip("/")) is not None
