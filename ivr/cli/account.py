"""`ivr account`: money that called parties have paid in, and get back."""

import secrets
from typing import Annotated

import typer

from ivr.cli import papers
from ivr.cli.calls import open_database
from ivr.cli.staff import Note, change
from ivr.staff.accounts import facilities_paid_for

Account = Annotated[str, typer.Argument(help="the account's id, as `ivr ledger show` prints it")]
Reference = Annotated[
    str | None,
    typer.Option(
        "--reference", help="what tells this payment from others: the same again books nothing again"
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="Money that called parties have paid in, and get back.")

    @verbs.callback()
    def _group() -> None:
        """Money that called parties have paid in, and get back."""

    verbs.command("deposit")(deposit)
    verbs.command("refund")(refund)
    verbs.command("close")(close)
    verbs.command("statement")(papers.statement)
    verbs.command("propose")(papers.propose)
    app.add_typer(verbs, name="account")


def deposit(
    account: Account,
    amount: Annotated[str, typer.Argument(help="dollars, such as 12.50")],
    note: Note,
    reference: Reference = None,
) -> None:
    """Book money that has come in for a prepaid account. There is no least amount, no most and no fee."""
    _perform("account deposit", account, note, reference, amount=amount)


def refund(
    account: Account,
    note: Note,
    amount: Annotated[
        str | None, typer.Option("--amount", help="dollars; without it all that is available")
    ] = None,
    reference: Reference = None,
) -> None:
    """Give money of a prepaid account back to its holder: all that is available, or less.

    What is reserved for a call in progress stays until the call is settled. A part of a cent is rounded up.
    """
    _perform("account refund", account, note, reference, amount=amount)


def close(
    account: Account,
    note: Note,
    reference: Reference = None,
    sure: Annotated[bool, typer.Option("--yes", help="do not ask again")] = False,
) -> None:
    """Give back everything, and have the account pay for no number any more.

    The facilities from which it has paid for calls are named before, since it pays for none of them afterwards.
    """
    if not sure:
        with open_database() as database:
            places = database.read_now(facilities_paid_for, account)
        typer.echo(f"{account} has paid for calls from {', '.join(places) or 'no facility yet'}.")
        typer.confirm("It will pay for none of them any more. Close it?", abort=True)
    _perform("account close", account, note, reference)


def _perform(name: str, account: str, note: str, reference: str | None, **given: object) -> None:
    change(name, note, None, account_id=account, reference=reference or secrets.token_hex(8), **given)
