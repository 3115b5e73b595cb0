"""Who may do what: operators and their roles; who did, read and was refused what is logged, and proved."""

import io
import json
import os
import pwd
import re
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import DBAPIError

from accounts.db import Database
from ivr import login
from ivr.facility import operators
from ivr.facility.audit import AUDIT, Deed, audit
from ivr.login import login_of, own_login
from ivr.policy.roles import Role
from ivr.staff import changes
from ivr.staff.changes import read
from ivr.staff.desk import StaffError
from ivr.staff.signing import Origin, Signer
from tests.controller.conftest import Ivr
from tests.controller.test_cli import JAIL, is_one_line
from tests.ledger.test_chain import Tamper, behind_its_back
from tests.transcripts.play import World

__all__ = ["behind_its_back"]

NOTE = ("--note", "for a test")
SUSPEND = ("inmate", "suspend", "1001", *NOTE)
PASSWORD = "correct horse battery"


def logged(database: Database) -> list[tuple[str, str, str | None, str]]:
    """The audit log: deed, author, role and verb."""
    rows = database.read_now(lambda conn: conn.execute(select(audit).order_by(audit.c.id)).all())
    return [(row.deed, row.author, row.role, row.verb) for row in rows]


@pytest.fixture
def signs_in(ivr: Ivr, monkeypatch: pytest.MonkeyPatch) -> Ivr:
    """A command of the operator named first, who signs in by a password from a pipe."""

    def run(name: str, *words: str) -> object:
        login._password.cache_clear()
        monkeypatch.setenv("IVR_OPERATOR", name)
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
        try:
            return ivr(*words)
        finally:
            monkeypatch.delenv("IVR_OPERATOR")

    return run  # type: ignore[return-value]


def sets_password(ivr: Ivr, monkeypatch: pytest.MonkeyPatch, name: str, password: str = PASSWORD) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
    assert ivr("operator", "password", name).out == f"operator {name}: has a new password\n"


