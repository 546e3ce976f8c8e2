"""Updates that Telegram pushes: only with the secret, only once stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from chatbot.errors import ConfigError
from chatbot.platforms.telegram import Telegram
from tests.support.telegrams import ANA, WEBHOOK_URL, Notes, QuickClock, rig

SECRET = "s3cret-s3cret_s3cret-s3cret_s3cret"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


@asynccontextmanager
async def pushed(api):
    """A bot in webhook mode, and a client that posts to its endpoint."""
    async with rig(api, webhook_secret=SECRET) as bot:
        transport = httpx.ASGITransport(Starlette(routes=bot.telegram.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            yield bot, client


@asynccontextmanager
async def serving(bot) -> AsyncIterator[str]:
    """The endpoint on a real socket."""
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=bot.telegram.routes()), port=0, log_level="warning")
    )
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn tells it by this flag alone
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def test_the_webhook_is_set_at_start(api):
    """Telegram is told our address, our secret and what we read, and drops nothing that waits."""
    async with pushed(api) as (bot, _):
        await bot.start()
        await asyncio.wait({bot.telegram._receiving})

        assert api.webhook == {
            "url": WEBHOOK_URL,
            "secret_token": SECRET,
            "allowed_updates": ["message", "callback_query", "my_chat_member"],
            "drop_pending_updates": False,
        }
        assert bot.telegram.state == "receiving"
        assert api.count("getUpdates") == 0


@pytest.mark.parametrize("secret", [None, "", SECRET[:-1], SECRET + "x", SECRET.upper(), "ä" * 32])
async def test_a_forged_update_is_refused_and_not_stored(api, secret):
    """Without the exact secret it is 401, whatever the body."""
    headers = {} if secret is None else {HEADER: secret.encode()}
    async with pushed(api) as (bot, client):
        await bot.start()
        answer = await client.post("/telegram/webhook", json={"update_id": 1}, headers=headers)

        assert answer.status_code == 401
        assert bot.shelf.puts == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"update_id": 1, "message": {}}', 200),
        (b'{"update_id": 1, "odd": [null]}', 200),
        (b'{"update_id": "1"}', 400),
        (b"[]", 400),
        (b"half a {", 400),
        (b"", 400),
        (b" " * (1024 * 1024 + 1), 413),
    ],
)
async def test_what_is_pushed(api, body, status):
    """An update is stored whatever it holds; what is no update, or too big, is not."""
    async with pushed(api) as (bot, client):
        await bot.start()
        answer = await client.post("/telegram/webhook", content=body, headers={HEADER: SECRET})

        assert answer.status_code == status
        assert list(bot.shelf.rows) == (["1"] if status == 200 else [])


async def test_not_stored_is_not_taken(api):
    """With the database away, or before the start, Telegram is asked to come again."""
    async with pushed(api) as (bot, client):
        early = await client.post("/telegram/webhook", json={"update_id": 1}, headers={HEADER: SECRET})
        await bot.start()
        bot.shelf.away = 1
        away = await client.post("/telegram/webhook", json={"update_id": 1}, headers={HEADER: SECRET})
        again = await client.post("/telegram/webhook", json={"update_id": 1}, headers={HEADER: SECRET})

        assert [answer.status_code for answer in (early, away, again)] == [503, 503, 200]


async def test_only_post_is_answered(api):
    """A look with a browser shows nothing."""
    async with pushed(api) as (_, client):
        assert (await client.get("/telegram/webhook")).status_code == 405


async def test_pushed_updates_arrive_over_a_real_socket(api):
    """What people write is pushed, stored, and pushed again until it was."""
    async with rig(api, webhook_secret=SECRET, public_url="") as bot, serving(bot) as url:
        bot.telegram._webhook_url = url + "/telegram/webhook"
        bot.shelf.away = 1
        await bot.start()
        await api.say(ANA, "/start")
        [row] = await bot.until_stored(1)
        await api.until(lambda: len(api.pushed) == 2)

    assert row["message"]["text"] == "/start"
    assert api.pushed == [503, 200]


def test_polling_needs_no_route(api):
    """Without a secret there is no endpoint to forge updates at."""
    telegram = Telegram(token=api.token, public_url="https://x.example", clock=QuickClock(), log=Notes())

    assert telegram.routes() == ()


@pytest.mark.parametrize("secret", ["", "short", "x" * 31, "x" * 257, "with space" * 4, "é" * 40])
def test_a_weak_secret_is_refused(secret):
    """An empty, short or odd secret stops the start in one sentence that does not repeat it."""
    with pytest.raises(ConfigError) as raised:
        Telegram(
            token="1:x",
            public_url="https://x.example",
            clock=QuickClock(),
            log=Notes(),
            webhook_secret=secret,
        )

    assert "TELEGRAM_WEBHOOK_SECRET" in str(raised.value)
    assert not secret or secret not in str(raised.value)
