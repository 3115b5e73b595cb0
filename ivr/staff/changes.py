"""All changes by staff, by name; each is done and logged in one transaction, by whoever may write now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection

from accounts import schema
from accounts.db import Database, WriterLock
from ivr.chaining import link_all
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.facility.audit import Deed
from ivr.facility.pins import PinKey
from ivr.instance import keyring_of, tell_others
from ivr.login import who_asks
from ivr.policy.roles import Role
from ivr.staff import (
    aging,
    alerts,
    appointing,
    appointments,
    authority,
    blocks,
    contacts,
    cutting,
    feed,
    hearing,
    inmates,
    intake,
    invoices,
    listening,
    lists,
    nodes,
    notices,
    noting,
    passive,
    payments,
    privileged,
    privileged_list,
    reading,
    requests,
    sealed,
    service,
    subscriptions,
    switch,
    watching,
)
from ivr.staff.accounts import cards, complaints, debit, ending, money, opening, unclaimed
from ivr.staff.authority import Act
from ivr.staff.desk import Asked, Desk, StaffError
from ivr.staff.of_call import OfCall
from ivr.staff.signing import Signer, find, sign
from ivr.staff.unlock import Unlock, UnlockStation, unlock, unlock_station


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked for, what does it, and whose role it needs: the answer is a sentence for the person who asked."""

    asked: type[Asked]
    work: Callable[[Desk, Any], str]
    needs: Role = Role.OPERATOR
    deed: Deed = Deed.CHANGE


_READ = Change(reading.Look, reading.look, Role.VIEWER, Deed.READ)
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
    "number privileged vouch": Change(privileged.Vouch, privileged.vouch, Role.INVESTIGATOR),
    "import sign": Change(privileged_list.ListToSign, privileged_list.sign_list),
    "import privileged": Change(privileged_list.PrivilegedList, privileged_list.import_list),
    "number passive add": Change(passive.PassiveNumber, passive.add),
    "number passive confirm": Change(passive.PassiveNumber, passive.confirm),
    "number passive remove": Change(passive.PassiveNumber, passive.remove),
    "recording play": Change(sealed.OfRecording, hearing.play, Role.INVESTIGATOR, Deed.READ),
    "recording export": Change(sealed.OfRecording, hearing.export, Role.INVESTIGATOR, Deed.READ),
    "recording purge": Change(aging.Purge, aging.purge, Role.INVESTIGATOR),
    "recording damaged": Change(hearing.Damaged, hearing.damaged, Role.INVESTIGATOR),
    "recording open": Change(sealed.OfRecording, sealed.open_, Role.INVESTIGATOR),
    "recording destroy": Change(sealed.OfRecording, sealed.destroy, Role.INVESTIGATOR),
    "recording lock": Change(sealed.OfRecording, sealed.lock, Role.INVESTIGATOR),
    "recording unlock": Change(sealed.OfRecording, sealed.unlock, Role.INVESTIGATOR),
    "alerts done": Change(alerts.AlertDone, alerts.done),
    "cut": Change(cutting.Cut, cutting.cut),
    "node forget": Change(nodes.OfNode, nodes.forget, Role.ADMINISTRATOR),
    "note": Change(OfCall, noting.note),
    "listen": Change(listening.Listen, listening.listen, Role.INVESTIGATOR),
    "cut-in": Change(listening.Listen, listening.cut_in, Role.INVESTIGATOR),
    "watch add": Change(watching.Watch, watching.watch, Role.INVESTIGATOR),
    "watch end": Change(watching.WatchNoLonger, watching.watch_no_longer, Role.INVESTIGATOR),
    "watch list": Change(reading.Look, reading.look, Role.INVESTIGATOR, Deed.READ),
    "listenings": Change(reading.Look, reading.look, Role.INVESTIGATOR, Deed.READ),
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
    "account adjust": Change(money.Adjust, money.adjust, Role.ADMINISTRATOR),
    "account dispute": Change(complaints.Dispute, complaints.dispute),
    "account close": Change(ending.Close, ending.close),
    "account transfer-file": Change(debit.TransferFile, debit.transfer_file),
    "account release-file": Change(debit.ReleaseFile, debit.release_file),
    "account unclaimed": Change(unclaimed.Export, unclaimed.export, Role.ADMINISTRATOR),
    "account reclaim": Change(unclaimed.Reclaim, unclaimed.reclaim, Role.ADMINISTRATOR),
    "account handed-over": Change(unclaimed.HandedOver, unclaimed.hand_over, Role.ADMINISTRATOR),
    "card batch": Change(cards.Batch, cards.batch),
    "card cancel": Change(cards.Cancel, cards.cancel),
    "operator add": Change(appointing.Appoint, appointing.appoint, Role.ADMINISTRATOR),
    "operator role": Change(appointing.NewRole, appointing.change_role, Role.ADMINISTRATOR),
    "operator map": Change(appointing.NewLogin, appointing.map_login, Role.ADMINISTRATOR),
    "operator password": Change(appointing.NewPassword, appointing.set_password, Role.VIEWER),
    "operator reach": Change(appointing.Reach, appointing.reach, Role.VIEWER),
    "operator on-call": Change(appointing.OfOperator, appointing.go_on_call),
    "operator off-call": Change(appointing.OfOperator, appointing.go_off_call),
    "operator remove": Change(appointing.OfOperator, appointing.remove, Role.ADMINISTRATOR),
    "inmate show": _READ,
    "account show": _READ,
    "account statement": _READ,
    "invoice show": _READ,
    "ledger show": _READ,
    "cdr": _READ,
    "cdr --hidden": Change(reading.Look, reading.look, Role.INVESTIGATOR, Deed.READ),
    "calls --hidden": Change(reading.Look, reading.look, Role.INVESTIGATOR, Deed.READ),
    "audit show": Change(reading.Look, reading.look, Role.INVESTIGATOR, Deed.READ),
    "number privileged report": Change(reading.Look, reading.look, Role.INVESTIGATOR, Deed.READ),
    "report minutes": _READ,
    "report agency": _READ,
    "dump": Change(reading.Look, reading.look, Role.ADMINISTRATOR, Deed.READ),
}
#: What somebody who was called back may have done for their number: this and nothing else.
OWN: Final = frozenset(
    {
        *("account open", "account edit", "account card-page", "account refund", "account dispute"),
        *("subscription start", "subscription change", "subscription cancel", "subscription renew"),
        "number unblock",
    }
)


