"""Files with what one person is told once: made before it is asked for, for their owner alone, in no other's place."""

import os
from pathlib import Path
from typing import BinaryIO

import typer

from ivr.asking import perform
from ivr.config import load_settings
from ivr.login import own_login
from ivr.staff.desk import StaffError, ToldOnce


def change_into(
    file: Path, again: str, name: str, note: str, facility: str | None, /, **given: object
) -> None:
    """Have a change done whose answer goes into a new file; `again` says what helps if it can't be written."""
    who = {"note": note, "author": own_login(), "facility_id": facility}
    with new_file(file) as written:
        try:
            done = perform(load_settings(), name, **who, **given)
        except BaseException:
            file.unlink()
            raise
        try:
            written.write(done.once.encode() if isinstance(done, ToldOnce) else b"")
            written.flush()
            os.fsync(written.fileno())
        except OSError as error:
            raise StaffError(f"{done}, but {file}: {error.strerror}; {again}") from None
    typer.echo(f"{done}; written to {file}")


def new_file(path: Path) -> BinaryIO:
    """A new file for its owner alone; raises StaffError where something is there, or it can't be made."""
    try:
        return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
    except OSError as error:
        raise StaffError(f"{path}: {error.strerror}; nothing was done") from None
