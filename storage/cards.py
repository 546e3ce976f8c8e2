"""Cards: which message of a conversation is edited when a post with the same card comes."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Table, Text

from storage.columns import METADATA, Time
from storage.transaction import Transaction

CARDS = Table(
    "cards",
    METADATA,
    Column("conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("card", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("at", Time, nullable=False),
)


async def remember(
    tx: Transaction, conversation: str, card: str, team: str, message_id: str, now: datetime
) -> None:
    """Keep the message that now shows a card."""
    shown = {"message_id": message_id, "at": now}
    added = tx.insert(CARDS).values(conversation=conversation, card=card, team=team, **shown)
    await tx.run(added.on_conflict_do_update(index_elements=["conversation", "card"], set_=shown))
