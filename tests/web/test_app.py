"""The web app from outside: statuses, bytes and headers of every route, good input and bad."""

import json
import re

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from chatbot.domain.links import b64url
from chatbot.ports.desk import Accepted, BadSeal, Refused, ShownStep
from chatbot.text import LOCALES, Translator
from chatbot.web import Extra, WebOptions, page_sentences
from chatbot.web.headers import page_headers, script_hash
from chatbot.web.keypage import choose_locale, page_file, render
from chatbot.web.limits import FailureBudget
from tests.web.weblink import INFO, SUITE, TOKEN, FakeDesk, ListLog, all_well, build, echo

URL = "https://keys.example"
CALL = {"Origin": URL, "Content-Type": "application/json"}
HEADERS = page_headers(script_hash(page_file("key.js")))


def client(desk: FakeDesk | None = None, log: ListLog | None = None, **options) -> httpx.AsyncClient:
    """Return a client that speaks to the app without a socket."""
    app = build(desk or FakeDesk(), WebOptions(URL, **options), log)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL)


def submission(desk: FakeDesk, token: bytes = TOKEN) -> str:
    """Return a body as the page sends it."""
    sealed = SUITE.encrypt(b"\x00" * 512, desk.key.public_key(), INFO)
    return json.dumps({"token": b64url(token), "sealed": b64url(sealed)})


OPEN = json.dumps({"token": b64url(TOKEN)})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/key", "/key.js", "/key.css", "/healthz", "/readyz"])
async def test_every_page_wears_the_header_set(path, method):
    """Each header of the set is there once, word for word, and nothing is consumed."""
    desk = FakeDesk()
    async with client(desk) as web:
        answer = await web.request(method, path)

    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert (answer.content == b"") == (method == "HEAD")
    assert desk.opened == []


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/api/open", 405), ("/key/", 404)])
async def test_errors_wear_it_too(path, status):
    """A wrong path or method answers in JSON with the same headers and no redirect."""
    async with client() as web:
        answer = await web.get(path)

    assert answer.status_code == status
    assert "reason" in answer.json()
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


async def test_the_page_carries_the_hash_of_its_script():
    """Integrity attribute, policy and served bytes agree."""
    async with client() as web:
        page, script = await web.get("/key"), await web.get("/key.js")

    found = re.search(r'integrity="(sha384-[^"]+)"', page.text)
    assert found
    assert found[1] == script_hash(script.content)
    assert f"script-src '{found[1]}'" in page.headers["content-security-policy"]


