"""How Alembic runs our revisions: in one transaction, on a connection made by `accounts.db`."""

import os
from importlib import import_module
from importlib.util import find_spec

from alembic import context
from sqlalchemy import Connection

import accounts.payment_tables  # noqa: F401 - fills the MetaData
from accounts.db import metadata
from accounts.db.engines import database_url, migrating_engine

FACILITY, RECORDS = (
    ("tables", "daily", "audit", "operators"),
    ("tables", "listening", "nodes", "notes", "watched"),
)
OURS = (*(f"ivr.facility.{each}" for each in FACILITY), *(f"ivr.records.{each}" for each in RECORDS))
for module in OURS:
    if find_spec(module):
        import_module(module)


def migrate(conn: Connection) -> None:
    context.configure(
        connection=conn,
        target_metadata=metadata,
        render_as_batch=conn.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with migrating_engine(database_url(os.environ["IVR_DATABASE_URL"])).begin() as connection:
        migrate(connection)
