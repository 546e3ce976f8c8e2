"""Buttons: what a random id under a message stands for, who may press it, where, and until when.

A platform only ever sees the id. Pressing changes nothing here, so a second press does the same again.
"""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text, and_, delete, or_, select

from chatbot.domain.messages import Button, Message
from chatbot.domain.people import ConversationId, PersonId
from chatbot.ports.mail import Press
from storage.columns import METADATA, Json, Time
from storage.transaction import Transaction

BUTTONS = Table(
    "buttons",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column(
        "conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("post", Text, nullable=False, index=True),
    Column("person", Text, ForeignKey("people.id", ondelete="CASCADE"), index=True),
    Column("anyone", Boolean, nullable=False),
    Column("action", Text, nullable=False),
    Column("args", Json, nullable=False),
    Column("expires_at", Time, nullable=False, index=True),
)


def with_ids(message: Message, now: datetime) -> tuple[Message, list[dict[str, Any]]]:
    """Return the message with random ids for actions, and the rows these ids stand for."""
    rows: list[dict[str, Any]] = []

    def shown(line: tuple[Button, ...]) -> Iterator[Button]:
        for button in line:
            if button.action:
                rows.append(_row(button, now))
                yield replace(button, action=rows[-1]["id"], args=())
            else:
                yield button

    lines = tuple(tuple(shown(line)) for line in message.buttons)
    return replace(message, buttons=lines), rows


async def press(
    tx: Transaction, button: str, person: PersonId, conversation: ConversationId, now: datetime
) -> Press | None:
    """Return what a button does for this person, here and now."""
    row = await tx.first(
        select(BUTTONS.c.action, BUTTONS.c.args).where(
            BUTTONS.c.id == button,
            BUTTONS.c.conversation == conversation,
            BUTTONS.c.expires_at > now,
            or_(BUTTONS.c.anyone, and_(BUTTONS.c.person.is_not(None), BUTTONS.c.person == person)),
        )
    )
    return Press(row.action, tuple(row.args)) if row else None


async def peek(tx: Transaction, button: str) -> Press | None:
    """Return what a button stands for, whoever may press it."""
    row = await tx.first(select(BUTTONS.c.action, BUTTONS.c.args).where(BUTTONS.c.id == button))
    return Press(row.action, tuple(row.args)) if row else None


async def sweep(tx: Transaction, now: datetime) -> None:
    """Delete the buttons whose time is over."""
    await tx.run(delete(BUTTONS).where(BUTTONS.c.expires_at <= now))


def _row(button: Button, now: datetime) -> dict[str, Any]:
    return {
        "id": secrets.token_urlsafe(16),
        "anyone": button.anyone,
        "action": button.action,
        "args": list(button.args),
        "expires_at": now + timedelta(minutes=button.minutes),
    }