async def test_open_tells_what_the_page_needs():
    """All fields of the contract are there, binary ones as base64url, and opening again changes nothing."""
    desk = FakeDesk(phrase="blue otter", steps=(ShownStep("Last", "Copy both."),))
    async with client(desk) as web:
        answers = [await web.post("/api/open", content=OPEN, headers=CALL) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    told = answers[2].json()
    assert told.keys() >= {"pk", "exchange", "label", "fields", "info", "seconds_left", "tries_left"}
    assert (told["phrase"], told["steps"]) == ("blue otter", [{"title": "Last", "text": "Copy both."}])
    assert told["info"] == b64url(INFO)
    assert told["fields"][1] == {
        "name": "api_secret", "title": "API secret", "secret": True, "multiline": False,
    }  # fmt: skip
    assert "clear-site-data" not in answers[0].headers


async def test_submit_tells_each_outcome():
    """A code, a reason with tries left, a bad seal, and a link that is gone."""
    desk = FakeDesk([Accepted("2055"), Refused("Wrong secret.", 2), BadSeal(), None])
    async with client(desk) as web:
        answers = [await web.post("/api/submit", content=submission(desk), headers=CALL) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 422, 400, 404]
    assert answers[0].json() == {"code": "2055"}
    assert answers[0].headers["clear-site-data"] == '"cache", "storage"'
    assert answers[1].json() == {"reason": "Wrong secret.", "tries_left": 2}
    assert all("clear-site-data" not in answer.headers for answer in answers[1:])


async def test_dead_links_can_not_be_told_apart():
    """Used and never minted give the same bytes and headers, at open and at submit."""
    desk = FakeDesk([None])
    async with client(desk) as web:
        used = await web.post("/api/submit", content=submission(desk), headers=CALL)
        never = await web.post("/api/submit", content=submission(desk, bytes(32)), headers=CALL)
        unknown = await web.post("/api/open", content=json.dumps({"token": b64url(bytes(32))}), headers=CALL)

    assert used.status_code == 404
    assert len({(answer.content, str(answer.headers)) for answer in (used, never, unknown)}) == 1


BAD_CALLS: dict[str, tuple[int, dict[str, str], str | bytes]] = {
    "form": (415, {"Content-Type": "application/x-www-form-urlencoded"}, OPEN),
    "plain text": (415, {"Content-Type": "text/plain"}, OPEN),
    "no type": (415, {"Content-Type": ""}, OPEN),
    "other origin": (403, {"Origin": "https://evil.example"}, OPEN),
    "null origin": (403, {"Origin": "null"}, OPEN),
    "no origin": (403, {"Origin": ""}, OPEN),
    "cross-site": (403, {"Sec-Fetch-Site": "cross-site"}, OPEN),
    "same-site": (403, {"Sec-Fetch-Site": "same-site"}, OPEN),
    "big": (413, {}, json.dumps({"token": "A" * 9000})),
    "deep": (400, {}, "[" * 8000),
    "half": (400, {}, '{"token": "AA'),
    "list": (400, {}, "[]"),
    "bytes": (400, {}, "\ud800".encode("utf-8", "surrogatepass")),
    "number": (400, {}, '{"token": 5}'),
    "empty": (400, {}, '{"token": ""}'),
    "long": (400, {}, json.dumps({"token": "A" * 65})),
    "foreign": (400, {}, json.dumps({"token": "ñ" * 43})),
    "host": (400, {"Host": "evil.example"}, OPEN),
    "header": (431, {"X-Long": "a" * 70_000}, OPEN),
}


@pytest.mark.parametrize("case", BAD_CALLS)
async def test_what_our_page_would_not_send_is_refused(case):
    """Each kind of bad call has its status, one reason in JSON, and never reaches the desk."""
    status, headers, body = BAD_CALLS[case]
    desk = FakeDesk()
    async with client(desk) as web:
        answer = await web.post("/api/open", content=body, headers=CALL | headers)

    assert answer.status_code == status
    assert set(answer.json()) == {"reason"}
    assert answer.headers["cache-control"] == "no-store"
    assert desk.opened == []


@pytest.mark.parametrize("sealed", ["", "a b", "A", 7, None, "=", "Ã"])
async def test_a_seal_that_is_no_base64url_is_refused(sealed):
    """Malformed ciphertext gives 400 and costs no try."""
    desk = FakeDesk()
    async with client(desk) as web:
        answer = await web.post(
            "/api/submit", content=json.dumps({"token": b64url(TOKEN), "sealed": sealed}), headers=CALL
        )

    assert answer.status_code == 400
    assert len(desk.answers) == 1


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [
        ("", "en"),
        ("es-MX,es;q=0.9", "es"),
        ("fr, pt-BR;q=0.5, en;q=0.4", "pt"),
        ("fr", "en"),
        ("en;q=0,es", "es"),
        (";;,=", "en"),
        ("*", "en"),
    ],
)
def test_the_browsers_language_chooses_the_page(wanted, spoken):
    """The best language we speak wins; English stands in for the rest."""
    assert choose_locale(wanted, ("en", "es", "pt")) == spoken


async def test_the_language_in_the_address_wins():
    """`?lang=` names one of ours; anything else falls back to the browser's wish."""
    async with client() as web:
        pages = [
            (await web.get(f"/key?lang={lang}", headers={"Accept-Language": "es"})).text
            for lang in ("pt", "xx", "")
        ]

    assert [re.findall(r'<html lang="(\w+)"', page)[0] for page in pages] == ["pt", "es", "es"]


