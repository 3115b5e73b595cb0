"""What `ivr account` shows: one account on a page, cards, complaints, and money that waits for its owner."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer

from ivr.cli.calls import open_database
from ivr.cli.staff import AsJson, look
from ivr.cli.staff import show as show_table
from ivr.staff.accounts.cards import card_on_file, cards_shown
from ivr.staff.accounts.complaints import complaints_shown
from ivr.staff.accounts.debit import owed as owed_money
from ivr.staff.accounts.showing import account_shown

OneFacility = Annotated[str | None, typer.Option("--facility", metavar="ID", help="only of this facility")]


def register(verbs: typer.Typer) -> None:
    """Add the verbs."""
    for name, verb in VERBS.items():
        verbs.command(name)(verb)


def show(
    account: Annotated[str, typer.Argument(help="the account's id")], *, as_json: AsJson = False
) -> None:
    """Show an account: holder, numbers, balance, subscriptions, the newest entries and notices.

    `ivr ledger show` lists every entry. Times are the facility's, where it pays for calls from one alone; else UTC.
    That somebody looked is logged.
    """
    look("account show", f"account {account}")
    with open_database() as database:
        found = database.read_now(account_shown, account)
    typer.echo(json.dumps(found) if as_json else "\n".join(_told(found)))


def cards(
    account: Annotated[str | None, typer.Argument(metavar="[ACCOUNT]", help="whose card on file")] = None,
    *,
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="ID", help="the calling cards of a batch instead")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the card that an account's payments are charged to, or a batch of calling cards with their balances.

    Numbers of payment cards are never here: the card processor has them.
    """
    if (account is None) is (batch is None):
        raise typer.BadParameter("either an account or --batch")
    with open_database() as database:
        if batch is not None:
            rows = database.read_now(cards_shown, batch)
        else:
            found = database.read_now(card_on_file, str(account))
            rows = [found] if found else []
    columns = ("card", "available", "state") if batch is not None else ("account", "card", "expires")
    _list(columns, rows, "No card on file.", as_json=as_json)


def disputes(
    *,
    decided: Annotated[bool, typer.Option("--all", help="those that were decided, too")] = False,
    as_json: AsJson = False,
) -> None:
    """List complaints about calls that wait for a decision, the oldest first."""
    with open_database() as database:
        rows = database.read_now(complaints_shown, decided=decided)
    if not as_json:
        rows = [{**row, "call": row["call"][:8]} for row in rows]
    columns = ("call", "opened", "number", "cost", *(("state",) if decided else ()), "note")
    _list(columns, rows, "No complaints." if decided else "No complaints wait.", as_json=as_json)


def owed(facility: OneFacility = None, *, as_json: AsJson = False) -> None:
    """List money that waits for its owner: of inmates who have left, and of accounts that were closed.

    `ivr account release-file` gives inmates' money to the facility's trust to pay out, `ivr account refund` gives back
    by hand.
    """
    with open_database() as database:
        rows = database.read_now(owed_money, facility)
    _list(("account", "name", "available", "because"), rows, "Nothing is owed.", as_json=as_json)


def _list(columns: tuple[str, ...], rows: list[Any], nothing: str, *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
    else:
        show_table(columns, rows, nothing)


def _told(found: Mapping[str, Any]) -> Iterator[str]:
    """What is known, a line each, then a paragraph for each list that is not empty."""
    for name, value in found.items():
        if not isinstance(value, list) and value is not None:
            yield f"{name:<19} {value}"
    for name, entries in found.items():
        if isinstance(entries, list) and entries:
            yield f"{name}:"
            yield from (f"  {_line(name, each)}" for each in entries)


def _line(name: str, each: Mapping[str, Any]) -> str:
    if name == "entries":
        return f"{each['at']} {each['amount']:>12}  {_short(each['entry'])}"
    if name == "notices":
        return f"{each['at']}  {each['notice']} by {each['by']}, {each['state']}"
    if name == "subscriptions":
        return f"{each['number']} at {each['facility']}: {each['calls']} calls a period, {each['renewal']}"
    return str(each["number"])


def _short(entry: str) -> str:
    """A call's id is long; its first eight letters name it, as `ivr cdr` takes them."""
    head, _, rest = entry.partition("/")
    call, _, what = rest.partition("/")
    return f"call {call[:8]} {what}" if head == "call" else entry[:46]


VERBS: Mapping[str, Callable[..., None]] = {"show": show, "cards": cards, "disputes": disputes, "owed": owed}
