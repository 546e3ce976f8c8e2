"""The header set of the link page before two graders: Mozilla's Observatory and Google's CSP evaluator."""

import httpx
import pytest

from chatbot.web import WebOptions
from tests.support.graders import Grade, grade
from tests.web.weblink import FakeDesk, build

URL = "https://keyherald.example"
STRANGER = {"Origin": "https://stranger.example", "Access-Control-Request-Method": "POST"}


async def graded(changed: dict[str, str] | None = None) -> Grade:
    """Grade the page of the real app, with some headers changed."""
    app = build(FakeDesk(), WebOptions(URL))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as web:
        page, preflight = await web.get("/key"), await web.options("/api/open", headers=STRANGER)
    page.headers.update(changed or {})
    return await grade(page, preflight)


async def test_the_page_is_graded_a_plus_without_a_finding():
    """A+ with every bonus there is, and nothing that the policy's evaluator would do differently."""
    found = await graded()

    assert found == Grade("A+", found.score, [], [])
    assert found.score >= 135


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("content-security-policy", "default-src 'none'; script-src 'self' 'unsafe-inline'"),
        ("strict-transport-security", "max-age=60"),
        ("referrer-policy", "unsafe-url"),
    ],
)
async def test_a_weaker_header_is_noticed(header, value):
    """The graders do read our answer: one header made weaker costs points or gives a finding."""
    found = await graded({header: value})

    assert found.score < 135 or found.findings
