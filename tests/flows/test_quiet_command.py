"""/quiet: hours in which a place is not disturbed, as people set them."""

import pytest

from chatbot.domain.people import Standing
from tests.support.bot import TEAM, YOU, Bot
from tests.support.connected import share
from tests.support.practice import Running
from tests.support.rows import rows

HELD = "What came while it was quiet"


async def test_hours_are_set_kept_and_taken_back(linked: Bot) -> None:
    """By the clock of the person; shown in words; /quiet off ends them; each change is in the audit."""
    await linked.type("/timezone America/Mexico_City")
    shown = await linked.type("/quiet 22:00-07:00 mon-fri")
    assert shown.text.startswith(
        "Quiet hours here: 22:00–07:00, Mon, Tue, Wed, Thu, Fri, by the clock of America/Mexico_City."
    )
    assert "Unexplained outflow, Permission changes, Security" in shown.text
    await linked.type("/quiet 22:00-07:00 mon-fri")
    assert (await linked.type("/quiet off")).text.startswith("There are no quiet hours here.")
    await linked.type("/quiet off")
    outcomes = [row["outcome"] for row in await rows(linked, "audit", action="quiet")]
    assert outcomes == ["22:00-07:00 mon-fri", "off"]


async def test_they_hold_what_comes(linked: Bot, bitso: Running) -> None:
    """Set for now, nothing disturbs; taken back, what came meanwhile is there at once."""
    hour = linked.clock.now().hour
    await linked.type(f"/quiet {hour:02}:00-{(hour + 2) % 24:02}:00")
    said = len(linked.texts())
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert len(linked.texts()) == said
    await linked.press("No quiet hours")
    await linked.turn(jobs=("post_digests", "deliver_messages"))
    assert linked.texts()[-1].startswith(HELD)


async def test_they_move_with_their_person(linked: Bot) -> None:
    """In private the hours are by the person's clock, also after they travelled."""
    await linked.type("/quiet 22:00-07:00")
    await linked.type("/timezone Asia/Tokyo")
    assert "by the clock of Asia/Tokyo" in (await linked.type("/quiet")).text


async def test_without_words_it_shows_and_offers(linked: Bot) -> None:
    """A press sets them in the same message, and again changes nothing."""
    shown = await linked.type("/quiet")
    assert shown.text.startswith("There are no quiet hours here.")
    messages = len(linked.chat.messages)
    button = linked.button("23:00–08:00", YOU)
    for _ in range(2):
        raw = {"kind": "pressed", "user": YOU, "chat": YOU, "button": button.action, "id": "m"}
        await linked.inlet.put("web", f"p{next(linked.events)}", raw)
        await linked._handled()
        assert shown.text.startswith("Quiet hours here: 23:00–08:00, every day, by the clock of UTC.")
    assert len(linked.chat.messages) == messages
    assert len(await rows(linked, "audit", action="quiet")) == 1


@pytest.mark.parametrize(
    "words", ["25:00", "22:00", "22:00-22:00", "22:00-07:00 someday", "-", "22:61-07:00"]
)
async def test_what_cannot_be_read_changes_nothing(linked: Bot, words: str) -> None:
    """A sentence with an example that works; the hours of before stay."""
    await linked.type("/quiet 21:00-06:00")
    shown = await linked.type(f"/quiet {words}")
    assert shown.text.startswith(
        f"I can't read quiet hours in “{words}”. Write them like this: /quiet 22:00-"
    )
    assert {row["quiet"] for row in await rows(linked, "conversations")} == {"21:00-06:00"}


async def test_a_group_keeps_the_clock_of_who_set_them(linked: Bot) -> None:
    """Only an admin of the group sets them; they stay what they were when that admin travels."""
    await share(linked)
    await linked.type("/timezone Europe/Madrid")
    shown = await linked.type("/quiet 22:00-07:00", chat=TEAM)
    assert "by the clock of Europe/Madrid" in shown.text
    await linked.type("/timezone UTC")
    assert "by the clock of Europe/Madrid" in (await linked.type("/quiet", chat=TEAM)).text
    (team,) = await rows(linked, "conversations", channel=TEAM)
    assert (team["quiet"], team["quiet_zone"]) == ("22:00-07:00", "Europe/Madrid")


async def test_a_member_who_is_no_admin_of_the_group_is_refused(linked: Bot) -> None:
    """Typing and pressing: a sentence, and nothing changes."""
    await linked.type("/quiet", chat=TEAM)
    linked.chat.standings["other"] = Standing.PERSON
    await linked.press("22:00–07:00, every day", chat=TEAM, as_="other")
    assert linked.chat.toasts[-1] == "Only an admin of this group or channel may do that."
    refused = await linked.type("/quiet 22:00-07:00", chat=TEAM, as_="other")
    assert "Only an admin of this group or channel may send /quiet in it." in refused.text
    assert {row["quiet"] for row in await rows(linked, "conversations")} == {""}
