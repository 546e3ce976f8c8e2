"""Who counts as a person of the workspace, by what Slack itself says, and what counts while it can't be asked."""

import pytest

from chatbot.domain.people import Standing
from chatbot.domain.updates import Sender
from chatbot.errors import SendError, StorageError, Verdict
from chatbot.platforms.slack.standing import FRESH_SECONDS, REMEMBERED, STALE_SECONDS, Standings, standing_of
from chatbot.platforms.slack.tokens import Bot
from tests.support.slackgate import Lookup
from tests.support.slacks import ANA, ApiClock

HERE = Bot("T1", "UBOT")


def who(user=ANA, team="T1"):
    return Sender(user, "Ana", user, team)


class Slack:
    """Answers users.info from a list of people, or fails."""

    def __init__(self, **people):
        self.people = people
        self.asked = []
        self.failure = None

    async def __call__(self, workspace, method, params):
        self.asked.append((workspace, method, dict(params)))
        if self.failure is not None:
            raise self.failure
        if params["user"] not in self.people:
            raise SendError(Verdict.GONE, "user_not_found")
        return {"ok": True, "user": {"id": params["user"], "team_id": "T1", **self.people[params["user"]]}}


def standings(slack, bots=None):
    clock = ApiClock()
    return Standings(slack, bots or Lookup(HERE), clock), clock


@pytest.mark.parametrize(
    ("flags", "standing"),
    [
        ({}, Standing.PERSON),
        ({"is_admin": True}, Standing.CHIEF),
        ({"is_owner": True}, Standing.CHIEF),
        ({"is_primary_owner": True}, Standing.CHIEF),
        ({"is_app_user": True}, Standing.PERSON),
        ({"deleted": True}, Standing.NONE),
        ({"is_bot": True}, Standing.NONE),
        ({"is_workflow_bot": True}, Standing.NONE),
        ({"is_restricted": True}, Standing.NONE),
        ({"is_ultra_restricted": True}, Standing.NONE),
        ({"is_stranger": True}, Standing.NONE),
        ({"team_id": "T2"}, Standing.NONE),
        ({"team_id": "T2", "is_admin": True}, Standing.NONE),
        ({"team_id": None}, Standing.NONE),
        ({"is_admin": True, "is_restricted": True}, Standing.NONE),
        ({"is_admin": True, "deleted": True}, Standing.NONE),
    ],
)
async def test_guests_bots_strangers_and_those_who_left_are_nobody(flags, standing):
    """Whatever else is said of them; admins and owners are chiefs when that is asked for."""
    found, _ = standings(Slack(UANA=flags))

    assert await found.of(who(), chief=True) is standing
    assert await found.of(who(), chief=False) is min(standing, Standing.PERSON)


@pytest.mark.parametrize(
    ("wider", "org", "standing"),
    [
        ({"enterprise_id": "E1", "teams": ["T1", "T2"]}, "E1", Standing.PERSON),
        ({"enterprise_id": "E1", "teams": ["T2"]}, "E1", Standing.NONE),
        ({"enterprise_id": "E2", "teams": ["T1"]}, "E1", Standing.NONE),
        ({"enterprise_id": "E1", "teams": ["T1"]}, "", Standing.NONE),
        ({"enterprise_id": "", "teams": ["T1"]}, "", Standing.NONE),
        ({"enterprise_id": "E1"}, "E1", Standing.NONE),
        (None, "E1", Standing.NONE),
        ("E1", "E1", Standing.NONE),
    ],
)
def test_in_an_organisation_a_member_of_several_workspaces_counts(wider, org, standing):
    """When they are of this organisation and of this very workspace, though their first one is another."""
    assert standing_of({"team_id": "T2", "enterprise_user": wider}, "T1", org) is standing


async def test_whom_slack_does_not_know_is_nobody():
    """And it is not asked about Slackbot, who is no bot by its flags."""
    slack = Slack()
    found, _ = standings(slack)

    assert await found.of(who("UNOBODY"), chief=True) is Standing.NONE
    assert await found.of(who("USLACKBOT"), chief=True) is Standing.NONE
    assert [asked[2]["user"] for asked in slack.asked] == ["UNOBODY"]


async def test_an_answer_counts_for_five_minutes():
    """Then Slack is asked again, and who became a guest meanwhile is nobody."""
    slack = Slack(UANA={})
    found, clock = standings(slack)
    for _ in range(3):
        assert await found.of(who(), chief=False) is Standing.PERSON
    slack.people["UANA"] = {"is_restricted": True}
    clock.passed = FRESH_SECONDS - 1
    assert await found.of(who(), chief=False) is Standing.PERSON
    clock.passed = FRESH_SECONDS

    assert await found.of(who(), chief=False) is Standing.NONE
    assert len(slack.asked) == 2


