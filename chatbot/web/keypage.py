"""The link page in every language, and its two calls: open (never consumes) and submit.

The page is one static file; its sentences are put in once per language at start, so that the script has
the same bytes and the same hash for everybody. Every dead link gets the same bytes, whatever the reason.
"""

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from chatbot.domain.links import APP_PATH, LONGEST_MINUTES, b64url, from_b64url
from chatbot.domain.people import Identity
from chatbot.errors import mark
from chatbot.ports.desk import Accepted, BadSeal, LinkDesk, OpenedLink, Refused
from chatbot.web.dense import dense_markup, dense_script, dense_style
from chatbot.web.headers import Extra, framed_by, page_headers, script_hash
from chatbot.web.limits import FailureBudget, check_call, client_address

DEAD = mark("This link can't be used any more. Ask for a new one in the chat.")
SLOW = mark("Too many tries. Wait a minute and try again.")

_FOLDER = Path(__file__).parent / "page"
_PLACE = re.compile(r"\{\{(.+?)\}\}(?!\})")
_TOKEN_CHARS = 64
_PROOF_CHARS = 4096
# A platform signs when it opens the page, once: whoever filled the form in time must get through at its end.
TO_OPEN = timedelta(minutes=5)
TO_SUBMIT = TO_OPEN + timedelta(minutes=LONGEST_MINUTES)
TELEGRAM_WEB = "https://web.telegram.org"
_DENSE = {".html": dense_markup, ".css": dense_style, ".js": dense_script}


Identify = Callable[[str, timedelta], Identity | None]


class Say(Protocol):
    """Returns a sentence in a language; `{named}` places stay for the script to fill."""

    def __call__(self, locale: str, msgid: str, /) -> str:
        """Return the sentence."""
        ...


@cache
def page_file(name: str) -> bytes:
    """Return one of the page's files as it is served; the page itself still without its sentences."""
    return _DENSE[Path(name).suffix]((_FOLDER / name).read_text(encoding="utf-8")).encode()


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


def shipped(locales: Sequence[str], say: Say) -> list[tuple[str, Mapping[str, str], list[bytes]]]:
    """Return path, headers (empty: none such) and possible bodies; the page first, then its files."""
    headers = page_headers(script_hash(page_file("key.js")))
    pages = [render(locale, say) for locale in locales]
    return [
        ("/key", headers, pages),
        (APP_PATH, headers | framed_by(headers, TELEGRAM_WEB), pages),
        *((f"/{name}", headers, [page_file(name)]) for name in ("key.js", "key.css")),
    ]


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
    identify: Identify

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the page; Telegram's web client alone may frame one of them."""
        pages = {locale: render(locale, self.say) for locale in self.locales}
        script = script_hash(page_file("key.js"))

        async def page(request: Request) -> Response:
            asked = request.query_params.get("lang", "")
            locale = asked if asked in pages else self._locale(request)
            return Response(pages[locale], media_type="text/html")

        return [
            Route("/key", page),
            *Extra((Route(APP_PATH, page),), headers=framed_by(page_headers(script), TELEGRAM_WEB)).dressed(),
            _file("/key.js", page_file("key.js"), "text/javascript"),
            _file("/key.css", page_file("key.css"), "text/css"),
            Route("/favicon.ico", _no_icon),
            Route("/api/open", self.open, methods=["POST"]),
            Route("/api/submit", self.submit, methods=["POST"]),
        ]

    def _locale(self, request: Request) -> str:
        return choose_locale(request.headers.get("accept-language", ""), self.locales)

    async def open(self, request: Request) -> Response:
        """Tell the page what to show; the link stays as it is."""
        body = await self._admit(request)
        holder = self._holder(body, TO_OPEN)
        link = await self.desk.open(holder, self._locale(request)) if holder else None
        if link is None:
            return self._dead(request)
        return JSONResponse(self._shown(link, self._locale(request)))

    async def submit(self, request: Request) -> Response:
        """Hand what the browser sealed to the desk and tell what came of it."""
        body = await self._admit(request)
        holder, sealed = self._holder(body, TO_SUBMIT), _sealed(body)
        result = await self.desk.submit(holder, sealed, self._locale(request)) if holder else None
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

    def _holder(self, body: Mapping[str, object], life: timedelta) -> str | Identity | None:
        """Return the token, or who opened the page inside their platform; None for a proof of nobody."""
        if "init" in body:
            return self.identify(_text(body, "init", _PROOF_CHARS), life)
        return _text(body, "token", _TOKEN_CHARS)

    async def _admit(self, request: Request) -> Mapping[str, object]:
        check_call(request, self.origin)
        return _json_object(await request.body())

    def _shown(self, link: OpenedLink, locale: str) -> dict[str, object]:
        return {
            "pk": b64url(link.pk),
            "exchange": link.exchange,
            "label": link.label,
            "fields": [
                {
                    "name": field.name,
                    "title": self.say(locale, field.title),
                    "secret": field.secret,
                    "multiline": field.multiline,
                }
                for field in link.fields
            ],
            "phrase": link.phrase,
            "steps": [{"title": step.title, "text": step.text} for step in link.steps],
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
