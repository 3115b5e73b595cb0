"""A CSV file into the database: through the running controller, or as the one writer if none runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from accounts import schema
from accounts.db import Database, WriterLock
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.control import NoController, ask
from ivr.facility.csv_import import Import
from ivr.facility.csv_rows import SHAPES, ImportMistakes, Kind, read_all
from ivr.instance import keyring_of
from ivr.login import who_asks
from ivr.staff.desk import StaffError
from ivr.staff.files import take_rows
from ivr.staff.signing import find, sign


@dataclass(frozen=True, slots=True)
class Asked:
    """A CSV text that somebody wants imported."""

    kind: Kind
    facility_id: str
    csv: str
    author: str
    file: str = ""  # its name

    def read(self, progress: Callable[[], object] = lambda: None) -> Import:
        """The rows, with the mistakes that they have by themselves; raises ImportMistakes for a wrong header."""
        rows = read_all(SHAPES[self.kind], self.csv, self.file, progress)
        return Import(self.facility_id, self.kind, rows, self.author)


def import_csv(settings: Settings, asked: Asked, progress: Callable[[], object]) -> str:
    """Import a text all or nothing; what was done, in a sentence."""
    wanted = asked.read(progress)
    given = {"kind": asked.kind, "facility": asked.facility_id, "csv": asked.csv, "author": asked.author}
    given["file"] = asked.file
    who = who_asks()
    try:
        return str(ask(settings.control_socket, "import", **given, **who.sent))
    except NoController:
        schema.require_head(settings.url)
        with WriterLock.share(settings.url), Database.open(settings.url) as database:
            signer = sign(database.read_now(find, who), who, asked.author)
            told = database.transact_now(
                take_rows, wanted, keyring_of(settings).pin_key, utc_now(), signer=signer
            )
    if isinstance(told, StaffError):
        raise told
    return told


def read_asked(request: Mapping[str, object]) -> Asked:
    """What came over the control socket; raises ImportMistakes for anything else."""
    kind, facility_id, csv, author, file = (
        str(request.get(name) or "") for name in ("kind", "facility", "csv", "author", "file")
    )
    if kind not in (Kind.INMATES, Kind.NUMBERS, Kind.BLOCKED) or not (facility_id and author):
        raise ImportMistakes("an import needs a kind, a facility and an author")
    return Asked(Kind(kind), facility_id, csv, author, file)


def read_csv(path: Path) -> str:
    """The text of a file; raises ImportMistakes if it can't be read."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ImportMistakes(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ImportMistakes(f"{path}: not UTF-8: {error}") from None
