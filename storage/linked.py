"""People who are one person on two platforms: whose the accounts are, and the codes that join them."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from storage.columns import METADATA, Time

LINKED_PEOPLE = Table(
    "linked_people",
    METADATA,
    Column("person", Text, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("main", Text, ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Time, nullable=False),
)
LINK_CODES = Table(
    "link_codes",
    METADATA,
    Column("person", Text, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("expires_at", Time, nullable=False, index=True),
    Column("tries", Integer, nullable=False),
)
_BY_HASH = Index("ix_link_codes_hash", LINK_CODES.c.hash, unique=True)
