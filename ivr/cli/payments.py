"""`ivr payments`, and pages for `ivr account`: what was asked of the card processor, and what came of it."""

import secrets
from typing import Annotated

import typer
from sqlalchemy import Connection, select

from accounts.payment_tables import PaymentState, payment
from ivr.cli.calls import open_database
from ivr.cli.staff import AsJson, Note, change, show
from ivr.config import load_settings
from ivr.staff.desk import StaffError
from rating.money import Money, format_money

Account = Annotated[str, typer.Argument(help="the account's id")]
Reference = Annotated[
    str | None,
    typer.Option("--reference", help="what tells this page from others: the same again sends none"),
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(
        no_args_is_help=True, help="Payments by card: what was asked for, and what came of it."
    )

    @verbs.callback()
    def _group() -> None:
        """Payments by card. The running controller asks the card processor for them; card numbers never come here."""

    verbs.command("list")(list_)
    verbs.command("retry")(retry)
    app.add_typer(verbs, name="payments")


def list_(
    *,
    state: Annotated[PaymentState | None, typer.Option("--state", help="only these")] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="ID", help="only of this account")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="how many of the newest")] = 50,
    as_json: AsJson = False,
) -> None:
    """List payments by card, the newest first. Times are UTC."""
    with open_database() as database:
        found = database.read_now(_payments, state, account, most)
    show(("asked", "kind", "amount", "state", "why", "payment"), found, "No payments.", as_json=as_json)


def _payments(
    conn: Connection, state: PaymentState | None, account: str | None, most: int
) -> list[dict[str, object]]:
    wanted = select(payment).order_by(payment.c.made_at.desc(), payment.c.id).limit(most)
    if state is not None:
        wanted = wanted.where(payment.c.state == state)
    if account is not None:
        wanted = wanted.where(payment.c.account_id == account)
    return [
        {
            "asked": f"{row.made_at:%Y-%m-%d %H:%M}",
            "kind": row.kind,
            "amount": format_money(Money(row.amount)),
            "state": row.state,
            "why": row.failure or "",
            "payment": row.id,
        }
        for row in conn.execute(wanted)
    ]


def retry(
    payment_id: Annotated[str, typer.Argument(metavar="PAYMENT", help="its id in the list")], note: Note
) -> None:
    """Try a payment again of which the processor has told nothing; it is done once, however often it is tried."""
    _require_processor()
    change("payments retry", note, None, payment_id=payment_id)


def deposit_page(
    account: Account,
    amount: Annotated[str, typer.Argument(help="dollars, such as 12.50")],
    note: Note,
    reference: Reference = None,
) -> None:
    """Send a holder the way to a page of the card processor on which they pay in; without a fee."""
    _require_processor()
    change("account deposit-page", note, None, account_id=account, amount=amount, reference=_named(reference))


def card_page(account: Account, note: Note, reference: Reference = None) -> None:
    """Send a holder the way to a page of the card processor on which they put a card on file."""
    _require_processor()
    change("account card-page", note, None, account_id=account, reference=_named(reference))


def _named(reference: str | None) -> str:
    return secrets.token_hex(8) if reference is None else reference


def _require_processor() -> None:
    if not load_settings().card_processor:
        raise StaffError("no card processor is set up: see card_processor in docs/payments.md")
