"""Installing the app: from the first click to the page at the end, and everything that may go wrong between."""

import asyncio
import logging
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from chatbot.errors import StorageError
from chatbot.platforms.slack.oauth import SCOPES, STATE_SECONDS
from tests.support import leaks
from tests.support.botapi.wire import Fault
from tests.support.slackapi import Answer, token_of
from tests.support.slackapi.world import SCOPES as NEEDED
from tests.support.slacks import EVENTS, PUBLIC_URL
from tests.support.slackshop import COOKIE, MANY, shop

LONG = "s" * 43


@pytest.fixture
async def store(slack, tmp_path):
    """An app that many may install."""
    async with shop(slack, tmp_path) as found:
        yield found


async def kept(store):
    async with store.database.transaction() as tx:
        return await tx.all(text("SELECT team, wide, sealed, ended_at FROM installations ORDER BY team"))


async def test_an_installation_from_end_to_end(store, slack, tmp_path):
    """A click, Slack's page, back: the tokens are sealed, the bot is told, and the workspace is let in."""
    slack.world.team("T2")
    answer = await store.install("T2")

    assert answer.status_code == 200
    assert "/keyherald help" in answer.text
    assert "https://slack.com/app_redirect?app=A1&amp;team=T2" in answer.text
    [row] = await kept(store)
    assert (row.team, row.wide, row.ended_at) == ("slack:T2", "", None)
    [token] = [t for t in slack.world.tokens if t.count("-") == 3 and "xoxb-1-" not in t]
    assert await store.app.slack._bots.token("T2") == token
    assert leaks.in_files(tmp_path, token) == []
    [raw] = store.app.shelf.rows.values()
    assert raw == {"kind": "happened", "what": "joined", "team": "T2", "detail": "UADMIN"}


async def test_what_the_workspace_sends_is_taken_from_then_on(store, slack):
    """And nothing before."""
    slack.world.person("UBO", "T2")
    before = await slack.say("UBO", "help", team="T2")
    assert (before.statuses, store.app.shelf.rows) == ([200], {})
    await store.install("T2")
    await slack.say("UBO", "help", team="T2")

    assert [raw["kind"] for raw in store.app.shelf.rows.values()] == ["happened", "said"]


async def test_slack_is_asked_for_these_scopes_and_no_other(store):
    """The address carries scopes, our own way back, and a state; no scope of a person's."""
    url, _ = await store.begin()
    asked = parse_qs(urlsplit(url).query, keep_blank_values=True)

    assert asked["scope"] == [",".join(SCOPES)]
    assert set(SCOPES) == NEEDED
    assert (asked["user_scope"], asked["redirect_uri"]) == ([""], [f"{PUBLIC_URL}/slack/oauth"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", asked["state"][0])
    assert url.startswith(store.api.url.removesuffix("/api/") + "/oauth/v2/authorize?")


async def test_the_state_is_bound_to_the_browser(store):
    """By a cookie that no script reads, that goes over https alone, and that no other host can set."""
    answer = await store.browser.get("/slack/install")
    cookie = answer.headers["set-cookie"]
    state = parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]

    assert cookie.startswith(f"{COOKIE}={state};")
    for word in ("HttpOnly", "Secure", "Path=/", f"Max-Age={STATE_SECONDS}", "SameSite=lax"):
        assert word in cookie
    assert "Domain" not in cookie
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize(
    "query", ["?team=T9", "?team=T9%0d%0aSet-Cookie:%20x=1", "?team=%26scope=admin", "?state=x"]
)
async def test_nothing_of_the_question_goes_to_slack(store, query):
    """The way there is ours alone."""
    answer = await store.browser.get(f"/slack/install{query}")

    assert answer.status_code == 302
    assert {"T9", "admin", "x=1"} & set(re.split(r"[=&%\s]", answer.headers["location"])) == set()


def states_of(name, state, cookie):
    """Return the query and cookie of a way back."""
    return {
        "other browser": (f"code=c&state={state}", ""),
        "another cookie": (f"code=c&state={state}", f"{COOKIE}={LONG}"),
        "made up": (f"code=c&state={LONG}", f"{COOKIE}={LONG}"),
        "deleted": ("code=c&state=deleted", f"{COOKIE}=deleted"),
        "missing": ("code=c", cookie),
        "empty": ("code=c&state=", cookie),
        "twice": (f"code=c&state={state}&state={state}", cookie),
        "two codes": (f"code=c&code=d&state={state}", cookie),
        "huge": (f"code=c&state={state * 30}", cookie),
        "odd": (f"code=c&state={state}%00", cookie),
        "nothing": ("", ""),
        "no code": (f"state={state}", cookie),
    }[name]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("other browser", 400),
        ("another cookie", 400),
        ("made up", 401),
        ("deleted", 400),
        ("missing", 400),
        ("empty", 400),
        ("twice", 400),
        ("two codes", 400),
        ("huge", 400),
        ("odd", 400),
        ("nothing", 400),
        ("no code", 401),
    ],
)
async def test_a_way_back_that_is_not_ours_leads_nowhere(store, slack, name, status):
    """Slack is not asked, nothing is kept, and the page says how to go on."""
    url, cookie = await store.begin()
    query, given = states_of(name, parse_qs(urlsplit(url).query)["state"][0], cookie)
    answer = await store.back(f"/slack/oauth?{query}", given)

    assert answer.status_code == status
    assert slack.count("oauth.v2.access") == 0
    assert await kept(store) == []
    assert f'href="{PUBLIC_URL}/slack/install"' in answer.text


