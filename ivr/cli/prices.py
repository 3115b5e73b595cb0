"""`ivr quote` and `ivr tariff`: what a call costs, and whether it may cost that."""

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from accounts.db import Database
from ivr.cli.calls import open_database
from ivr.cli.given import ANY_TIME
from ivr.clock import utc_now
from ivr.controls.pricing import Priced, priced
from ivr.facility import lookup
from ivr.facility.file import parse as parse_facility
from ivr.facility.file import read
from ivr.facility.lawfulness import alerts, local_day, tariffs_of, unbilled_calls
from ivr.facility.lookup import Facility
from ivr.facility.tariffs import tariff_on
from rating.breach import Breach
from rating.call_type import CallType
from rating.dated_table import Period
from rating.destinations import country_name, destination
from rating.lawful import breaches, lowest_cap, unbilled
from rating.money import Money, format_money
from rating.numbers import Number, read_e164, read_keys
from rating.ordinary import ordinary_minute
from rating.plans import Plan, break_even
from rating.price import Charge, charge
from rating.prices import Tariff, tariff_at
from rating.quote import in_words
from rating.site import Site
from rating.tariff_file import TariffFileError, parse_tariff

#: The minutes that a family is shown when it asks for none.
SHOWN_MINUTES = (1, 2, 5, 10)

FacilityId = Annotated[str, typer.Option("--facility", metavar="ID", help="the facility, by its id")]
At = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="when, such as 2026-11-23T18:00 in the facility's time zone, or with an offset; else now",
        parser=ANY_TIME,
    ),
]


class PriceError(Exception):
    """What was asked for has no price; the message says why."""


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("quote")(quote)
    tariff = typer.Typer(no_args_is_help=True, help="Look at tariffs, and check them against caps and bans.")
    tariff.command("check")(check)
    tariff.command("show")(show)
    app.add_typer(tariff, name="tariff")


