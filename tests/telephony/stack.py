"""A stack with its cast in the database: real Asterisk, real controller, a played network, free ports."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, make_url, select, update

from accounts import ledger, payers, schema
from accounts.db import Database
from accounts.tables import account
from dialplan.install import Installation, provide, provide_telephones
from ivr.config import Settings
from ivr.demonstration.ear import Ear
from ivr.demonstration.ports import free_ports
from ivr.demonstration.stage import Numbers, Stage, prepare, stage
from ivr.facility.tables import facility, inmate
from ivr.own_asterisk import PROMPTS
from prompts.catalogue import Catalogue
from prompts.recorded import take
from tests.telephony.cast import (
    CALLER_ID,
    FREE_BY_LAW,
    JAIL,
    OVERLAY_SECONDS,
    PRISON,
    TARIFF,
    Role,
    facility_file,
)

NAME_HERTZ = 350.0
_MIGRATING = Lock()  # Alembic knows one migration at a time in a process


@cache
def installation() -> Installation:
    return provide()


@cache
def ear() -> Ear:
    return Ear(PROMPTS, Catalogue.load())


@contextmanager
def running_stack(
    folder: Path,
    roles: Sequence[Role],
    *,
    database_url: str = "",
    asterisk: Installation | None = None,
    settings: Mapping[str, object] | None = None,
    controller_settings: Mapping[str, object] | None = None,
) -> Iterator[Stage]:
    """A whole stack in a folder, where its database is too unless another is named.

    `asterisk` is run in place of the one that all others run. `settings` are to hold, with free ports in place of none;
    `controller_settings` are those that the controller sees otherwise than Asterisk.
    """
    of_stack = Settings.model_validate(
        {
            "state_dir": folder,
            "database_url": database_url,
            "listening_phones": " ".join(role.listener for role in roles if role.cast.listened_to),
            **free_ports(),
            **(settings or {}),
        }
    )
    controller = of_stack.model_copy(update=controller_settings or {})
    today = datetime.now(ZoneInfo("America/Chicago")).date()
    files = []
    folder.joinpath(TARIFF.name).write_text(TARIFF.read_text("utf-8"), "utf-8")
    for facility_id in CALLER_ID:
        path = folder / f"{facility_id}.toml"
        path.write_text(facility_file(facility_id, roles, today))
        files.append(path)
    _speak_for_themselves(of_stack.own_prompts / PRISON)
    with _MIGRATING:
        if not database_url:
            _put_migrated_file(of_stack)
        prepare(of_stack, files)
    with Database.open(of_stack.url) as database:
        database.transact_now(_set_the_scene, roles)
    numbers = Numbers(
        phones=tuple(role.number for role in roles if role.cast.behaviour is None),
        ways={role.number: role.cast.way for role in roles},
        special={role.number: role.cast.behaviour for role in roles if role.cast.behaviour is not None},
    )
    found = asterisk or installation()
    with stage(
        of_stack, found, numbers, ear=ear(), telephones=provide_telephones(found), controller=controller
    ) as running:
        yield running


def _speak_for_themselves(own: Path) -> None:
    """The prison has a recording of its own of its name: that of the jail's, so that it is told from that of all."""
    with TemporaryDirectory() as brought:
        shutil.copy(PROMPTS / "en" / f"facility.{JAIL}.wav", Path(brought) / f"facility.{PRISON}.wav")
        own.mkdir(parents=True)
        take(Path(brought), "en", own)


def _put_migrated_file(settings: Settings) -> None:
    """Put a copy where there is no database yet: migrating each anew takes seconds that the others lack."""
    file = Path(str(make_url(settings.url).database))
    if not file.exists():
        file.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory(prefix="ivr-") as folder:
        file = Path(folder) / "ivr.sqlite"
        schema.upgrade(f"sqlite:///{file}")
        return file.read_bytes()


def _set_the_scene(conn: Connection, roles: Sequence[Role]) -> None:
    """What no facility file says: names that were recorded before, subscriptions that were used before."""
    conn.execute(update(facility).where(facility.c.id == FREE_BY_LAW).values(overlay_seconds=OVERLAY_SECONDS))
    name = _name()
    for role in roles:
        if role.cast.has_recorded_name:
            who = inmate.c.inmate_id.in_([role.inmate_id, role.cellmate_keys[:4]])
            conn.execute(update(inmate).where(who).values(recorded_name=name))
        if role.cast.used_up:
            _use_up(conn, role)


def _use_up(conn: Connection, role: Role) -> None:
    account_id = account_of(conn, role)
    at = datetime.now(UTC)
    for number in range(role.cast.subscription or 0):
        hold = f"before/{account_id}/{number}"
        ledger.hold(conn, transfer_id=hold, debit_id=account_id, credit_id=payers.CALLS_USED, amount=1, at=at)
        ledger.settle(conn, transfer_id=f"{hold}/used", hold_id=hold, amount=1, at=at)


def account_of(conn: Connection, role: Role) -> str:
    """The ledger account that pays: a subscription's is named after its period too."""
    named = account.c.id.startswith(role.account, autoescape=True)
    found: str = conn.scalars(select(account.c.id).where(named)).one()
    return found


def _name() -> bytes:
    """A recorded name: a second of a tone in mu-law (ITU-T G.711)."""
    times = np.arange(8_000) / 8_000
    samples = 8_000 * np.sin(2 * np.pi * NAME_HERTZ * times)
    return bytes(_mu_law(int(sample)) for sample in samples)


def _mu_law(sample: int) -> int:
    magnitude = min(abs(sample), 32_635) + 132
    exponent = magnitude.bit_length() - 8
    code = (0x80 if sample < 0 else 0) | exponent << 4 | magnitude >> exponent + 3 & 0x0F
    return ~code & 0xFF