async def test_a_state_works_once(store, slack):
    """The second time, and two at once, only one gets through."""
    url, cookie = await store.begin()
    back = slack.methods.allow(url, "T1", "UADMIN")
    both = await asyncio.gather(*(store.back(back, cookie) for _ in range(5)))
    again = await store.back(back, cookie)

    assert sorted(answer.status_code for answer in both) == [200, 401, 401, 401, 401]
    assert again.status_code == 401


@pytest.mark.parametrize(("seconds", "status"), [(STATE_SECONDS - 5, 200), (STATE_SECONDS + 1, 401)])
async def test_a_state_lives_ten_minutes(store, slack, seconds, status):
    """Whoever takes longer begins again."""
    url, cookie = await store.begin()
    store.app.clock.passed += seconds

    assert (await store.back(slack.methods.allow(url, "T1", "UADMIN"), cookie)).status_code == status


async def test_who_says_no_is_not_scolded(store, slack):
    """The page says that nothing was installed and how to begin again."""
    answer = await store.back("/slack/oauth?error=access_denied&state=x")

    assert (answer.status_code, "Nothing was installed" in answer.text) == (403, True)
    assert await kept(store) == []


@pytest.mark.parametrize(
    ("method", "what", "status"),
    [
        ("oauth.v2.access", "invalid_code", 401),
        ("oauth.v2.access", "bad_client_secret", 401),
        ("oauth.v2.access", "internal_error", 401),
        ("oauth.v2.access", 503, 401),
        ("oauth.v2.access", Fault.CLOSE, 502),
        ("oauth.v2.access", Fault.CUT, 502),
        ("oauth.v2.access", Fault.GARBAGE, 401),
        ("auth.test", "invalid_auth", 401),
        ("auth.test", Fault.CLOSE, 502),
    ],
)
async def test_an_exchange_that_fails_is_told(store, slack, method, what, status):
    """Nothing is kept, and the page says to begin again."""
    slack.fail(method, what)
    answer = await store.install("T1")

    assert answer.status_code == status
    assert "Start again" in answer.text
    assert await kept(store) == []
    assert store.app.shelf.rows == {}


@pytest.mark.parametrize(
    "odd",
    [
        {"team": None},
        {"team": {"id": "../T1"}},
        {"team": {"id": "U1"}},
        {"access_token": None},
        {"access_token": "xoxp-person"},
    ],
)
async def test_an_odd_answer_installs_nothing(store, slack, odd):
    """Without a workspace's id and a bot's token there is nothing to keep."""
    slack.world.tokens["xoxp-person"] = slack.world.tokens[token_of("T1")]
    told = {
        "ok": True,
        "app_id": "A1",
        "access_token": token_of("T1"),
        "team": {"id": "T1"},
        "scope": "commands",
    }
    slack.fail("oauth.v2.access", Answer(200, told | odd))

    assert (await store.install("T1")).status_code == 500
    assert await kept(store) == []


async def test_a_database_that_is_away_is_told(store, slack, monkeypatch):
    """At the begin and at the end."""

    async def away(*_, **__):
        raise StorageError("away", retry=True)

    url, cookie = await store.begin()
    monkeypatch.setattr(store.installs, "keep", away)
    late = await store.back(slack.methods.allow(url, "T1", "UADMIN"), cookie)
    monkeypatch.setattr(store.installs, "issue_state", away)
    early = await store.browser.get("/slack/install")

    assert [answer.status_code for answer in (late, early)] == [500, 503]
    assert all("Try again in a few minutes" in answer.text for answer in (late, early))


async def test_after_the_end_nobody_is_sent_to_slack(store):
    """An installation that nobody would hear of is not begun."""
    await store.app.slack.stop()

    assert (await store.browser.get("/slack/install")).status_code == 503


async def test_installing_again_replaces_the_tokens(store, slack):
    """The newest token speaks from then on, at once."""
    await store.install("T1")
    first = await store.app.slack._bots.token("T1")
    store.app.clock.passed += 1
    await store.install("T1")

    assert await store.app.slack._bots.token("T1") != first
    assert len(await kept(store)) == 1
    assert len(store.app.shelf.rows) == 2


async def test_nothing_secret_is_logged(store, slack, caplog, tmp_path):
    """Not the code, the state, the client's secret or a token, however much the libraries would tell."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("slack", "aiohttp", "keyherald")):
            logging.getLogger(name).setLevel(logging.DEBUG)
    url, cookie = await store.begin()
    back = slack.methods.allow(url, "T1", "UADMIN")
    await store.back(back, cookie)
    await store.install("T2")
    slack.fail("oauth.v2.access", "internal_error")
    await store.install("T2")

    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    told = "\n".join(lines) + repr(store.app.notes.lines)
    secrets = [parse_qs(urlsplit(back).query)[name][0] for name in ("code", "state")] + [
        MANY["client_secret"]
    ]
    for secret in [*secrets, *slack.world.tokens]:
        assert secret not in told
    assert leaks.in_files(tmp_path, secrets[1]) == []


async def test_its_clients_send_once(store):
    """Bolt's own for the exchange, ours for renewals; and the one bolt would renew with is gone."""
    flow = store.app.slack._receiver._installer.flow

    assert flow.client.retry_handlers == []
    assert flow.settings.authorize.token_rotator is None
    assert store.app.slack._bots._rotator.client.retry_handlers == []


async def test_the_address_for_events_stands_beside_the_two(store):
    """Three addresses, and no other."""
    assert [route.path for route in store.app.slack.routes()] == [
        urlsplit(EVENTS).path,
        "/slack/install",
        "/slack/oauth",
    ]
