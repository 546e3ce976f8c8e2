"""What each failure on a real wire proves about a message, and that no failure spells a secret."""

import inspect
import logging
import traceback

import aiohttp
import pytest
import telegram.error
from telegram.error import TelegramError
from telegram.warnings import PTBDeprecationWarning

from chatbot.errors import SendError, Verdict
from chatbot.platforms.telegram.transport import Foreign, Limited
from chatbot.platforms.telegram.verdicts import verdict_on
from tests.support.botapi import Answer, Fault
from tests.support.telegrams import ANA, delivery, rig

MIGRATE = "Bad Request: group chat was upgraded to a supergroup chat"
ON_THE_WIRE = [
    # fault, verdict, taken by the server
    (Fault.CLOSE_EARLY, Verdict.UNKNOWN, False),
    (Fault.BAD_GATEWAY, Verdict.UNKNOWN, False),
    (Fault.CLOSE, Verdict.UNKNOWN, True),
    (Fault.RESET, Verdict.UNKNOWN, True),
    (Fault.CUT, Verdict.UNKNOWN, True),
    (Fault.GARBAGE, Verdict.UNKNOWN, True),
]
ANSWERS = [
    (Answer(200, {"ok": True}), Verdict.UNKNOWN),
    (Answer(200, ["not", "an", "object"]), Verdict.UNKNOWN),
    (Answer(200, {"ok": True, "result": {"odd": 1}}), Verdict.UNKNOWN),
    (Answer(500, {"ok": False, "description": "Internal Server Error"}), Verdict.UNKNOWN),
    (Answer(504, "<html>late</html>"), Verdict.UNKNOWN),
    (Answer(429, "<html>slow down</html>"), Verdict.LIMITED),
    (Answer(403, "<html>a proxy's own page</html>"), Verdict.UNSENT),
    (Answer(404, "<html>nothing here</html>"), Verdict.UNSENT),
    (Answer(413, {"ok": False, "description": "Request Entity Too Large"}), Verdict.REFUSED),
    (Answer(409, {"ok": False, "description": "Conflict: other"}), Verdict.UNSENT),
    (Answer(400, {"ok": False, "description": "Bad Request", "parameters": "odd"}), Verdict.REFUSED),
]
REFUSALS = [
    (403, "Forbidden: bot was blocked by the user", Verdict.GONE),
    (403, "Forbidden: user is deactivated", Verdict.GONE),
    (403, "Forbidden: bot was kicked from the supergroup chat", Verdict.GONE),
    (403, "Forbidden: bot can't initiate conversation with a user", Verdict.GONE),
    (403, "Forbidden: the group chat was deleted", Verdict.GONE),
    (400, "Bad Request: chat not found", Verdict.GONE),
    (400, "Bad Request: message thread not found", Verdict.GONE),
    (400, "Bad Request: TOPIC_CLOSED", Verdict.GONE),
    (400, "Bad Request: have no rights to send a message", Verdict.GONE),
    (400, "Bad Request: not enough rights to send text messages to the chat", Verdict.GONE),
    (400, "Bad Request: message is not modified: specified new message content", Verdict.UNCHANGED),
    (400, "Bad Request: message to edit not found", Verdict.EDIT_GONE),
    (400, "Bad Request: message can't be edited", Verdict.EDIT_GONE),
    (400, "Bad Request: message to delete not found", Verdict.EDIT_GONE),
    (400, "Bad Request: message can't be deleted for everyone", Verdict.EDIT_GONE),
    (400, "Bad Request: there is no text in the message to edit", Verdict.EDIT_GONE),
    (400, "Bad Request: message is too long", Verdict.REFUSED),
    (401, "Unauthorized", Verdict.UNAUTHORISED),
    (404, "Not Found", Verdict.UNAUTHORISED),
]
BY_CLASS = {
    "TelegramError": (TelegramError("x"), Verdict.UNKNOWN),
    "NetworkError": (telegram.error.NetworkError("x"), Verdict.UNKNOWN),
    "TimedOut": (telegram.error.TimedOut(), Verdict.UNKNOWN),
    "BadRequest": (telegram.error.BadRequest("x"), Verdict.REFUSED),
    "Forbidden": (telegram.error.Forbidden("x"), Verdict.GONE),
    "InvalidToken": (telegram.error.InvalidToken("x"), Verdict.UNAUTHORISED),
    "EndPointNotFound": (telegram.error.EndPointNotFound("x"), Verdict.UNKNOWN),
    "Conflict": (telegram.error.Conflict("x"), Verdict.UNSENT),
    "ChatMigrated": (telegram.error.ChatMigrated(-1), Verdict.MOVED),
    "PassportDecryptionError": (telegram.error.PassportDecryptionError("x"), Verdict.UNKNOWN),
}
UNSENT_CAUSES = {
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientHttpProxyError",
    "ClientProxyConnectionError",
    "ClientSSLError",
    "ConnectionTimeoutError",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "NonHttpUrlClientError",
    "NonHttpUrlRedirectClientError",
}
UNKNOWN_CAUSES = {
    "BadContentDispositionHeader",
    "BadContentDispositionParam",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientError",
    "ClientOSError",
    "ClientPayloadError",
    "ClientResponseError",
    "ContentTypeError",
    "EofStream",
    "RedirectClientError",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerFingerprintMismatch",
    "ServerTimeoutError",
    "SocketTimeoutError",
    "TooManyRedirects",
    "UploadAbortedError",
    "WSMessageTypeError",
    "WSServerHandshakeError",
    "WebSocketError",
}


