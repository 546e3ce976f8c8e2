"""Practice HitBTC: HitBTC's wire protocol on loopback, with pretend money and a control API for what happens.

`/api/3/…` answers as HitBTC documents it. `POST /practice/hitbtc/<verb>` makes things happen: `buy`, `sell`,
`withdraw`, `deposit`, `key`, `permissions`, `error`, `reset`; `GET /practice/hitbtc/state` shows it all,
with the practice key and secret. The demo mounts `routes(state)`, the tests run `create_app(state)`.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from chatbot.practice.hitbtc import wire
from chatbot.practice.hitbtc.account import ALL_READS, Impossible, PracticeHitBTC
from chatbot.practice.hitbtc.faults import FAULTS

PRACTICE = PracticeHitBTC
ERRORS = wire.ERRORS
LARGEST_BODY = 4096
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
Verb = Callable[[PracticeHitBTC, Mapping[str, Any]], Any]

__all__ = ["ERRORS", "PRACTICE", "PracticeHitBTC", "create_app", "routes"]


def create_app(practice: PracticeHitBTC | None = None) -> Starlette:
    """Return the exchange as a web application of its own."""
    return Starlette(routes=routes(practice or PracticeHitBTC()))


def routes(practice: PracticeHitBTC) -> list[BaseRoute]:
    """Return the exchange's routes, to be mounted beside others."""

    async def exchange(request: Request) -> Response:
        return await wire.answer(practice, request)

    async def control(request: Request) -> Response:
        return await _control(practice, request)

    async def state(_: Request) -> Response:
        return JSONResponse(_state(practice))

    return [
        Route("/api/3/{path:path}", exchange, methods=list(METHODS)),
        Route("/practice/hitbtc/state", state, methods=["GET"]),
        Route("/practice/hitbtc/{verb}", control, methods=["POST"]),
    ]


async def _control(practice: PracticeHitBTC, request: Request) -> Response:
    verb = VERBS.get(request.path_params["verb"])
    if verb is None:
        return JSONResponse({"problem": f"one of {', '.join(sorted(VERBS))}"}, 404)
    try:
        body = await request.body()
        given = json.loads(body) if body and len(body) <= LARGEST_BODY else {}
        return JSONResponse(verb(practice, given if isinstance(given, dict) else {}))
    except Impossible as problem:
        return JSONResponse({"problem": f"This takes {problem}."}, 400)
    except (ValueError, TypeError):
        return JSONResponse({"problem": "This takes a JSON object, or nothing."}, 400)


def _trade(side: str, practice: PracticeHitBTC, given: Mapping[str, Any]) -> Any:
    symbol = given.get("book", given.get("symbol", ""))
    return practice.trade(side, str(symbol), str(given.get("amount", "")))


def _transfer(kind: str, practice: PracticeHitBTC, given: Mapping[str, Any]) -> Any:
    asset = given.get("asset", given.get("currency", ""))
    return practice.transfer(kind, str(asset), str(given.get("amount", "")))


def _key(practice: PracticeHitBTC, given: Mapping[str, Any]) -> Any:
    key, secret = practice.new_key(list(given.get("permissions", ALL_READS)))
    return {"key": key, "secret": secret}


def _permissions(practice: PracticeHitBTC, given: Mapping[str, Any]) -> Any:
    key = str(given.get("key", practice.key))
    practice.permit(key, list(given.get("permissions", ALL_READS)))
    if "active" in given:
        practice.keys[key].active = bool(given["active"])
    return {"key": key, "permissions": sorted(practice.keys[key].permissions)}


def _error(practice: PracticeHitBTC, given: Mapping[str, Any]) -> Any:
    kind = str(given.get("code", given.get("kind", "html")))
    if kind not in FAULTS and kind not in wire.ERRORS:
        raise Impossible(f"a documented code, or one of {', '.join(sorted(FAULTS))}")
    times = int(given.get("times", 1))
    practice.fail(str(given.get("path", "")), kind, times)
    return {"path": given.get("path", ""), "kind": kind, "times": times}


def _reset(practice: PracticeHitBTC, _: Mapping[str, Any]) -> Any:
    practice.reset()
    return {}


VERBS: Mapping[str, Verb] = {
    "buy": partial(_trade, "buy"),
    "sell": partial(_trade, "sell"),
    "withdraw": partial(_transfer, "WITHDRAW"),
    "deposit": partial(_transfer, "DEPOSIT"),
    "key": _key,
    "permissions": _permissions,
    "error": _error,
    "reset": _reset,
}


def _state(practice: PracticeHitBTC) -> dict[str, Any]:
    return {
        "key": practice.key,
        "secret": practice.secret,
        "keys": {
            name: {"permissions": sorted(key.permissions), "active": key.active}
            for name, key in practice.keys.items()
        },
        "balances": {asset: str(amount) for asset, amount in practice.balances.items()},
        "prices": {symbol: str(price) for symbol, price in practice.prices.items()},
        "trades": len(practice.trades),
        "transfers": len(practice.transfers),
        "requests": len(practice.requests),
        "faults": [
            {"path": f.path, "kind": f.kind, "times": f.times} for f in practice.faults if f.times > 0
        ],
    }
