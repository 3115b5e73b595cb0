"""Who may import whom: imports point one way. The table is the architecture; every package must stand in it."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("accounts", "dialplan", "ivr", "migrations", "prompts", "rating")

#: Each package or module, the longest name that fits first, and what it may import of ours.
MAY_IMPORT: dict[str, set[str]] = {
    "rating": set(),
    "prompts": set(),
    "dialplan": set(),
    "accounts": {"rating", "migrations"},
    "migrations": {"accounts"},
    "ivr": set(),
    "ivr.agi": set(),
    "ivr.ami": set(),
    "ivr.policy": {"rating"},
    "ivr.policy.reasons": set(),
    "ivr.facility": {"accounts.db", "ivr.policy", "rating"},
    "ivr.records": {
        "accounts.db",
        "accounts.outbox",
        "accounts.payment_tables",
        "accounts.tables",
        "ivr.facility",
        "ivr.policy",
        "rating",
    },
    "ivr.call": {"ivr.agi", "ivr.policy.reasons", "ivr.policy.recording", "ivr.policy.volume", "prompts"},
    "ivr.live": {"ivr.policy.dropped", "ivr.policy.reasons"},
    "ivr.controls": {
        "accounts",
        "ivr.call",
        "ivr.facility",
        "ivr.live",
        "ivr.paying",
        "ivr.plans",
        "ivr.policy",
        "ivr.processor.interface",
        "ivr.records",
        "ivr.staff",
        "rating",
    },
    "ivr.flows": {"ivr.call", "ivr.controls", "ivr.policy.reasons"},
    "ivr.runner": {
        "ivr.agi",
        "ivr.call",
        "ivr.controls",
        "ivr.flows",
        "ivr.policy",
        "ivr.records",
        "prompts",
    },
    "ivr.watch": {
        "ivr.ami",
        "ivr.controls",
        "ivr.farewell",
        "ivr.live",
        "ivr.policy",
        "ivr.records",
        "ivr.seeing",
    },
    "ivr.seeing": {"ivr.ami", "ivr.controls", "ivr.farewell", "ivr.live", "ivr.policy", "ivr.records"},
    "ivr.farewell": {"ivr.ami", "ivr.live", "ivr.policy.reasons"},
    "ivr.switching": {
        "ivr.ami",
        "ivr.controls",
        "ivr.facility",
        "ivr.farewell",
        "ivr.live",
        "ivr.policy",
        "ivr.records",
    },
    "ivr.listening": {"ivr.ami", "ivr.controls", "ivr.enforcing", "ivr.farewell", "ivr.live", "ivr.records"},
    "ivr.cutting": {
        "accounts.db",
        "ivr.ami",
        "ivr.asking",
        "ivr.config",
        "ivr.control",
        "ivr.instance",
        "ivr.policy.reasons",
        "ivr.records",
        "ivr.staff",
        "ivr.throwing",
    },
    "ivr.throwing": {
        "accounts.db",
        "accounts.schema",
        "ivr.ami",
        "ivr.asking",
        "ivr.clock",
        "ivr.config",
        "ivr.control",
        "ivr.facility",
        "ivr.instance",
        "ivr.live",
        "ivr.policy",
        "ivr.records",
        "ivr.staff",
    },
    "ivr.enforcing": {"ivr.ami", "ivr.controls", "ivr.farewell", "ivr.live", "ivr.policy", "ivr.records"},
    "ivr.sharing": set(),
    "ivr.sharing.keeping": {"ivr.controls", "ivr.live", "ivr.records", "ivr.sharing"},
    "ivr.neighbours": {"accounts.db", "ivr.controls", "ivr.policy", "ivr.records"},
    "ivr.console": {"ivr.ami"},
    "ivr.calling_back": {"ivr.ami", "ivr.controls", "ivr.live", "ivr.records"},
    "ivr.chaining": {"accounts", "ivr.facility.audit"},
    "ivr.idling": {"accounts", "ivr.facility", "ivr.policy", "ivr.records", "rating"},
    "ivr.paging": {"accounts.db", "accounts.outbox", "ivr.facility", "ivr.policy", "ivr.records"},
    "ivr.retention": {"accounts.db", "ivr.facility", "ivr.records"},
    "ivr.overdue": {"ivr.facility", "ivr.policy", "ivr.records"},
    "ivr.checking": {"accounts.db", "ivr.archive", "ivr.records"},
    "ivr.jobs": {
        "accounts",
        "ivr.chaining",
        "ivr.checking",
        "ivr.entitlements",
        "ivr.idling",
        "ivr.overdue",
        "ivr.papers",
        "ivr.records",
        "ivr.renewing",
        "ivr.retention",
    },
    "ivr.running_jobs": {
        "accounts.db",
        "accounts.schema",
        "ivr.clock",
        "ivr.config",
        "ivr.control",
        "ivr.instance",
        "ivr.jobs",
    },
    "ivr.loading": {"accounts", "ivr.facility", "ivr.records", "rating"},
    "ivr.dumping": {"accounts.tables", "ivr.facility", "rating"},
    "ivr.load_file": {
        "accounts.db",
        "accounts.schema",
        "ivr.chaining",
        "ivr.clock",
        "ivr.config",
        "ivr.control",
        "ivr.facility",
        "ivr.instance",
        "ivr.loading",
        "ivr.login",
        "ivr.staff",
    },
    "ivr.importing": {
        "accounts.db",
        "accounts.schema",
        "ivr.clock",
        "ivr.config",
        "ivr.control",
        "ivr.facility",
        "ivr.instance",
        "ivr.login",
        "ivr.staff",
    },
    "ivr.feeding": {"ivr.asking", "ivr.config", "ivr.control", "ivr.facility", "ivr.importing", "ivr.staff"},
    "ivr.entitlements": {"accounts.db", "ivr.facility", "ivr.policy", "ivr.records", "rating"},
    "ivr.staff": {"ivr.facility", "ivr.policy", "ivr.records", "rating"},
    "ivr.staff.accounts": {
        "accounts",
        "ivr.facility",
        "ivr.policy",
        "ivr.records",
        "ivr.staff.desk",
        "rating",
    },
    "ivr.staff.aging": {"ivr.counted", "ivr.retention", "ivr.staff.desk"},
    "ivr.plans": {"accounts", "ivr.facility", "rating"},
    "ivr.renewing": {"accounts", "ivr.facility", "ivr.plans", "rating"},
    "ivr.staff.offers": {"accounts", "ivr.facility", "ivr.plans", "ivr.staff.desk", "rating"},
    "ivr.staff.subscriptions": {"accounts", "ivr.staff.desk", "ivr.staff.offers", "rating"},
    "ivr.staff.signing": {"ivr.facility.operators", "ivr.login"},
    "ivr.staff.notices": {"ivr.facility.fields", "ivr.notices.queue", "ivr.staff.desk"},
    "ivr.staff.changes": {
        "accounts.db",
        "accounts.schema",
        "ivr.chaining",
        "ivr.clock",
        "ivr.config",
        "ivr.facility",
        "ivr.instance",
        "ivr.login",
        "ivr.policy.roles",
        "ivr.records",
        "ivr.staff",
    },
    "ivr.staff.payments": {
        "accounts",
        "ivr.policy.paying",
        "ivr.staff.accounts.asked",
        "ivr.staff.desk",
        "rating",
    },
    "ivr.staff.contacts": {"accounts", "ivr.facility", "ivr.staff.desk"},
    "ivr.staff.invoices": {"ivr.papers", "ivr.staff.desk", "rating"},
    "ivr.papers": {"accounts", "ivr.facility", "ivr.records", "rating"},
    "ivr.papers.terms": {"accounts", "ivr.papers", "ivr.plans"},
    "ivr.processor": {
        "accounts.db",
        "accounts.disputes",
        "accounts.payment_effects",
        "accounts.payment_tables",
        "accounts.payments",
        "ivr.records",
        "rating",
    },
    "ivr.processor.setup": {"accounts.db", "ivr.config", "ivr.keyring", "ivr.processor"},
    "ivr.paying": {"accounts", "ivr.processor", "ivr.records", "rating"},
    "ivr.counted": set(),
    "ivr.cdr": {"ivr.counted", "ivr.policy", "ivr.records", "rating"},
    "ivr.now": {"ivr.cdr", "ivr.facility", "ivr.policy", "ivr.records", "ivr.sharing"},
    "ivr.crosscheck": {"ivr.policy", "ivr.records"},
    "ivr.story": {"accounts.tables", "ivr.cdr", "ivr.policy", "ivr.records", "rating"},
    "ivr.reports": {
        "ivr.counted",
        "ivr.entitlements",
        "ivr.facility",
        "ivr.policy",
        "ivr.records",
        "rating",
    },
    "ivr.intake": {"ivr.facility", "ivr.policy", "ivr.records"},
    "ivr.archive": {"ivr.records"},
    "ivr.playing": {
        "accounts.db",
        "ivr.archive",
        "ivr.asking",
        "ivr.cdr",
        "ivr.clock",
        "ivr.config",
        "ivr.instance",
        "ivr.login",
        "ivr.records",
        "ivr.staff",
    },
    "ivr.recordings": {"accounts.db", "ivr.archive", "ivr.records"},
    "ivr.status": {
        "accounts.db",
        "accounts.schema",
        "ivr.clock",
        "ivr.config",
        "ivr.counted",
        "ivr.instance",
        "ivr.records",
        "ivr.sharing",
    },
    "ivr.web": {"accounts.db", "ivr.live", "ivr.records"},
    "ivr.notices": {
        "accounts.db",
        "accounts.outbox",
        "accounts.payment_tables",
        "ivr.records.alerts",
        "rating",
    },
    "ivr.notices.senders": {"accounts.db", "ivr.config", "ivr.keyring", "ivr.notices"},
    "ivr.clock": set(),
    "ivr.config": {"rating.form"},
    "ivr.keyring": {"ivr.facility.pins"},
    "ivr.log": set(),
    "ivr.notify": set(),
    "ivr.asking": {"ivr.config", "ivr.control", "ivr.login", "ivr.staff"},
    "ivr.control_server": {"ivr.control", "ivr.login"},
    "ivr.control": set(),
    "ivr.login": set(),
    "ivr.instance": {
        "accounts.db",
        "dialplan",
        "ivr.ami",
        "ivr.config",
        "ivr.facility",
        "ivr.keyring",
        "ivr.records.recordings",
        "ivr.sharing",
    },
    "ivr.own_asterisk": {"dialplan", "ivr.config", "ivr.instance", "ivr.keyring"},
    "ivr.supervise": {"dialplan", "ivr.config"},
    "ivr.app": set(OURS),
    "ivr.demonstration": set(OURS),
    "ivr.cli": set(OURS),
}
#: Where tools with power may be used at all.
SQL = (
    "accounts",
    "ivr.checking",
    "ivr.facility",
    "ivr.records",
    "ivr.controls",
    "ivr.dumping",
    "ivr.entitlements",
    "ivr.idling",
    "ivr.jobs",
    "ivr.load_file",
    "ivr.loading",
    "ivr.plans",
    "ivr.renewing",
    "ivr.overdue",
    "ivr.retention",
    "ivr.staff",
    "ivr.cdr",
    "ivr.now",
    "ivr.crosscheck",
    "ivr.story",
    "ivr.reports",
    "ivr.intake",
    "ivr.notices.queue",
    "ivr.notices.shown",
    "ivr.web",
    "ivr.instance",
)
SQL_TO_SHOW = (
    "ivr.watch",
    "ivr.paging",
    "ivr.listening",
    "ivr.neighbours",
    "ivr.enforcing",
    "ivr.papers",
    "ivr.paying",
    "ivr.processor",
    "ivr.recordings",
    "ivr.seeing",
    "ivr.cli",
)
SOCKETS = (
    "ivr.agi",
    "ivr.ami",
    "ivr.web",
    "ivr.control",
    "ivr.control_server",
    "ivr.notify",
    "ivr.supervise",
    "dialplan",
    "ivr.demonstration",
)


@cache
def modules() -> dict[str, list[str]]:
    """Every module of ours and the full names of what it imports."""
    found = {}
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if not name.startswith("migrations.versions"):
                found[name] = _imports(ast.parse(path.read_text("utf-8")))
    return found


def _imports(tree: ast.Module) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def _row(module: str) -> str:
    fitting = [name for name in MAY_IMPORT if _within(module, name)]
    assert fitting, f"{module} stands in no row of the table"
    return max(fitting, key=len)


def _within(module: str, name: str) -> bool:
    return module == name or module.startswith(f"{name}.")


def test_imports_point_one_way() -> None:
    wrong = []
    for module, imports in modules().items():
        row = _row(module)
        for imported in imports:
            if imported.split(".")[0] not in OURS or _within(imported, row):
                continue
            if not any(_within(imported, allowed) for allowed in MAY_IMPORT[row]):
                wrong.append(f"{module} imports {imported}")
    assert not wrong


def test_the_table_names_nothing_that_is_gone() -> None:
    known = set(modules())
    for row, allowed in MAY_IMPORT.items():
        for name in {row, *allowed}:
            assert name in known, f"{name} is no module of ours"


def test_sql_and_sockets_stay_where_they_belong() -> None:
    for module, imports in modules().items():
        for imported in imports:
            tool = imported.split(".")[0]
            if tool == "sqlalchemy":
                assert any(_within(module, name) for name in (*SQL, *SQL_TO_SHOW, "migrations")), (
                    f"{module} has SQL"
                )
            if tool == "socket":
                assert any(_within(module, name) for name in SOCKETS), f"{module} opens sockets"


def test_verbs_that_are_waited_for_load_what_they_need_alone() -> None:
    """Whoever cuts a call off waits for each module; so does whoever looks (`python -X importtime`)."""
    for verbs, without in {
        ("cutting", "switching", "listening", "noting"): ("sqlalchemy", "structlog", "ivr.staff.changes"),
        ("calls", "status", "cdr"): ("alembic", "psycopg", "ivr.staff.changes"),
    }.items():
        program = f"import sys\nimport {', '.join(f'ivr.cli.{verb}' for verb in verbs)}\nprint(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert not set(without) & set(done.stdout.split())
