"""The doctor: each part is told apart, each problem says what to do, and no secret is shown."""

import asyncio
from types import SimpleNamespace

import httpx
import pytest

from chatbot import doctor
from chatbot.doctor import Parts, Shipped, State, examine, healthy, report
from chatbot.errors import ConfigError, ExchangeError, SendError, StorageError, Trouble, VaultError, Verdict
from chatbot.text import LOCALES, Translator

URL = "https://bot.example.com/keys"
HEADERS = {"X-Frame-Options": "DENY", "Cache-Control": "no-store"}
PAGE = "<title>Keyherald</title>"


async def fine(*_):
    """Something that works."""


def raises(error):
    """Return something that fails."""

    async def fail(*_):
        raise error

    return fail


def database(check=fine, revision="1", head="1"):
    return SimpleNamespace(check=check, revision=_returns(revision), head=lambda: head)


def exchange(reachable, most=5):
    return SimpleNamespace(name="bitso", title="Bitso", reachable=reachable, max_addresses=most)


def _returns(value):
    async def answer():
        return value

    return answer


def web(status=200, page=PAGE, headers=HEADERS, error=None):
    """Return a client whose server answers in one way, and only at our address."""

    def answer(request):
        assert str(request.url) == f"{URL}/key"
        if error:
            raise error
        return httpx.Response(status, text=page, headers=headers)

    return lambda: httpx.AsyncClient(transport=httpx.MockTransport(answer))


def parts(**changed):
    """Return a healthy installation with some parts changed."""
    healthy_ones = {
        "settings": {"PORT": True, "MASTER_KEY": True, "ADMINS": False},
        "database": database(),
        "open_vault": fine,
        "public_url": URL,
        "shipped": [Shipped("/key", HEADERS, [PAGE.encode()])],
        "platforms": {"telegram": SimpleNamespace(check=_returns("@our_bot"))},
        "exchanges": {"bitso": exchange(_returns(1))},
        "egress": ("203.0.113.7",),
        "own_address": lambda: "203.0.113.7",
        "http": web(),
    }
    return Parts(**{**healthy_ones, **changed})


async def problems(**changed):
    """Return the problems found as (name, detail, todo)."""
    results = await examine(parts(**changed), Translator())
    return [(r.name, r.detail, r.todo) for r in results if r.state is State.PROBLEM]


async def test_a_healthy_installation_has_no_problem():
    """Every part has its line, and all is well."""
    results = await examine(parts(), Translator())

    assert healthy(results)
    assert report(results, Translator()) == [
        "note     Settings that are set: PORT, MASTER_KEY",
        "note     Settings that have their default: ADMINS",
        "note     Proxies: TRUSTED_PROXIES is not set, so all who come through a proxy count as one address. Set it to your proxy's address.",
        "ok       Database: it answers and is up to date.",
        "ok       Master key: it opens what is stored.",
        "ok       Link page: https://bot.example.com/keys/key answers with our headers and our script.",
        "ok       Telegram: connected as @our_bot.",
        "ok       Bitso: it answers, and the clocks agree.",
        "ok       Our address: 203.0.113.7 is in EGRESS_IPS.",
    ]


@pytest.mark.parametrize("changed", [{"public_url": "http://localhost:1"}, {"proxies": ("10.0.0.1",)}])
async def test_proxies_are_only_mentioned_where_one_must_be(changed):
    """On this machine alone, or with the proxy named, there is nothing to say."""
    closed = httpx.MockTransport(lambda _: httpx.Response(502))
    found = await examine(parts(**changed, http=lambda: httpx.AsyncClient(transport=closed)), Translator())

    assert "Proxies" not in [result.name for result in found]


@pytest.mark.parametrize(("mode", "notes"), [(0o644, 1), (0o640, 1), (0o600, 0)])
async def test_settings_that_others_can_read_are_noted(tmp_path, mode, notes):
    """Tokens stand in that file."""
    file = tmp_path / ".env"
    file.write_text("X=1")
    file.chmod(mode)

    found = [r for r in await examine(parts(env_file=file), Translator()) if r.name == "Settings file"]

    assert [f"chmod 600 {file}" in result.todo for result in found] == [True] * notes


