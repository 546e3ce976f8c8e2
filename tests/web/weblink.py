"""A link desk made of plain values, and the app around it, for the tests of the web edge and its page.

It keeps one link, opens what the browser sealed with the real HPKE suite, and answers from a list.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette

from chatbot.domain.credentials import CredentialField
from chatbot.domain.links import app_url, b64url, page_url
from chatbot.domain.people import Identity
from chatbot.ports.desk import Accepted, BadSeal, OpenedLink, Refused, ShownStep
from chatbot.web import WebOptions, create_app
from chatbot.web.server import bind, serve

SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
TOKEN = bytes(range(32))
OWNER = Identity("telegram", "42")
INFO = b"keyherald/link/1 and the rest"
FIELDS = (
    CredentialField("api_key", "API key", secret=False),
    CredentialField("api_secret", "API secret", secret=True),
)


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the uncompressed point."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass
class FakeDesk:
    """Opens one link and takes one submission after another."""

    answers: list[Accepted | Refused | BadSeal | None] = field(default_factory=lambda: [Accepted("2055")])
    fields: tuple[CredentialField, ...] = FIELDS
    label: str = "Main account"
    phrase: str = ""
    steps: tuple[ShownStep, ...] = ()
    seconds_left: int = 600
    shown_key: bytes = b""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    opened: list[str] = field(default_factory=list)
    plaintexts: list[bytes] = field(default_factory=list)
    pause: float = 0

    def url(self, public_url: str, locale: str = "en") -> str:
        """Return the address of the page for this link."""
        return page_url(public_url, TOKEN, public_bytes(self.key), locale)

    def app_url(self, public_url: str, locale: str = "en") -> str:
        """Return the address of the page inside a platform."""
        return app_url(public_url, public_bytes(self.key), locale)

    async def open(self, holder: str | Identity, locale: str) -> OpenedLink | None:
        """Answer for the one token, and for the one person."""
        self.opened.append(locale)
        if holder not in {b64url(TOKEN), OWNER}:
            return None
        pk = self.shown_key or public_bytes(self.key)
        return OpenedLink(
            pk, "Bitso", self.label, self.fields, INFO, self.seconds_left, 3, self.phrase, self.steps
        )

    async def submit(
        self, holder: str | Identity, sealed: bytes, locale: str
    ) -> Accepted | Refused | BadSeal | None:
        """Open the seal and give the next answer."""
        await asyncio.sleep(self.pause)
        if holder not in {b64url(TOKEN), OWNER}:
            return None
        try:
            self.plaintexts.append(SUITE.decrypt(sealed, self.key, INFO))
        except InvalidTag:
            return BadSeal()
        return self.answers.pop(0) if self.answers else None


@dataclass
class ListLog:
    """Remembers what was logged."""

    lines: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def info(self, action: str, **ids: object) -> None:
        self.lines.append((action, ids))

    def warning(self, action: str, **ids: object) -> None:
        self.lines.append((action, ids))

    def error(self, action: str, **ids: object) -> None:
        self.lines.append((action, ids))


def echo(locale: str, msgid: str) -> str:
    """Say the English sentence, with the language in front where it is not English."""
    return msgid if locale == "en" else f"[{locale}] {msgid}"


async def all_well() -> Mapping[str, bool]:
    """Answer like a healthy installation."""
    return {"database": True, "master_key": True}


def build(desk: FakeDesk, options: WebOptions, log: ListLog | None = None) -> Starlette:
    """Return the app around a desk."""
    return create_app(desk, echo, all_well, log or ListLog(), options)


@asynccontextmanager
async def served(
    desk: FakeDesk,
    *,
    receive_seconds: float = 10.0,
    most_waiting: int = 512,
    host: str = "localhost",
    **options: Any,
) -> AsyncIterator[str]:
    """Serve the app on loopback and give its public URL, under a name for this machine."""
    listener = bind("127.0.0.1", 0)
    public_url = f"http://{host}:{listener.getsockname()[1]}"
    stop = asyncio.Event()
    app = build(desk, WebOptions(public_url, **options))
    running = asyncio.create_task(
        serve(app, listener, stop, receive_seconds=receive_seconds, most_waiting=most_waiting)
    )
    try:
        yield public_url
    finally:
        stop.set()
        await running