def perform_here(settings: Settings, name: str, given: Mapping[str, object]) -> str:
    """Have a change done by this process as the one writer, since no controller runs; raises StaffError."""
    asked, who = read(name, given), who_asks()
    schema.require_head(settings.url)
    with WriterLock.share(settings.url), Database.open(settings.url) as database:
        keys, signer = keyring_of(settings), sign(database.read_now(find, who), who, asked.author)
        told = database.transact_now(
            attempt, name, asked, keys.pin_key, utc_now(), list_key=keys.list_key, signer=signer
        )
        link_all(database)
    tell_others(settings)
    if isinstance(told, StaffError):
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
    conn: Connection,
    name: str,
    asked: Asked,
    pin_key: PinKey,
    at: datetime,
    *,
    list_key: bytes = b"",
    signer: Signer | None = None,
) -> str | StaffError:
    """Make the change and log it, in this transaction, if the author's role allows it; what was done, in a sentence.

    A refusal for want of a role and an alarm are values: what is logged of them stays. Raises StaffError for all else.
    """
    signer = signer or Signer(asked.author)
    if not asked.signs_itself:
        asked = asked.model_copy(update={"author": signer.author})
    asked = asked.named_whole(conn)
    desk = Desk(conn, at, pin_key, list_key, authority.role_of(conn, signer))
    facility_id = desk.facility_id(asked) if asked.of_one_facility else None
    wanted = CHANGES[name]
    act = Act(
        name, wanted.needs, asked.about, asked.note, facility_id, wanted.deed, asked.author, name in OWN
    )
    return authority.attempt(conn, act, signer, at, lambda _: wanted.work(desk, asked))


def do(
    conn: Connection, name: str, asked: Asked, pin_key: PinKey, at: datetime, *, list_key: bytes = b""
) -> str:
    """`attempt`, with every refusal raised: nothing of it stays."""
    told = attempt(conn, name, asked, pin_key, at, list_key=list_key)
    if isinstance(told, StaffError):
        raise told
    return told
