"""`ivr explain`: what would be decided on a call, and why."""

import io
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any

import typer

from accounts import schema
from accounts.db import Database
from ivr.clock import utc_now
from ivr.config import Settings, load_settings
from ivr.controls.day import Day, explain_day
from ivr.controls.explaining import ExplainError, Question, explain
from rating.days import read_day, read_time

#: What a line of a batch may hold.
WORDS = {"inmate", "booking", "number", "station", "facility", "at"}


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command("explain")
    def explain_(
        asked: Annotated[
            list[str] | None,
            typer.Argument(metavar="[INMATE NUMBER]", help="in place of --inmate and --number"),
        ] = None,
        *,
        inmate: Annotated[
            str | None, typer.Option(help="the inmate's ID; without one --number is a hotline's code")
        ] = None,
        booking: Annotated[
            str | None, typer.Option(help="in place of an inmate, as it is keyed at an intake station")
        ] = None,
        number: Annotated[str | None, typer.Option(help="the keys they would press, or E.164")] = None,
        station: Annotated[
            str | None, typer.Option(help="the telephone; without it none is considered")
        ] = None,
        facility: Annotated[str | None, typer.Option(help="needed where there are several")] = None,
        at: Annotated[
            str | None, typer.Option(help="2026-12-24T18:00, the facility's time; else now")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
        batch: Annotated[bool, typer.Option(help="a JSON object for each line of standard input")] = False,
        day: Annotated[bool, typer.Option(help="all of a day: --at 2026-12-24, else today")] = False,
    ) -> None:
        """Tell whether an inmate may call a number, and what every rule says to it.

        Nothing is reserved and nothing written. With --batch each line of standard input is an object with inmate,
        number, and perhaps station, facility and at; each line of output is its answer, or {"error": why}. With --day
        it tells from when until when of a day the call would be allowed, and why not in between.
        """
        settings = load_settings()
        schema.require_head(settings.url)
        with Database.open(settings.url) as database:
            ways = _ways(settings)
            if batch:
                if isinstance(sys.stdin, io.TextIOWrapper):
                    sys.stdin.reconfigure(errors="replace")  # what is no UTF-8 is a mistake of its line alone
                for answer in answers(database, sys.stdin, ways):
                    typer.echo(json.dumps(answer, default=str))
                return
            inmate, number = _two(asked) if asked else (inmate, number)
            who = {"inmate": inmate, "booking": booking}
            given = {**who, "number": number, "station": station, "facility": facility, "at": at}
            words = {name: value for name, value in given.items() if value is not None}
            if day:
                _tell_day(database, words, takes_cards=ways["takes_cards"], as_json=as_json)
                return
            answer = _answer(database, words, ways)
        typer.echo(json.dumps(answer, default=str) if as_json else "\n".join(told(answer)))


def _two(asked: list[str]) -> tuple[str, str]:
    if len(asked) != 2:
        raise ExplainError("expected an inmate's ID and a number")
    return asked[0], asked[1]


def _ways(settings: Settings) -> Mapping[str, bool]:
    """How a call can be paid for that has no funds: by card, and by a link that is sent."""
    return {"takes_cards": bool(settings.card_processor), "sends_links": "sms" in settings.channels}


def _tell_day(database: Database, words: Mapping[str, str], *, takes_cards: bool, as_json: bool) -> None:
    """When on a day the inmate may call the number."""
    given = words.get("at")
    try:
        on = read_day(given) if given else None
    except ValueError as mistake:
        raise ExplainError(f"at: {mistake}") from None
    asked = question({name: value for name, value in words.items() if name != "at"})
    found = database.read_now(explain_day, asked, on, utc_now(), takes_cards=takes_cards)
    typer.echo(json.dumps(found.as_dict(), default=str) if as_json else "\n".join(told_day(found)))


def told_day(found: Day) -> Iterator[str]:
    """The day as lines for a terminal of eighty columns."""
    yield f"{_who(found.inmate_id, found.booking)}, number {found.number or 'none'}, {found.on:%A} {found.on}"
    for span in found.spans:
        said = span.as_dict()
        ends = span.ends.strftime("%H:%M") if span.ends.date() == found.on else "24:00"
        if said["decision"] == "deny":
            view = f"refused: {said['reason']}"
        else:
            view = f"allowed for {_time(int(str(said['seconds'])))} at most, paid by {said['payer']}"
        yield f"{span.starts:%H:%M} to {ends}  {view}"


def answers(
    database: Database, lines: Iterable[str], ways: Mapping[str, bool] = MappingProxyType({})
) -> Iterator[Mapping[str, object]]:
    """An answer for each line, in its place; a mistake is an answer too, and the lines after it are answered."""
    for line in lines:
        try:
            yield _answer(database, _object(line), ways)
        except ExplainError as mistake:
            yield {"error": str(mistake)}


def _object(line: str) -> Mapping[str, Any]:
    if not line.strip():
        raise ExplainError("an empty line: expected a JSON object")
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError) as mistake:  # also numbers and nesting without end
        raise ExplainError(f"not JSON: {mistake}") from None
    if not isinstance(asked, dict):
        raise ExplainError("expected a JSON object")
    return asked


