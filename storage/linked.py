"""People who are one person on several platforms: whose the accounts are, and the codes that join them.

`joining.py` reads and writes these tables; whoever goes by an identity asks here who is meant.
"""

from typing import Any

from sqlalchemy import Column, ColumnElement, ForeignKey, Index, LargeBinary, Table, Text, func, select

from storage.columns import METADATA, Json, Time

LINKED_PEOPLE = Table(
    "linked_people",
    METADATA,
    Column("person", Text, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("main", Text, ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    # Whom they joined: they go along with them when these part from the main person.
    Column("through", Text, ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Time, nullable=False),
    # The accounts they came with, and take along when they part.
    Column("brought", Json, nullable=False),
)
LINK_CODES = Table(
    "link_codes",
    METADATA,
    Column("person", Text, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("expires_at", Time, nullable=False, index=True),
)
_BY_HASH = Index("ix_link_codes_hash", LINK_CODES.c.hash, unique=True)


def main_of(person: Column[Any]) -> ColumnElement[Any]:
    """Return the id under which everything of a person stands: the main's, or their own."""
    main = select(LINKED_PEOPLE.c.main).where(LINKED_PEOPLE.c.person == person).scalar_subquery()
    return func.coalesce(main, person)
