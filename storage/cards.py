"""Cards: which message of a conversation is edited when a post with the same card comes.

A message keeps its reference while it is edited, and the mark that it may be a repeat.
"""

from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text, text

from chatbot.domain.outbox import Delivery
from storage.columns import METADATA, Time
from storage.transaction import Record, Transaction

CARDS = Table(
    "cards",
    METADATA,
    Column("conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("card", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("ref", Text, nullable=False, server_default=""),
    Column("marked", Boolean, nullable=False, server_default=text("false")),
)


async def remember(tx: Transaction, row: Record, delivery: Delivery, message_id: str, now: datetime) -> None:
    """Keep the message that now shows a card; `row` is the post's."""
    shown = {"message_id": message_id, "at": now, "ref": delivery.ref, "marked": delivery.repeat}
    added = tx.insert(CARDS).values(conversation=row.conversation, card=delivery.card, team=row.team, **shown)
    await tx.run(added.on_conflict_do_update(index_elements=["conversation", "card"], set_=shown))
