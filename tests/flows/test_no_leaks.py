"""A canary secret is looked for in log, chat, database file and its log after everything that can fail."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from chatbot.errors import SendError, StorageError, VaultError, Verdict
from tests.support import leaks
from tests.support.bot import ADMIN, Bot, link_of
from tests.support.connected import connect
from tests.support.page import submit
from tests.support.practice import Running

FAILURES: dict[str, Callable[[Bot, Running], Awaitable[None]]] = {}
Failure = Callable[[Bot, Running], Awaitable[None]]


def failure(function: Failure) -> Failure:
    """Add a way to fail, named by its function."""
    FAILURES[function.__name__] = function
    return function


@failure
async def a_good_connection(bot: Bot, bitso) -> None:
    await connect(bot, bitso)
    for name in ("accounts", "balances", "fills", "keys", "status", "privacy", "test"):
        await bot.type(f"/{name}")
    await bot.turn(seconds=121)


@failure
async def every_documented_refusal(bot: Bot, bitso) -> None:
    url = await link_of(bot)
    for code in ("0801", "1000", "0101", "0206", "0201", "0213", "0326"):
        bitso.state.fail("balance", code, times=2)
        await submit(bot.desk, url, bitso.state.key, bitso.state.secret)


@failure
async def answers_that_make_no_sense(bot: Bot, bitso) -> None:
    url = await link_of(bot)
    for kind in ("html", "half", "types", "close", "redirect", "nan"):
        bitso.state.fail("", kind, times=1)
        await submit(bot.desk, url, bitso.state.key, bitso.state.secret)


@failure
async def a_refused_key_that_dies(bot: Bot, bitso) -> None:
    await connect(bot, bitso)
    bitso.state.fail("", "0215", times=1000)
    for _ in range(3):
        await bot.turn(seconds=660)


@failure
async def nobody_confirms(bot: Bot, bitso) -> None:
    await submit(bot.desk, await link_of(bot), bitso.state.key, bitso.state.secret)
    await bot.turn(seconds=601)


@failure
async def not_me(bot: Bot, bitso) -> None:
    await submit(bot.desk, await link_of(bot), bitso.state.key, bitso.state.secret)
    await bot.turn()
    await bot.press("Not me")


@failure
async def revoked(bot: Bot, bitso) -> None:
    await connect(bot, bitso)
    await bot.type("/revoke", as_=ADMIN)
    await bot.press("Bitso", as_=ADMIN)
    await bot.press("Yes, do it", as_=ADMIN)


@failure
async def a_bug_while_proving(bot: Bot, bitso) -> None:
    url = await link_of(bot)

    def broken(credentials, nonce):
        raise ZeroDivisionError(repr(credentials))

    bot.ctx.exchanges["bitso"].client = broken  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError) as raised:
        await submit(bot.desk, url, bitso.state.key, bitso.state.secret)
    assert not leaks.in_text(str(raised.value), bitso.state.secret)


@failure
async def a_vault_that_cannot_seal(bot: Bot, bitso) -> None:
    url = await link_of(bot)

    def broken(*_):
        raise VaultError("no master key")

    bot.ctx.vault.seal = broken  # type: ignore[method-assign]
    with pytest.raises(VaultError) as raised:
        await submit(bot.desk, url, bitso.state.key, bitso.state.secret)
    assert not leaks.in_text(repr(raised.value), bitso.state.secret)


@failure
async def a_database_that_goes_away(bot: Bot, bitso) -> None:
    url = await link_of(bot)
    from storage.accounts import Credentials

    kept = Credentials.add

    async def broken(*_):
        raise StorageError("disk full", retry=True)

    Credentials.add = broken  # type: ignore[method-assign]
    try:
        with pytest.raises(StorageError) as raised:
            await submit(bot.desk, url, bitso.state.key, bitso.state.secret)
    finally:
        Credentials.add = kept  # type: ignore[method-assign]
    assert not leaks.in_text(repr(raised.value), bitso.state.secret)


@failure
async def a_bad_seal(bot: Bot, bitso) -> None:
    from tests.support.page import seal, token_of

    url = await link_of(bot)
    token, _ = token_of(url)
    opened = await bot.desk.open(token, "en")
    assert opened is not None
    for sealed in (seal(opened, bitso.state.secret), seal(opened, bitso.state.key, bitso.state.secret)[:-1]):
        await bot.desk.submit(token, sealed, "en")


@failure
async def a_chat_that_refuses(bot: Bot, bitso) -> None:
    await connect(bot, bitso)
    bitso.state.trade("buy", "btc_mxn", "0.01")
    bot.chat.refuse += [SendError(Verdict.UNKNOWN, "lost"), SendError(Verdict.REFUSED, "bad")]
    for _ in range(3):
        await bot.turn(seconds=31)


@failure
async def a_bug_in_a_poll(bot: Bot, bitso) -> None:
    await connect(bot, bitso)

    def broken(credentials, nonce):
        raise ZeroDivisionError(repr(credentials))

    bot.ctx.exchanges["bitso"].client = broken  # type: ignore[method-assign]
    await bot.turn(seconds=31)
    assert any(action == "work_failed" for _, action, _ in bot.log.lines)


@pytest.mark.parametrize("name", FAILURES)
async def test_no_secret_is_left_anywhere(bot: Bot, bitso, tmp_path: Path, name: str) -> None:
    """Neither key nor secret in log, chat, database, write-ahead log, or the text of an error."""
    await FAILURES[name](bot, bitso)
    assert leaks.found(bot, tmp_path, bitso.state.key, bitso.state.secret) == []


async def test_the_search_finds_what_is_there(bot: Bot, tmp_path: Path) -> None:
    """A search that finds nothing anywhere would prove nothing."""
    canary = "0123456789abcdef0123456789abcdef"
    for form in leaks.forms(canary):
        (tmp_path / "left.bin").write_bytes(b"...." + form + b"....")
        assert leaks.found(bot, tmp_path, canary) == ["left.bin"]
    (tmp_path / "left.bin").unlink()
    bot.log.info("seen", secret=canary)
    assert leaks.found(bot, tmp_path, canary) == ["log"]
