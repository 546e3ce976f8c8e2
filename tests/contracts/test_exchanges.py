"""What every exchange promises, asked of all that are discovered, each against its practice server.

An exchange that is added is held to this suite without a line of its own here.
"""

import importlib
import inspect
import logging
import subprocess
import sys

import pytest

from chatbot import practice as practices
from chatbot.domain.permissions import Outcome, Permission, Policy, Source, Switch, decide
from chatbot.errors import ExchangeError, ForbiddenCall, Trouble
from chatbot.exchanges import build, discover
from chatbot.ports.exchanges import Exchange, ExchangeClient
from tests.support.practice import MachineClock, connected

pytestmark = pytest.mark.parametrize("name", discover())

POLICY = Policy(frozenset({Permission.WITHDRAW, Permission.TRANSFER}), frozenset({Permission.TRADE}))


OUTAGES = [
    "html",
    "html-503",
    "empty",
    "half",
    "list",
    "types",
    "no-rows",
    "nan",
    "deep",
    "huge",
    "bomb",
    "redirect",
    "close",
]


def errors(name):
    return importlib.import_module(f"chatbot.exchanges.{name}").ERRORS


def code_of(name, trouble):
    return next(code for code, refusal in errors(name).items() if refusal.trouble is trouble)


async def test_has_a_practice_twin_and_describes_itself(name):
    """Nothing but its own file says what the form, the guide and the help show about an exchange."""
    exchange = build({}, MachineClock())[name]
    members = [m for m in dir(Exchange) if not m.startswith("_")] + list(Exchange.__annotations__)

    assert name in practices.discover()
    assert [m for m in members if not hasattr(exchange, m)] == []
    assert exchange.name == name
    assert {field.name for field in exchange.fields} >= {"api_key", "api_secret"}
    assert set(exchange.tick) | set(exchange.tick_to_trade) <= exchange.labels.keys()
    assert exchange.key_page.startswith("https://")
    assert exchange.poll_seconds >= 1
    assert exchange.history_seconds > 0
    await exchange.close()


def test_is_discovered_without_being_imported(name):
    """Listing the exchanges loads no HTTP library, so that usage errors and help stay quick."""
    code = "import sys, chatbot.exchanges as e; print(e.discover()); sys.exit('aiohttp' in sys.modules or 'msgspec' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, name in done.stdout) == (0, True)


async def test_proves_a_good_key(name):
    """Balances are read, view rights are seen, and what can't be known stays unknown."""
    async with connected(name, history=3) as (exchange, running):
        proof = await exchange.client(running.credentials(), 0).prove()

        assert proof.balances
        assert proof.head is not None
        assert proof.report.is_on(Permission.BALANCES)
        assert proof.report.is_on(Permission.FILLS)
        for permission in exchange.unreported:
            finding = proof.report.get(permission)
            assert (finding.switch, finding.source) == (Switch.UNKNOWN, Source.NOT_REPORTED)
        assert decide(proof.report, POLICY).outcome is Outcome.ACCEPT


@pytest.mark.parametrize("permissions", [set(), {"account"}, {"fills", "account"}, {"trade", "withdraw"}])
async def test_without_balances_there_is_no_proof(name, permissions):
    """A key that may not read balances is refused by the name of what is missing."""
    async with connected(name) as (exchange, running):
        keys = running.state.new_key(permissions)

        with pytest.raises(ExchangeError) as raised:
            await exchange.client(running.credentials(*keys), 0).prove()

        assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "balances")


async def test_missing_account_information_is_only_noted(name):
    """The account's own data is not needed: the key is proven without it."""
    async with connected(name) as (exchange, running):
        keys = running.state.new_key({"balances", "fills"})

        proof = await exchange.client(running.credentials(*keys), 0).prove()

        assert proof.head is not None
        assert decide(proof.report, POLICY).outcome is Outcome.ACCEPT


async def test_wrong_key_and_wrong_secret(name):
    """A wrong key or secret is told as such and never tried again by itself."""
    async with connected(name) as (exchange, running):
        for keys in (("aBcDeFgHiJ", ""), ("", "0" * 32)):
            with pytest.raises(ExchangeError) as raised:
                await exchange.client(running.credentials(*keys), 0).prove()
            assert raised.value.trouble in {Trouble.BAD_KEY, Trouble.BAD_SECRET}
            assert not raised.value.retry
        assert len(running.state.requests) == 2


