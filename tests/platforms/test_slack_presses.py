"""What people press on Slack, and what happens to workspaces and home pages, as neutral words."""

import pytest

from chatbot.domain.updates import Happened, Pressed, Sender
from chatbot.platforms.slack.reading import read
from chatbot.platforms.slack.tokens import Bot
from tests.support.slackapi.world import BOT, Shown
from tests.support.slackwords import ANA, GRID, HERE, NAMES, PRIVATE, TS, happened, heard, pressed, rows


def test_a_press_names_button_person_and_message():
    """The button's id, where it was pressed, and the message it stands in."""
    who = Sender(ANA, "ana", "CTEAM", "T1", private=False)

    assert heard(pressed()) == Pressed(who, "b-1", f"CTEAM/{TS}", answer="CTEAM")


@pytest.mark.parametrize("button", ["forged", "0" * 255, "'; DROP TABLE presses; --", "<b>"])
def test_a_forged_button_is_only_a_press_nobody_knows(button):
    """Its id goes through as it stands; who may press what is looked up by the dispatcher."""
    element = {"type": "button", "action_id": button, "text": {"type": "plain_text", "text": "Next"}}

    assert heard(pressed(element=element)).button == button


def test_a_press_in_a_thread_stays_there():
    """The parent of a thread is not in it."""
    parent = Shown("T1", "CTEAM", TS, "Press", thread=TS)
    child = Shown("T1", "CTEAM", TS, "Press", thread="1600000000.000100")

    assert heard(pressed(parent)).who.thread == ""
    assert heard(pressed(child)).who.thread == "1600000000.000100"


def test_a_press_on_what_only_its_reader_saw_names_no_message():
    """Such a message can't be changed later."""
    shown = heard(pressed(Shown("T1", "CTEAM", TS, "Psst", to=ANA)))

    assert (shown.message_id, shown.answer, shown.who.private) == ("", "CTEAM", False)


@pytest.mark.parametrize(
    ("shown", "answer", "message"),
    [
        (Shown("T1", "DT1UANA", TS, "Press", thread="1600000000.000100"), "DT1UANA", f"DT1UANA/{TS}"),
        (Shown("T1", ANA, "V1", "", home=True), "", ""),
    ],
)
def test_a_press_in_private_or_at_home_is_private(shown, answer, message):
    """Both are the person's own place."""
    found = heard(pressed(shown))

    assert (found.who.channel, found.who.private, found.who.thread) == (ANA, True, "")
    assert (found.answer, found.message_id) == (answer, message)


@pytest.mark.parametrize(
    "changes",
    [
        {"actions": [{"type": "button", "action_id": "url:1", "url": "https://x.example"}]},
        {"actions": [{"type": "static_select", "action_id": "s1"}]},
        {"user": {"id": ANA, "username": "ana", "team_id": "T2"}},
        {"type": "view_submission"},
        {"type": "shortcut"},
    ],
)
def test_other_presses_leave_no_row(changes):
    """Opened addresses, menus and windows we never showed, and people of other workspaces."""
    assert rows(pressed(**changes)) == []


@pytest.mark.parametrize(
    ("event", "bot", "team"),
    [
        ({"type": "app_uninstalled"}, HERE, "T1"),
        ({"type": "app_uninstalled"}, GRID, "E1"),
        ({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT]}}, HERE, "T1"),
    ],
)
def test_a_workspace_that_removes_the_app_has_left(event, bot, team):
    """It is about the workspace, or the organisation that had installed it, and about no person."""
    assert heard(happened(event), bot) == Happened(Sender("", "", "", team), "left", "1700000001")


def test_a_revoked_user_token_means_nothing():
    """We hold none."""
    assert rows(happened({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}})) == []


@pytest.mark.parametrize(
    ("kind", "what", "detail"),
    [("team_access_revoked", "left", "1700000001"), ("team_access_granted", "joined", "")],
)
def test_each_workspace_an_organisation_takes_away_or_gives_back_is_told(kind, what, detail):
    """One event may name several."""
    found = rows(happened({"type": kind, "team_ids": ["T1", "T2"]}), GRID)

    assert [key for key, _ in found] == ["E:Ev000000007:T1", "E:Ev000000007:T2"]
    assert [read(raw, NAMES) for _, raw in found] == [
        Happened(Sender("", "", "", team), what, detail) for team in ("T1", "T2")
    ]


@pytest.mark.parametrize("bot", [HERE, Bot("T1", BOT, org="E1")])
def test_only_an_organisations_installation_lets_into_more_workspaces(bot):
    """The token of one workspace is never taken for another one's, whatever is said to it."""
    assert rows(happened({"type": "team_access_granted", "team_ids": ["T9"]}), bot) == []


def test_an_opened_home_page_is_the_persons_place():
    """Only the home tab counts, not the tab with the messages."""
    opened = {"type": "app_home_opened", "user": ANA, "channel": "DT1UANA"}

    assert heard(happened(opened | {"tab": "home"})) == Happened(PRIVATE, "home_opened")
    assert rows(happened(opened | {"tab": "messages"})) == []