@pytest.mark.parametrize(
    ("changed", "name", "detail", "todo"),
    [
        ({"database": database(raises(StorageError("no route", retry=True)))}, "Database", "no route", "DATABASE_URL"),
        ({"database": database(raises(ConfigError("It is damaged.")))}, "Database", "damaged", "DATABASE_URL"),
        ({"database": database(revision="")}, "Database", "tables", "keyherald migrate"),
        ({"open_vault": raises(ConfigError("Not this key."))}, "Master key", "Not this key.", "Put the key back"),
        ({"open_vault": raises(VaultError("Changed."))}, "Master key", "Changed.", "Put the key back"),
        ({"http": web(error=httpx.ConnectError("x"))}, "Link page", "ConnectError", "PUBLIC_URL"),
        ({"http": web(status=502)}, "Link page", "status 502", "proxy"),
        ({"http": web(status=301)}, "Link page", "status 301", "proxy"),
        ({"http": web(page="<h1>nginx</h1>")}, "Link page", "not our page", "Restart"),
        ({"http": web(headers={"Cache-Control": "no-store"})}, "Link page", "(missing: X-Frame-Options)", "pass the headers"),
        ({"http": web(headers={**HEADERS, "Cache-Control": "x"})}, "Link page", "(changed: Cache-Control)", "pass the headers"),
        (
            {"platforms": {"telegram": SimpleNamespace(check=raises(SendError(Verdict.UNAUTHORISED, "401")))}},
            "Telegram", "401", "token",
        ),
        (
            {"platforms": {"telegram": SimpleNamespace(check=raises(SendError(Verdict.UNSENT, "refused")))}},
            "Telegram", "can't be reached (refused)", "open connections",
        ),
        (
            {"exchanges": {"bitso": exchange(raises(ExchangeError(Trouble.UNREACHABLE, "no route")))}},
            "Bitso", "no route", "open connections",
        ),
        ({"exchanges": {"bitso": exchange(_returns(-90.4))}}, "Bitso", "90 seconds", "time synchronisation"),
        ({"own_address": lambda: "198.51.100.1"}, "Our address", "198.51.100.1 is not", "Add it"),
        (
            {"exchanges": {"bitso": exchange(_returns(0), most=1)}, "egress": ("203.0.113.7", "203.0.113.8")},
            "Our address", "Bitso takes 1", "fewer",
        ),
    ],
)  # fmt: skip
async def test_each_problem_says_what_to_do(changed, name, detail, todo):
    """One thing wrong is one problem, named, with a way out; the other checks go on."""
    [(found, said, advice)] = await problems(**changed)

    assert found == name
    assert detail in said
    assert todo in advice


async def test_an_exchange_that_never_answers_ends(monkeypatch):
    """A check that hangs is a problem, not a hanging doctor."""
    monkeypatch.setattr(doctor, "WAIT_SECONDS", 0.01)
    [(_, detail, _)] = await problems(exchanges={"bitso": exchange(asyncio.Event().wait)})

    assert "no answer" in detail


@pytest.mark.parametrize(("mode", "found"), [(0o600, []), (0o400, []), (0o640, ["0640"]), (0o604, ["0604"])])
async def test_a_master_key_file_that_others_can_read_is_a_problem(tmp_path, mode, found):
    """The file's mode is told, with the command that mends it."""
    file = tmp_path / "master.key"
    file.write_text("k1:secret")
    file.chmod(mode)
    told = await problems(key_file=file)

    assert [detail for _, detail, _ in told if not any(part in detail for part in found)] == []
    assert len(told) == len(found)
    assert all(f"chmod 600 {file}" in todo for _, _, todo in told)


async def test_a_lost_master_key_file_is_a_problem(tmp_path):
    """A file that is not there is told with its path."""
    [(name, detail, _)] = await problems(key_file=tmp_path / "gone")

    assert name == "Master key file"
    assert str(tmp_path / "gone") in detail


async def test_what_cannot_be_known_is_a_note():
    """Behind a router, without EGRESS_IPS, or without a database some things stay open, and that is no problem."""
    hidden = await examine(parts(own_address=lambda: None), Translator())
    unset = await examine(parts(egress=()), Translator())
    away = raises(StorageError("away", retry=True))
    alone = await examine(parts(open_vault=away), Translator())

    assert (hidden[-1].state, unset[-1].state) == (State.NOTE, State.NOTE)
    assert "203.0.113.7" in unset[-1].detail
    assert next(r.state for r in alone if r.name == "Master key") is State.NOTE


@pytest.mark.parametrize("own", ["203.0.113.7", "10.0.0.5", "127.0.0.1", "8.8.4.4"])
def test_only_a_public_address_of_this_machine_is_known(monkeypatch, own):
    """A private address says nothing about how others see us."""
    socket = SimpleNamespace(connect=lambda _: None, getsockname=lambda: (own, 1), close=lambda: None)
    monkeypatch.setattr("socket.socket", lambda *_: socket)

    assert doctor.address_from_here() == (own if own == "8.8.4.4" else None)


def test_a_machine_without_a_network_has_no_address(monkeypatch):
    """No route is no traceback."""

    def fail(_):
        raise OSError

    monkeypatch.setattr("socket.socket", lambda *_: SimpleNamespace(connect=fail, close=lambda: None))

    assert doctor.address_from_here() is None


@pytest.mark.parametrize("locale", LOCALES)
async def test_the_report_speaks_the_operators_language(locale):
    """Every line can be said in every language."""
    t = Translator(locale)
    broken = parts(database=database(revision=""), http=web(status=500), egress=())

    assert all(report(await examine(broken, t), t))


def test_the_real_client_follows_nothing():
    """The page is asked for as it is, without proxies of the machine and without redirects."""
    client = Parts({}, database(), fine, URL, []).http()

    assert not client.follow_redirects
    assert not client.trust_env
