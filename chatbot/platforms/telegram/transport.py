"""The Bot API over HTTP: python-telegram-bot's `Bot` as a plain caller of methods.

Everything else in this package calls through `Api`. A call is one request, never retried, and what comes
back is the raw JSON result: an answer the library can't read must not look like an unsent message.
Neither loggers nor errors of this module spell the token, which is part of every URL.
"""

import ipaddress
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from telegram import Bot
from telegram.error import BadRequest, TelegramError
from telegram.request import RequestData

from chatbot.platforms.telegram.wire import Patience, Wire

# Measured in reference/reliability.md 4.1: the library's 5 s turn slow answers into unknown outcomes.
READ_SECONDS = 45.0
POLL_SPARE_SECONDS = 10.0
CONTROL_SECONDS = 10.0
PATIENCE = Patience(read=READ_SECONDS, connect=10.0, pool=5.0)
_TYPED = (400, 401, 403, 404, 409)
_DEFAULT_WAIT = 5.0


class Limited(TelegramError):
    """Too many requests; python-telegram-bot's own class warns of its deprecation on every use."""

    __slots__ = ("wait",)

    def __init__(self, wait: float) -> None:
        """Take the seconds to wait."""
        super().__init__("Too Many Requests")
        self.wait = wait


class Foreign(TelegramError):
    """A refusal that the Bot API did not write: a proxy or the wrong address answered."""


class Api(Bot):
    """Calls methods by name with JSON-ready parameters."""

    def __init__(self, token: str, api_url: str) -> None:
        """Take the token and the origin of the Bot API server."""
        quiet()
        api_url = api_url.rstrip("/")
        # A proxy from the environment is meant for the internet, not for a server on this machine.
        trust_env, tls = not _is_loopback(api_url), httpx.create_ssl_context()
        super().__init__(
            token,
            base_url=f"{api_url}/bot",
            base_file_url=f"{api_url}/file/bot",
            request=_Request(64, PATIENCE, tls, trust_env=trust_env),
            get_updates_request=_Request(1, PATIENCE, tls, trust_env=trust_env),
        )

    async def call(
        self, method: str, params: Mapping[str, Any] | None = None, *, seconds: float = READ_SECONDS
    ) -> Any:
        """Call one method and return its result; raises `TelegramError`, aiohttp's error as its cause."""
        try:
            return await self._post(method, dict(params or {}), read_timeout=seconds)
        except KeyError:
            pass
        raise TelegramError("an answer without a result")

    async def facts(self, method: str, **params: Any) -> dict[str, Any]:
        """Return what a method tells that changes nothing."""
        result = await self.call(method, params, seconds=CONTROL_SECONDS)
        if not isinstance(result, dict):
            raise TelegramError("a result that is no object")
        return result

    async def connect(self) -> None:
        """Open the connections again after `disconnect`."""
        for request in self._request:
            await request.initialize()

    async def disconnect(self) -> None:
        """Close all connections."""
        for request in self._request:
            await request.shutdown()

    def __repr__(self) -> str:
        return "Api[telegram]"


class _Request(Wire):
    __slots__ = ()

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *args: Any, **kwargs: Any
    ) -> tuple[int, bytes]:
        code, payload = await super().do_request(url, method, request_data, *args, **kwargs)
        if 400 <= code < 500:
            _refuse(code, payload)
        return code, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        # The library's version logs the payload, which may hold what people wrote.
        answer = _json_object(payload)
        if answer is None:
            raise TelegramError("an answer that is no JSON object")
        if not isinstance(answer.get("parameters", {}), dict):
            del answer["parameters"]
        return answer


def _refuse(code: int, payload: bytes) -> None:
    answer = _json_object(payload) or {}
    if code == 429:
        raise Limited(_wait(answer))
    if "description" not in answer:
        raise Foreign(f"HTTP {code} that is not from the Bot API")
    if code not in _TYPED:
        raise BadRequest(str(answer["description"]))


def _wait(answer: Mapping[str, Any]) -> float:
    parameters = answer.get("parameters")
    wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return float(wait) if isinstance(wait, int | float) and wait > 0 else _DEFAULT_WAIT


def _json_object(payload: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(payload.decode("utf-8", "replace"))
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def quiet() -> None:
    """Keep the libraries from logging URLs, which hold the token."""
    for name in ("httpx", "httpcore", "aiohttp", "telegram"):
        logging.getLogger(name).setLevel(logging.WARNING)
