"""What the bot remembers: SQLite or PostgreSQL behind `ports.stores`, and the vault that seals its secrets.

One file per aggregate holds its table, its queries and the way from row to object. `database.py` opens the
database and hands out units of work; nothing of SQLAlchemy leaves this package.

To add a column: change the table in its file, add `migrations/versions/<next number>_<what>.py`, and run
`tests/storage/test_migrations.py`, which holds that a fresh schema and a migrated one are the same.
To add an aggregate: one file with its table and store, one line in `stores.py`, its Protocol in
`chatbot/ports`, a migration, and its methods in `tests/storage/test_broken.py`.
"""
