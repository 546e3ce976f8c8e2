"""How loud each subscription is and when it is due; quiet places, mutes, and what they hold back.

What came with trouble of a key or with balances gets subscriptions of its own, where it was heard before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_WITH_KEYS = ("expiry", "permissions", "exchange", "security", "outflow")
_WITH_BALANCES = ("transfers",)


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("loudness", sa.Text(), nullable=False, server_default="loud"))
    op.add_column("subscriptions", sa.Column("rule", sa.Text(), nullable=False, server_default=""))
    op.add_column("subscriptions", sa.Column("zone", sa.Text(), nullable=False, server_default=""))
    op.add_column("subscriptions", sa.Column("muted_until", sa.BigInteger(), nullable=True))
    op.add_column("conversations", sa.Column("quiet", sa.Text(), nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("quiet_zone", sa.Text(), nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("muted_until", sa.BigInteger(), nullable=True))
    op.execute("UPDATE subscriptions SET rule = 'daily 09:00' WHERE kind = 'balances'")
    for kind in _WITH_KEYS:
        _beside("keys", kind)
    for kind in _WITH_BALANCES:
        _beside("balances", kind)
    op.drop_index("ix_subscriptions_due_at", "subscriptions")
    op.create_index("ix_subscriptions_kind_due_at", "subscriptions", ["kind", "due_at"])
    _held()


def _beside(kind: str, new: str) -> None:
    """Subscribe every place of one kind to a new one; the new row's id is made of the old one's."""
    op.execute(
        sa.text(
            "INSERT INTO subscriptions (id, team, account, kind, conversation, last_currency, fence) "
            "SELECT s.id || '-' || :new, s.team, s.account, :new, s.conversation, '', 0 "
            "FROM subscriptions s WHERE s.kind = :kind"
        ).bindparams(sa.bindparam("new", new, type_=sa.Text()), sa.bindparam("kind", kind, type_=sa.Text()))
    )


def _held() -> None:
    op.create_table(
        "held",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("also", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("image", sa.LargeBinary(), nullable=True),
        sa.Column("image_alt", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("over_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.id"], name="fk_held_conversation", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_held_account", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["reader"], ["people.id"], name="fk_held_reader", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq", name="pk_held"),
        sa.UniqueConstraint("key", name="uq_held_key"),
    )
    for column in ("conversation", "account", "reader"):
        op.create_index(f"ix_held_{column}", "held", [column])
    still = sa.text("over_at IS NULL")
    op.create_index("ix_held_open", "held", ["until"], sqlite_where=still, postgresql_where=still)
