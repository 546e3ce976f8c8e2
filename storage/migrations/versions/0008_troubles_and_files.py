"""Troubles that last (what was told before the upgrade is not told anew), files, outcomes in doubt."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "troubles",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("rung_at", sa.BigInteger(), nullable=True),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account", "trouble", name="pk_troubles"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_troubles_account", ondelete="CASCADE"),
    )
    op.add_column("outbox", sa.Column("file", sa.LargeBinary(), nullable=True))
    op.add_column("outbox", sa.Column("file_name", sa.Text(), nullable=False, server_default=""))
    op.add_column("outbox", sa.Column("file_kind", sa.Text(), nullable=False, server_default=""))
    op.add_column("outbox", sa.Column("doubts", sa.Integer(), nullable=False, server_default="0"))
    no = sa.text("false")
    op.add_column("outbox", sa.Column("offered", sa.Boolean(), nullable=False, server_default=no))
    op.create_index(
        "ix_outbox_doubted", "outbox", ["conversation", "seq"],
        sqlite_where=sa.text("doubts > 0"), postgresql_where=sa.text("doubts > 0"),
    )  # fmt: skip
    op.execute(
        "INSERT INTO troubles (account, trouble, team, since, last_at, tries, told_at, rung_at, shown_at) "
        "SELECT id, trouble, team, trouble_since, trouble_since, failures, trouble_since, trouble_since, "
        "trouble_since FROM accounts "
        "WHERE trouble_told AND trouble <> '' AND trouble_since IS NOT NULL AND state <> 'revoked'"
    )
