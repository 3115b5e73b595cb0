"""Fixtures that every folder may use."""

from tests.compiling import statements_are_compiled_once  # noqa: F401 - pytest finds fixtures by their names
from tests.database import (  # noqa: F401 - pytest finds fixtures by their names
    backend,
    database,
    database_url,
    empty_database_url,
    postgresql_server,
    postgresql_template,
    sqlite_template,
)
from tests.redis_server import redis_server  # noqa: F401 - pytest finds fixtures by their names
