"""`ivr account`: accounts of called parties and of inmates, and their money."""

import secrets
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from ivr.cli import account_files, account_pages, papers, payments
from ivr.cli.calls import open_database, whole_id
from ivr.cli.staff import Note, change
from ivr.staff.accounts.ending import before_closing

HELP = "Accounts of called parties and of inmates, and their money."
Account = Annotated[str, typer.Argument(help="the account's id, as `ivr ledger show` prints it")]
Reference = Annotated[
    str | None,
    typer.Option(
        "--reference", help="what tells this payment from others: the same again books nothing again"
    ),
]
Numbers = Annotated[
    list[str] | None,
    typer.Option("--number", metavar="NUMBER", help="that it pays for, as keyed or in E.164; once for each"),
]
Name = Annotated[str | None, typer.Option("--name", help="the holder's name")]
Language = Annotated[str | None, typer.Option("--language", help="that the holder is told things in: en, es")]
Mobile = Annotated[str | None, typer.Option("--mobile", help="where SMS go")]
Email = Annotated[str | None, typer.Option("--email", help="where e-mail goes")]
State = Annotated[str | None, typer.Option("--state", help="where the holder lives, such as IL")]
LowBalance = Annotated[
    str | None, typer.Option("--low-balance", help="dollars below which the holder is told")
]
ReloadBelow = Annotated[
    str | None, typer.Option("--reload-below", help="dollars below which the card on file is charged")
]
ReloadAmount = Annotated[str | None, typer.Option("--reload-amount", help="how many dollars it is charged")]
CreditLimit = Annotated[
    str | None, typer.Option("--credit-limit", help="dollars that a direct/… account may owe")
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help=HELP)

    @verbs.callback()
    def _group() -> None:
        """Accounts of called parties and of inmates, and their money.

        Each change needs a note, which is kept with the time and your name (`ivr changes`).
        """

    for name, verb in VERBS.items():
        verbs.command(name)(verb)
    account_pages.register(verbs)
    account_files.register(verbs)
    verbs.command("deposit-page")(payments.deposit_page)
    verbs.command("card-page")(payments.card_page)
    verbs.command("statement")(papers.statement)
    verbs.command("propose")(papers.propose)
    app.add_typer(verbs, name="account")


def open_(
    account: Annotated[
        str, typer.Argument(help="prepaid/NAME, prepaid/FACILITY/NAME, or direct/FACILITY/NAME for a bill")
    ],
    note: Note,
    *,
    name: Name = None,
    language: Language = None,
    mobile: Mobile = None,
    email: Email = None,
    state: State = None,
    number: Numbers = None,
    low_balance: LowBalance = None,
    reload_below: ReloadBelow = None,
    reload_amount: ReloadAmount = None,
    credit_limit: CreditLimit = None,
) -> None:
    """Open a prepaid account, or one that pays by a monthly bill within a limit, and have it pay for numbers.

    A number belongs to one prepaid account, whatever facility's file is loaded later.
    """
    change(
        "account open",
        note,
        None,
        account_id=account,
        name=name,
        language=language,
        mobile=mobile,
        email=email,
        state=state,
        numbers=number,
        low_balance=low_balance,
        reload_below=reload_below,
        reload_amount=reload_amount,
        credit_limit=credit_limit,
    )


def edit(
    account: Account,
    note: Note,
    *,
    name: Name = None,
    language: Language = None,
    mobile: Mobile = None,
    email: Email = None,
    state: State = None,
    number: Numbers = None,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="NUMBER", help="that it pays for no longer; once for each"),
    ] = None,
    low_balance: LowBalance = None,
    reload_below: ReloadBelow = None,
    reload_amount: ReloadAmount = None,
    credit_limit: CreditLimit = None,
    forget: Annotated[
        list[str] | None,
        typer.Option(
            "--forget",
            metavar="WHAT",
            help="name, mobile, email, state, low_balance or reload: known no longer; once for each",
        ),
    ] = None,
) -> None:
    """Change what is known of an account and its holder, its limit, or its numbers.

    What is not given stays. With nothing but a note it says that the holder was heard of: the time until the account
    counts as idle begins again.
    """
    change(
        "account edit",
        note,
        None,
        account_id=account,
        reference=secrets.token_hex(8),
        name=name,
        language=language,
        mobile=mobile,
        email=email,
        state=state,
        numbers=number,
        without=without,
        low_balance=low_balance,
        reload_below=reload_below,
        reload_amount=reload_amount,
        credit_limit=credit_limit,
        forget=forget,
    )