async def test_while_slack_is_away_an_answer_counts_for_an_hour():
    """After that nothing is done for anybody until it can be asked again."""
    slack = Slack(UANA={"is_admin": True})
    found, clock = standings(slack)
    await found.of(who(), chief=True)
    slack.failure = SendError(Verdict.UNSENT, "ClientConnectorError")
    clock.passed = STALE_SECONDS - 1
    assert await found.of(who(), chief=True) is Standing.CHIEF
    clock.passed = STALE_SECONDS

    with pytest.raises(SendError) as raised:
        await found.of(who(), chief=True)
    assert (raised.value.verdict, raised.value.retry) == (Verdict.UNSENT, True)
    slack.failure = None
    assert await found.of(who(), chief=True) is Standing.CHIEF


@pytest.mark.parametrize("verdict", [Verdict.UNAUTHORISED, Verdict.LIMITED, Verdict.UNKNOWN, Verdict.REFUSED])
async def test_without_an_answer_nothing_is_done(verdict):
    """Whatever the reason, it comes out as one that may pass."""
    slack = Slack()
    slack.failure = SendError(verdict, "odd")
    found, _ = standings(slack)

    with pytest.raises(SendError, match="can't be asked") as raised:
        await found.of(who(), chief=False)
    assert raised.value.verdict is Verdict.UNSENT


async def test_a_database_that_is_away_is_no_answer_either():
    """The tokens are in it."""
    found, _ = standings(Slack(UANA={}), Lookup(StorageError("away", retry=True)))

    with pytest.raises(SendError):
        await found.of(who(), chief=False)


@pytest.mark.parametrize("user", [None, [], "UANA"])
async def test_an_answer_without_a_user_is_none(user):
    """An odd answer never makes anybody a person."""

    async def odd(workspace, method, params):
        return {"ok": True, "user": user}

    found, _ = standings(odd)

    with pytest.raises(SendError):
        await found.of(who(), chief=False)


async def test_the_same_id_in_two_workspaces_is_two_people():
    """What is known of one says nothing of the other."""
    slack = Slack(UANA={"is_admin": True})
    found, _ = standings(slack)
    assert await found.of(who(), chief=True) is Standing.CHIEF

    assert await found.of(who(team="T2"), chief=True) is Standing.NONE


async def test_not_everybody_is_remembered_for_ever():
    """The last asked for are kept, the others are asked for anew."""
    slack = Slack(**{f"U{n}": {} for n in range(REMEMBERED + 1)})
    found, _ = standings(slack)
    for number in range(REMEMBERED + 1):
        await found.of(who(f"U{number}"), chief=False)
    await found.of(who(f"U{REMEMBERED}"), chief=False)
    assert len(slack.asked) == REMEMBERED + 1

    await found.of(who("U0"), chief=False)
    assert len(slack.asked) == REMEMBERED + 2


async def test_slack_itself_is_asked(slack, app):
    """By users.info with the workspace's token, once for many questions."""
    slack.world.person("UGUEST", is_restricted=True)
    slack.world.person("UCHIEF", is_owner=True)
    for _ in range(3):
        assert await app.slack.standing(who("UGUEST"), chief=True) is Standing.NONE
        assert await app.slack.standing(who("UCHIEF"), chief=True) is Standing.CHIEF
        assert await app.slack.standing(who("UNOBODY"), chief=True) is Standing.NONE

    assert slack.count("users.info") == 3


async def test_the_same_answer_says_what_people_are_called_and_their_language():
    """Slack's events leave both out; a name that somebody chose for others to read comes first."""
    slack = Slack(
        UANA={"name": "ana", "locale": "es-ES", "profile": {"display_name": "Ana L.", "real_name": "Ana"}},
        UBEN={"name": "ben", "real_name": "Ben B.", "profile": {"display_name": ""}},
    )
    known, _ = standings(slack)
    for user in ("UANA", "UBEN"):
        await known.of(who(user), chief=False)

    told = [known.known(Sender(user, "", user, "T1")) for user in ("UANA", "UBEN", "UCAT")]
    assert [(one.name, one.locale) for one in told] == [("Ana L.", "es-ES"), ("Ben B.", ""), ("", "")]
    assert slack.asked[0][2] == {"user": "UANA", "include_locale": True}
