"""A process that stands by: another one has the token's lease, but updates are handled here too."""

import pytest

from chatbot.domain.people import Standing
from chatbot.domain.updates import Sender
from chatbot.errors import SendError, Verdict
from tests.support import slackapi
from tests.support.slackapi import APP_ID
from tests.support.slacks import ANA, rig

WHO = Sender(user=ANA, name="", channel=ANA, workspace="T1", private=True)


@pytest.fixture
async def slack():
    """A Slack with a person; nothing undocumented may be sent to it."""
    async with slackapi.running() as api:
        api.world.person(ANA)
        yield api
        assert api.complaints == []


async def test_who_stands_by_can_tell_who_somebody_is(slack):
    """Nobody's command is lost because the process that took it receives and sends nothing itself."""
    async with rig(slack) as app:
        assert await app.slack.standing(WHO, chief=False) is Standing.PERSON
        assert APP_ID in app.slack.private_url("", "T1")
        assert await app.slack.standing(WHO, chief=False) is Standing.PERSON
        assert slack.count("auth.test") == 1


async def test_who_stands_by_asks_again_once_slack_is_back(slack):
    """While Slack is away nothing is done for anybody, and it is not asked at every update."""
    slack.fail("auth.test", 503)
    async with rig(slack) as app:
        for _ in range(3):
            with pytest.raises(SendError) as refused:
                await app.slack.standing(WHO, chief=False)
            assert refused.value.verdict is Verdict.UNSENT
        await app.clock.sleep(6)
        assert await app.slack.standing(WHO, chief=False) is Standing.PERSON


async def test_a_token_that_was_refused_at_the_start_may_work_later(slack):
    """Let in again with the same token, nobody has to start the bot anew."""
    slack.fail("auth.test", "team_access_not_granted", 2)
    async with rig(slack) as app:
        await app.start()
        with pytest.raises(SendError):
            await app.slack.standing(WHO, chief=False)
        await app.clock.sleep(6)
        assert await app.slack.standing(WHO, chief=False) is Standing.PERSON
        assert app.slack.state == "receiving"
