"""What the bot keeps: a week of messages' words, three months of updates' ids."""

from tests.support.bot import Bot
from tests.support.rows import rows


async def test_old_words_and_old_ids_go_by_themselves(linked: Bot) -> None:
    """After a week no sent message can be read in the database, after three months no update is known."""
    await linked.turn(seconds=1)
    sent = await rows(linked, "outbox", state="sent")
    assert all(row["message"] for row in sent)

    await linked.turn(seconds=8 * 86400, jobs=["prune_rows"])
    assert [row["message"] for row in await rows(linked, "outbox", state="sent")] == [None] * len(sent)
    assert await rows(linked, "inbox")

    await linked.turn(seconds=90 * 86400, jobs=["prune_rows"])
    assert await rows(linked, "inbox") == []
    assert len(await rows(linked, "outbox", state="sent")) == len(sent)
