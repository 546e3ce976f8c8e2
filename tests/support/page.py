"""The link page without a browser: opens a link, seals key and secret with HPKE, and submits them."""

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec

from chatbot.domain.links import PAD, b64url, fingerprint, from_b64url
from chatbot.ports.desk import Accepted, BadSeal, LinkDesk, OpenedLink, Refused

SUITE = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def token_of(url: str) -> tuple[str, bytes]:
    """Return the token and the public key's fingerprint from a link's address."""
    parts = url.partition("#")[2].split(".")
    return parts[0], from_b64url(parts[1])


def plaintext(*values: str) -> bytes:
    """Lay out values as the page does: count, length-prefixed UTF-8, zero padding."""
    body = bytes([len(values)]) + b"".join(len(v.encode()).to_bytes(4, "big") + v.encode() for v in values)
    return body + bytes(-len(body) % PAD)


def seal(opened: OpenedLink, *values: str) -> bytes:
    """Seal values for an opened link."""
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), opened.pk)
    return SUITE.encrypt(plaintext(*values), public, opened.info)


async def submit(
    desk: LinkDesk, url: str, *values: str, locale: str = "en"
) -> Accepted | Refused | BadSeal | None:
    """Do what a person does on the page; None when the link can't be used."""
    token, mark = token_of(url)
    opened = await desk.open(token, locale)
    if opened is None:
        return None
    assert fingerprint(opened.pk) == mark
    return await desk.submit(token, seal(opened, *values), locale)


__all__ = ["b64url", "plaintext", "seal", "submit", "token_of"]
