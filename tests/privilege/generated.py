"""Decisions by chance, on a list of privileged numbers by chance: is a recording ever permitted that must not be?

A small facility calls numbers in every form in which they are keyed. Between the calls operators add, confirm and take
away, files are loaded and lists imported, time passes, and the list is broken behind the program's back. What must not
be recorded is known from a list of our own, kept by the rules as they are stated and by none of the program's code.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final, NoReturn, cast

from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import OperationalError

from accounts.db import Database
from ivr.controls.authorisation import gather, number_keyed
from ivr.controls.facts import Caller, Choice
from ivr.facility import lookup, privileged
from ivr.facility.bookings import Booking
from ivr.facility.file import FacilityFile, FacilityFileError
from ivr.facility.tables import facility as facility_table
from ivr.facility.tables import privileged_list, privileged_number
from ivr.loading import load
from ivr.policy.recording import recording_permit
from ivr.policy.request import Allow, Payer
from ivr.policy.rules import decide
from ivr.staff import changes
from ivr.staff.desk import Alarm, StaffError
from ivr.staff.privileged_list import signature
from tests.transcripts import funding
from tests.transcripts.play import KEY, World, demonstration

JAIL: Final = "example-county-jail"
LIST_KEY: Final = bytes(32)
BY_FILE: Final = "+12175550110"
LAPSE: Final = timedelta(hours=72)
#: The numbers that may become privileged, each with every way of keying it; the last of each is a speed dial.
KEYED: Final = {
    "+12175550101": ("2175550101", "12175550101", "1"),
    "+12175550102": ("2175550102", "12175550102", "2"),
    "+13125550103": ("3125550103", "13125550103", "3"),
    "+442079460123": ("011442079460123", "8"),
    "+12175550110": ("2175550110", "12175550110"),
}
#: The demonstration, but for both inmates active, every number payable and one of them abroad.
CHANGES: Final = (
    ('state = "suspended"', 'state = "active"'),
    ('pan_mode = "enforced"', 'pan_mode = "open"'),
    ('call_types = ["local", ', 'call_types = ["international", "local", '),
    (
        '{ number = "+1 217 555 0108", speed_dial = "8" },',
        '{ number = "+44 20 7946 0123", speed_dial = "8" },',
    ),
    (funding.FUNDING, funding.FUNDING + 'collect_limit = "50.00"\n'),
    ('    "+1 217 555 0102",\n', '    "+1 217 555 0102", "+1 312 555 0103", "+44 20 7946 0123",\n'),
)
#: Never made privileged: calls to it must be recorded while nothing is in doubt, or this proves nothing.
ORDINARY: Final = "2175550107"
#: How people write a number of ten digits.
FORMS: Final = (
    "+1{0}{1}{2}",
    "1{0}{1}{2}",
    "{0}{1}{2}",
    "({0}) {1}-{2}",
    "{0}-{1}-{2}",
    "{0}.{1}.{2}",
    "+1 {0} {1} {2}",
    "1-{0}-{1}-{2}",
)
INMATES: Final = ("1001", "1002")
#: In place of an inmate: at every facility of the agency.
AGENCYS: Final = "example-agency"
_AGENCY_FILE: Final = f'[agency]\nid = "{AGENCYS}"\nname = "Example Agency"\n'
OPERATORS: Final = ("ann", "bob", "cy")


@dataclass(slots=True)
class Standing:
    """One privileged number, as the rules say it stands."""

    author: str
    until: datetime | None  # None once it is confirmed
    asked_by: str | None = None
    asked_until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it is privileged at an instant."""
        return self.until is None or at < self.until


@dataclass(slots=True)
class Known:
    """What must not be recorded: by number and whose it is (None: everybody's at the facility)."""

    numbers: dict[tuple[str, str | None], Standing] = field(default_factory=dict)
    in_doubt: bool = False

    def forbids(self, number: str, inmate_id: str | None, at: datetime) -> bool:
        """Whether a call of the inmate to the number must not be recorded; one unknown may be anybody."""
        may_be = {whose for _, whose in self.numbers} if inmate_id is None else {None, AGENCYS, inmate_id}
        own = (self.numbers.get((number, whose)) for whose in may_be)
        return self.in_doubt or any(each is not None and each.holds(at) for each in own)


