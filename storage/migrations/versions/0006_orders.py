"""Fills by order, market and table; what contracts brought; cards that keep their mark."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("fills", sa.Column("settle", sa.Text(), nullable=False, server_default=""))
    op.add_column("fills", sa.Column("result", sa.Text(), nullable=False, server_default="0"))
    op.add_column("fills", sa.Column("bundle", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_fills_order", "fills", ["account", "market", "order"])
    op.create_index("ix_fills_market", "fills", ["account", "product", "market", "at"])
    op.create_index(
        "ix_fills_bundle", "fills", ["account", "bundle", "at"],
        sqlite_where=sa.text("bundle != ''"), postgresql_where=sa.text("bundle != ''"),
    )  # fmt: skip
    op.add_column("cards", sa.Column("ref", sa.Text(), nullable=False, server_default=""))
    op.add_column("cards", sa.Column("marked", sa.Boolean(), nullable=False, server_default=sa.text("false")))
