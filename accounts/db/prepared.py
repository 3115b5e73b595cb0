"""Statements on the path of a call: compiled once, then given to SQLite's driver without SQLAlchemy's own execution.

SQLAlchemy takes some 35 us of processor time to execute a statement that SQLite answers in 5. What a caller sees of it
stays the same: values are converted by the types of their columns, an error is SQLAlchemy's, and listeners on the
engine hear of each statement. PostgreSQL is asked through SQLAlchemy, which knows how its connections break.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, cast

from sqlalchemy import CompoundSelect, Connection, Dialect, Row, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

from accounts.db.engines import driver_connection

Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]] | UpdateBase
Values = Mapping[str, Any]
AnyRow = Row[*tuple[Any, ...]]
_Converter = Callable[[Any], Any]


class Prepared:
    """A statement of SQLAlchemy's that is asked with values for its parameters, and for the columns that it sets."""

    def __init__(self, statement: Statement) -> None:
        self._statement: Final = statement
        self._forms: dict[tuple[str, ...], _Form] = {}  # by the names of the values that are given

    def rows(self, conn: Connection, values: Values) -> Sequence[AnyRow]:
        """All rows that it finds or returns, with their columns as attributes."""
        if conn.dialect.name != "sqlite":
            return conn.execute(self._statement, values).all()
        found, _ = self._form(conn, values).run(conn, values)
        return found

    def row(self, conn: Connection, values: Values) -> AnyRow | None:
        """Its one row, or None; where it has the key in its condition there are no more."""
        found = self.rows(conn, values)
        return found[0] if found else None

    def value(self, conn: Connection, values: Values) -> Any:
        """The first column of its one row, or None."""
        found = self.row(conn, values)
        return None if found is None else found[0]

    def change(self, conn: Connection, values: Values) -> int:
        """How many rows it has inserted or updated."""
        if conn.dialect.name != "sqlite":
            return conn.execute(self._statement, values).rowcount
        _, changed = self._form(conn, values).run(conn, values)
        return changed

    def _form(self, conn: Connection, values: Values) -> "_Form":
        names = tuple(values)
        form = self._forms.get(names)
        if form is None:
            form = self._forms[names] = _Form(self._statement, names, conn.dialect)
        return form


class _Form:
    """What the driver is given: the SQL, and where each of its parameters comes from."""

    def __init__(self, statement: Statement, names: Sequence[str], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names))
        if compiled.post_compile_params or compiled.literal_execute_params or compiled.prefetch:
            raise TypeError("a statement whose SQL or values are made anew each time cannot be prepared")
        self._sql: Final = str(compiled)
        self._parameters: Final = [
            _parameter(compiled, name, names, dialect) for name in compiled.positiontup or ()
        ]
        columns = statement.exported_columns.items()
        self._row: Final = _row_class([str(name) for name, _ in columns])
        converters = [_from_database(column.type, dialect) for _, column in columns]
        self._converted: Final = [(at, each) for at, each in enumerate(converters) if each is not None]

    def run(self, conn: Connection, values: Values) -> tuple[Sequence[AnyRow], int]:
        """The rows, and how many were changed."""
        if not conn.in_transaction():
            conn.begin()
        given = tuple(
            [
                constant if name is None else convert(values[name]) if convert else values[name]
                for name, convert, constant in self._parameters
            ]
        )
        conn.dispatch.before_cursor_execute(conn, None, self._sql, given, None, False)
        try:
            cursor = driver_connection(conn).execute(self._sql, given)
            raw = cursor.fetchall()
        except conn.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemys(error, self._sql, given, conn) from error
        return [self._made(each) for each in raw], cursor.rowcount

    def _made(self, raw: Sequence[Any]) -> AnyRow:
        if self._converted:
            raw = list(raw)
            for at, convert in self._converted:
                raw[at] = convert(raw[at])
        return cast(AnyRow, self._row(raw))


def _parameter(
    compiled: SQLCompiler, name: str, names: Sequence[str], dialect: Dialect
) -> tuple[str | None, _Converter | None, Any]:
    """The name of the value that is given and its conversion, or None and what always stands there."""
    parameter = compiled.binds[name]
    convert = parameter.type.dialect_impl(dialect).bind_processor(dialect)
    if parameter.key in names:
        return parameter.key, convert, None
    if parameter.required:
        raise TypeError(f"the statement needs a value for {parameter.key}")
    constant = compiled.params[name]
    return None, None, convert(constant) if convert else constant


def _from_database(column_type: TypeEngine[Any], dialect: Dialect) -> _Converter | None:
    return column_type.dialect_impl(dialect).result_processor(dialect, None)


def _row_class(names: Sequence[str]) -> type[tuple[Any, ...]]:
    """A tuple whose items have their columns' names, as far as callers use SQLAlchemy's own rows."""
    columns = {name: property(itemgetter(at)) for at, name in enumerate(names)}
    by_name = property(lambda row: dict(zip(names, row, strict=True)))
    return type("PreparedRow", (tuple,), {"__slots__": (), **columns, "_mapping": by_name})


def _as_sqlalchemys(error: Exception, sql: str, given: tuple[Any, ...], conn: Connection) -> BaseException:
    """The error as SQLAlchemy would have raised it, such as IntegrityError."""
    hidden = conn.engine.hide_parameters
    return DBAPIError.instance(
        sql, given, error, conn.dialect.loaded_dbapi.Error, hide_parameters=hidden, dialect=conn.dialect
    )
