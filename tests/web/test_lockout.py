"""Nobody is locked out of a live link by others, no request has two lengths, and no error is quoted."""

import json
import sys

from chatbot.domain.links import b64url
from chatbot.web.limits import FailureBudget
from tests.web.test_app import CALL, OPEN, client
from tests.web.weblink import FakeDesk, ListLog


async def test_a_live_link_is_served_whatever_others_at_its_address_do():
    """Behind one proxy or router all share an address; only dead links are slowed there."""
    guess = json.dumps({"token": b64url(bytes(32))})
    async with client(budget=FailureBudget(each=1, total=1)) as web:
        guesses = [(await web.post("/api/open", content=guess, headers=CALL)).status_code for _ in range(3)]
        opened = await web.post("/api/open", content=OPEN, headers=CALL)

    assert guesses == [404, 429, 429]
    assert opened.status_code == 200


async def test_two_lengths_for_one_body_end_the_connection():
    """What a proxy and we would cut at different places is not read at all."""
    odd = CALL | {"Content-Length": "5", "Transfer-Encoding": "chunked"}
    async with client() as web:
        answer = await web.post("/api/open", content=OPEN, headers=odd)

    assert answer.status_code == 400
    assert answer.headers["connection"] == "close"


async def test_the_log_gets_no_traceback_of_a_bug():
    """Its last line would be the error's own words, and they may quote what a person typed."""

    class Watching(ListLog):
        def error(self, action, **ids):
            super().error(action, handling=sys.exc_info()[0], **ids)

    class Broken(FakeDesk):
        async def open(self, token, locale):
            raise RuntimeError(token)

    log = Watching()
    async with client(Broken(), log) as web:
        assert (await web.post("/api/open", content=OPEN, headers=CALL)).status_code == 500

    [(action, ids)] = log.lines
    assert (action, ids["error"], ids["handling"]) == ("web.failed", "RuntimeError", None)
    assert str(ids["where"]).startswith("test_lockout.py:")
