"""Fixtures that every folder may use."""

from tests.database import (  # noqa: F401 - pytest finds fixtures by their names
    backend,
    database,
    database_url,
    empty_database_url,
    postgresql_server,
    postgresql_template,
    sqlite_template,
)