async def failure(bot, **fields) -> SendError:
    """Deliver something and return why it failed."""
    with pytest.raises(SendError) as raised:
        await bot.telegram.deliver(delivery("hello", **fields))
    assert raised.value.__context__ is None
    return raised.value


@pytest.mark.parametrize(("fault", "verdict", "taken"), ON_THE_WIRE)
async def test_a_broken_wire_leaves_the_outcome_unknown(bot, fault, verdict, taken):
    """Whatever breaks after the request left is unknown, and the request is never made twice."""
    bot.api.fail("sendMessage", fault)

    assert (await failure(bot)).verdict is verdict
    assert bot.api.count("sendMessage") == taken


async def test_a_hung_answer_is_unknown(bot):
    """A request that is taken and never answered ends as unknown, within the lease."""
    bot.api.fail("sendMessage", Fault.HANG)
    bot.clock.passed = 74.8

    assert (await failure(bot)).verdict is Verdict.UNKNOWN
    assert bot.api.count("sendMessage") == 1


async def test_a_read_timeout_is_unknown(bot, monkeypatch):
    """An answer that takes longer than the read timeout was perhaps a delivery."""
    bot.api.fail("sendMessage", Fault.HANG)
    monkeypatch.setattr(bot.telegram._api.call.__func__, "__kwdefaults__", {"seconds": 0.2})

    error = await failure(bot)

    assert (error.verdict, error.reason) == (Verdict.UNKNOWN, "SocketTimeoutError")


async def test_a_refused_connection_is_surely_unsent(bot):
    """Nobody listening means nothing was taken, and the next try goes through."""
    await bot.api.wire.vanish()

    error = await failure(bot)
    await bot.api.wire.listen()

    assert (error.verdict, error.retry) == (Verdict.UNSENT, True)
    assert await bot.telegram.deliver(delivery("hello"))


@pytest.mark.parametrize("url", ["https://127.0.0.1:{port}", "http://nowhere.localhost:1"])
async def test_no_tls_and_no_such_host_are_surely_unsent(api, url):
    """A failed handshake or look-up comes before the first byte of the request."""
    async with rig(api, api_url=url.format(port=api.wire.port)) as bot:
        assert (await failure(bot)).verdict is Verdict.UNSENT