class Recorded(AssertionError):  # noqa: N818 - what happened
    """A recording was permitted that must not be."""


class Chance:
    """One run: a world, what is known of it, and what happens by chance."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = Random(seed)
        self.known = Known()
        self.seen: Counter[str] = Counter()
        self._stands_by_file()
        funding.open_debit(world, "50.00")
        self.card_id, _ = funding.make_card(world, "50.00")
        funding.pay_for_a_call(world, "50.00")
        funding.open_bill(world, "50.00")
        funding.put_card_on_file(world, account_id=f"prepaid/{JAIL}/family-one")

    def run(self, decisions: int, progress: Callable[[int], object] = lambda _: None) -> Counter[str]:
        """So many decisions; what was seen, counted. Raises Recorded."""
        made = 0
        while made < decisions:
            self._something_happens()
            batch = min(self.chance.randint(80, 200), decisions - made)
            self.world.database.read_now(self._decide_on, batch)
            made += batch
            progress(batch)
        return self.seen

    # -- decisions

    def _decide_on(self, conn: Connection, count: int) -> None:
        facility = lookup.facility_of_station(conn, "demo-a1")
        assert facility is not None
        for turn in range(count):
            inmate_id = self.chance.choice((*INMATES, None))
            number, keys = self._keyed()
            caller = self._caller(conn, inmate_id)
            dialled = number_keyed(conn, facility, caller, keys)
            takes_cards = turn % 2 == 0
            given = (conn, facility, caller, dialled, self.world.at, self._choice())
            request = gather(*given, takes_cards=takes_cards, sends_links=takes_cards)
            decision = decide(request)
            if not isinstance(decision, Allow):
                self.seen["refused"] += 1
                continue
            self.seen[decision.payment.payer] += 1
            permit = recording_permit(
                "c",
                privileged=request.privileged,
                not_recorded=decision.not_recorded,
                list_intact=privileged.intact(conn, JAIL),
            )
            self._judge(number, inmate_id, keys, is_permitted=permit is not None)

    def _caller(self, conn: Connection, inmate_id: str | None) -> Caller:
        """The inmate, or somebody who was arrested a moment ago and may be anybody."""
        if inmate_id is None:
            return Booking(0, self.world.at, custodial_parent=False, has_name=True)
        inmate = lookup.inmate_by_id(conn, JAIL, inmate_id)
        assert inmate is not None
        return int(inmate.id)

    def _choice(self) -> Choice | None:
        """What the inmate has said of who pays."""
        own, card = Choice(Payer.DEBIT), Choice(Payer.CARD, self.card_id)
        return self.chance.choice([None, None, own, card])

    def _keyed(self) -> tuple[str, str]:
        if self.chance.random() < 0.1:
            return f"+1{ORDINARY}", ORDINARY
        number = self.chance.choice(list(KEYED))
        return number, self.chance.choice(KEYED[number])

    def _judge(self, number: str, inmate_id: str | None, keys: str, *, is_permitted: bool) -> None:
        forbidden = self.known.forbids(number, inmate_id, self.world.at)
        if forbidden and is_permitted:
            raise Recorded(f"{keys} of {inmate_id} at {self.world.at}: {self.known}")
        if is_permitted:
            self.seen["recorded"] += 1
        else:
            why = (
                "in doubt"
                if self.known.in_doubt
                else "privileged"
                if forbidden
                else "not recorded for nothing"
            )
            self.seen[why] += 1

    # -- what happens between them

    def _something_happens(self) -> None:
        happening = self.chance.choice(HAPPENINGS)
        happening(self)
        self.seen[happening.__name__.strip("_")] += 1

    def _time_passes(self) -> None:
        self.world.at += timedelta(minutes=self.chance.randint(1, 20 * 60))

    def _payers_change(self) -> None:
        """The facility offers whom it likes, and somebody who can pay among them."""
        words = self.chance.sample(funding.EVERYBODY, self.chance.randint(1, 4))
        able = self.chance.choice(["prepaid", "collect", "courtesy"])
        offered = " ".join(sorted({*words, able}))
        self.world.database.transact_now(
            lambda conn: conn.execute(update(facility_table).values(payers=offered))
        )

    def _is_added(self) -> None:
        number, whose = self._place()
        author = self.chance.choice(OPERATORS)
        given = {"number": self._written(number), **_named(whose), "kind": "attorney"}
        if self._asked("number privileged add", author, **given):
            stands = self.known.numbers.get((number, whose))
            if stands is not None and stands.holds(self.world.at):
                stands.asked_by = stands.asked_until = None  # the removal is withdrawn
            else:
                self.known.numbers[number, whose] = Standing(author, self.world.at + LAPSE)

    def _is_confirmed(self) -> None:
        number, whose = self._place()
        author = self.chance.choice(OPERATORS)
        what = self.chance.choice([None, None, "addition", "removal"])
        given = {"number": self._written(number), **_named(whose), "what": what}
        if not self._asked("number privileged confirm", author, **given):
            return
        stands = self.known.numbers[number, whose]
        is_asked = stands.asked_until is not None and self.world.at < stands.asked_until
        assert what is not None or not (is_asked and stands.until is not None), "nobody knows which it was"
        if what == "removal" or (what is None and is_asked):
            assert stands.asked_by != author, "one operator alone took a number away"
            del self.known.numbers[number, whose]
        else:
            assert stands.author != author, "one operator alone added a number for good"
            stands.until = None

    def _is_to_be_removed(self) -> None:
        number, whose = self._place()
        author = self.chance.choice(OPERATORS)
        given = {"number": self._written(number), **_named(whose), "how": "remove"}
        if self._asked("number privileged shrink", author, **given):
            stands = self.known.numbers[number, whose]
            stands.asked_by, stands.asked_until = author, self.world.at + LAPSE

    def _a_file_is_loaded(self) -> None:
        """The same facility, its privileged number written otherwise, or left out, which no file may do."""
        leaves_out = self.chance.random() < 0.2
        new = "+1 217 555 0119" if leaves_out else self._written(BY_FILE)
        file = _file(('number = "+1 217 555 0110"', f'number = "{new}"'))
        try:
            self.world.database.transact_now(load, file, KEY, self.world.at)
        except FacilityFileError:
            return
        if leaves_out:
            self.known.numbers["+12175550119", None] = Standing("facility file", None)
        else:
            self._stands_by_file()

    def _stands_by_file(self) -> None:
        stands = self.known.numbers.get((BY_FILE, None))
        if stands is None or stands.until is not None:
            self.known.numbers[BY_FILE, None] = Standing("facility file", None)

    def _a_list_is_imported(self) -> None:
        """Signed; it may be refused for what it has lost, and never takes anything away by itself."""
        author = self.chance.choice(OPERATORS)
        places = list(dict.fromkeys(self._place() for _ in range(self.chance.randint(1, 4))))
        agency = self.chance.choice((None, None, AGENCYS))
        of_list = [(number, agency or (whose if whose != AGENCYS else None)) for number, whose in places]
        places = list(dict.fromkeys(of_list))
        rows = [
            f"{self._written(number)},{(not agency and whose) or ''},attorney,by chance"
            for number, whose in places
        ]
        csv = "\n".join(["number,inmate,kind,note", *rows])
        given = {"csv": csv, "signature": self._signed(csv), "agency_id": agency}
        if not self._asked("import privileged", author, **given):
            return
        for place in places:
            stands = self.known.numbers.get(place)
            if stands is None or stands.until is not None:
                self.known.numbers[place] = Standing(author, None)

    def _signed(self, csv: str, key: bytes = LIST_KEY) -> str:
        """By somebody who imports nothing."""
        return signature(key, csv, by="bar", at=self.world.at)

    def _a_list_is_refused(self) -> None:
        """Unsigned, empty, or no CSV at all: nothing changes."""
        csv = self.chance.choice(["", "number,kind,note\n", "\x00\xff", "number;kind\n2175550101;attorney\n"])
        signed = self._signed(csv) if "," not in csv else self._signed(csv, b"another key")
        assert not self._asked("import privileged", "ann", csv=csv, signature=signed)

    def _the_list_is_broken(self) -> None:
        """Somebody empties it, takes a row out or garbles one, and no rule of the program stops them."""
        write, read = self.world.database.transact_now, self.world.database.read_now
        before, backup = deepcopy(self.known), read(_everything)
        row = self.chance.choice(backup["privileged_number"])["id"]
        broken = self.chance.choice(
            [
                "DELETE FROM privileged_number",
                "DELETE FROM privileged_list",
                f"DELETE FROM privileged_number WHERE id = {row}",
                f"UPDATE privileged_number SET number = '+19995550199' WHERE id = {row}",
                f"UPDATE privileged_number SET removed_at = 1 WHERE id = {row}",
                f"UPDATE privileged_number SET scope = 'inmate/0' WHERE id = {row}",
            ]
        )
        write(lambda conn: conn.execute(text(broken)))
        self.known.in_doubt = True
        read(self._decide_on, 20)
        self._is_added()  # what staff add meanwhile does not make the rest of the list right again
        read(self._decide_on, 10)
        write(_restore, backup)
        self.known = before

    def _the_database_is_down(self) -> None:
        """Nothing is decided then, so nothing is permitted."""
        try:
            self._decide_on(cast(Connection, _Down()), 1)
        except OperationalError:
            return
        raise AssertionError("something was decided without a database")

    # -- how

    def _place(self) -> tuple[str, str | None]:
        return self.chance.choice(list(KEYED)), self.chance.choice((None, None, AGENCYS, *INMATES))

    def _written(self, number: str) -> str:
        if not number.startswith("+1"):
            return self.chance.choice([number, f"{number[:3]} {number[3:5]} {number[5:]}"])
        form = self.chance.choice(FORMS)
        return form.format(number[2:5], number[5:8], number[8:])

    def _asked(self, name: str, author: str, **given: object) -> bool:
        said = {field: value for field, value in given.items() if value is not None}
        try:
            asked = changes.read(name, {"note": "by chance", "author": author, **said})
            self.world.database.transact_now(changes.do, name, asked, KEY, self.world.at, list_key=LIST_KEY)
        except (StaffError, Alarm):
            return False
        return True


HAPPENINGS: Final[tuple[Callable[[Chance], None], ...]] = (
    Chance._time_passes,
    Chance._payers_change,
    Chance._is_added,
    Chance._is_confirmed,
    Chance._is_to_be_removed,
    Chance._is_confirmed,
    Chance._a_file_is_loaded,
    Chance._a_list_is_imported,
    Chance._a_list_is_refused,
    Chance._the_list_is_broken,
    Chance._the_database_is_down,
)


class _Down:
    """A connection whose database does not answer."""

    def __getattr__(self, name: str) -> NoReturn:
        raise OperationalError(name, {}, Exception("no answer"))


Backup = Mapping[str, Sequence[Mapping[str, Any]]]
_TABLES = (privileged_list, privileged_number)


def _everything(conn: Connection) -> Backup:
    return {table.name: [dict(row._mapping) for row in conn.execute(select(table))] for table in _TABLES}


def _restore(conn: Connection, backup: Backup) -> None:
    for table in _TABLES:
        conn.execute(delete(table))
        if backup[table.name]:
            conn.execute(insert(table), backup[table.name])


def small_world(database: Database, folder: Path) -> World:
    """The facility whose calls are decided on."""
    return World(database, folder, _file())


def _file(*edits: tuple[str, str]) -> FacilityFile:
    """The demonstration's, as a facility of an agency."""
    return demonstration(*CHANGES, *edits, agency=_AGENCY_FILE)


def _named(whose: str | None) -> Mapping[str, str | None]:
    """Whose a number is, as a verb names it."""
    return {"agency_id": whose} if whose == AGENCYS else {"inmate_id": whose}
