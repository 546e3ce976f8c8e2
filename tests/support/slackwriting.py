"""Requests to Slack as the tests read them: checked by the strict fake, then words, looks and buttons."""

import html
import json

from chatbot.platforms.slack.writing import calls
from chatbot.text import Translator
from tests.support.slackapi import blocks as oracle
from tests.support.slackapi.rules import check
from tests.support.slacks import delivery


def requests(shown, **fields):
    """The requests of a delivery, each as the strict fake and slack_sdk's own models accept it."""
    made = calls(delivery(shown, **fields), Translator())
    for call in [*made, *(call.instead for call in made if call.instead)]:
        if not call.upload:
            channel = {} if call.method == "views.publish" else {"channel": "C1"}
            check(call.method, channel | json.loads(json.dumps(call.params)))
    return made


def seen(call):
    """The words that people read, and that notifications tell: they are the same."""
    shown = oracle.words(call.params["blocks"])
    assert squeezed(html.unescape(call.params["text"])) == squeezed(shown)
    return shown


def styled(call, style):
    return [e["text"] for e in oracle.texts(call.params["blocks"]) if e.get("style") == {style: True}]


def labels(call):
    rows = [block["elements"] for block in call.params["blocks"] if block["type"] == "actions"]
    return [[element["text"]["text"] for element in row] for row in rows]


def clean(text):
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def squeezed(text):
    return "".join(clean(text).split())
