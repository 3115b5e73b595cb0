"""The MetaData that all tables share, and the types of columns that databases have no safe one for."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Dialect, MetaData
from sqlalchemy.types import TypeDecorator

from rating.money import Money

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

WholeT = TypeVar("WholeT", bound=int)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _WholeNumber(TypeDecorator[WholeT]):
    """A BIGINT that refuses anything but an int; SQLite would quietly keep a float in an integer column."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: WholeT | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """The number itself; raises TypeError for a float, Decimal or bool."""
        if value is not None and type(value) is not int:
            raise TypeError(f"a whole number is needed, not {value!r}")
        return value


class Whole(_WholeNumber[int]):
    """A count, or an amount in the smallest unit of whatever its ledger counts."""

    cache_ok = True


class Micros(_WholeNumber[Money]):
    """Money in millionths of the currency unit."""

    cache_ok = True


class Instant(TypeDecorator[datetime]):
    """A moment, kept as microseconds since 1970 in UTC; aware datetimes in Python."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Microseconds since 1970; raises TypeError for a datetime that does not know its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"an aware datetime is needed, not {value!r}")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The moment in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND
