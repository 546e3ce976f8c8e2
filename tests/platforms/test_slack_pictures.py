"""A picture that never gets through to Slack: what it shows is said in words, so that nothing waits for ever."""

import pytest

from chatbot.domain.messages import Image, Message, line
from chatbot.domain.outbox import Promise
from chatbot.errors import SendError, Verdict
from chatbot.platforms.slack.sending import PICTURE_TRIES
from tests.support import slackapi
from tests.support.slackapi import Fault
from tests.support.slacks import ANA, delivery, rig

SHOWN = Message((line("week"),), (), Image(b"\x89PNG", "up, then down"))


@pytest.fixture
async def app():
    """A started app in a Slack whose upload server can't be reached from here."""
    async with slackapi.running() as api, rig(api) as app:
        api.world.person(ANA)
        await app.start()
        yield app
        assert api.complaints == []


@pytest.mark.parametrize("fault", [403, 502, Fault.CLOSE_EARLY])
async def test_an_upload_that_never_works_ends_in_words(app, fault):
    """A firewall may let slack.com through and not the host of its files."""
    app.api.fail("upload", fault, 9)
    for attempt in range(1, PICTURE_TRIES + 1):
        with pytest.raises(SendError) as unsent:
            await app.slack.deliver(
                delivery(SHOWN, clock=app.clock, promise=Promise.REPORT, attempts=attempt)
            )
        assert unsent.value.verdict is Verdict.UNSENT
    late = delivery(SHOWN, clock=app.clock, promise=Promise.REPORT, attempts=PICTURE_TRIES + 1)
    assert await app.slack.deliver(late)
    assert [shown.words for shown in app.api.shown(ANA)] == ["up, then down", "week"]


async def test_an_answer_that_was_cut_is_never_made_up_for_in_words(app):
    """It may have been taken: that is for the outbox to judge, however often it was tried."""
    app.api.fail("files.completeUploadExternal", Fault.CLOSE)
    with pytest.raises(SendError) as doubt:
        await app.slack.deliver(delivery(SHOWN, clock=app.clock, attempts=99))
    assert doubt.value.verdict is Verdict.UNKNOWN
    assert len([shown for shown in app.api.shown(ANA) if shown.files]) == 1
