"""Alembic's entry: runs inside the transaction that `storage/migrator.py` opened."""

from alembic import context

from storage.columns import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
