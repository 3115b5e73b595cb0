"""Bills of a month: what accounts that pay later owe for their calls, and what agencies owe by law, with every call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, select, update

from accounts import ledger, payers
from accounts.db import insert_if_new
from accounts.holders import holder_of
from accounts.payment_tables import invoice
from accounts.tables import TransferKind, billed_account, transfer
from ivr.facility.tables import facility
from ivr.papers.statement import CALL, Line, Span, month_span, movement, with_calls

# ruff: noqa: N818 - the name says what happened


class InvoiceUnknown(Exception):
    """There is no bill of this id."""


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill with its calls; the amount in millionths of a dollar."""

    id: str
    account_id: str
    holder: str | None
    language: str
    first: date
    last: date
    amount: int
    lines: Sequence[Line]
    paid_at: datetime | None
    zone: ZoneInfo


def make_invoices(conn: Connection, at: datetime) -> int:
    """Bill the month before this one to each account that pays later and owes for calls of it; how many bills are new.

    A month is one in the facility's time zone; it is billed once, whoever asks how often. Nothing is billed for
    nothing.
    """
    made = 0
    for account_id, facility_id, time_zone in _billed(conn):
        local = at.astimezone(ZoneInfo(time_zone)).date()
        span = month_span(local.replace(day=1) - timedelta(days=1), ZoneInfo(time_zone))
        amount, calls = _charged(conn, account_id, span)
        if amount:
            row = {
                "id": f"{account_id}/{span.first:%Y-%m}",
                "account_id": account_id,
                "facility_id": facility_id,
                "since": span.since,
                "until": span.until,
                "amount": amount,
                "calls": calls,
                "made_at": at,
            }
            made += insert_if_new(conn, invoice, row)
    return made


def _billed(conn: Connection) -> list[tuple[str, str, str]]:
    """Every account that may be billed, with its facility and time zone: of agencies, and of those who pay later."""
    places = {row.id: row.time_zone for row in conn.execute(select(facility.c.id, facility.c.time_zone))}
    agencies = [(payers.agency_account(id_), id_, zone) for id_, zone in places.items()]
    later = conn.execute(select(billed_account.c.account_id, billed_account.c.facility_id))
    return [*agencies, *((row.account_id, row.facility_id, places[row.facility_id]) for row in later)]


def _of_account(account_id: str) -> Any:
    """What makes a transfer a charge for a call of this account."""
    moves = transfer.c.kind.in_([TransferKind.PAYMENT, TransferKind.SETTLEMENT])
    return (transfer.c.debit_id == account_id) & moves & transfer.c.id.startswith(CALL)


def _charged(conn: Connection, account_id: str, span: Span) -> tuple[int, int]:
    within = (transfer.c.posted_at >= span.since) & (transfer.c.posted_at < span.until)
    row = conn.execute(
        select(func.coalesce(func.sum(transfer.c.amount), 0), func.count()).where(
            _of_account(account_id), within
        )
    ).one()
    return int(row[0]), int(row[1])


def bill_of(conn: Connection, invoice_id: str) -> Bill:
    """A bill with every call that it is for; raises InvoiceUnknown."""
    row = _row(conn, invoice_id)
    zone = ZoneInfo(
        conn.scalar(select(facility.c.time_zone).where(facility.c.id == row.facility_id)) or "UTC"
    )
    span = Span(row.since, row.until, row.since.astimezone(zone).date(), _last(row.until, zone), zone)
    holder = holder_of(conn, row.account_id)
    lines = [
        movement(each, zone) for each in conn.execute(with_calls(span).where(_of_account(row.account_id)))
    ]
    return Bill(
        row.id,
        row.account_id,
        holder.name if holder else None,
        holder.language if holder else "en",
        span.first,
        span.last,
        row.amount,
        lines,
        row.paid_at,
        zone,
    )


def _last(until: datetime, zone: ZoneInfo) -> date:
    return until.astimezone(zone).date() - timedelta(days=1)


def _row(conn: Connection, invoice_id: str) -> Row[Any]:
    row = conn.execute(select(invoice).where(invoice.c.id == invoice_id)).one_or_none()
    if row is None:
        raise InvoiceUnknown(invoice_id)
    return row


def pay(conn: Connection, invoice_id: str, at: datetime) -> bool:
    """Book that a bill was paid in full; whether it was not before. Raises InvoiceUnknown."""
    row = _row(conn, invoice_id)
    ledger.post(
        conn,
        transfer_id=f"invoice/{invoice_id}",
        debit_id=payers.CASH,
        credit_id=row.account_id,
        amount=row.amount,
        at=row.paid_at or at,
    )
    unpaid = update(invoice).where(invoice.c.id == invoice_id, invoice.c.paid_at.is_(None))
    return conn.execute(unpaid.values(paid_at=at)).rowcount == 1


def invoices(conn: Connection, *, unpaid: bool) -> Sequence[Row[Any]]:
    """Every bill, or those that wait for their money, the newest first."""
    wanted = select(invoice).order_by(invoice.c.since.desc(), invoice.c.id)
    return conn.execute(wanted.where(invoice.c.paid_at.is_(None)) if unpaid else wanted).all()
