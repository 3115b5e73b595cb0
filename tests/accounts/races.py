"""Callers at the same moment, through the decision itself: `python -m tests.accounts.races [ROUNDS]`.

Two to sixty-four inmates key a number at once. Of those who pay from one account as many may call as it has money for,
or calls, and no more; nothing is held for the others.
"""

import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Final

from rich.progress import Progress
from sqlalchemy import Connection, delete, select

from accounts import ledger, payers, schema
from accounts.billed import collect_account, open_billed
from accounts.db import Database
from accounts.debit import account_id_of
from accounts.tables import BilledKind
from accounts.verification import verify
from ivr.controls.authorisation import Authorised, authorise
from ivr.controls.facts import Choice
from ivr.controls.settlement import Ending, settle
from ivr.facility.lookup import Facility, facility_of_station
from ivr.facility.tables import inmate, special_number
from ivr.policy.reasons import Denial, Outcome
from ivr.policy.request import Allow, Deny, Payer
from ivr.records import calls
from rating.money import Money
from tests.accounts.world import CARD, FAMILY, INMATES, JAIL, NUMBERS, SESSION, STATION, prepare
from tests.controller.steps import at_once, make_crowd, open_holds
from tests.database import fresh_database, running_postgresql
from tests.transcripts.play import NOON

MOST: Final = 64
CALLERS: Final = (2, 3, 5, 8, 16, 32, 64)
PERIOD: Final = "subscription/races"
_DEBIT: Final = account_id_of(JAIL, INMATES[0])
#: The account that each payer's callers have in common, and the number that they call.
SHARED: Final = {
    Payer.PREPAID: (FAMILY, NUMBERS[0]),
    Payer.CARD: (CARD, NUMBERS[0]),
    Payer.COLLECT: (collect_account(JAIL, NUMBERS[1]), NUMBERS[1]),
    Payer.SUBSCRIPTION: (PERIOD, NUMBERS[0]),
    Payer.DEBIT: (_DEBIT, NUMBERS[0]),
}


def _prepare(conn: Connection) -> None:
    """The books of the schedules, a crowd that may call numbers which take many calls, and a long period."""
    prepare(conn)
    conn.execute(delete(special_number))
    make_crowd(conn, MOST)
    open_billed(
        conn,
        account_id=collect_account(JAIL, NUMBERS[1]),
        kind=BilledKind.COLLECT,
        facility_id=JAIL,
        credit_limit=Money(0),
        at=NOON,
    )
    known = {"subscription_id": "races", "facility_id": JAIL, "number": NUMBERS[0], "state": "US-IL"}
    payers.open_subscription(conn, **known, calls_each_period=1, at=NOON)
    payers.open_period(
        conn,
        account_id=PERIOD,
        subscription_id="races",
        first_date=date(2026, 1, 1),
        last_date=date(2096, 12, 31),
        calls=1,
        at=NOON,
    )


