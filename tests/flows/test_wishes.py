"""What people wait for: asked for twice it is answered once, and nobody waits behind the impatient."""

from chatbot.domain.people import ConversationId, PersonId
from chatbot.ports.worth import WishKind
from handlers.jobs.refresh_balances import BATCH
from tests.support.bot import YOU, Bot
from tests.support.connected import connect
from tests.support.daily import sketches
from tests.support.practice import Running
from tests.support.rows import rows


async def test_an_impatient_person_holds_nobody_up(linked: Bot, bitso: Running) -> None:
    """A hundred times /balances while nothing can be read: another's card is renewed all the same."""
    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await connect(linked, bitso, as_="other", key=key, secret=secret)
    (person,), (chat,) = (
        await rows(linked, "people", user=YOU),
        await rows(linked, "conversations", channel=YOU),
    )
    (account,) = await rows(linked, "accounts", owner=person["id"])
    await linked.turn(seconds=60)
    wanted = {"accounts": [account["id"]], "card": "balances:a", "together": False}
    async with linked.ctx.uow() as store:
        for _ in range(BATCH):
            await store.wishes.add(
                WishKind.REFRESH,
                PersonId(person["id"]),
                ConversationId(chat["id"]),
                wanted,
                linked.clock.now(),
            )
    shown = await linked.type("/balances", as_="other")
    assert len(await rows(linked, "wishes")) == 2
    await linked.turn(seconds=1)
    assert shown.edits == 1


async def test_chart_asked_for_twice_is_drawn_once(linked: Bot) -> None:
    """A double press is one picture; another time is another."""
    await linked.type("/chart")
    await linked.type("/chart")
    await linked.type("/chart 7d")
    before = len(sketches(linked).asked)
    await linked.turn(jobs=("draw_charts", "deliver_messages"))
    assert len(sketches(linked).asked) == before + 2
