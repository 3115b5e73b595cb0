"""A facility's file into the database, by whoever may write to it now."""

from functools import partial
from pathlib import Path

from accounts import schema
from accounts.db import Database, WriterLock
from ivr.chaining import link_all
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.control import NoController, ask
from ivr.facility.file import parse, read
from ivr.instance import keyring_of, tell_others
from ivr.loading import load, rehearse
from ivr.login import who_asks
from ivr.staff.authority import attempt
from ivr.staff.desk import StaffError
from ivr.staff.files import loaded, loading, noted
from ivr.staff.signing import find, sign


def load_facility_file(
    settings: Settings, path: Path, *, dry_run: bool = False, note: str | None = None
) -> list[str]:
    """Load through the running controller, or as the one writer if none runs; a line for each change.

    The log has them with the note, who asked, and the file's digest. With `dry_run` the same lines tell what would
    change, and nothing does. Raises StaffError without a note where it changes a facility that there is.
    """
    sources = read(path)
    file = parse(sources, str(path))
    act, who = loading(file, note), who_asks()
    given = {"toml": sources.text, "beside": sources.beside, "dry_run": dry_run, "author": who.login}
    given |= {} if note is None else {"note": note}
    try:
        changed: list[str] | StaffError = ask(settings.control_socket, "load", **given, **who.sent)
    except NoController:
        schema.require_head(settings.url)
        key, at = keyring_of(settings).pin_key, utc_now()
        with WriterLock.share(settings.url), Database.open(settings.url) as database:
            if dry_run:
                return database.transact_now(rehearse, file, key, at)
            signer, work = (
                sign(database.read_now(find, who), who, who.login),
                partial(noted, file=file, note=note, work=partial(load, file=file, key=key, at=at)),
            )
            tell = partial(loaded, sources.digest)
            changed = database.transact_now(attempt, act, signer, at, work, tell=tell)
            link_all(database)
        tell_others(settings)
    if isinstance(changed, StaffError):
        raise changed
    return changed
