"""Who asks: the user of the system, known as an operator, or an operator who signs in by a password."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row

from ivr.facility import operators
from ivr.login import Who

SHORTEST_PASSWORD = 15  # NIST SP 800-63B-4, 3.1.1.2: where nothing else is asked for


class Origin(StrEnum):
    """Where something is asked for."""

    STAFF = "staff"  # by a command
    SERVICE_LINE = "service_line"  # by somebody who was called back, at a number that is theirs


@dataclass(frozen=True, slots=True)
class Signer:
    """In whose name something is done; `fault` says why in nobody's."""

    author: str
    login: str | None = None
    fault: str | None = None
    origin: Origin = Origin.STAFF


@dataclass(frozen=True, slots=True)
class Found:
    """What the database knows of who asks."""

    any_operators: bool
    operator: Row[Any] | None


def who_asked(request: Mapping[str, Any]) -> Who:
    """Who sent a command over the control socket."""
    signed = request.get("signed")
    login = str(request["login"])
    if not isinstance(signed, dict):
        return Who(login)
    return Who(login, str(signed.get("operator")), str(signed.get("password")))


def find(conn: Connection, who: Who) -> Found:
    """Look up who asks."""
    by_name = who.operator is not None
    row = operators.named(conn, str(who.operator)) if by_name else operators.known_as(conn, who.login)
    return Found(operators.are_there_any(conn), row)


def sign(found: Found, who: Who, claimed: str) -> Signer:
    """The operator who asks; while there are none, whoever can ask at all under the name that they claim.

    Takes a tenth of a second where a password is proved.
    """
    if not found.any_operators:
        return Signer(claimed, who.login)
    if who.operator is not None:
        if found.operator is None or not _proves(found.operator.password_hash, who.password or ""):
            return Signer(who.operator, who.login, "is no operator, or the password is wrong")
        return Signer(found.operator.name, who.login)
    if found.operator is None:
        return Signer(
            who.login, who.login, "is the login of no operator; IVR_OPERATOR names one who signs in"
        )
    return Signer(found.operator.name, who.login)


def hash_password(password: str) -> str:
    """argon2id of a password, as RFC 9106 recommends; raises ValueError for a short one."""
    if len(password) < SHORTEST_PASSWORD:
        raise ValueError(f"expected a password of {SHORTEST_PASSWORD} characters or more")
    return PasswordHasher().hash(password)


def _proves(hashed: str | None, password: str) -> bool:
    try:
        return hashed is not None and PasswordHasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
