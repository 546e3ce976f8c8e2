"""Installations of many workspaces, home pages, people who are one person on two platforms."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("whisper", sa.Text(), nullable=False, server_default=""))
    op.add_column("outbox", sa.Column("home", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    shown = sa.text("home")
    op.create_index("ix_outbox_home", "outbox", ["conversation"], sqlite_where=shown, postgresql_where=shown)
    _installations()
    op.create_table(
        "homes",
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.id"], name="fk_homes_conversation", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("conversation", name="pk_homes"),
    )
    op.create_index("ix_homes_opened_at", "homes", ["opened_at"])
    _linked_people()


def _installations() -> None:
    op.create_table(
        "installations",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("wide", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("team", name="pk_installations"),
    )
    op.create_table(
        "installation_states",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_installation_states"),
    )
    op.create_index("ix_installation_states_expires_at", "installation_states", ["expires_at"])


def _linked_people() -> None:
    op.create_table(
        "linked_people",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("main", sa.Text(), nullable=False),
        sa.Column("through", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("brought", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person"], ["people.id"], name="fk_linked_people_person", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["main"], ["people.id"], name="fk_linked_people_main", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["through"], ["people.id"], name="fk_linked_people_through", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person", name="pk_linked_people"),
    )
    op.create_index("ix_linked_people_main", "linked_people", ["main"])
    op.create_index("ix_linked_people_through", "linked_people", ["through"])
    op.create_table(
        "link_codes",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_link_codes_person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person", name="pk_link_codes"),
    )
    op.create_index("ix_link_codes_hash", "link_codes", ["hash"], unique=True)
    op.create_index("ix_link_codes_expires_at", "link_codes", ["expires_at"])
