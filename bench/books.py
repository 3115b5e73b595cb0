"""Whether every call of a benchmark was settled right: figures of wrong calls are worth nothing."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, exists, func, select

from accounts import ledger, payers
from accounts.tables import TransferKind, account, transfer
from accounts.verification import verify
from ivr.controls.settlement import SHORTEST_BILLED_MS
from ivr.policy.reasons import Outcome
from ivr.policy.request import Payer
from ivr.records.states import RecordingState
from ivr.records.tables import call, recording, session
from rating.money import Money
from rating.price import charge, price_from_text


@dataclass(frozen=True, slots=True)
class Settled:
    """The sealed calls by payer, those that were free because their talk was seen too short, and every fault."""

    subscription: int
    prepaid: int
    too_short: int
    faults: tuple[str, ...]


def is_done(conn: Connection) -> bool:
    """Whether no call, session or recording waits for anything."""
    waiting = (
        exists().where(call.c.sealed_at.is_(None)),
        exists().where(session.c.ended_at.is_(None)),
        exists().where(recording.c.state == RecordingState.RUNNING),
    )
    return not any(conn.scalar(select(each)) for each in waiting)


def check(conn: Connection, made: int) -> Settled:
    """Compare every record with its price and the ledger with the records, `made` calls in all."""
    rows = conn.execute(select(call)).all()
    by_payer = {payer: [row for row in rows if row.payer == payer] for payer in Payer}
    faults = [f"{row.id}: {fault}" for row in rows for fault in _faults(row)]
    if len(rows) != made:
        faults.append(f"{made} calls were made and {len(rows)} recorded")
    faults += verify(conn).faults
    faults += _differences(conn, rows)
    return Settled(
        len(by_payer[Payer.SUBSCRIPTION]),
        len(by_payer[Payer.PREPAID]),
        sum(row.talk_ms is not None and row.talk_ms < SHORTEST_BILLED_MS for row in rows),
        tuple(faults),
    )


def _faults(row: Row[Any]) -> list[str]:
    if row.sealed_at is None:
        return ["not sealed"]
    talked = row.talk_ms >= SHORTEST_BILLED_MS
    price = Money(0)
    if talked and row.payer == Payer.PREPAID:
        price = charge(price_from_text(row.price), row.talk_from_at, row.talk_ms).due
    expected = {
        "reason": Outcome.COMPLETED,
        "charge": price,
        "calls_charged": int(talked and row.payer == Payer.SUBSCRIPTION),
    }
    return [
        f"{name} is {row._mapping[name]}" for name, value in expected.items() if row._mapping[name] != value
    ]


def _differences(conn: Connection, rows: list[Row[Any]] | Any) -> list[str]:
    """Where the accounts of the system differ from the records, and what is still held."""
    earned = ledger.balance(conn, payers.REVENUE).credits
    used = ledger.balance(conn, payers.CALLS_USED).credits
    held = conn.scalar(select(func.sum(account.c.held))) or 0
    holds = conn.scalar(select(func.count()).where(transfer.c.kind == TransferKind.HOLD))
    compared = {
        "money earned": (earned, sum(row.charge or 0 for row in rows)),
        "calls used": (used, sum(row.calls_charged or 0 for row in rows)),
        "holds made": (holds, len(rows)),
        "still held": (held, 0),
    }
    return [f"{name}: {kept}, not {right}" for name, (kept, right) in compared.items() if kept != right]
