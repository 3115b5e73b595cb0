"""The `ivr` command: one module for each group of verbs."""

import sys
from typing import NoReturn

import typer

from accounts.db import DatabaseError, WriterLocked
from dialplan.asterisk import AsteriskError
from dialplan.check import CheckError
from dialplan.install import InstallError
from dialplan.template import RenderError
from ivr.cli import (
    account,
    appointment,
    calls,
    card,
    changes,
    database,
    demonstration,
    entitlements,
    explain,
    facility,
    feed,
    importing,
    inmate,
    intake,
    jobs,
    ledger,
    notices,
    number,
    papers,
    payments,
    prices,
    rate,
    recording,
    requests,
    serve,
    subscription,
    switches,
)
from ivr.cli.room import no_room
from ivr.config import ConfigError
from ivr.control import ControlError
from ivr.controls.explaining import ExplainError
from ivr.dumping import DumpError
from ivr.entitlements import EntitlementError
from ivr.facility.csv_rows import ImportMistakes
from ivr.facility.file import FacilityFileError
from ivr.keyring import KeyringError
from ivr.running_jobs import JobsFailed
from ivr.staff.desk import StaffError

#: Mistakes and states of the world that a person can mend: one clear line, no traceback.
EXPECTED = (
    AsteriskError,
    CheckError,
    ConfigError,
    ControlError,
    DatabaseError,
    DumpError,
    EntitlementError,
    ExplainError,
    FacilityFileError,
    ImportMistakes,
    InstallError,
    JobsFailed,
    KeyringError,
    RenderError,
    StaffError,
    WriterLocked,
    demonstration.DemonstrationError,
    ledger.LedgerQuestion,
    papers.PaperError,
    prices.PriceError,
)

app = typer.Typer(
    name="ivr",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Call control for telephone calls from jails and prisons: an Asterisk controller.",
    epilog="Settings are environment variables IVR_…, or a TOML file that IVR_CONFIG names.",
)
serve.register(app)
database.register(app)
facility.register(app)
inmate.register(app)
number.register(app)
requests.register(app)
appointment.register(app)
changes.register(app)
recording.register(app)
switches.register(app)
intake.register(app)
importing.register(app)
feed.register(app)
entitlements.register(app)
explain.register(app)
calls.register(app)
ledger.register(app)
account.register(app)
papers.register(app)
payments.register(app)
subscription.register(app)
notices.register(app)
card.register(app)
jobs.register(app)
prices.register(app)
rate.register(app)
demonstration.register(app)


def main() -> None:
    """Run the command line; a mistake that a person can mend is told in a sentence, with exit status 1."""
    try:
        app()
    except EXPECTED as mistake:
        _tell(str(mistake))
    except Exception as failure:
        if (told := no_room(failure)) is None:
            raise
        _tell(told)


def _tell(mistake: str) -> NoReturn:
    print(f"ivr: {mistake}", file=sys.stderr)
    sys.exit(1)