async def test_a_connection_closed_while_idle_costs_nothing(bot):
    """A kept connection that the server dropped is replaced, and the message goes out once."""
    bot.api.fail("sendMessage", Fault.CLOSE_IDLE)
    await bot.telegram.deliver(delivery("one"))
    await bot.telegram.deliver(delivery("two"))

    assert [m.text for m in bot.api.shown(ANA)] == ["one", "two"]
    assert bot.api.wire.connections == 2


@pytest.mark.parametrize(("answer", "verdict"), ANSWERS)
async def test_odd_answers(bot, answer, verdict):
    """Only what the Bot API itself says decides; a proxy's page never ends a conversation."""
    bot.api.fail("sendMessage", answer)

    assert (await failure(bot)).verdict is verdict


@pytest.mark.parametrize(("code", "text", "verdict"), REFUSALS)
async def test_refusals_in_telegrams_words(bot, code, text, verdict):
    """Each of Telegram's own refusals means one thing."""
    bot.api.refuse("sendMessage", code, text)

    assert (await failure(bot)).verdict is verdict


async def test_too_many_requests_tell_how_long_to_wait(bot):
    """A 429 carries Telegram's own waiting time and is surely unsent."""
    bot.api.refuse("sendMessage", 429, "Too Many Requests: retry after 17", retry_after=17)

    error = await failure(bot)

    assert (error.verdict, error.wait, error.retry) == (Verdict.LIMITED, 17, True)


async def test_a_supergroup_move_tells_the_new_chat(bot):
    """A group that became a supergroup is answered with where it went."""
    bot.api.refuse("sendMessage", 400, MIGRATE, migrate_to_chat_id=-100500)

    error = await failure(bot)

    assert (error.verdict, error.moved_to) == (Verdict.MOVED, "-100500")


async def test_a_lease_that_ran_out_sends_nothing(bot):
    """Whoever lost the row to another worker stays silent."""
    bot.clock.passed = 80

    assert (await failure(bot)).verdict is Verdict.UNSENT
    assert bot.api.calls == []


@pytest.mark.parametrize("name", [*telegram.error.__all__])
def test_every_error_of_the_library_has_a_verdict(name):
    """A class that the next release adds fails here until somebody decides what it proves."""
    if name == "RetryAfter":
        with pytest.warns(PTBDeprecationWarning):
            limited = telegram.error.RetryAfter(3)
        assert verdict_on(limited).wait == 3
    else:
        error, verdict = BY_CLASS[name]
        assert verdict_on(error).verdict is verdict


def test_every_error_of_the_transport_has_a_verdict():
    """Each of aiohttp's errors as a cause is either surely unsent or unknown; none is forgotten."""
    names = {n for n, kind in vars(aiohttp).items() if inspect.isclass(kind) and issubclass(kind, Exception)}
    verdicts = {name: _caused_by(getattr(aiohttp, name)) for name in names}

    assert names == UNSENT_CAUSES | UNKNOWN_CAUSES
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.UNSENT} == UNSENT_CAUSES


def test_our_own_two_errors_are_surely_unsent():
    """What the transport adds to the library's classes is typed too."""
    assert verdict_on(Limited(4)).wait == 4
    assert verdict_on(Foreign("HTTP 403")).verdict is Verdict.UNSENT


@pytest.mark.parametrize("fault", [*(f for f, _, _ in ON_THE_WIRE), None])
async def test_no_failure_spells_the_token(bot, fault, caplog):
    """The token is part of every URL, and of no error, traceback or log line."""
    caplog.set_level(logging.INFO)
    if fault:
        bot.api.fail("sendMessage", fault)
    else:
        bot.api.refuse(
            "sendMessage", 400, f"Bad Request: wrong URL 'https://x/key#abc' of bot {bot.api.token}"
        )

    error = await failure(bot)
    told = "".join(traceback.format_exception(error)) + caplog.text + repr(bot.telegram._api)

    assert bot.api.token not in told
    assert bot.api.token.split(":")[1] not in told
    assert "key#abc" not in told


def _caused_by(kind: type[Exception]) -> Verdict:
    error = telegram.error.NetworkError("x")
    error.__cause__ = kind.__new__(kind)
    return verdict_on(error).verdict
