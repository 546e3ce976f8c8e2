"""The audit becomes a chain; links know when they were first opened, people may keep a phrase."""

import sqlalchemy as sa
from alembic import op

from storage.chain import Entry, Head, link

revision = "0002"
down_revision = "0001"

AUDIT = sa.table(
    "audit",
    sa.column("seq"),
    sa.column("team"),
    sa.column("at"),
    sa.column("actor"),
    sa.column("action"),
    sa.column("subject"),
    sa.column("outcome"),
    sa.column("number"),
    sa.column("hash"),
)
HEADS = sa.table("audit_heads", sa.column("team"), sa.column("number"), sa.column("hash"))


def upgrade() -> None:
    op.add_column("audit", sa.Column("number", sa.Integer(), nullable=True))
    op.add_column("audit", sa.Column("hash", sa.LargeBinary(), nullable=True))
    op.create_index("ix_audit_team_number", "audit", ["team", "number"], unique=True)
    op.create_table(
        "audit_heads",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("team", name="pk_audit_heads"),
    )
    op.add_column("links", sa.Column("opened_at", sa.BigInteger(), nullable=True))
    op.add_column("people", sa.Column("phrase", sa.Text(), nullable=False, server_default=""))
    _chain(op.get_bind())


def _chain(connection: sa.Connection) -> None:
    heads: dict[str, Head] = {}
    places = []
    for row in connection.execute(sa.select(AUDIT).order_by(AUDIT.c.seq)).all():
        head = heads.get(row.team, Head())
        entry = Entry(row.team, head.number + 1, row.at, row.actor, row.action, row.subject, row.outcome)
        heads[row.team] = Head(entry.number, link(head.hash, entry))
        places.append({"row_seq": row.seq, "number": entry.number, "hash": heads[row.team].hash})
    if places:
        here = sa.update(AUDIT).where(AUDIT.c.seq == sa.bindparam("row_seq"))
        joined = here.values(number=sa.bindparam("number"), hash=sa.bindparam("hash"))
        # One statement run many times: one by one a hundred thousand entries would take most of a minute.
        connection.execute(joined, places)
    for team, head in heads.items():
        connection.execute(sa.insert(HEADS).values(team=team, number=head.number, hash=head.hash))