def quote(
    facility: FacilityId,
    number: Annotated[str, typer.Option("--number", help="as it is keyed, or in E.164 with +")],
    at: At = None,
    minutes: Annotated[
        list[int] | None, typer.Option("--minutes", min=1, max=24 * 60, help="how long; may be given again")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Show what a call would cost by the minute, as a family sees it: from the function that bills."""
    with open_database() as database:
        place, started_at = _place_and_time(database, facility, at)
        keyed = re.sub(r"[ ().-]", "", number)
        dialled = (
            read_e164(keyed, allowed_kinds=place.kinds)
            if "+" in keyed
            else read_keys(keyed, allowed_kinds=place.kinds)
        )
        if not isinstance(dialled, Number):
            raise PriceError(f"--number: {number} is not a number that can be called ({dialled.reason})")
        free, local = database.read_now(lookup.free_and_local, place.id, dialled.e164)
        on = local_day(place, started_at)
        tariff = database.read_now(tariff_on, place.id, place.time_zone, on)
    asked = priced(place, tariff, dialled, started_at, local=local, free=free)
    longest = place.longest_call_ms // 60_000
    shown = sorted(set(minutes or [*(each for each in SHOWN_MINUTES if each < longest), longest]))
    if asked.price is None and not (free or asked.is_free_by_law):
        raise PriceError(
            f"no rate: {facility} has no price for {asked.call_type} calls to {dialled.e164} on {on}"
        )
    rows = (
        [(each, charge(asked.price, started_at, each * 60_000)) for each in shown]
        if asked.price and not free
        else []
    )
    told = _told(asked, free=free)
    if as_json:
        lines = [{"minutes": each, **_amounts(charged)} for each, charged in rows]
        typer.echo(
            json.dumps({"number": dialled.e164, "call_type": asked.call_type, "told": told, "prices": lines})
        )
        return
    abroad = (
        f" to {country_name(destination(dialled), 'en')}" if asked.call_type is CallType.INTERNATIONAL else ""
    )
    typer.echo(f"{dialled.e164}: {asked.call_type}{abroad}, {told}")
    if rows:
        _print(
            ("minutes", *_amounts(rows[0][1])),
            ((each, *_amounts(charged).values()) for each, charged in rows),
        )


def show(facility: FacilityId, at: At = None) -> None:
    """Show the tariff that holds at a facility: what calls cost, and the cap that the law sets."""
    with open_database() as database:
        place, started_at = _place_and_time(database, facility, at)
        on = local_day(place, started_at)
        held = [each for each in database.read_now(_tariffs, place) if each.is_valid_on(on)]
        plans = database.read_now(lookup.plans_of, place.id)
    if not held:
        raise PriceError(f"{facility} has no tariff on {on}")
    (tariff,) = held
    typer.echo(f"{tariff.id}, from {tariff.valid_from} to {tariff.valid_to or 'further notice'}")
    site = place.site
    rows = dict.fromkeys(
        (
            call_type,
            row.zone or row.destination,
            in_words(row.timetable),
            _cap(site, call_type, on, row.termination),
        )
        for row, call_type in tariff.rows()
    )
    _print(("call type", "destination", "price", "cap a minute"), list(rows))
    for plan_id, price, calls in plans:
        typer.echo(plan_line(tariff, place, on, plan_id, Plan(price, calls)))


def check(
    file: Annotated[
        Path | None, typer.Argument(help="a tariff's TOML file; without one, all that stand in the database")
    ] = None,
    facility: Annotated[
        Path | None, typer.Option("--facility", metavar="FILE", help="the facility's TOML file, for the caps")
    ] = None,
) -> None:
    """Check tariffs: mistakes, what stands in them for nothing, and every cap or ban on some day of their life.

    The exit status is 1 if a cap or ban is broken. A tariff that stands in the database is charged at the cap then.
    """
    if file is None:
        with open_database() as database:
            found, warnings = database.read_now(_standing, utc_now())
        for warning in warnings:
            typer.echo(f"warning: {warning}")
    else:
        found = [f"{file}: {breach}" for breach in _check_file(file, facility)]
    unchecked = "; no cap was checked" if file is not None and facility is None else ""
    for line in found or [f"nothing to object to{unchecked}"]:
        typer.echo(line)
    if found:
        raise typer.Exit(1)


def _check_file(file: Path, facility: Path | None) -> list[Breach]:
    try:
        content = parse_tariff(file.read_text("utf-8"), str(file))
    except OSError as error:
        raise PriceError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise PriceError(f"{file}: not UTF-8: {error}") from None
    except TariffFileError as mistake:
        raise PriceError(str(mistake)) from None
    place = parse_facility(read(facility), str(facility)).facility if facility else None
    tariff = tariff_at(content, ZoneInfo(place.time_zone if place else "UTC"))
    for warning in tariff.warnings:
        typer.echo(f"{file}: warning: {warning}")
    if place is None:
        typer.echo(f"{file}: name the --facility to have it checked against caps")
        return []
    for sentence in unbilled(tariff.unpriced(), place.site, Period(tariff.valid_from, tariff.valid_to)):
        typer.echo(f"{file}: warning: {sentence}")
    return breaches(tariff, place.site)


def _standing(conn: Any, at: datetime) -> tuple[list[str], list[str]]:
    return alerts(conn, at), unbilled_calls(conn, at)


def _place_and_time(database: Database, facility: str, at: datetime | None) -> tuple[Facility, datetime]:
    place = database.read_now(lookup.facility_by_id, facility)
    if place is None:
        raise PriceError(f"--facility: there is no facility {facility}")
    return place, _instant(at, place)


def _instant(at: datetime | None, place: Facility) -> datetime:
    if at is None:
        return utc_now()
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(place.time_zone))


def _tariffs(conn: Any, place: Facility) -> list[Tariff]:
    return list(tariffs_of(conn, place))


def _told(asked: Priced, *, free: bool) -> str:
    if free:
        return "free: nobody pays for calls to this number"
    if asked.share is not None and asked.share.is_free:
        return f"free to both: the agency pays ({asked.share.law})"
    part = f"; the agency pays {asked.share.percent} % ({asked.share.law})" if asked.share else ""
    assert asked.price is not None
    return in_words(asked.price.timetable) + part


def _amounts(charged: Charge) -> dict[str, str]:
    named = {
        "price": charged.amount,
        "tax": charged.tax,
        "agency pays": charged.agency,
        "you pay": charged.due,
    }
    return {name: format_money(amount) for name, amount in named.items()}


def _cap(site: Site, call_type: Any, on: date, termination: Money | None) -> str:
    held_by = lowest_cap(site, call_type, Period(on, on), termination)
    return f"{format_money(held_by.per_minute)} ({held_by.section})" if held_by else "none"


def plan_line(tariff: Tariff, place: Facility, on: date, plan_id: str, plan: Plan) -> str:
    """What is offered, and from which use on it pays at that day's prices."""
    longest = place.longest_call_ms // 60_000
    line = f"plan {plan_id}: {plan.calls} calls a month for {format_money(plan.price)}"
    ordinary = ordinary_minute(tariff, place.site, Period(on, on), longest)
    if not ordinary:
        because = "have no price" if ordinary is None else "cost nothing"
        return f"{line}; never pays: calls inside the state {because}"
    least = break_even(plan, ordinary, longest)
    return f"{line}; pays from {least.calls} calls of full length, or {least.minutes} minutes, on"


def _print(columns: tuple[str, ...], rows: Iterator[Any] | list[Any]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*map(str, row))
    Console().print(table)
