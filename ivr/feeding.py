"""Files of the jail-management system's feed, one by one or as they come into a folder."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from os import stat_result
from pathlib import Path
from stat import S_ISREG

from ivr.asking import perform
from ivr.config import Settings
from ivr.control import ControlError
from ivr.facility.csv_rows import ImportMistakes
from ivr.facility.feed import AUTHOR, read_feed
from ivr.importing import read_csv
from ivr.staff.desk import StaffError

DONE, REFUSED = "done", "refused"


def feed_file(
    settings: Settings, path: Path, facility_id: str | None, progress: Callable[[], object] = lambda: None
) -> str:
    """Take in a file all or nothing; what was done, in a sentence.

    Raises ImportMistakes, StaffError or ControlError.
    """
    text = read_csv(path)
    read_feed(text, path.name, progress)  # a wrong header needs no controller
    note = f"feed file {path.name}"
    return perform(
        settings, "feed", csv=text, file=path.name, note=note, author=AUTHOR, facility_id=facility_id
    )


@dataclass(slots=True)
class Folder:
    """A folder that another system writes CSV files into."""

    settings: Settings
    path: Path
    facility_id: str | None
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def take(self) -> Iterator[str]:
        """Take in the files that have not changed since the last look, by name; a line for each.

        Done ones go to `done/`; those with mistakes to `refused/`, with a report beside them. A file stays where it is
        while the database can't be written.
        """
        for path in self._settled():
            try:
                told, where = feed_file(self.settings, path, self.facility_id), DONE
            except (ImportMistakes, StaffError, ControlError) as mistakes:
                told, where = f"{path.name}: refused\n{mistakes}", REFUSED
            except (ValueError, ArithmeticError) as failure:  # of this file alone: the others are taken
                told, where = f"{path.name}: refused\nit can't be taken in: {failure!r}", REFUSED
            moved = _moved(path, self.path / where)
            if where == REFUSED:
                moved.with_name(f"{moved.name}.report.txt").write_text(f"{told}\n", "utf-8")
            yield told

    def _settled(self) -> list[Path]:
        """Whoever writes a file may not be done with it: it is taken when it looks as it did before."""
        looks = {
            path: found for path in sorted(self.path.glob("*.csv")) if (found := _look(path)) is not None
        }
        now = {path.name: (found.st_size, found.st_mtime_ns) for path, found in looks.items()}
        settled = [path for path in looks if self._seen.get(path.name) == now[path.name]]
        self._seen = now
        return settled


def _look(path: Path) -> stat_result | None:
    """How a file looks; None for what is none, or not there any more."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found if S_ISREG(found.st_mode) else None


def _moved(path: Path, folder: Path) -> Path:
    """The file in another folder, under a name that is free there."""
    folder.mkdir(exist_ok=True)
    place, number = folder / path.name, 1
    while place.exists():
        place, number = folder / f"{path.stem}.{number}{path.suffix}", number + 1
    return path.rename(place)
