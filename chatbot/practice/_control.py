"""The control API of a practice exchange: what makes things happen, and what shows them.

`POST /practice/<name>/<verb>` with a JSON object or nothing; `GET /practice/<name>/state`.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from chatbot.practice._ledger import Impossible, Key, Ledger

LARGEST_BODY = 4096
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
L = TypeVar("L", bound=Ledger)
Verb = Callable[[L, Mapping[str, Any]], Any]


def routes(
    name: str,
    ledger: L,
    paths: Collection[str],
    answer: Callable[[L, Request], Awaitable[Response]],
    kinds: Collection[str],
    verbs: Mapping[str, Verb[L]] | None = None,
) -> list[BaseRoute]:
    """Return the routes of a practice exchange: its own paths, answered by `answer`, and its control API.

    `kinds` are the faults that `error` takes: documented codes and outages. `verbs` adds to the common ones.
    """
    known: dict[str, Verb[L]] = {**_common(kinds), **(verbs or {})}

    async def exchange(request: Request) -> Response:
        return await answer(ledger, request)

    async def control(request: Request) -> Response:
        return await _control(known, ledger, request)

    async def state(_: Request) -> Response:
        return JSONResponse(_state(ledger))

    return [
        *(Route(path, exchange, methods=list(METHODS)) for path in paths),
        Route(f"/practice/{name}/state", state, methods=["GET"]),
        Route(f"/practice/{name}/{{verb}}", control, methods=["POST"]),
    ]


async def _control(known: Mapping[str, Verb[L]], ledger: L, request: Request) -> Response:
    verb = known.get(request.path_params["verb"])
    if verb is None:
        return JSONResponse({"problem": f"one of {', '.join(sorted(known))}"}, 404)
    try:
        body = await request.body()
        given = json.loads(body) if body and len(body) <= LARGEST_BODY else {}
        return JSONResponse(verb(ledger, given if isinstance(given, dict) else {}))
    except Impossible as problem:
        return JSONResponse({"problem": f"This takes {problem}."}, 400)
    except (ValueError, TypeError):
        return JSONResponse({"problem": "This takes a JSON object, or nothing."}, 400)


def _common(kinds: Collection[str]) -> dict[str, Verb[Any]]:
    return {
        "buy": partial(_trade, "buy"),
        "sell": partial(_trade, "sell"),
        "withdraw": partial(_transfer, "withdrawal"),
        "deposit": partial(_transfer, "deposit"),
        "key": _key,
        "permissions": _permissions,
        "error": partial(_error, kinds),
        "reset": _reset,
    }


def _trade(side: str, ledger: Ledger, given: Mapping[str, Any]) -> Any:
    book = given.get("book", given.get("symbol", ""))
    return ledger.trade(side, str(book), str(given.get("amount", "")))


def _transfer(kind: str, ledger: Ledger, given: Mapping[str, Any]) -> Any:
    asset = given.get("asset", given.get("currency", ""))
    return ledger.transfer(kind, str(asset).lower(), str(given.get("amount", "")))


def _key(ledger: Ledger, given: Mapping[str, Any]) -> Any:
    key, secret = ledger.new_key(list(given.get("permissions", ledger.reads)))
    made = ledger.keys[key]
    _change(made, given)
    return {"key": key, "secret": secret} | ({"passphrase": made.passphrase} if made.passphrase else {})


def _permissions(ledger: Ledger, given: Mapping[str, Any]) -> Any:
    key = str(given.get("key", ledger.key))
    ledger.permit(key, list(given.get("permissions", ledger.reads)))
    _change(ledger.keys[key], given)
    return {"key": key, "permissions": sorted(ledger.keys[key].permissions)}


def _change(key: Key, given: Mapping[str, Any]) -> None:
    if "active" in given:
        key.active = bool(given["active"])
    if "addresses" in given:
        key.addresses = tuple(str(address) for address in given["addresses"])
    if "expires_at" in given:
        key.expires_at = datetime.fromisoformat(given["expires_at"]) if given["expires_at"] else None


def _error(kinds: Collection[str], ledger: Ledger, given: Mapping[str, Any]) -> Any:
    kind = str(given.get("code", given.get("kind", "html")))
    if kind not in kinds:
        raise Impossible(f"a documented code, or one of {', '.join(sorted(kinds))}")
    times = int(given.get("times", 1))
    ledger.fail(str(given.get("path", "")), kind, times)
    return {"path": given.get("path", ""), "kind": kind, "times": times}


def _reset(ledger: Ledger, _: Mapping[str, Any]) -> Any:
    ledger.reset()
    return {}


def _state(ledger: Ledger) -> dict[str, Any]:
    first = ledger.keys[ledger.key]
    return {
        "key": ledger.key,
        "secret": ledger.secret,
        **({"passphrase": first.passphrase} if first.passphrase else {}),
        "keys": {
            name: {"permissions": sorted(key.permissions), "active": key.active}
            for name, key in ledger.keys.items()
        },
        "balances": {asset: str(amount) for asset, amount in ledger.balances.items()},
        "prices": {book: str(price) for book, price in ledger.prices.items()},
        "trades": len(ledger.fill_ids()),
        "transfers": len(ledger.transfers),
        "requests": len(ledger.requests),
        "faults": [{"path": f.path, "kind": f.kind, "times": f.times} for f in ledger.faults if f.times > 0],
    }