def move_number(
    number: Annotated[str, typer.Argument(help="as it is keyed, or in E.164")],
    account: Annotated[str, typer.Argument(help="the account that pays for it from now on")],
    note: Note,
) -> None:
    """Have another account of the same kind pay for calls to a number."""
    change("account move-number", note, None, account_id=account, number=number)


def deposit(
    account: Account,
    amount: Annotated[str, typer.Argument(help="dollars, such as 12.50")],
    note: Note,
    reference: Reference = None,
) -> None:
    """Book money that has come in for a prepaid account, or for an inmate: debit/FACILITY/ID.

    There is no least amount and no fee; at most $1,000,000.00 at once.
    """
    _perform("account deposit", account, note, reference, amount=amount)


def refund(
    account: Account,
    note: Note,
    amount: Annotated[
        str | None, typer.Option("--amount", help="dollars; without it all that is available")
    ] = None,
    reference: Reference = None,
) -> None:
    """Give money back to its holder: all that is available, or less; of a closed account too.

    What is reserved for a call in progress stays until the call is settled. A part of a cent is rounded up.
    """
    _perform("account refund", account, note, reference, amount=amount)


def adjust(
    account: Account,
    note: Note,
    *,
    credit: Annotated[
        str | None, typer.Option("--credit", help="dollars that the provider gives, at its own loss")
    ] = None,
    reverse: Annotated[
        str | None,
        typer.Option(
            "--reverse", metavar="ENTRY", help="an entry that staff have booked by mistake: deposit/…"
        ),
    ] = None,
    reference: Reference = None,
) -> None:
    """Put the book right: credit money at the provider's loss, or undo an entry that staff have booked by mistake.

    Nothing else takes money from an account: an entry is undone whole, once, and only while its own money is there:
    available, and the balance never less since.
    """
    _perform("account adjust", account, note, reference, credit=credit, reverse=reverse)


def dispute(
    call: Annotated[str, typer.Argument(metavar="CALL", help="its id, or the beginning of it")],
    note: Note,
    *,
    refund: Annotated[bool, typer.Option("--refund", help="give back what it cost, in full")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="leave it as it was charged")] = False,
) -> None:
    """Open a called party's complaint about a call, or decide it; `ivr account disputes` lists those that are open.

    What is given back is the charge, or the subscription's call, once, whoever else gives it back.
    """
    if refund and refuse:
        raise typer.BadParameter("either --refund or --refuse")
    with open_database() as database:
        call_id = whole_id(database, call)
    decision = "refund" if refund else "refuse" if refuse else None
    change("account dispute", note, None, call_id=call_id, decision=decision)


def close(
    account: Account,
    note: Note,
    reference: Reference = None,
    *,
    sure: Annotated[bool, typer.Option("--yes", help="do not ask again")] = False,
) -> None:
    """Give back everything, and have the account pay for no number any more; no facility's file opens it again.

    What it gives back and pays for is named before: its numbers, facilities from which it has paid for calls, and
    subscriptions, which end with their period. What a direct/… account owes stays owed.
    """
    if not sure:
        with open_database() as database:
            for line in database.read_now(before_closing, account):
                typer.echo(line)
        typer.confirm("It will pay for none of them any more. Close it?", abort=True)
    _perform("account close", account, note, reference)


def _perform(name: str, account: str, note: str, reference: str | None, **given: object) -> None:
    named = secrets.token_hex(8) if reference is None else reference
    change(name, note, None, account_id=account, reference=named, **given)


VERBS: Mapping[str, Callable[..., None]] = {
    "open": open_,
    "edit": edit,
    "move-number": move_number,
    "deposit": deposit,
    "refund": refund,
    "adjust": adjust,
    "dispute": dispute,
    "close": close,
}