@dataclass(slots=True)
class Contest:
    """One database, in which one race is run after the other."""

    database: Database
    facility: Facility
    inmates: list[int]
    at: datetime = NOON

    @classmethod
    def open(cls, database: Database) -> "Contest":
        """Everything is prepared."""
        database.transact_now(_prepare)
        there = database.read_now(facility_of_station, STATION)
        assert there is not None
        keys = database.read_now(
            lambda conn: list(conn.scalars(select(inmate.c.id).where(inmate.c.id >= 1000)))
        )
        return cls(database, there, keys)

    def race(self, payer: Payer, callers: int, affordable: int) -> None:
        """So many call at once where so many can be paid for; whoever wins, it is never another number of them."""
        self.at += timedelta(days=1)
        account_id, number = SHARED[payer]
        each = 1 if payer is Payer.SUBSCRIPTION else self._longest(payer)
        spare = 0 if payer is Payer.SUBSCRIPTION else 59_999  # no minute of a talk
        self._have(account_id, affordable * each + spare)
        whose = [self._debtor()] * callers if payer is Payer.DEBIT else self.inmates[:callers]
        made = self._made(payer, number, whose)
        won = [each for each in made if isinstance(each.decision, Allow)]
        lost = [each.decision.reason for each in made if isinstance(each.decision, Deny)]
        most = 1 if payer is Payer.DEBIT else affordable  # one inmate has one call at a time
        assert len(won) == min(callers, most), (payer, callers, affordable, len(won))
        assert set(lost) <= {Denial.FUNDS_TOO_LOW, Denial.INMATE_ON_A_CALL}
        stands = self.database.read_now(ledger.balance, account_id)
        assert stands.held == len(won) * each
        assert stands.available >= 0
        assert len(self.database.read_now(open_holds)) == len(won)
        self._hang_up()
        assert self.database.read_now(ledger.balance, account_id).available == affordable * each + spare

    def verify(self) -> None:
        """The book adds up, and nothing is held."""
        assert self.database.read_now(verify).faults == ()
        assert self.database.read_now(open_holds) == []

    def _made(self, payer: Payer, number: str, whose: list[int]) -> list[Authorised]:
        place = replace(self.facility, payers=str(payer))
        chosen = Choice(payer, CARD) if payer in {Payer.DEBIT, Payer.CARD} else None
        keyed = {f"{next(_IDS):032x}": key for key in whose}
        for call_id, key in keyed.items():
            self.database.transact_now(self._key, call_id, key, number)
        dialled = number.removeprefix("+1")
        return at_once(
            [
                partial(
                    self.database.transact_now,
                    authorise,
                    place,
                    call_id=call_id,
                    inmate=key,
                    dialled=dialled,
                    at=self.at,
                    choice=chosen,
                )
                for call_id, key in keyed.items()
            ]
        )

    def _key(self, conn: Connection, call_id: str, key: int, number: str) -> None:
        calls.open_call(
            conn,
            call_id=call_id,
            session_id=SESSION,
            facility_id=JAIL,
            station_id=STATION,
            inmate=key,
            dialled=number,
            language="en",
            at=self.at,
        )

    def _longest(self, payer: Payer) -> int:
        """What is held for one caller who can pay for the longest talk."""
        account_id, number = SHARED[payer]
        self._have(account_id, 100_000_000)
        self._made(payer, number, [self._debtor() if payer is Payer.DEBIT else self.inmates[0]])
        held = self.database.read_now(ledger.balance, account_id).held
        self._hang_up()
        return held

    def _debtor(self) -> int:
        of = select(inmate.c.id).where(inmate.c.inmate_id == INMATES[0])
        return int(self.database.read_now(lambda conn: conn.scalars(of).one()))

    def _have(self, account_id: str, amount: int) -> None:
        """The account has so much available, and nothing held."""
        self.database.transact_now(_have, account_id, amount, self.at)

    def _hang_up(self) -> None:
        """Whoever won hangs up before it rings."""
        self.database.transact_now(_hang_up, self.at)


_IDS: Final = count(1)


def _have(conn: Connection, account_id: str, amount: int, at: datetime) -> None:
    more = amount - ledger.balance(conn, account_id).available
    outside = payers.CALLS_SOLD if account_id == PERIOD else payers.CASH
    sides = (outside, account_id) if more > 0 else (account_id, outside)
    ledger.post(
        conn,
        transfer_id=f"funds/{next(_IDS)}",
        debit_id=sides[0],
        credit_id=sides[1],
        amount=abs(more),
        at=at,
    )


def _hang_up(conn: Connection, at: datetime) -> None:
    for row in calls.unsealed(conn):
        settle(conn, row.id, Ending(Outcome.CALLER_HUNG_UP), at=at, version="test")


def run(contest: Contest, rounds: int, progress: Progress) -> None:
    """So many rounds of each race, with another number of callers and another balance each time."""
    for payer in SHARED:
        for number in progress.track(range(rounds), description=f"{contest.database.backend}, {payer}"):
            callers = CALLERS[number % len(CALLERS)]
            contest.race(payer, callers, 1 if payer is Payer.SUBSCRIPTION else 1 + number % callers)
    contest.verify()


def main(rounds: int = 1_000) -> None:
    """Both databases."""
    with (
        tempfile.TemporaryDirectory(prefix="ivr-races-") as folder,
        running_postgresql() as server,
        fresh_database(server) as postgresql,
        Progress() as progress,
    ):
        for url in (f"sqlite:///{folder}/ivr.sqlite", postgresql):
            schema.upgrade(url)
            with Database.open(url) as database:
                run(Contest.open(database), rounds, progress)
    print(f"{rounds:,} rounds of each race on both databases: as many calls as there was money for")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
