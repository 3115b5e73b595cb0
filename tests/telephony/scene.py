"""What a story can do and look at: its people, the records of its calls, its money, its recording."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, select

from accounts import ledger
from accounts.db import Database
from dialplan.phone import Answers
from ivr.archive import files
from ivr.archive.audio import write_wav
from ivr.archive.cipher import RecordingKey
from ivr.demonstration.party import Party, write_tone
from ivr.demonstration.stage import Stage
from ivr.facility.tables import inmate
from ivr.instance import keyring_of, places_of
from ivr.records.recordings import KeptFile
from ivr.records.states import RecordingState
from ivr.records.tables import call, leg_quality, recording, session
from tests.telephony.cast import JAIL, Role
from tests.telephony.stack import account_of

INMATE_HERTZ = 440.0
FAMILY_HERTZ = 660.0
PROLOGUE = [f"welcome facility={JAIL}", "choose_language", "enter_id_and_pin", "enter_number"]
KNOWN = ["provider_greeting", f"call_from facility={JAIL}", "notice_recorded"]
#: The other language comes first to a number at which nobody has decided yet, in their language.
INTRODUCTION = ["accept_menu_language", *KNOWN]
#: What the called party hears until they know the key that accepts.
MENU = ["cost_key.3", "accept_key.1"]
#: What the inmate hears between the number and the ringing when a subscription pays, and when an account does.
COVERED = ["covered_by_subscription time=15", "call_recorded", "please_hold"]
PREPAID = ["price_and_time price=0.06 time=15", "call_recorded", "please_hold"]

T = TypeVar("T")


class Scene:
    """One story's part of a stack."""

    def __init__(self, stage: Stage, database: Database, role: Role) -> None:
        self.stage = stage
        self.role = role
        self.log: list[str] = []
        self._parties: list[Party] = []
        self._database = database
        self._began = time.monotonic()
        self._folder = stage.settings.state_dir.absolute() / "voices" / role.station
        self._folder.mkdir(parents=True, exist_ok=True)

    # -- people

    @contextmanager
    def inmate(self, station: str = "") -> Iterator[Party]:
        """Somebody at the story's own telephone, or at another one of the facility."""
        station = station or self.role.station
        with self.stage.station(station, f"{station} inmate", self.tell) as party:
            self._parties.append(party)
            yield party

    @contextmanager
    def family(self, answers: Answers = Answers.AUTO) -> Iterator[Party]:
        name = f"{self.role.station} family"
        with self.stage.called(self.role.number, name, self.tell, answers) as party:
            self._parties.append(party)
            yield party

    @contextmanager
    def listener(self) -> Iterator[Party]:
        """Somebody of the staff at their own telephone, which answers when it is rung."""
        with self.stage.listener(self.role.listener, f"{self.role.station} listener", self.tell) as party:
            self._parties.append(party)
            yield party

    @contextmanager
    def both(self) -> Iterator[tuple[Party, Party]]:
        with self.family() as family, self.inmate() as inmate:
            yield inmate, family

    def tell(self, who: str, what: str) -> None:
        """One line of what happened, shown when the story fails."""
        self.log.append(f"{time.monotonic() - self._began:6.1f} s  {who.partition(' ')[2]:<7} {what}")

    def account(self) -> str:
        """What happened and what was heard, for whoever has to find out why the story failed."""
        heard = [
            f"{party.name} heard {party.transcript(number)}"
            for party in self._parties
            for number in range(len(party.phone.heard))
        ]
        return "\n".join([*self.log, *heard])

    def voice(self, hertz: float, seconds: float) -> Path:
        """Somebody's voice: a tone."""
        path = self._folder / f"{hertz:.0f}-{seconds:g}.wav"
        return path if path.exists() else write_tone(path, hertz, seconds)

    # -- staff

    def staff(self, *words: str) -> str:
        """An officer at a terminal runs `ivr`; what it shows."""
        settings = self.stage.settings
        place = {
            "IVR_STATE_DIR": str(settings.state_dir.absolute()),
            "IVR_DATABASE_URL": settings.url,
            "IVR_LISTENING_PHONES": settings.listening_phones,
        }
        done = subprocess.run(
            [sys.executable, "-m", "ivr.cli", *words],
            env={**os.environ, **place},
            capture_output=True,
            text=True,
            check=False,
        )
        self.tell("x staff", f"ivr {' '.join(words)}: {done.stdout or done.stderr}".strip())
        assert done.returncode == 0, done.stderr
        return done.stdout

    # -- what was written

    def calls(self, count: int = 1) -> Sequence[Row[Any]]:
        """The story's call-detail records, the oldest first, once all are sealed; there must be so many."""
        found = self.wait(
            lambda conn: conn.execute(_calls(self.role)).all(),
            lambda rows: len(rows) >= count and all(row.sealed_at for row in rows),
        )
        assert len(found) == count, found
        return found

    def session(self) -> Row[Any]:
        """The newest session at the story's station, once it is closed."""
        newest = (
            select(session)
            .where(session.c.station_id == self.role.station)
            .order_by(session.c.started_at.desc())
        )
        found = self.wait(
            lambda conn: conn.execute(newest).first(),
            lambda row: row is not None and row.ended_at is not None,
        )
        assert found is not None
        return found

    def balance(self) -> ledger.Balance:
        """What the paying account has."""
        return self.read(lambda conn: ledger.balance(conn, account_of(conn, self.role)))

    def quality(self, call_id: str) -> Sequence[Row[Any]]:
        """What is known of both legs' packets, once both are reported."""
        legs = select(leg_quality).where(leg_quality.c.call_id == call_id).order_by(leg_quality.c.leg)
        return self.wait(lambda conn: conn.execute(legs).all(), lambda rows: len(rows) == 2)

    def recordings(self) -> Sequence[Row[Any]]:
        """The rows of all recordings of the story's calls."""
        return self.read(lambda conn: conn.execute(_recordings(self.role)).all())

    def finished_recording(self) -> tuple[Row[Any], Path]:
        """The one recording of the story, once it is kept, and a file of what is in it."""
        rows = self.wait(
            lambda conn: conn.execute(_recordings(self.role)).all(),
            lambda found: bool(found) and all(row.state != RecordingState.RUNNING for row in found),
        )
        [row] = rows
        settings = self.stage.settings
        kept = KeptFile.of(places_of(settings), row)
        flac = files.read(kept, RecordingKey(keyring_of(settings).recording_key))
        heard = settings.state_dir / f"heard-{row.id}.wav"
        with heard.open("wb") as file:
            write_wav(flac, file)
        return row, heard

    def files_of_nobody(self) -> list[str]:
        """Files among the recordings that belong to no recorded call: the story's own recordings must not exist."""
        places = places_of(self.stage.settings)
        found = [path.name for folder in (places.spool, places.archive) for path in folder.rglob("*.*")]
        known = self.read(lambda conn: conn.scalars(select(recording.c.id)).all())
        return sorted(name for name in set(found) if name.partition(".")[0] not in known)

    def read(self, work: Callable[[Connection], T]) -> T:
        return self._database.read_now(work)

    def change(self, work: Callable[[Connection], object]) -> None:
        """Somebody changes the database beside the controller."""
        self._database.transact_now(work)

    def wait(self, work: Callable[[Connection], T], until: Callable[[T], bool], within: float = 20) -> T:
        """What `work` reads, as soon as it is as it should be."""
        deadline = time.monotonic() + within
        while not until(found := self.read(work)):
            assert time.monotonic() < deadline, f"after {within:g} s still {found}"
            time.sleep(0.1)
        return found


def _calls(role: Role) -> Any:
    return (
        select(call)
        .outerjoin(inmate, inmate.c.id == call.c.inmate)
        .where(_of(role))
        .order_by(call.c.keyed_at)
    )


def _recordings(role: Role) -> Any:
    return (
        select(recording)
        .join(call, call.c.id == recording.c.call_id)
        .outerjoin(inmate, inmate.c.id == call.c.inmate)
        .where(_of(role))
    )


def _of(role: Role) -> Any:
    """The calls of the story's inmate, and nobody's to its number."""
    nobodys = call.c.inmate.is_(None) & (call.c.number == f"+{role.number}")
    return (inmate.c.inmate_id == role.inmate_id) | nobodys