async def test_every_documented_error_has_a_meaning(name):
    """Each code the practice exchange can answer becomes one trouble, with its wait and its retry."""
    ours = errors(name)
    theirs = importlib.import_module(f"chatbot.practice.{name}").ERRORS
    assert ours.keys() == theirs.keys()
    async with connected(name) as (exchange, running):
        for code, refusal in ours.items():
            client = exchange.client(running.credentials(), 0)
            retried = refusal.trouble is Trouble.CLOCK_OR_NONCE
            running.state.fail("", code, times=2 if retried else 1)
            with pytest.raises(ExchangeError) as raised:
                await client.balances()
            error = raised.value
            assert (error.trouble, error.wait) == (refusal.trouble, refusal.wait), code
            assert error.retry is (
                refusal.trouble in {Trouble.CLOCK_OR_NONCE, Trouble.RATE_LIMIT, Trouble.MAINTENANCE}
            )
            assert error.trouble is not Trouble.RATE_LIMIT or error.wait >= 60


@pytest.mark.parametrize("kind", OUTAGES)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_bad_answer_is_an_outage_and_then_over(name, kind):
    """Nonsense from the exchange is an outage to be retried; the next good answer is read as if nothing was."""
    async with connected(name) as (exchange, running):
        client = exchange.client(running.credentials(), 0)
        running.state.fail("", kind)

        with pytest.raises(ExchangeError) as raised:
            await client.balances()

        assert raised.value.trouble in {Trouble.UNREACHABLE, Trouble.MAINTENANCE}
        assert raised.value.retry
        assert await client.balances()


async def test_a_nonce_burnt_elsewhere_costs_one_more_request(name):
    """When the exchange has seen a higher nonce by our clock's fault, one fresh try is made and no more."""
    async with connected(name) as (exchange, running):
        client = exchange.client(running.credentials(), 0)
        await client.balances()
        usual = len(running.state.requests)
        running.state.fail("", code_of(name, Trouble.CLOCK_OR_NONCE))

        assert await client.balances()
        assert len(running.state.requests) == 2 * usual + 1
        assert (
            exchange.client(running.credentials(), client.last_nonce + 10**9).last_nonce > client.last_nonce
        )


async def test_no_secret_in_errors_logs_or_looks(name, caplog, capsys):
    """Whatever goes wrong, neither key nor secret is in a message, a log line, a chain of errors or a repr."""
    caplog.set_level(logging.DEBUG)
    async with connected(name) as (exchange, running):
        key, secret = running.state.key, running.state.secret
        client = exchange.client(running.credentials(), 0)
        seen = [repr(client), repr(vars(client)), repr(exchange), repr(vars(exchange))]
        for kind in (
            code_of(name, Trouble.BAD_KEY),
            code_of(name, Trouble.IP_BLOCKED),
            "html",
            "half",
            "redirect",
            "types",
        ):
            running.state.fail("", kind)
            with pytest.raises(ExchangeError) as raised:
                await client.prove()
            seen += [
                repr(raised.value),
                str(raised.value),
                raised.value.reason,
                repr(raised.value.__context__),
            ]
        records = [r.getMessage() for r in caplog.records if not r.name.startswith("uvicorn")]

    text = "\n".join([*seen, *records, *capsys.readouterr()])
    assert key not in text
    assert secret not in text


async def test_only_allowed_calls_ever_leave(name):
    """In a whole life of a key nothing outside the allow-list reaches the exchange, and nothing can be made to."""
    async with connected(name, history=120) as (exchange, running):
        client = exchange.client(running.credentials(), 0)
        await client.prove()
        await client.fills_after("")
        await exchange.prices()
        assert abs(await exchange.reachable()) <= 1
        before = len(running.state.requests)

        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for _, path in exchange.allow:
                if (method, path) not in exchange.allow:
                    with pytest.raises(ForbiddenCall):
                        await getattr(exchange, "_http").request(method, path)  # noqa: B009  a look inside

        assert set(running.state.requests) <= exchange.allow
        assert len(running.state.requests) == before


def test_keeps_to_the_ports(name):
    """The client has the methods of the port, with the port's parameters."""
    module = importlib.import_module(f"chatbot.exchanges.{name}")
    client = inspect.get_annotations(module.EXCHANGE.client)["return"]
    for method in ("prove", "balances", "fills_after", "fills_before"):
        assert (
            inspect.signature(getattr(client, method)).parameters.keys()
            == inspect.signature(getattr(ExchangeClient, method)).parameters.keys()
        )
