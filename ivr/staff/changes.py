"""All changes by staff, by name; each is done and logged in one transaction, by whoever may write now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, insert

from accounts import schema
from accounts.db import Database, WriterLock
from ivr.chaining import link_all
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.control import NoController, ask
from ivr.facility.pins import PinKey
from ivr.facility.tables import staff_change
from ivr.instance import control_socket, keyring_of
from ivr.records.alerts import alert
from ivr.staff import (
    aging,
    alerts,
    appointments,
    blocks,
    contacts,
    feed,
    hearing,
    inmates,
    intake,
    invoices,
    lists,
    notices,
    passive,
    payments,
    privileged,
    privileged_list,
    requests,
    sealed,
    service,
    subscriptions,
    switch,
)
from ivr.staff.accounts import cards, complaints, debit, ending, money, opening, unclaimed
from ivr.staff.desk import Alarm, Asked, Desk, StaffError, ToldOnce
from ivr.staff.unlock import Unlock, UnlockStation, unlock, unlock_station


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked for, and what does it: the answer is a sentence for the person who asked."""

    asked: type[Asked]
    work: Callable[[Desk, Any], str]


CHANGES: Mapping[str, Change] = {
    "unlock": Change(Unlock, unlock),
    "unlock-station": Change(UnlockStation, unlock_station),
    "inmate add": Change(inmates.Add, inmates.add),
    "inmate move": Change(inmates.Move, inmates.move),
    "inmate suspend": Change(inmates.Suspend, inmates.suspend),
    "inmate activate": Change(inmates.OfInmate, inmates.activate),
    "inmate release": Change(inmates.OfInmate, inmates.release),
    "inmate transfer": Change(inmates.OfInmate, inmates.transfer),
    "inmate pin": Change(inmates.NewPin, inmates.new_pin),
    "number allow": Change(lists.Allow, lists.allow),
    "number disallow": Change(lists.Disallow, lists.disallow),
    "number block": Change(blocks.Block, blocks.block),
    "number unblock": Change(blocks.Unblock, blocks.unblock),
    "appointment add": Change(appointments.Appoint, appointments.appoint),
    "appointment cancel": Change(appointments.Cancel, appointments.cancel),
    "feed": Change(feed.Feed, feed.feed),
    "requests approve": Change(requests.Approve, requests.approve),
    "requests refuse": Change(requests.Decide, requests.refuse),
    "service done": Change(service.Answer, service.done),
    "service refuse": Change(service.Answer, service.refuse),
    "number privileged add": Change(privileged.AddPrivileged, privileged.add),
    "number privileged confirm": Change(privileged.ConfirmPrivileged, privileged.confirm),
    "number privileged shrink": Change(privileged.ShrinkPrivileged, privileged.shrink),
    "number privileged vouch": Change(privileged.Vouch, privileged.vouch),
    "import privileged": Change(privileged_list.PrivilegedList, privileged_list.import_list),
    "number passive add": Change(passive.PassiveNumber, passive.add),
    "number passive confirm": Change(passive.PassiveNumber, passive.confirm),
    "number passive remove": Change(passive.PassiveNumber, passive.remove),
    "recording play": Change(sealed.OfRecording, hearing.play),
    "recording export": Change(sealed.OfRecording, hearing.export),
    "recording purge": Change(aging.Purge, aging.purge),
    "recording damaged": Change(hearing.Damaged, hearing.damaged),
    "recording open": Change(sealed.OfRecording, sealed.open_),
    "recording destroy": Change(sealed.OfRecording, sealed.destroy),
    "recording lock": Change(sealed.OfRecording, sealed.lock),
    "recording unlock": Change(sealed.OfRecording, sealed.unlock),
    "alerts done": Change(alerts.AlertDone, alerts.done),
    "off": Change(switch.SwitchOff, switch.off),
    "on": Change(switch.SwitchOn, switch.on),
    "intake open": Change(intake.OpenBooking, intake.open_booking),
    "account deposit-page": Change(payments.DepositPage, payments.deposit_page),
    "account card-page": Change(payments.CardPage, payments.card_page),
    "payments retry": Change(payments.TryAgain, payments.try_again),
    "account propose": Change(contacts.Propose, contacts.propose),
    "invoice paid": Change(invoices.PaidInvoice, invoices.paid),
    "subscription start": Change(subscriptions.Start, subscriptions.start),
    "subscription change": Change(subscriptions.Change, subscriptions.change),
    "subscription cancel": Change(subscriptions.Cancel, subscriptions.cancel),
    "subscription renew": Change(subscriptions.Renew, subscriptions.renew),
    "subscription end": Change(subscriptions.End, subscriptions.end),
    "notices retry": Change(notices.SendAgain, notices.send_again),
    "notices opt-out": Change(notices.OfNumber, notices.opt_out),
    "notices opt-in": Change(notices.OfNumber, notices.opt_in),
    "account open": Change(opening.Open, opening.open_account),
    "account edit": Change(opening.Edit, opening.edit),
    "account move-number": Change(opening.MoveNumber, opening.move_number),
    "account deposit": Change(money.Deposit, money.deposit),
    "account refund": Change(money.Refund, money.refund),
    "account adjust": Change(money.Adjust, money.adjust),
    "account dispute": Change(complaints.Dispute, complaints.dispute),
    "account close": Change(ending.Close, ending.close),
    "account transfer-file": Change(debit.TransferFile, debit.transfer_file),
    "account release-file": Change(debit.ReleaseFile, debit.release_file),
    "account unclaimed": Change(unclaimed.Export, unclaimed.export),
    "account reclaim": Change(unclaimed.Reclaim, unclaimed.reclaim),
    "card batch": Change(cards.Batch, cards.batch),
    "card cancel": Change(cards.Cancel, cards.cancel),
}


