"""Files with what one person is told once: made before it is asked for, for their owner alone, in no other's place."""

import getpass
import os
from pathlib import Path

import typer

from ivr.config import load_settings
from ivr.staff.changes import perform
from ivr.staff.desk import StaffError, ToldOnce


def change_into(
    file: Path, again: str, name: str, note: str, facility: str | None, /, **given: object
) -> None:
    """Have a change done whose answer goes into a new file; `again` says what helps if it can't be written."""
    try:
        opened = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise StaffError(f"{file}: {error.strerror}; nothing was done") from None
    who = {"note": note, "author": getpass.getuser(), "facility_id": facility}
    with os.fdopen(opened, "w", encoding="utf-8") as written:
        try:
            done = perform(load_settings(), name, **who, **given)
        except BaseException:
            file.unlink()
            raise
        try:
            written.write(done.once if isinstance(done, ToldOnce) else "")
            written.flush()
            os.fsync(written.fileno())
        except OSError as error:
            raise StaffError(f"{done}, but {file}: {error.strerror}; {again}") from None
    typer.echo(f"{done}; written to {file}")
