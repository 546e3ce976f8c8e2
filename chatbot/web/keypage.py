"""The link page in every language, and its two calls: open (never consumes) and submit.

The page is one static file; its sentences are put in once per language at start, so that the script has
the same bytes and the same hash for everybody. Every dead link gets the same bytes, whatever the reason.
"""

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from chatbot.domain.links import b64url, from_b64url
from chatbot.errors import mark
from chatbot.ports.desk import Accepted, BadSeal, LinkDesk, OpenedLink, Refused
from chatbot.web.headers import script_hash
from chatbot.web.limits import FailureBudget, check_call, client_address

DEAD = mark("This link can't be used any more. Ask for a new one in the chat.")
SLOW = mark("Too many tries. Wait a minute and try again.")

_FOLDER = Path(__file__).parent / "page"
_PLACE = re.compile(r"\{\{(.+?)\}\}(?!\})")
_TOKEN_CHARS = 64


class Say(Protocol):
    """Returns a sentence in a language; `{named}` places stay for the script to fill."""

    def __call__(self, locale: str, msgid: str, /) -> str:
        """Return the sentence."""
        ...


def page_file(name: str) -> bytes:
    """Return the bytes of one of the page's files."""
    return (_FOLDER / name).read_bytes()


def style() -> bytes:
    """Return the style without the blanks that only people need."""
    return re.sub(rb"\s*([{};,])\s*|(?<=:)\s+", rb"\1", page_file("key.css")).replace(b";}", b"}")


def page_sentences() -> list[str]:
    """Return every sentence a person can read on the page, as msgids."""
    found = _PLACE.findall(page_file("key.html").decode())
    return [*dict.fromkeys(text for text in found if not text.startswith("@")), SLOW]


def render(locale: str, say: Say) -> bytes:
    """Return the page in a language."""
    own = {"@lang": locale, "@integrity": script_hash(page_file("key.js"))}

    def fill(match: re.Match[str]) -> str:
        text = match[1]
        return html.escape(own[text] if text in own else say(locale, text))

    return _PLACE.sub(fill, page_file("key.html").decode()).encode()


def choose_locale(wanted: str, spoken: Sequence[str]) -> str:
    """Return the language that fits an Accept-Language value best; the first one when none does."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(wanted.lower().split(",")[:20]):
        tag, _, quality = part.partition(";")
        language = tag.strip().split("-")[0]
        if language in spoken:
            ranked.append((-_quality(quality), place, language))
    return min(ranked)[2] if ranked else spoken[0]


def _quality(text: str) -> float:
    found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", text)
    return float(found[1]) if found else 1.0


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Answers the page, its files and its calls."""

    desk: LinkDesk
    say: Say
    origin: str
    locales: Sequence[str]
    trusted_proxies: Sequence[str]
    budget: FailureBudget

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the page."""
        pages = {locale: render(locale, self.say) for locale in self.locales}

        async def page(request: Request) -> Response:
            asked = request.query_params.get("lang", "")
            locale = asked if asked in pages else self._locale(request)
            return Response(pages[locale], media_type="text/html")

        return [
            Route("/key", page),
            _file("/key.js", page_file("key.js"), "text/javascript"),
            _file("/key.css", style(), "text/css"),
            Route("/favicon.ico", _no_icon),
            Route("/api/open", self.open, methods=["POST"]),
            Route("/api/submit", self.submit, methods=["POST"]),
        ]

    def _locale(self, request: Request) -> str:
        return choose_locale(request.headers.get("accept-language", ""), self.locales)

    async def open(self, request: Request) -> Response:
        """Tell the page what to show; the link stays as it is."""
        body = await self._admit(request)
        link = await self.desk.open(_text(body, "token", _TOKEN_CHARS), self._locale(request))
        if link is None:
            return self._dead(request)
        return JSONResponse(self._shown(link, self._locale(request)))

    async def submit(self, request: Request) -> Response:
        """Hand what the browser sealed to the desk and tell what came of it."""
        body = await self._admit(request)
        token = _text(body, "token", _TOKEN_CHARS)
        sealed = _sealed(body)
        result = await self.desk.submit(token, sealed, self._locale(request))
        match result:
            case Accepted(code):
                return JSONResponse({"code": code}, headers={"Clear-Site-Data": '"cache", "storage"'})
            case Refused(reason, tries_left):
                return JSONResponse({"reason": reason, "tries_left": tries_left}, 422)
            case BadSeal():
                self.budget.spend(client_address(request.scope, self.trusted_proxies))
                return JSONResponse({"reason": self.say(self._locale(request), DEAD)}, 400)
            case None:
                return self._dead(request)

    async def _admit(self, request: Request) -> Mapping[str, object]:
        check_call(request, self.origin)
        return _json_object(await request.body())

    def _shown(self, link: OpenedLink, locale: str) -> dict[str, object]:
        return {
            "pk": b64url(link.pk),
            "exchange": link.exchange,
            "label": link.label,
            "fields": [
                {"name": field.name, "title": self.say(locale, field.title), "secret": field.secret}
                for field in link.fields
            ],
            "info": b64url(link.info),
            "seconds_left": link.seconds_left,
            "tries_left": link.tries_left,
        }

    def _dead(self, request: Request) -> Response:
        # Only here: whoever holds a live link is never refused because of what others at the address do.
        address = client_address(request.scope, self.trusted_proxies)
        if not self.budget.allows(address):
            raise HTTPException(429, self.say(self._locale(request), SLOW), {"Retry-After": "60"})
        self.budget.spend(address)
        return JSONResponse({"reason": self.say(self._locale(request), DEAD)}, 404)


def _file(path: str, content: bytes, kind: str) -> Route:
    async def answer(_: Request) -> Response:
        return Response(content, media_type=kind)

    return Route(path, answer)


async def _no_icon(_: Request) -> Response:
    # An icon would leave the address in the browser's icon store; a 404 would be an error in its console.
    return Response(status_code=204)


def _json_object(body: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "Send a JSON object.") from None
    if not isinstance(value, dict):
        raise HTTPException(400, "Send a JSON object.")
    return value


def _text(body: Mapping[str, object], name: str, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isascii():
        raise HTTPException(400, f"{name} is missing or malformed.")
    return value


def _sealed(body: Mapping[str, object]) -> bytes:
    text = _text(body, "sealed", 8 * 1024)
    try:
        return from_b64url(text)
    except ValueError:
        raise HTTPException(400, "sealed is missing or malformed.") from None
