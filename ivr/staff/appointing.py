"""Operators are appointed: who is one, what they may do, and how they are known."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator
from sqlalchemy import Row

from ivr.facility import on_call, operators
from ivr.facility.fields import E164, Email
from ivr.policy.roles import Role
from ivr.staff.desk import Asked, Desk, StaffError
from rating.form import like

#: Who stands in the log beside operators.
OTHERS = ("console", "feed", "file", "retention")


def _free(name: str) -> str:
    if name in OTHERS:
        raise ValueError(f"{name} stands in the log for something else")
    return name


Name = Annotated[
    str,
    like(r"[a-z][a-z0-9._-]{1,31}", "2 to 32 small letters, digits, dots and hyphens, a letter first"),
    AfterValidator(_free),
]
Login = Annotated[str, Field(min_length=1, max_length=64)]
Argon2 = Annotated[str, like(r"\$argon2id\$[ -~]{20,200}", "a hash by argon2id")]


class OfOperator(Asked):
    """One operator."""

    of_facility: ClassVar[bool] = False

    name: Name

    @property
    def about(self) -> str:
        """The operator."""
        return f"operator {self.name}"


class Appoint(OfOperator):
    """Somebody is to be an operator, known at a shell by their login."""

    role: Role
    login: Login | None = None


class NewRole(OfOperator):
    """An operator is to have another role."""

    role: Role


class NewLogin(OfOperator):
    """An operator is to be known by another login."""

    login: Login


class NewPassword(OfOperator):
    """An operator is to sign in by this password."""

    password_hash: Argon2


class Reach(OfOperator):
    """An operator is to be told of alerts so, while they are on call."""

    sms: E164 | None = None
    email: Email | None = None

    @model_validator(mode="after")
    def _somehow(self) -> Self:
        if not (self.sms or self.email):
            raise ValueError("expected at least one of sms, email")
        return self


def appoint(desk: Desk, asked: Appoint) -> str:
    """Somebody is an operator from now on; raises StaffError for a name or login that is taken.

    The first one is an administrator with a login: without, nobody could appoint the second.
    """
    if operators.is_taken(desk.conn, asked.name):
        raise StaffError(f"{asked.about}: the name is taken, or was; the log keeps whose it was")
    _is_free(desk, asked.login)
    if not operators.are_there_any(desk.conn) and (asked.role is not Role.ADMINISTRATOR or not asked.login):
        raise StaffError("the first operator appoints the others: expected role administrator, and a login")
    operators.add(desk.conn, asked.name, asked.role, login=asked.login, at=desk.at)
    return f"{asked.about}: {asked.role}{f', known as {asked.login}' if asked.login else ''}"


def change_role(desk: Desk, asked: NewRole) -> str:
    """They may do what the new role may; raises StaffError where no administrator would be left."""
    was = _standing(desk, asked).role
    operators.change(desk.conn, asked.name, role=asked.role)
    _is_one_left(desk, asked)
    return f"{asked.about}: {asked.role}, was {was}"


def map_login(desk: Desk, asked: NewLogin) -> str:
    """Whoever runs commands under this login is them."""
    was = _standing(desk, asked).login
    if was == asked.login:
        raise StaffError(f"{asked.about}: is known as {asked.login} already")
    _is_free(desk, asked.login)
    operators.change(desk.conn, asked.name, login=asked.login)
    return f"{asked.about}: known as {asked.login}{f', no longer as {was}' if was else ''}"


def set_password(desk: Desk, asked: NewPassword) -> str:
    """They sign in by it; their own is for each to set, and everybody's for administrators."""
    _standing(desk, asked)
    if desk.role is not Role.ADMINISTRATOR and asked.author != asked.name:
        raise StaffError(f"{asked.about}: only they and administrators set it")
    operators.change(desk.conn, asked.name, password_hash=asked.password_hash)
    return f"{asked.about}: has a new password"


def reach(desk: Desk, asked: Reach) -> str:
    """They are told of alerts so, while they are on call; their own is for each to set, as a password."""
    _standing(desk, asked)
    if desk.role is not Role.ADMINISTRATOR and asked.author != asked.name:
        raise StaffError(f"{asked.about}: only they and administrators set it")
    on_call.reach(desk.conn, asked.name, sms=asked.sms, email=asked.email)
    return f"{asked.about}: told of alerts by {' and '.join(filter(None, (asked.sms, asked.email)))}"


def go_on_call(desk: Desk, asked: OfOperator) -> str:
    """They are told of alerts from now on, of open ones too; raises StaffError where nobody knows how to tell them."""
    _standing(desk, asked)
    if not on_call.begin(desk.conn, asked.name, desk.at):
        raise StaffError(f"{asked.about}: nobody knows how to tell them; `ivr operator reach` says it")
    return f"{asked.about}: on call"


def go_off_call(desk: Desk, asked: OfOperator) -> str:
    """They are told of alerts no longer."""
    if not on_call.end(desk.conn, asked.name):
        raise StaffError(f"{asked.about}: is not on call")
    others = [row.operator for row in on_call.ways(desk.conn) if row.since is not None]
    return f"{asked.about}: off call; on call: {', '.join(others) or 'nobody'}"


def remove(desk: Desk, asked: OfOperator) -> str:
    """They are an operator no longer; their name stays in the log. Raises StaffError for the last administrator."""
    _standing(desk, asked)
    operators.change(desk.conn, asked.name, removed_at=desk.at)
    on_call.end(desk.conn, asked.name)
    _is_one_left(desk, asked)
    return f"{asked.about}: removed"


def _standing(desk: Desk, asked: OfOperator) -> Row[Any]:
    row = operators.named(desk.conn, asked.name)
    if row is None:
        raise StaffError(f"there is no operator {asked.name}")
    return row


def _is_free(desk: Desk, login: str | None) -> None:
    if login is not None and (other := operators.known_as(desk.conn, login)):
        raise StaffError(f"the login {login} is {other.name}'s already")


def _is_one_left(desk: Desk, asked: OfOperator) -> None:
    if operators.administrators(desk.conn) == 0:
        raise StaffError(f"{asked.about}: is the last administrator; appoint another before")
