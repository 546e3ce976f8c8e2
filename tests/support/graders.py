"""The graders from npm that judge the link page: axe-core in a browser, the Observatory's and Google's in Node.

`npm ci --ignore-scripts` in tests/graders installs them; a test that asks for one is skipped without it.
"""

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.async_api import Page

from tests.support import skips
from tests.support.sources import ROOT

FOLDER = ROOT / "tests/graders"
AXE = FOLDER / "node_modules/axe-core/axe.min.js"
OBSERVATORY = FOLDER / "node_modules/@mdn/mdn-http-observatory/package.json"
FAULTS = "axe.run().then((found) => found.violations.map(({id, nodes}) => [id, ...nodes.map((n) => n.html)]))"


@dataclass(frozen=True, slots=True)
class Grade:
    """What the Observatory and the policy's evaluator say of one page."""

    grade: str
    score: int
    failed: list[str]
    findings: list[str]


async def faults(page: Page) -> list[list[str]]:
    """Return what axe-core finds wrong on a page as it is now: the rule and the elements, for each."""
    if not AXE.exists():
        skips.missing("axe-core")
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    return list(await page.evaluate(FAULTS))


async def grade(page: httpx.Response, preflight: httpx.Response) -> Grade:
    """Grade an answer, with the one to a stranger's preflight request."""
    node = shutil.which("node") or skips.missing("Node.js")
    if not OBSERVATORY.exists():
        skips.missing("The Observatory")
    process = await asyncio.create_subprocess_exec(
        node, str(FOLDER / "grade.js"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said = json.dumps({"page": _plain(page), "preflight": _plain(preflight)}).encode()
    out, wrong = await process.communicate(said)
    assert process.returncode == 0, wrong.decode()
    told = json.loads(out)
    return Grade(**told["observatory"], findings=told["findings"])


def _plain(answer: httpx.Response) -> Mapping[str, Any]:
    return {"status": answer.status_code, "headers": dict(answer.headers), "body": answer.text}
