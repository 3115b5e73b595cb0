"""The `ivr` command: one module for each group of verbs, loaded when one of its verbs is given."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NoReturn

import typer

from ivr.cli.room import no_room

#: The verbs of each module, in the order of `ivr --help`. A command loads the module of its own verb alone: loading
#: all of them takes two seconds.
VERBS: Final = {
    "serve": ("asterisk", "serve"),
    "database": ("db",),
    "facility": ("dump", "check", "load"),
    "inmate": ("inmate", "unlock-station"),
    "number": ("number",),
    "requests": ("requests",),
    "service": ("service",),
    "appointment": ("appointment",),
    "changes": ("changes",),
    "operator": ("operator",),
    "audit": ("audit",),
    "recording": ("recording", "alerts"),
    "status": ("status",),
    "switching": ("off", "on", "lockdown", "unlock"),
    "switches": ("switches",),
    "cutting": ("cut",),
    "node": ("node",),
    "noting": ("note",),
    "listening": ("listen", "cut-in"),
    "listenings": ("listenings",),
    "watching": ("watch",),
    "intake": ("intake",),
    "importing": ("import",),
    "feed": ("feed",),
    "entitlements": ("entitlements",),
    "explain": ("explain",),
    "calls": ("calls", "call"),
    "cdr": ("cdr",),
    "report": ("report",),
    "ledger": ("ledger",),
    "account": ("account",),
    "papers": ("invoice",),
    "payments": ("payments",),
    "subscription": ("subscription",),
    "notices": ("notices",),
    "card": ("card",),
    "jobs": ("jobs",),
    "prices": ("quote", "tariff"),
    "rate": ("rate",),
    "prompts": ("prompts",),
    "demonstration": ("run", "demo"),
}
#: Mistakes and states of the world that a person can mend: one clear line, no traceback. By name, since the module of
#: one that was raised is loaded, and no other needs to be.
EXPECTED: Final = frozenset(
    {
        "accounts.db.errors.DatabaseError",
        "accounts.db.writer_lock.WriterLocked",
        "dialplan.asterisk.AsteriskError",
        "dialplan.check.CheckError",
        "dialplan.install.InstallError",
        "dialplan.template.RenderError",
        "ivr.archive.cipher.Unreadable",
        "ivr.archive.export.ExportError",
        "ivr.cli.chains.HeadUnread",
        "ivr.cli.demonstration.DemonstrationError",
        "ivr.cli.ledger.LedgerQuestion",
        "ivr.cli.papers.PaperError",
        "ivr.cli.prices.PriceError",
        "ivr.config.ConfigError",
        "ivr.control.ControlError",
        "ivr.controls.explaining.ExplainError",
        "ivr.crosscheck.NothingKept",
        "ivr.dumping.DumpError",
        "ivr.entitlements.EntitlementError",
        "ivr.facility.csv_rows.ImportMistakes",
        "ivr.facility.sources.FacilityFileError",
        "ivr.keyring.KeyringError",
        "ivr.records.listing.NobodyKnown",
        "ivr.reports.report.ReportError",
        "ivr.running_jobs.JobsFailed",
        "ivr.staff.desk.StaffError",
    }
)


def command_line(words: Sequence[str]) -> typer.Typer:
    """The command as these words need it: with the verbs of one module, or with all where they name none."""
    app = typer.Typer(
        name="ivr",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="Call control for telephone calls from jails and prisons: an Asterisk controller.",
        epilog="Settings are environment variables IVR_…, or a TOML file that IVR_CONFIG names.",
    )
    app.callback()(lambda: None)  # without it, a module's only verb would be the whole command
    named = [module for module, verbs in VERBS.items() if words and words[0] in verbs]
    for module in named or VERBS:
        import_module(f"ivr.cli.{module}").register(app)
    return app


def main() -> None:
    """Run the command line; a mistake that a person can mend is told in a sentence, with exit status 1."""
    try:
        command_line(_words())()
    except Exception as failure:
        if _is_expected(failure):
            _tell(str(failure))
        if (told := no_room(failure)) is None:
            raise
        _tell(told)


def _words() -> list[str]:
    """The words of the command; where a shell completes one, those that stand there so far."""
    if "_IVR_COMPLETE" not in os.environ:
        return sys.argv[1:]
    completed = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS") or ""
    return completed.split()[1:]


def _is_expected(failure: Exception) -> bool:
    return any(f"{kind.__module__}.{kind.__qualname__}" in EXPECTED for kind in type(failure).__mro__)


def _tell(mistake: str) -> NoReturn:
    print(f"ivr: {mistake}", file=sys.stderr)
    sys.exit(1)
