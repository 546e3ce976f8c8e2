"""The web edge: one Starlette app with the link page, its two calls, health, and what others add.

`app.py` puts it together, `keypage.py` answers, `headers.py` and `limits.py` guard, `server.py` listens.
It knows no handler: whoever keeps the links is a `LinkDesk` handed in by bootstrap.
"""

from chatbot.web.app import WebOptions, create_app
from chatbot.web.headers import Extra
from chatbot.web.keypage import page_sentences

__all__ = ["Extra", "WebOptions", "create_app", "page_sentences"]
