"""Operators: who they are, what they may do, and how they are known."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Index, Row, String, Table, Text, func, insert, select, text, update

from accounts.db import Instant, metadata
from ivr.facility.tables import one_of
from ivr.policy.roles import Role

#: Names stay when their operators have gone: the log has them.
operator: Final = Table(
    "operator",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("login", Text),  # the user of the system as whom they are known at a shell
    Column("password_hash", Text),  # argon2id; none: they sign in by no password
    Column("added_at", Instant, nullable=False),
    Column("removed_at", Instant),
    one_of("role", *Role),
    Index(
        "ix_operator_login",
        "login",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
)
_STANDING = operator.c.removed_at.is_(None)


def are_there_any(conn: Connection) -> bool:
    """Whether anybody was ever made an operator; until then whoever owns the instance is its administrator."""
    return conn.scalar(select(operator.c.name).limit(1)) is not None


def named(conn: Connection, name: str) -> Row[Any] | None:
    """The operator of this name, unless they have gone."""
    return conn.execute(select(operator).where(operator.c.name == name, _STANDING)).one_or_none()


def known_as(conn: Connection, login: str) -> Row[Any] | None:
    """The operator as whom a user of the system is known."""
    return conn.execute(select(operator).where(operator.c.login == login, _STANDING)).one_or_none()


def standing(conn: Connection) -> Sequence[Row[Any]]:
    """All who have not gone, by name."""
    return conn.execute(select(operator).where(_STANDING).order_by(operator.c.name)).all()


def is_taken(conn: Connection, name: str) -> bool:
    """Whether a name is, or was, somebody's."""
    return conn.scalar(select(operator.c.name).where(operator.c.name == name)) is not None


def add(conn: Connection, name: str, role: Role, *, login: str | None, at: datetime) -> None:
    """Somebody becomes an operator."""
    conn.execute(insert(operator), {"name": name, "role": role, "login": login, "added_at": at})


def change(conn: Connection, name: str, **values: object) -> None:
    """Set some columns of one."""
    conn.execute(update(operator).where(operator.c.name == name).values(**values))


def administrators(conn: Connection) -> int:
    """How many can sign in and decide who is an operator."""
    can_sign_in = operator.c.login.is_not(None) | operator.c.password_hash.is_not(None)
    wanted = select(func.count()).where(_STANDING, operator.c.role == Role.ADMINISTRATOR, can_sign_in)
    return conn.scalar(wanted) or 0
