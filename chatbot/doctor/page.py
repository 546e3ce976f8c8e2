"""Compares what the public address answers with what we ship, byte by byte and header by header.

What stands between may change it: a proxy that minifies, a CDN that keeps an old copy, a firewall with
headers of its own. The report names what was changed, and who it was where the answer tells.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import httpx

from chatbot.doctor.results import CheckResult, State, problem
from chatbot.text import Translator

_INTEGRITY = re.compile(rb'<script[^>]* integrity="(sha384-[A-Za-z0-9+/=]+)"')
_SCRIPT = re.compile(rb"<script\b", re.IGNORECASE)
_PRINTABLE = re.compile(r"[^ -~]")
_POLICY = "Content-Security-Policy"
_LONGEST_NAME = 60

# Headers that tell who passed an answer on; those without a name say it by their value.
_PASSERS: Mapping[str, str] = {
    "Server": "",
    "Via": "",
    "X-Served-By": "",
    "X-Powered-By": "",
    "CF-Ray": "Cloudflare",
    "X-Amz-Cf-Id": "CloudFront",
    "X-Azure-Ref": "Azure Front Door",
    "X-Fastly-Request-ID": "Fastly",
    "X-Akamai-Transformed": "Akamai",
    "X-Iinfo": "Imperva",
    "X-Sucuri-ID": "Sucuri",
    "X-Vercel-Id": "Vercel",
    "Fly-Request-Id": "Fly.io",
    "X-Nf-Request-Id": "Netlify",
}
# What belongs to the transport or tells who passed it on: nothing to say about.
_ORDINARY = frozenset(name.lower() for name in _PASSERS) | {
    "accept-ranges", "age", "alt-svc", "cf-cache-status", "connection", "content-encoding", "content-length",
    "content-type", "date", "etag", "keep-alive", "last-modified", "proxy-connection", "server-timing",
    "transfer-encoding", "vary", "x-cache", "x-cache-hits", "x-request-id",
}  # fmt: skip
# What can take something out of the page, or let something in.
_DANGEROUS = frozenset({
    "access-control-allow-credentials", "access-control-allow-origin", "content-security-policy-report-only",
    "link", "refresh", "report-to", "reporting-endpoints", "service-worker-allowed", "set-cookie",
    "sourcemap", "speculation-rules", "x-frame-options", "x-sourcemap",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shipped:
    """What we answer at a path: the headers (empty: must not be there), and the bytes in each language."""

    path: str
    headers: Mapping[str, str]
    bodies: Collection[bytes]


async def check_pages(
    http: Callable[[], httpx.AsyncClient], public_url: str, shipped: Sequence[Shipped], t: Translator
) -> list[CheckResult]:
    """Return what is wrong with each address, or one line that says all is well."""
    look = _Look(public_url, shipped, t)
    async with http() as client:
        results = await look.all(client)
    if any(result.state is State.PROBLEM for result in results):
        return results
    well = t.say("{url} answers with our headers and our script.", url=public_url + shipped[0].path)
    return [CheckResult(t.say("Link page"), State.OK, well), *results]


class _StopError(Exception):
    """The rest would say the same again."""

    def __init__(self, detail: str, todo: str) -> None:
        super().__init__(detail)
        self.detail, self.todo = detail, todo


class _Look:
    def __init__(self, public_url: str, shipped: Sequence[Shipped], t: Translator) -> None:
        self._public_url, self._shipped, self._t = public_url, shipped, t
        self._name = t.say("Link page")
        self._scripts = {_hash(body) for page in shipped for body in page.bodies}
        self._told: set[str] = set()

    async def all(self, client: httpx.AsyncClient) -> list[CheckResult]:
        results: list[CheckResult] = []
        for page in self._shipped:
            try:
                results += self._differences(page, await self._fetch(client, page))
            except _StopError as stop:
                return [*results, problem(self._name, stop.detail, stop.todo)]
        return results

    async def _fetch(self, client: httpx.AsyncClient, page: Shipped) -> httpx.Response:
        url, t = self._public_url + page.path, self._t
        try:
            answer = await client.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            detail = t.say("{url} does not answer ({reason}).", url=url, reason=type(error).__name__)
            todo = t.say("See that the bot runs, and that PUBLIC_URL and your proxy lead to it.")
            raise _StopError(detail, todo) from None
        by = _by(answer.headers, t)
        if answer.status_code != httpx.codes.OK:
            detail = t.say("{url} answers with status {status}.", url=url, status=answer.status_code)
            raise _StopError(detail + by, t.say("See that PUBLIC_URL and your proxy lead to the bot."))
        if answer.content not in page.bodies and self._is_foreign(answer.content):
            detail = t.say("{url} is not our page, or its script is not the one of this version.", url=url)
            todo = t.say("Restart the bot, and see that no proxy changes or keeps the page.")
            raise _StopError(detail + by, todo)
        return answer

    def _is_foreign(self, body: bytes) -> bool:
        """Tell whether this is a page that names another script than ours."""
        named = _INTEGRITY.search(body)
        return body.lstrip().startswith(b"<") and (named is None or named[1] not in self._scripts)

    def _differences(self, page: Shipped, answer: httpx.Response) -> list[CheckResult]:
        by = _by(answer.headers, self._t)
        return [*self._of_body(page, answer, by), *self._of_headers(page, answer, by)]

    def _of_body(self, page: Shipped, answer: httpx.Response, by: str) -> list[CheckResult]:
        if answer.content in page.bodies:
            return []
        t, url = self._t, self._public_url + page.path
        ours = min(page.bodies, key=lambda body: abs(len(body) - len(answer.content)))
        scripts = len(_SCRIPT.findall(answer.content)) - len(_SCRIPT.findall(ours))
        if answer.content.lstrip().startswith(b"<") and scripts > 0:
            detail = t.say("somebody on the way put scripts into {url}: {count}.", url=url, count=scripts)
        else:
            detail = t.say(
                "{url} was changed on its way: {size} bytes came, we sent {ours}.",
                url=url, size=len(answer.content), ours=len(ours),
            )  # fmt: skip
        todo = t.say("Switch off what minifies, rewrites or keeps this address on the way.")
        return [problem(self._name, detail + by, todo)]

    def _of_headers(self, page: Shipped, answer: httpx.Response, by: str) -> list[CheckResult]:
        t, url = self._t, self._public_url + page.path
        missing, changed, added = _compared(answer.headers, page.headers)
        found = [
            *([t.say("missing: {headers}", headers=", ".join(missing))] if missing else []),
            *([t.say("changed: {headers}", headers=", ".join(changed))] if changed else []),
            *([t.say("added: {headers}", headers=", ".join(added))] if added else []),
        ]
        if not found or "; ".join(found) in self._told:
            return []
        self._told.add("; ".join(found))
        detail = t.say(
            "headers of {url} are not as we sent them ({changes}).", url=url, changes="; ".join(found)
        )
        if missing or changed or any(header.lower() in _DANGEROUS for header in added):
            return [
                problem(self._name, detail + by, t.say("Let your proxy pass the headers on as they are."))
            ]
        return [CheckResult(self._name, State.NOTE, detail + by)]


def _hash(body: bytes) -> bytes:
    return b"sha384-" + base64.b64encode(hashlib.sha384(body).digest())


def _compared(got: httpx.Headers, wanted: Mapping[str, str]) -> tuple[list[str], list[str], list[str]]:
    """Return the names of headers that are missing, changed and added."""
    missing = [header for header, value in wanted.items() if value and header not in got]
    changed = [
        f"{header}{_rules(value, got[header]) if header == _POLICY else ''}"
        for header, value in wanted.items()
        if value and header in got and got[header] != value
    ]
    ours = {header.lower() for header, value in wanted.items() if value} | _ORDINARY
    added = [
        header.decode("latin-1") for header, _ in got.raw if header.decode("latin-1").lower() not in ours
    ]
    return missing, changed, [_plain(header) for header in dict.fromkeys(added)]


def _rules(ours: str, got: str) -> str:
    """Return the names of a policy's rules that differ."""
    mine, theirs = _split(ours), _split(got)
    names = [rule for rule in {**mine, **theirs} if mine.get(rule) != theirs.get(rule)]
    return f" ({_plain(', '.join(names))})" if names else ""


def _split(policy: str) -> dict[str, str]:
    rules = (rule.split(maxsplit=1) for rule in policy.split(";") if rule.strip())
    return {rule[0]: rule[1] if len(rule) > 1 else "" for rule in rules}


def _by(headers: httpx.Headers, t: Translator) -> str:
    """Return a sentence about who passed the answer on; empty when nothing in it tells."""
    names = ", ".join(_passers(headers))
    return " " + t.say("It came through: {names}.", names=names) if names else ""


def _passers(headers: httpx.Headers) -> Iterator[str]:
    for header, name in _PASSERS.items():
        if header in headers:
            yield f"{name or _plain(headers[header])} ({header})"


def _plain(text: str) -> str:
    # A stranger's words, on their way to an operator's terminal.
    return _PRINTABLE.sub("?", text)[:_LONGEST_NAME]
