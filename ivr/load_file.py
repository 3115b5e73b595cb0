"""A facility's file into the database, by whoever may write to it now."""

from pathlib import Path

from accounts import schema
from accounts.db import Database, WriterLock
from ivr.chaining import link_all
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.control import NoController, ask
from ivr.facility.file import parse, read
from ivr.instance import control_socket, keyring_of
from ivr.loading import load, rehearse


def load_facility_file(settings: Settings, path: Path, *, dry_run: bool = False) -> list[str]:
    """Load through the running controller, or as the one writer if none runs; a line for each change.

    With `dry_run` the same lines tell what would change, and nothing does.
    """
    sources = read(path)
    file = parse(sources, str(path))
    try:
        changed: list[str] = ask(
            control_socket(settings), "load", toml=sources.text, beside=sources.beside, dry_run=dry_run
        )
    except NoController:
        schema.require_head(settings.url)
        with WriterLock.take(settings.url), Database.open(settings.url) as database:
            work = rehearse if dry_run else load
            changed = database.transact_now(work, file, keyring_of(settings).pin_key, utc_now())
            link_all(database)
    return changed