def _answer(database: Database, asked: Mapping[str, Any], ways: Mapping[str, bool]) -> dict[str, Any]:
    return database.read_now(explain, question(asked), utc_now(), **ways).as_dict()


def question(asked: Mapping[str, Any]) -> Question:
    """The question that words ask; raises ExplainError for words that ask none."""
    if unknown := sorted(set(asked) - WORDS):
        raise ExplainError(f"unknown: {', '.join(unknown)}; expected {', '.join(sorted(WORDS))}")
    if not all(isinstance(value, str) for value in asked.values()):
        raise ExplainError("every value is a text in quotes")
    if unreadable := sorted(name for name, value in asked.items() if not value.isprintable()):
        raise ExplainError(f"{unreadable[0]}: expected letters, digits and signs that can be printed")
    if not asked.get("number"):
        raise ExplainError("an inmate and a number are needed, or the code of a hotline as the number")
    if asked.get("inmate") and asked.get("booking"):
        raise ExplainError("expected an inmate or a booking, not both")
    try:
        at = read_time(asked["at"]) if "at" in asked else None
    except ValueError as mistake:
        raise ExplainError(f"at: {mistake}") from None
    place = (asked.get("station"), asked.get("facility"))
    return Question(asked.get("inmate"), asked["number"], *place, at, asked.get("booking"))


def told(answer: Mapping[str, Any]) -> Iterator[str]:
    """The answer as lines for a terminal of eighty columns."""
    yield f"{_who(answer['inmate'], answer['booking'])}, number {answer['number'] or 'none'}, {answer['at']}"
    if answer["decision"] == "deny":
        given = "".join(f", {name} {value}" for name, value in answer["told"].items())
        by = f" ({answer['blocked_by']})" if answer["blocked_by"] else ""
        yield f"refused: {answer['reason']}{_at(answer)}{by}{given}"
        if answer["link"]:
            yield f"the called party is rung to be offered a link to pay {answer['link']} for one call"
    else:
        limit = answer["limit"]
        yield f"allowed for {_time(limit['seconds'])}: {limit['set_by']}{_at(limit)}"
        recorded = "recorded" if answer["recorded"] else f"not recorded ({answer['not_recorded']})"
        yield f"paid by {answer['payer']}, at most {answer['price']}; {recorded}"
        if answer["continues"]:
            yield f"continues call {answer['continues']}"
    if answer["asks_for_name"]:
        yield "the telephone asks for their name first, once: no call is made without it"
    for payer, view in answer["payers"].items():
        yield f"payer {payer}: {view}"
    for each in answer["rules"]:
        yield f"{each['rule']}: {each['view']}"
        yield from textwrap.wrap(each["says"], 76, initial_indent="    ", subsequent_indent="    ")
    for each in answer["limits"]:
        yield f"limit {_time(each['seconds'])}: {each['set_by']}{_at(each)}"


def _who(inmate_id: str | None, booking: str | None) -> str:
    if booking:
        return f"booking {booking}"
    return f"inmate {inmate_id}" if inmate_id else "nobody, by a hotline's code"


def _at(limit: Mapping[str, Any]) -> str:
    return f" of {limit['level']}" if limit["level"] else ""


def _time(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