def test_every_sentence_comes_from_the_catalogue():
    """What `page_sentences` lists is exactly what is translated, and a translation can't break the page."""
    asked: list[str] = []

    def say(locale: str, msgid: str) -> str:
        asked.append(msgid)
        return '"><script>'

    page = render("es", say).decode()
    assert set(asked) < set(page_sentences())
    assert page.count("<script") == 1
    assert "{{" not in page
    assert "Connect {exchange}" in asked


def test_the_page_is_small():
    """Page, style and script as served are 10 kB at most, in every language, before any compression."""
    for locale in LOCALES:
        page = render(locale, lambda locale, msgid: Translator(locale).say(msgid))
        assert len(page) + len(page_file("key.css")) + len(page_file("key.js")) <= 10_000, locale


async def test_readiness_names_what_is_wrong():
    """One failed check makes the answer 503."""

    async def ready():
        return {"database": False, "queue": True}

    from chatbot.web import create_app

    transport = httpx.ASGITransport(create_app(FakeDesk(), echo, ready, ListLog(), WebOptions(URL)))
    async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.7:8080") as web:
        answer = await web.get("/readyz")

    assert (answer.status_code, answer.json()) == (503, {"database": False, "queue": True})
    assert all((await all_well()).values())


async def test_metrics_are_there_when_given():
    """Without a source there is no such page."""
    async with client(metrics=lambda: b"up 1\n") as web, client() as bare:
        assert (await web.get("/metrics")).text == "up 1\n"
        assert (await bare.get("/metrics")).status_code == 404


async def test_a_mounted_part_wears_its_own_policy_and_lets_in_its_own_host():
    """An extra overrides by name, keeps the rest, and other routes keep ours."""

    async def hello(_):
        return PlainTextResponse("hello", headers={"Referrer-Policy": "same-origin"})

    extra = Extra(
        routes=(Route("/chat", hello), Mount("/practice", routes=[Route("/x", hello)])),
        headers={"Content-Security-Policy": "default-src 'self'"},
        hosts=("127.0.0.1:8080",),
    )
    async with client(extras=[extra]) as web:
        for path in ("/chat", "/practice/x"):
            answer = await web.get(path, headers={"Host": "127.0.0.1:8080"})
            assert answer.headers["content-security-policy"] == "default-src 'self'"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
        assert (await web.get("/key")).headers["content-security-policy"] == HEADERS[
            "Content-Security-Policy"
        ]


async def test_a_bug_becomes_a_plain_answer_and_one_log_line():
    """No traceback and no word of what was typed reaches the caller or the log's fields."""

    class Broken(FakeDesk):
        async def open(self, token, locale):
            raise RuntimeError(token)

    log = ListLog()
    async with client(Broken(), log) as web:
        answer = await web.post("/api/open", content=OPEN, headers=CALL)

    assert answer.status_code == 500
    assert set(answer.json()) == {"reason"}
    assert answer.headers["x-frame-options"] == "DENY"
    assert log.lines[0][0] == "web.failed"
    assert b64url(TOKEN) not in str(log.lines)


async def test_guessing_is_slowed_and_others_are_not():
    """An address that keeps failing gets 429; another one, told by our proxy, is served."""
    budget = FailureBudget(each=5, total=8)
    guess = json.dumps({"token": b64url(bytes(32))})
    async with client(budget=budget, trusted_proxies=["127.0.0.0/8"]) as web:
        statuses = [
            (
                await web.post("/api/open", content=guess, headers=CALL | {"X-Forwarded-For": "6.6.6.6"})
            ).status_code
            for _ in range(8)
        ]
        honest = await web.post(
            "/api/open", content=OPEN, headers=CALL | {"X-Forwarded-For": "6.6.6.6, 7.7.7.7"}
        )

    assert statuses == [404] * 5 + [429] * 3
    assert honest.status_code == 200
