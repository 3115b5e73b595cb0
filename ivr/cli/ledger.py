"""`ivr ledger`: the book of record, added up again, and one account as a bank would print it."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from accounts import statement
from accounts.chain import LEDGER
from accounts.db import Database
from accounts.ledger import AccountUnknown
from accounts.tables import Unit
from accounts.verification import verify as add_up
from ivr.cli import chains
from ivr.cli.calls import open_database
from ivr.cli.chains import Known
from ivr.cli.staff import look
from ivr.counted import counted
from rating.money import Money, format_money


class LedgerQuestion(Exception):  # noqa: N818 - a question that has no answer
    """The book has no answer to this; the message says why."""


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="The book of record: every amount and every call.")

    @verbs.callback()
    def _group() -> None:
        """The book of record: every amount and every call."""

    verbs.command("verify")(verify)
    verbs.command("show")(show)
    verbs.command("head")(head)
    app.add_typer(verbs, name="ledger")


def head() -> None:
    """Print the chain's last entry and its hash: kept elsewhere, it proves every entry up to it."""
    with open_database() as database:
        typer.echo(str(database.read_now(LEDGER.head)))


def verify(
    known: Known = None,
) -> None:
    """Add up and hash the whole book again: any entry that was changed, is missing or out of order is named.

    Each unit's credits equal its debits, each account's sums are those of its entries, nobody who pays is overdrawn,
    each settlement fits its hold, and each entry's hash covers the one before. The exit status is 1 if anything is
    wrong. Entries of the last seconds may not be in the chain yet; one that is not in it after an hour is wrong too.
    """
    with open_database() as database:
        faults = chains.faults(database, LEDGER, known)
        added = database.read_now(add_up)
        faults += added.faults
        waiting, where = database.read_now(LEDGER.unlinked), database.read_now(LEDGER.head)
    for fault in faults:
        typer.echo(fault)
    told = f"{counted(added.accounts, 'account')}, {chains.entries(added.transfers, waiting)}"
    typer.echo(f"{told}; {chains.found(faults)}")
    typer.echo(f"head {where}")
    if faults:
        raise typer.Exit(1)


def show(
    account: Annotated[str, typer.Argument(help="the account, or a part of its id that no other has")],
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Show an account as a bank would: each movement with the balance after it, then what is reserved now.

    Times are UTC. Money is in dollars, a subscription counts calls. That somebody looked is logged.
    """
    look("ledger show", f"account {account}")
    with open_database() as database:
        found = database.read_now(statement.account_of, _whole_id(database, account))
        lines = database.read_now(lambda conn: list(statement.lines(conn, found.id)))
    if as_json:
        for line in lines:
            amounts = {"amount": _said(line.amount, found.unit), "balance": _said(line.balance, found.unit)}
            what = {"at": line.at.isoformat(), "entry": line.transfer_id, "with": line.other_id}
            typer.echo(json.dumps({**what, **amounts, "reserved": line.reserved}))
        return
    table = Table(box=None, pad_edge=False)
    for column in ("when (UTC)", "entry"):
        table.add_column(column, no_wrap=True, max_width=38)
    for column in ("amount", "balance"):
        table.add_column(column, no_wrap=True, justify="right")
    for line in lines:
        amount = _said(line.amount, found.unit)
        after = "reserved" if line.reserved else _said(line.balance, found.unit)
        table.add_row(f"{line.at:%Y-%m-%d %H:%M}", _short(line.transfer_id), amount, after)
    typer.echo(f"{found.id}, opened {found.opened_at:%Y-%m-%d}, counts {found.unit}")
    Console().print(table if lines else "No entries.")
    typer.echo(
        f"balance {_said(found.balance, found.unit)}, reserved {_said(found.held, found.unit)}, "
        f"available {_said(found.available, found.unit)}"
    )


def _whole_id(database: Database, named: str) -> str:
    """The account of this id, or the only one whose id holds these words."""
    try:
        return database.read_now(statement.account_of, named).id
    except AccountUnknown:
        found = database.read_now(statement.accounts_like, named)
    if len(found) != 1:
        several = f"several accounts: {', '.join(found)}" if found else f"there is no account {named}"
        raise LedgerQuestion(several)
    return found[0]


def _said(amount: int, unit: str) -> str:
    return format_money(Money(amount)) if unit == Unit.USD else str(amount)


def _short(transfer_id: str) -> str:
    """A call's id is long; its first eight letters name it, as `ivr cdr` takes them."""
    head, _, rest = transfer_id.partition("/")
    call, _, what = rest.partition("/")
    return f"{head} {call[:8]} {what}" if head == "call" else transfer_id