@pytest.mark.usefixtures("on_database")
def test_whoever_owns_the_instance_is_its_administrator_until_there_is_an_operator(
    ivr: Ivr, world: World, signs_in: Ivr, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = own_login()
    assert ivr("operator", "list").out.startswith("No operators: whoever owns this instance")
    assert ivr(*SUSPEND).status == 0
    refused = ivr("operator", "add", "vera", "--role", "viewer", *NOTE)
    assert is_one_line(refused, "the first operator appoints the others: expected role administrator")
    assert ivr("operator", "add", "amy", "--role", "administrator", "--login", me, *NOTE).status == 0
    assert ivr("operator", "add", "vera", "--role", "viewer", *NOTE).status == 0
    sets_password(ivr, monkeypatch, "vera")
    assert ivr("inmate", "activate", "1001", *NOTE).status == 0
    told = "vera is a viewer: `ivr inmate suspend` needs an operator, investigator or administrator"
    assert is_one_line(signs_in("vera", *SUSPEND), told)
    assert signs_in("vera", "inmate", "show", "1001").status == 0
    assert is_one_line(signs_in("vera", "calls", "--hidden"), "needs an investigator or administrator")
    assert is_one_line(signs_in("nora", *SUSPEND), "nora is no operator, or the password is wrong")
    changed = Deed.CHANGE
    assert logged(world.database) == [
        (changed, me, "administrator", "inmate suspend"),
        (changed, me, "administrator", "operator add"),
        (changed, "amy", "administrator", "operator add"),
        (changed, "amy", "administrator", "operator password"),
        (changed, "amy", "administrator", "inmate activate"),
        (Deed.REFUSED, "vera", "viewer", "inmate suspend"),
        (Deed.READ, "vera", "viewer", "inmate show"),
        (Deed.REFUSED, "vera", "viewer", "calls --hidden"),
        (Deed.REFUSED, "nora", None, "inmate suspend"),
    ]


@pytest.mark.usefixtures("on_database")
def test_roles_change_names_stay_and_an_administrator_is_always_left(
    ivr: Ivr, world: World, signs_in: Ivr, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = own_login()
    ivr("operator", "add", "amy", "--role", "administrator", "--login", me, *NOTE)
    last = "operator amy: is the last administrator; appoint another before"
    assert is_one_line(ivr("operator", "remove", "amy", *NOTE), last)
    assert is_one_line(ivr("operator", "role", "amy", "--role", "viewer", *NOTE), last)
    ivr("operator", "add", "bob", "--role", "operator", *NOTE)
    assert is_one_line(ivr("operator", "map", "bob", me, *NOTE), f"the login {me} is amy's already")
    sets_password(ivr, monkeypatch, "bob")
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    assert "expected a password of 15 characters or more" in ivr("operator", "password", "bob").err
    own = "operator amy: only they and administrators set it"
    monkeypatch.setattr("ivr.cli.operator._asked_twice", lambda _name: PASSWORD)
    assert is_one_line(signs_in("bob", "operator", "password", "amy"), own)
    assert signs_in("bob", "operator", "password", "bob").status == 0
    assert ivr("operator", "role", "bob", "--role", "administrator", *NOTE).out == (
        "operator bob: administrator, was operator\n"
    )
    assert ivr("operator", "remove", "amy", *NOTE).status == 0
    refusal = f"{me} is the login of no operator; IVR_OPERATOR names one who signs in"
    assert is_one_line(ivr(*SUSPEND), refusal)
    again = signs_in("bob", "operator", "add", "amy", "--role", "viewer", *NOTE)
    assert is_one_line(again, "operator amy: the name is taken, or was; the log keeps whose it was")
    [row] = [json.loads(line) for line in signs_in("bob", "operator", "list", "--json").out.splitlines()]
    assert (row["operator"], row["role"], row["login"], row["password"]) == (
        "bob",
        "administrator",
        None,
        "yes",
    )
    rows = world.database.read_now(lambda conn: str(conn.execute(select(audit)).all()))
    assert PASSWORD not in rows
    assert "argon2" not in rows


def test_a_called_party_has_changed_what_is_listed_and_nothing_else_whoever_is_an_operator(
    world: World,
) -> None:
    author = "called party +12175550101"
    signer = Signer(author, origin=Origin.SERVICE_LINE)
    given = {"note": "by telephone", "author": author, "facility_id": JAIL, "number": "+12175550101"}

    def attempt(verb: str) -> object:
        asked, key = read(verb, given), world.node.pin_key
        return world.database.transact_now(changes.attempt, verb, asked, key, world.at, signer=signer)

    for is_any in (False, True):
        if is_any:
            world.database.transact_now(operators.add, "amy", Role.ADMINISTRATOR, login=None, at=world.at)
        refused = attempt("number block")  # which whoever owns the instance may, while nobody is an operator
        assert str(refused) == f"{author}: `ivr number block` is for staff alone"
        with pytest.raises(StaffError, match="no such block"):
            attempt("number unblock")
    assert logged(world.database) == [(Deed.REFUSED, author, None, "number block")] * 2
    assert set(changes.CHANGES) >= changes.OWN
    assert all(changes.CHANGES[each].needs is Role.OPERATOR for each in changes.OWN)


@pytest.mark.usefixtures("on_database", "world")
def test_two_operators_are_two_even_where_both_sit_at_one_shell(
    ivr: Ivr, signs_in: Ivr, monkeypatch: pytest.MonkeyPatch
) -> None:
    ivr("operator", "add", "amy", "--role", "administrator", "--login", own_login(), *NOTE)
    ivr("operator", "add", "bob", "--role", "operator", *NOTE)
    sets_password(ivr, monkeypatch, "bob")
    number = ("3125550103", *NOTE)
    assert ivr("number", "privileged", "add", *number, "--kind", "clergy").status == 0
    monkeypatch.setenv("LOGNAME", "bob")  # what says who somebody is to getpass and to many a script
    monkeypatch.setenv("SUDO_USER", "bob")
    assert is_one_line(ivr("number", "privileged", "confirm", *number), "you asked for this yourself")
    assert signs_in("bob", "number", "privileged", "confirm", *number).status == 0
    shown = ivr("audit", "show", "--author", "bob", "--json")
    [entry] = [json.loads(line) for line in shown.out.splitlines()]
    assert (entry["change"], entry["role"]) == ("number privileged confirm", "operator")


@pytest.mark.usefixtures("on_database")
def test_the_audit_log_is_shown_filtered_and_proved(ivr: Ivr, world: World, behind_its_back: Tamper) -> None:
    ivr(*SUSPEND)
    ivr("inmate", "show", "1001")
    assert (world.database.read_now(AUDIT.links), world.database.read_now(AUDIT.unlinked)) == (2, 0)
    head = ivr("audit", "head").out.strip()
    shown = ivr("audit", "show", "--about", "inmate 1001", "--deed", "read")
    assert "inmate show: inmate 1001" in shown.out
    assert "suspended" not in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "audit show" in ivr("audit", "show", "--verb", "audit show").out
    verified = ivr("audit", "verify", "--head", head)
    told = (
        f"4 entries, 0 of them not in the chain yet; no fault\nhead {world.database.read_now(AUDIT.head)}\n"
    )
    assert (verified.status, verified.out) == (0, told)
    assert is_one_line(ivr("audit", "verify", "--head", "nonsense"), "--head: expected a head")
    for change in (update(audit).values(author="nobody"), delete(audit)):
        with pytest.raises(DBAPIError, match="never changed"):
            world.database.transact_now(Connection.execute, change)
    behind_its_back("UPDATE audit SET author = 'nobody' WHERE id = (SELECT min(id) FROM audit)")
    tampered = ivr("audit", "verify", "--head", head)
    assert tampered.status == 1
    assert re.match(r"entry 1: \d+ is not what was linked\n", tampered.out)


@pytest.mark.usefixtures("on_database")
@pytest.mark.parametrize("verb", ["account show", "account statement", "invoice show", "ledger show"])
def test_who_looks_at_somebodys_money_is_logged(ivr: Ivr, world: World, verb: str) -> None:
    ivr(*verb.split(), "somebodys")
    assert [(deed, what) for deed, _, _, what in logged(world.database)] == [(Deed.READ, verb)]


def test_who_logged_in_is_asked_of_the_kernel(tmp_path: Path) -> None:
    root, nobody = pwd.getpwuid(0).pw_name, pwd.getpwnam("nobody").pw_name
    process = tmp_path / "17"
    process.mkdir()
    for kept, user in (
        ("0", root),
        (f"{pwd.getpwnam('nobody').pw_uid}\n", nobody),
        ("4294967295", root),
        ("", root),
    ):
        (process / "loginuid").write_text(kept)
        assert login_of(17, 0, tmp_path) == user
    assert login_of(18, 4_000_000_000, tmp_path) == "uid 4000000000"
    assert own_login() == login_of(os.getpid(), os.getuid())
