"""The pages a person sees around an installation: plain words in the browser's language, no script.

Nothing of the request stands in them. They wear a policy of their own, which lets in one style alone.
"""

import base64
import hashlib
import html

from starlette.responses import HTMLResponse

from chatbot.text import Translator

STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem}"
    "a{display:inline-block;margin-top:1rem;padding:.6rem 1rem;border:2px solid;border-radius:.4rem}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}a{color:#8cf}}"
)
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def page(
    t: Translator, status: int, title: str, text: str, link: tuple[str, str] | None = None
) -> HTMLResponse:
    """Return a page of two sentences and at most one link, given as its words and its address."""
    shown = f'<p><a href="{html.escape(link[1])}">{html.escape(link[0])}</a></p>' if link else ""
    body = (
        f'<!doctype html><html lang="{t.locale}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{html.escape(title)}</h1><p>{html.escape(text)}</p>{shown}</main></body></html>"
    )
    return HTMLResponse(body, status, HEADERS)
