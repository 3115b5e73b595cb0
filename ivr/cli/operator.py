"""`ivr operator`: who may do what."""

import getpass
import sys
from typing import Annotated, Any

import typer
from sqlalchemy import Row

from ivr.cli.calls import open_database
from ivr.cli.staff import AsJson, Note, change, show
from ivr.facility import operators
from ivr.facility.on_call import ways
from ivr.policy.roles import Role
from ivr.staff.signing import hash_password

Name = Annotated[str, typer.Argument(metavar="NAME", help="the operator, as the audit log has them")]
Roles = Annotated[
    Role, typer.Option("--role", help="each may do what those before it may", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="Operators: who they are, and what they may do.")

    @verbs.callback()
    def _group() -> None:
        """Operators: who they are, and what they may do.

        Whoever runs a command is known by the user who logged in, or by IVR_OPERATOR=NAME and a password. Until there
        is an operator, whoever owns this instance is its administrator.
        """

    app.add_typer(verbs, name="operator")
    for verb in (add, role, password, map_, reach, on_call, off_call, remove, list_):
        verbs.command(verb.__name__.rstrip("_").replace("_", "-"))(verb)


def add(
    name: Name,
    role: Roles,
    note: Note,
    login: Annotated[
        str | None, typer.Option("--login", metavar="USER", help="the user of the system who they are")
    ] = None,
) -> None:
    """Appoint an operator; the first one is an administrator with a login."""
    change("operator add", note, None, name=name, role=role, login=login)


def role(name: Name, role: Roles, note: Note) -> None:
    """Give an operator another role."""
    change("operator role", note, None, name=name, role=role)


def password(name: Name, note: Note = "password set") -> None:
    """Set an operator's password, asked for twice, or read from a pipe: your own, or as an administrator anybody's."""
    try:
        hashed = hash_password(_asked_twice(name))
    except ValueError as mistake:
        raise typer.BadParameter(str(mistake)) from None
    change("operator password", note, None, name=name, password_hash=hashed)


def map_(
    name: Name,
    login: Annotated[str, typer.Argument(metavar="USER", help="the user of the system who they are")],
    note: Note,
) -> None:
    """Have an operator known by a user of the system."""
    change("operator map", note, None, name=name, login=login)


def reach(
    name: Name,
    sms: Annotated[str | None, typer.Option("--sms", metavar="NUMBER", help="tell by SMS")] = None,
    email: Annotated[str | None, typer.Option("--email", help="tell by e-mail")] = None,
    note: Note = "how to be told",
) -> None:
    """Set how an operator is told of alerts while on call: your own, or as an administrator anybody's."""
    change("operator reach", note, None, name=name, sms=sms, email=email)


def on_call(name: Name, note: Note = "on call") -> None:
    """Have an operator told of alerts from now on, beside whoever is on call already."""
    change("operator on-call", note, None, name=name)


def off_call(name: Name, note: Note = "off call") -> None:
    """Have an operator told of alerts no longer."""
    change("operator off-call", note, None, name=name)


def remove(name: Name, note: Note) -> None:
    """Take an operator's right to do anything; what they have done stays theirs."""
    change("operator remove", note, None, name=name)


def list_(as_json: AsJson = False) -> None:
    """List the operators: role, login, and whether they have a password."""
    with open_database() as database:
        found = database.read_now(operators.standing)
        reached = {row.operator: row for row in database.read_now(ways)}
    rows = [
        {
            "operator": row.name,
            "role": row.role,
            "login": row.login,
            "password": "yes" if row.password_hash else "no",
            "since": f"{row.added_at:%Y-%m-%d}",
            "on call": _told_by(reached.get(row.name)),
        }
        for row in found
    ]
    nobody = "No operators: whoever owns this instance is its administrator."
    show(("operator", "role", "login", "password", "since", "on call"), rows, nobody, as_json=as_json)


def _told_by(row: Row[Any] | None) -> str:
    """By what whoever is on call is told of alerts."""
    on_call = row is not None and row.since is not None
    return " ".join(filter(None, (row.sms, row.email))) if row is not None and on_call else "no"


def _asked_twice(name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass(f"New password of {name}: ")
    if getpass.getpass("The same again: ") != first:
        raise ValueError("the two are not the same")
    return first
