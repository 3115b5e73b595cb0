"""`ivr subscription`: so many calls a month to one number from one facility, for one price."""

import json
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy import Connection

from accounts.subscription_ends import EndedBecause
from accounts.tables import Renewal
from ivr.cli.calls import open_database
from ivr.cli.staff import AsJson, Note
from ivr.cli.staff import change as change_by_staff
from ivr.clock import utc_now
from ivr.papers.terms import terms_told
from ivr.staff.desk import StaffError
from ivr.staff.offers import (
    Wanted,
    number_of,
    offer_to_change,
    offer_to_renew,
    offer_to_start,
    subscription_shown,
)

FacilityId = Annotated[str, typer.Argument(metavar="FACILITY", help="the facility's id")]
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="as it is keyed, or in E.164")]
Agree = Annotated[bool, typer.Option("--agree", help="the payer was told and has agreed: do not ask")]
RenewalOption = Annotated[Renewal, typer.Option("--renewal", help="auto, or manual: bought each time")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="So many calls a month to one number, for one price.")

    @verbs.callback()
    def _group() -> None:
        """So many calls a month from one facility to one number in its state, for one price.

        Whatever is bought is told first, with all its terms, and needs the payer's consent. A period lasts a month,
        from the day of the payment. A card that is replaced on the account is used from then on.
        """

    for name, verb in (("start", start), ("show", show), ("change", change), ("cancel", cancel)):
        verbs.command(name)(verb)
    verbs.command("renew")(renew)
    verbs.command("end")(end)
    app.add_typer(verbs, name="subscription")


def start(
    facility: FacilityId,
    number: Number,
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="one of the facility's plans")],
    *,
    account: Annotated[str, typer.Option("--account", help="the prepaid account that pays")],
    renewal: RenewalOption,
    note: Note,
    agree: Agree = False,
) -> None:
    """Tell a plan's terms, and buy it: by the card on file, or else out of the account."""
    wanted = Wanted(facility, _number(number), plan, account, renewal)
    with open_database() as database:
        for line in database.read_now(_told_to_start, wanted, utc_now()):
            typer.echo(line)
    _consent(agree)
    bought = {"number": number, "plan": plan, "account_id": account, "renewal": renewal}
    change_by_staff("subscription start", note, facility, **bought, agreed=True)


def renew(facility: FacilityId, number: Number, note: Note, agree: Agree = False) -> None:
    """Tell the terms of the next period, and buy it: it begins after this one, or today where that is over."""
    with open_database() as database:
        for line in database.read_now(_told_to_renew, facility, _number(number), utc_now()):
            typer.echo(line)
    _consent(agree)
    change_by_staff("subscription renew", note, facility, number=number, agreed=True)


def show(facility: FacilityId, number: Number, as_json: AsJson = False) -> None:
    """Show a number's subscription: its terms, its period, the calls that are left, and what changes at the end."""
    with open_database() as database:
        shown = database.read_now(subscription_shown, facility, _number(number), utc_now())
    if as_json:
        typer.echo(json.dumps(shown))
        return
    for name, value in shown.items():
        if value not in (None, []):
            typer.echo(f"{name}: {'; '.join(value) if isinstance(value, list) else value}")


def change(
    facility: FacilityId,
    number: Number,
    *,
    note: Note,
    plan: Annotated[str | None, typer.Option("--plan", help="from the next period on")] = None,
    renewal: Annotated[Renewal | None, typer.Option("--renewal", help="at the period's end")] = None,
    agree: Agree = False,
) -> None:
    """Change plan or renewal from the end of the period on; choosing what holds now undoes an earlier change."""
    with open_database() as database:
        for line in database.read_now(_told_to_change, facility, _number(number), (plan, renewal), utc_now()):
            typer.echo(line)
    _consent(agree)
    change_by_staff(
        "subscription change", note, facility, number=number, plan=plan, renewal=renewal, agreed=True
    )


def cancel(
    facility: FacilityId,
    number: Number,
    note: Note,
    undo: Annotated[bool, typer.Option("--undo", help="let it go on after all")] = False,
) -> None:
    """Let a subscription end with its period, without a fee; until then that can be undone."""
    change_by_staff("subscription cancel", note, facility, number=number, undo=undo)


def end(
    facility: FacilityId,
    because: Annotated[EndedBecause, typer.Option("--because", help="why it ends before its period")],
    note: Note,
    number: Annotated[
        str | None, typer.Argument(metavar="NUMBER", help="without one, all of a facility that has left")
    ] = None,
) -> None:
    """End a subscription now, and give what is unused back to the account that paid.

    That is the greater share of the days and of the calls that are left. A call in progress is settled as usual.
    """
    change_by_staff("subscription end", note, facility, number=number, because=because)


def _told_to_start(conn: Connection, wanted: Wanted, at: datetime) -> list[str]:
    return terms_told(conn, offer_to_start(conn, wanted, at))


def _told_to_renew(conn: Connection, facility_id: str, number: str, at: datetime) -> list[str]:
    return terms_told(conn, offer_to_renew(conn, facility_id, number, at))


def _told_to_change(
    conn: Connection, facility_id: str, number: str, to: tuple[str | None, Renewal | None], at: datetime
) -> list[str]:
    return terms_told(conn, offer_to_change(conn, facility_id, number, to, at))


def _number(text: str) -> str:
    try:
        return number_of(text)
    except ValueError as mistake:
        raise StaffError(f"number: {mistake}") from None


def _consent(agree: bool) -> None:
    if not agree:
        typer.confirm("Does the payer agree to these terms?", abort=True)