def perform(settings: Settings, name: str, /, **given: object) -> str:
    """Have a change done, by the running controller or as the one writer; raises StaffError.

    `given` are the fields of what is asked for, those that are None left out.
    """
    asked = read(name, {field: value for field, value in given.items() if value is not None})
    try:
        done = ask(control_socket(settings), name, **asked.model_dump(mode="json", exclude_unset=True))
        return ToldOnce(**done) if isinstance(done, dict) else str(done)
    except NoController:
        schema.require_head(settings.url)
        with WriterLock.take(settings.url), Database.open(settings.url) as database:
            keys = keyring_of(settings)
            told = database.transact_now(
                attempt, name, asked, keys.pin_key, utc_now(), list_key=keys.list_key
            )
            link_all(database)
    return _told(told)


def _told(told: str | Alarm) -> str:
    if isinstance(told, Alarm):
        raise told
    return told


def read(name: str, given: Mapping[str, object]) -> Asked:
    """What somebody asks for; raises StaffError naming each field and what was expected there."""
    try:
        return CHANGES[name].asked.model_validate(given)
    except ValidationError as error:
        told = [
            f"{'.'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Value error, ')}".removeprefix(
                ": "
            )
            for each in error.errors(include_input=False)
        ]
        raise StaffError("; ".join(told)) from None


def attempt(
    conn: Connection, name: str, asked: Asked, pin_key: PinKey, at: datetime, *, list_key: bytes = b""
) -> str | Alarm:
    """`do`, or the alarm that it ended in, as a value: nothing of the change stays, its alert does."""
    tried = conn.begin_nested()
    try:
        told = do(conn, name, asked, pin_key, at, list_key=list_key)
    except Alarm as alarm:
        tried.rollback()
        alert(conn, alarm.kind, str(alarm), at)
        return alarm
    tried.commit()
    return told


def do(
    conn: Connection, name: str, asked: Asked, pin_key: PinKey, at: datetime, *, list_key: bytes = b""
) -> str:
    """Make the change and log it, in this transaction; what was done, in a sentence. Raises StaffError."""
    desk = Desk(conn, at, pin_key, list_key)
    facility_id = desk.facility_id(asked) if asked.of_facility else None
    told = CHANGES[name].work(desk, asked)
    row = {"facility_id": facility_id, "change": name, "about": asked.about, "told": str(told)}
    conn.execute(insert(staff_change), {**row, "note": asked.note, "author": asked.author, "at": at})
    return told
