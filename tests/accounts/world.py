"""A facility where everybody may pay, and a schedule's way through its books that leaves no trace.

A schedule runs inside one transaction that is rolled back at its end; what the program calls a transaction is a
savepoint there, so that nothing of an unfinished one stays. So each schedule begins on the same books, replays alone,
and the ten-thousandth costs no more than the first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, insert, select, update

from accounts import cards, direct_bill
from accounts.billed import open_billed
from accounts.db.engines import database_url, writing_engine
from accounts.debit import account_id_of, open_debit
from accounts.holders import put_holder
from accounts.tables import BilledKind
from ivr.facility.file import FacilityFile
from ivr.facility.lookup import Facility, facility_of_station
from ivr.facility.tables import allowed_number, inmate
from ivr.loading import load
from ivr.records.sessions import open_session
from ivr.staff import changes
from ivr.staff.desk import StaffError
from rating.money import Money
from tests.transcripts.play import KEY, NOON, demonstration

T = TypeVar("T")
P = ParamSpec("P")

JAIL: Final = "example-county-jail"
STATION: Final = "demo-a1"
SESSION: Final = f"{0:032x}"
FAMILY: Final = f"prepaid/{JAIL}/family-one"
BILL: Final = f"direct/{JAIL}/defender"
CARD: Final = "card/proof/1"
INMATES: Final = ("1001", "1002")
#: Two numbers that the family pays for, one that is billed, and one whose calls nobody pays for yet.
NUMBERS: Final = ("+12175550101", "+12175550102", "+12175550106", "+12175550107")
CALLS: Final = 2  # of a period
PLAN: Final = "family-100"
_PAYERS: Final = (
    'payers = ["subscription", "debit", "card", "prepaid", "paid_call", "direct_bill", "collect", "courtesy"]'
)


class Killed(Exception):  # noqa: N818 - it is no error: the process is gone
    """The process has died between two commits."""


def facility_file() -> FacilityFile:
    """The demonstration, where everybody may pay, little money is about, and calls are continued."""
    return demonstration(
        ("dropped_within_seconds = 60", "dropped_within_seconds = 60\n" + _PAYERS),
        ("continues_within_seconds = 0", 'continues_within_seconds = 120\ncollect_limit = "0.12"'),
        ("[funding]", "[funding]\ncourtesy_minutes = 2"),
        ('[[subscription]]\nnumber = "+1 217 555 0101"\ncalls = 57\n', ""),
        ('    "+1 217 555 0106",                 # busy on the played network\n', ""),
        ('    "+1 217 555 0107",                 # rings, nobody answers\n', ""),
        ('opening_balance = "5.00"', 'opening_balance = "0.50"'),
        ('price = "20.00"\ncalls = 100', f'price = "0.40"\ncalls = {CALLS}'),
        ('name = "Sam Example"\nstate = "suspended"', 'name = "Sam Example"'),
    )


def prepare(conn: Connection) -> None:
    """Load the facility, and open every account that no call opens."""
    load(conn, facility_file(), KEY, NOON)
    conn.execute(update(inmate).values(recorded_name=b"\xff"))
    alex, sam = conn.scalars(select(inmate.c.id).order_by(inmate.c.inmate_id)).all()
    listed = conn.execute(select(allowed_number).where(allowed_number.c.inmate == alex)).all()
    conn.execute(insert(allowed_number), [{**row._mapping, "inmate": sam} for row in listed])
    open_debit(conn, account_id=account_id_of(JAIL, INMATES[0]), inmate=alex, at=NOON)
    put_holder(conn, FAMILY, NOON, mobile="+12175550190", low_balance=Money(100_000), state="US-IL")
    limit: dict[str, Any] = {
        "kind": BilledKind.DIRECT_BILL,
        "facility_id": JAIL,
        "credit_limit": Money(250_000),
    }
    open_billed(conn, account_id=BILL, **limit, at=NOON)
    direct_bill.add_number(conn, account_id=BILL, facility_id=JAIL, number=NUMBERS[2], at=NOON)
    cards.make_batch(
        conn,
        batch_id="proof",
        facility_id=JAIL,
        cards=1,
        value=Money(200_000),
        hashed=lambda pin: KEY.card_hash(JAIL, pin),
        key_id=KEY.id,
        at=NOON,
    )
    open_session(conn, SESSION, STATION, JAIL, NOON)


@contextmanager
def savepoint(conn: Connection, *, keep: bool) -> Iterator[None]:
    """Undo what the block has done where it fails, or is not kept; SQLAlchemy's own takes longer than most blocks."""
    own = conn.connection.driver_connection
    assert own is not None
    own.execute("SAVEPOINT step")
    kept = False
    try:
        yield
        kept = keep
    finally:
        if not kept:
            own.execute("ROLLBACK TO SAVEPOINT step")
        own.execute("RELEASE SAVEPOINT step")


@dataclass(slots=True)
class Run:
    """One schedule on its way: its clock, the calls in progress, and how many commits it is until the process dies."""

    conn: Connection
    facility: Facility
    inmates: tuple[int, ...]
    at: datetime = NOON
    in_progress: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)  # every call that was keyed, in their order
    commits_left: int | None = None  # none: the process lives on

    def copy(self) -> "Run":
        """The same, going another way."""
        return replace(self, in_progress=list(self.in_progress), calls=list(self.calls))

    def transact(
        self, work: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What `Database.transact` does; raises Killed where the process has died before it."""
        if self.commits_left == 0:
            raise Killed
        with savepoint(self.conn, keep=True):
            done = work(self.conn, *args, **kwargs)
        if self.commits_left is not None:
            self.commits_left -= 1
        return done

    def staff(self, change: str, **asked: Any) -> str | None:
        """A change by staff; None where it was refused, of which nothing may stay."""
        wanted = changes.read(change, {"note": "as agreed", "author": "staff", **asked})
        try:
            return self.transact(changes.do, change, wanted, KEY, self.at)
        except StaffError:
            return None


class Place:
    """A prepared database, and the runs that are made in it one after the other."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = writing_engine(database_url(url), 1)
        self.is_sqlite = self._engine.dialect.name == "sqlite"
        with self._engine.begin() as conn:
            prepare(conn)

    @contextmanager
    def run(self) -> Iterator[Run]:
        """A run on the books as they were prepared."""
        with self._engine.connect() as conn, conn.begin() as whole:
            there = facility_of_station(conn, STATION)
            assert there is not None
            keys = conn.scalars(select(inmate.c.id).order_by(inmate.c.inmate_id)).all()
            yield Run(conn, there, tuple(keys))
            whole.rollback()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
