"""Key services over real HTTP: AWS KMS by moto, and doubles of Google's and Vault's documented APIs.

The doubles really encrypt, with what they are told to bind, and ask for the login their documents ask for.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping

import google_crc32c
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

GCP_KEY = "projects/p/locations/global/keyRings/r/cryptoKeys/k"


class Box:
    """An AES key that never leaves, as behind any key service."""

    def __init__(self) -> None:
        self._aead = AESGCM(AESGCM.generate_key(256))

    def seal(self, plain: bytes, bound: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._aead.encrypt(nonce, plain, bound)

    def open(self, sealed: bytes, bound: bytes) -> bytes:
        return self._aead.decrypt(sealed[:12], sealed[12:], bound)


def google(damaged: bool = False) -> Starlette:
    """Return Cloud KMS's `encrypt` and `decrypt` for one key, and the token endpoint of its login."""
    box, tokens = Box(), set[str]()

    async def token(request: Request) -> JSONResponse:
        form = (await request.body()).decode()
        if "assertion=" not in form:
            return JSONResponse({"error": "invalid_grant"}, 400)
        tokens.add(made := secrets.token_hex(16))
        return JSONResponse({"access_token": made, "expires_in": 3600, "token_type": "Bearer"})

    async def crypt(request: Request) -> JSONResponse:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in tokens:
            return JSONResponse({"error": {"code": 401, "status": "UNAUTHENTICATED"}}, 401)
        given = await request.json()
        sent, wanted = (
            ("plaintext", "ciphertext")
            if request.url.path.endswith(":encrypt")
            else ("ciphertext", "plaintext")
        )
        value, bound = (base64.b64decode(given[name]) for name in (sent, "additionalAuthenticatedData"))
        assert int(given[f"{sent}Crc32c"]) == google_crc32c.value(value)
        try:
            made = box.seal(value, bound) if sent == "plaintext" else box.open(value, bound)
        except InvalidTag:
            return JSONResponse({"error": {"code": 400, "status": "INVALID_ARGUMENT"}}, 400)
        checksum = google_crc32c.value(made) ^ int(damaged)
        return JSONResponse({wanted: base64.b64encode(made).decode(), f"{wanted}Crc32c": str(checksum)})

    verbs = [Route(f"/v1/{GCP_KEY}:{verb}", crypt, methods=["POST"]) for verb in ("encrypt", "decrypt")]
    return Starlette(routes=[Route("/token", token, methods=["POST"]), *verbs])


def google_login(origin: str) -> str:
    """Return a service account's key file, as its owner downloads it."""
    private = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account", "project_id": "p", "private_key_id": "1",
            "private_key": private.decode(), "client_email": "keyherald@p.iam.gserviceaccount.com",
            "client_id": "1", "token_uri": f"{origin}/token",
        }
    )  # fmt: skip


def vault(token: str, mount: str = "transit") -> Starlette:
    """Return Vault's Transit engine with one key named `keyherald`."""
    box = Box()

    async def crypt(request: Request) -> JSONResponse:
        if request.headers.get("x-vault-token") != token:
            return JSONResponse({"errors": ["permission denied"]}, 403)
        given: Mapping[str, str] = await request.json()
        bound = base64.b64decode(given.get("associated_data", ""))
        if "plaintext" in given:
            sealed = box.seal(base64.b64decode(given["plaintext"]), bound)
            return JSONResponse({"data": {"ciphertext": f"vault:v1:{base64.b64encode(sealed).decode()}"}})
        try:
            opened = box.open(base64.b64decode(given["ciphertext"].removeprefix("vault:v1:")), bound)
        except InvalidTag:
            return JSONResponse({"errors": ["cipher: message authentication failed"]}, 400)
        return JSONResponse({"data": {"plaintext": base64.b64encode(opened).decode()}})

    return Starlette(
        routes=[
            Route(f"/v1/{mount}/{verb}/keyherald", crypt, methods=["POST", "PUT"])
            for verb in ("encrypt", "decrypt")
        ]
    )


def counted(app: ASGIApp, asked: list[str]) -> ASGIApp:
    """Return the service so that the path of every question is noted."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked.append(scope["path"])
        await app(scope, receive, send)

    return noting
