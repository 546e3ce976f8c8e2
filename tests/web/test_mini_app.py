"""The page inside Telegram: no token in its address, and only who Telegram vouches for gets through."""

from datetime import timedelta

import pytest

from chatbot.domain.people import Identity
from chatbot.web import WebOptions
from tests.web.test_app import CALL, client
from tests.web.weblink import OWNER, FakeDesk

PROOF = "auth_date=1&hash=2"
STRANGER = Identity("telegram", "43")


def vouch(proof: str, life: timedelta) -> Identity | None:
    assert life
    return {PROOF: OWNER, "stranger": STRANGER}.get(proof)


async def post(web, path: str, **body: str):
    return await web.post(path, json=body, headers=CALL)


async def test_the_owner_opens_their_link_without_a_token():
    """What Telegram signed stands for the token."""
    async with client(FakeDesk(), identify=vouch) as web:
        opened = await post(web, "/api/open", init=PROOF)

    assert opened.status_code == 200
    assert opened.json()["exchange"] == "Bitso"


@pytest.mark.parametrize("proof", ["stranger", "nobody", "a" * 4096])
async def test_anybody_else_gets_the_dead_links_bytes(proof):
    """Another user, a bad signature and a dead link are one answer."""
    async with client(FakeDesk(), identify=vouch) as web:
        refused = await post(web, "/api/open", init=proof)
        dead = await post(web, "/api/open", token="x" * 43)
        sent = await post(web, "/api/submit", init=proof, sealed="AAAA")

    assert (refused.status_code, refused.content) == (dead.status_code, dead.content) == (404, dead.content)
    assert sent.status_code == 404


@pytest.mark.parametrize("init", ["", "a" * 4097, "ñ", 7, None, ["x"]])
async def test_a_senseless_proof_is_refused_before_anybody_looks(init):
    """The body is checked as strictly as a token's."""
    async with client(FakeDesk(), identify=lambda *_: pytest.fail("looked")) as web:
        answer = await web.post("/api/open", json={"init": init}, headers=CALL)

    assert answer.status_code == 400


async def test_who_takes_the_links_whole_life_to_fill_the_form_in_gets_through():
    """The platform signs once, when the page opens: opened in time and sent in time is enough."""

    def opened_long_ago(proof: str, life: timedelta) -> Identity | None:
        return vouch(proof, life) if life >= timedelta(minutes=60) else None

    async with client(FakeDesk(), identify=opened_long_ago) as web:
        late = await post(web, "/api/open", init=PROOF)
        sent = await post(web, "/api/submit", init=PROOF, sealed="AAAA")

    assert late.status_code == 404
    assert sent.status_code == 400


async def test_without_telegram_nobody_is_vouched_for():
    """An installation without the platform knows only tokens."""
    async with client(FakeDesk()) as web:
        assert (await post(web, "/api/open", init=PROOF)).status_code == 404


async def test_only_telegrams_web_client_may_frame_the_page():
    """All other headers are those of the link page, and the link page itself is framed by nobody."""
    async with client(FakeDesk(), identify=vouch) as web:
        app, page = await web.get("/key-app"), await web.get("/key")

    assert app.content == page.content
    assert "x-frame-options" not in app.headers
    assert "frame-ancestors https://web.telegram.org;" in app.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    rest = {"content-security-policy", "x-frame-options"}
    assert {n: v for n, v in app.headers.items() if n not in rest} == {
        n: v for n, v in page.headers.items() if n not in rest
    }


def test_nobody_is_the_default():
    """Whoever builds the app without platforms lets nobody in by a proof."""
    assert WebOptions("https://bot.example.com").identify("anything", timedelta(minutes=5)) is None
