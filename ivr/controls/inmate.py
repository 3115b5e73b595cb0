"""What a dialogue with an inmate may ask for, from the lifted phone to the verdict, and after the call."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Row, update

from ivr.call import end
from ivr.controls.authorisation import Authorised, authorise
from ivr.controls.choosing import Choices, card_keyed, choices_of, offers_a_choice
from ivr.controls.facts import Caller, Choice
from ivr.controls.granting import Grant, Refused, granted, rung_for_link
from ivr.controls.node import Node
from ivr.controls.own import OwnControls, keep_language, language_of, take_file
from ivr.controls.settlement import Ending, Settled, settle_call
from ivr.controls.telling import missed_for_funds
from ivr.facility import bookings, lookup
from ivr.facility.asking import Asking, ask_for, asking
from ivr.facility.bookings import Booking
from ivr.facility.identity import change_pin, identified
from ivr.facility.lookup import Facility, Hotline
from ivr.facility.names import holds_speech
from ivr.facility.tables import inmate
from ivr.live import LiveCall, until
from ivr.policy.forwarding import Forwarded
from ivr.policy.hotline import ANONYMOUS_KINDS, LONGEST_CODE, NO_STATION, HotlineKind, coarse
from ivr.policy.identity import IdentifyBy, UnfitPin
from ivr.policy.reasons import Denial, NotRecorded, Outcome, Reason
from ivr.policy.request import Allow, Deny, Link, Payer
from ivr.policy.volume import Volume
from ivr.records import calls, evidence, sessions

#: How long the end of a talk, as Asterisk's events tell it, is waited for before the dialplan's note alone counts.
TALK_END_WAIT_SECONDS = 0.5
ACCEPTANCE_END_WAIT_SECONDS = 1.0

DIAL_OUTCOMES: Mapping[str, Outcome] = {  # Asterisk's DIALSTATUS, app_dial
    "ANSWER": Outcome.NOT_ACCEPTED,
    "BUSY": Outcome.BUSY,
    "NOANSWER": Outcome.NO_ANSWER,
    "CONGESTION": Outcome.CONGESTION,
    "CHANUNAVAIL": Outcome.UNAVAILABLE,
    "INVALIDARGS": Outcome.UNAVAILABLE,
    "CANCEL": Outcome.CALLER_HUNG_UP,
}
#: What Dial says of a 3xx that it was told not to follow; a line that is busy has a cause.
REDIRECTED = ("BUSY", "0")


@dataclass(slots=True)
class InmateControls:
    """One inmate's session. The script asks in order; each answer is committed before it is given."""

    node: Node
    station_id: str
    channel: str
    session_id: str = ""
    call_id: str = ""
    dial_status: str = ""
    cause: str = ""
    note: str = ""  # the dialplan's own note of the talk, read before the script started
    closed_in_asterisk: bool = False  # its own database says that the station is off
    said: list[str] = field(default_factory=list)  # prompts, since the last number was keyed
    _facility: Facility | None = None
    _inmate: int | None = None
    _inmate_id: str = ""  # as it is keyed
    _booking: Booking | None = None  # at an intake station
    _hotline: Hotline | None = None  # whose code was keyed
    _has_name: bool = False
    volume: Volume = Volume.NORMAL  # that the inmate chose when they called before
    _language: str = "en"
    _chose_language: bool = False
    _name_file: str = ""
    _dialled: str = ""
    _refused: str = ""  # the number that was refused last
    _choice: Choice | None = None  # of who pays for this call
    _keyed_at: datetime | None = None
    _is_open: bool = False  # the call's record stands
    _given_back: bool = False  # the call before this dialogue
    _ringing: bool = False

    # -- the session

    async def open_session(self) -> Facility:
        """Open the session's record; a station that no facility knows, or that is switched off, is told so."""
        self.session_id = self.node.new_id()
        self._facility = await self.node.database.transact(
            _open_session, self.session_id, self.station_id, self.node
        )
        if self._facility is None:
            end(Denial.STATION_UNKNOWN)
        structlog.contextvars.bind_contextvars(station=self.station_id)
        if self._facility.switched_off or self.closed_in_asterisk:
            self.node.changed.set()  # the two are brought in step
            end(Denial.SWITCHED_OFF)
        return self._facility

    async def resume_session(self) -> str:
        """Go on with the session of an earlier script; returns its language.

        It is read by the thread that writes: waking another one costs more than the reading.
        """
        self._facility, row, self._booking = await self.node.database.transact(
            _resume, self.session_id, self.station_id
        )
        if self._facility is None or row is None:
            end(Outcome.SYSTEM_FAULT)
        if row.station_id != NO_STATION:
            structlog.contextvars.bind_contextvars(station=self.station_id)
        self._inmate, self._inmate_id, self._language = row.inmate, row.inmate_id or "", row.language
        self._has_name = self._booking.has_name if self._booking else row.has_name
        self.volume = Volume(row.volume or Volume.NORMAL)
        self.node.live.in_dialogue.add(self.call_id)
        self._is_open = True
        return self._language

    async def language_chosen(self, language: str, *, by_key: bool) -> None:
        """Keep the language for the rest of the session, and by key for the inmate's next one."""
        self._language, self._chose_language = language, by_key
        if self._inmate is not None:
            await self.node.database.transact(keep_language, self.session_id, self._inmate, language)

    @property
    def language(self) -> str:
        """The one chosen by key, or else the one that the inmate has chosen before."""
        return self._language

    async def identify(self, entry: str) -> bool:
        """Whether the entry says who calls: ID and PIN, a PIN alone, or a booking; or is a hotline's code."""
        found = await self.node.database.transact(self._identify, entry, self.node.now())
        match found:
            case None:
                return False
            case Hotline(kind=kind):
                self._hotline, self._has_name = found, True  # nobody is asked for one
                if kind in ANONYMOUS_KINDS:
                    structlog.contextvars.unbind_contextvars("station")
            case Booking():
                self._booking, self._has_name = found, found.has_name
            case _:
                self._inmate, self._inmate_id, self._has_name = found.id, found.inmate_id, found.has_name
                self.volume = Volume(found.volume or Volume.NORMAL)
        return True

    @property
    def hotline(self) -> HotlineKind | None:
        """The hotline whose code was keyed, if one was."""
        return self._hotline.kind if self._hotline else None

    @property
    def may_call_again(self) -> bool:
        """Whether it is known who would call."""
        return self._caller is not None

    @property
    def is_intake(self) -> bool:
        """Whether a booking is keyed here, and no ID and PIN."""
        return self.facility.intake

    @property
    def _caller(self) -> Caller:
        return self._booking or self._inmate

    @property
    def identified_by(self) -> IdentifyBy:
        """What is keyed here to say who calls."""
        return IdentifyBy(self.facility.identify_by)

    @property
    def own(self) -> OwnControls | None:
        """What the inmate may hear and change of their own; None where nobody has said who they are."""
        return OwnControls(self.node, self.facility, self._inmate) if self._inmate is not None else None

    @property
    def may_change_pin(self) -> bool:
        """Whether the inmate may choose another PIN now."""
        return self.facility.pin_change_by_phone and self._inmate is not None

    async def change_pin(self, pin: str) -> UnfitPin | None:
        """Give the inmate the PIN that they chose; why not, where it is not taken."""
        assert self._inmate is not None
        return await self.node.database.transact(
            change_pin, self.node.pin_key, self.facility, self._inmate, pin, at=self.node.now()
        )

    async def close_session(self, reason: Reason | None) -> None:
        """The script is over: unless it has ended well with a ringing call, the session's record ends, and its call's.

        Where the dialplan was told to ring nevertheless, the sealed call can't be accepted.
        """
        self.node.live.in_dialogue.discard(self.call_id)
        if self._name_file:
            await asyncio.to_thread(take_file, Path(self._name_file + ".ulaw"))
        if self._ringing and reason is None:
            return
        if self.call_id:
            if self._dialled and not self._is_open:  # the decision failed; the record says so
                await self._open_call()
            await self._settle(
                self._ending(reason if isinstance(reason, Outcome) else Outcome.CALLER_HUNG_UP)
            )
        before_any_call = reason if not self.call_id else None
        self.node.live.session_over(self.channel)  # its hang-up has nothing left to close
        await self.node.database.transact(
            sessions.close_session, self.session_id, before_any_call, self.node.now()
        )

    # -- a call

    async def open_call(self, dialled: str) -> None:
        """A number was keyed; from now on the call has a record, whatever becomes of it.

        Where nothing is asked of the inmate before the decision, record and decision are one transaction.
        """
        self.call_id, self._dialled, self._keyed_at = self.node.new_id(), dialled, self.node.now()
        structlog.contextvars.bind_contextvars(call_id=self.call_id)
        self.node.live.in_dialogue.add(self.call_id)
        self._is_open, self._choice = False, None
        self.said.clear()
        if not self._has_name:
            await self._open_call()

    async def open_hotline_call(self) -> None:
        """A hotline's code was keyed: that is the whole number."""
        assert self._hotline is not None
        await self.open_call(self._hotline.code)

    async def authorise(self) -> Grant | Refused:
        """Decide, reserve, and say which; a refusal is already in the call's record."""
        outcome = await self.node.database.transact(self._authorise)
        self._is_open = True
        match outcome.decision:
            case Deny(link=Link() as link):
                return rung_for_link(outcome.number, link)
            case Deny(reason) as refused:
                self._refused = outcome.number
                self.node.live.ended[reason] += 1
                self.node.live.in_dialogue.discard(self.call_id)
                self.node.told(self.call_id, f"refused {reason}")
                self.call_id = ""
                return Refused(reason, dict(refused.told), refused.is_unbillable)
            case Allow():
                return granted(outcome, outcome.decision, self.node.now())

    async def choices(self) -> Choices:
        """What the inmate may choose to pay this call with; the database is asked only where there is a choice."""
        if self._inmate is None or not offers_a_choice(self.facility):
            return Choices()
        found = await self.node.database.transact(self._choices)
        self._is_open = True
        return found

    def pay_by_own_account(self) -> None:
        """The inmate's account pays for this call, if it can."""
        self._choice = Choice(Payer.DEBIT)

    async def card_keyed(self, pin: str) -> bool:
        """Whether this is the PIN of a calling card, which then pays for this call, if it can."""
        assert self._inmate is not None
        found = await self.node.database.transact(
            card_keyed, self.node.pin_key, self.facility, self._inmate, pin, at=self.node.now()
        )
        if found is not None:
            self._choice = Choice(Payer.CARD, found)
        return found is not None

    async def dialling(self, grant: Grant) -> dict[str, str]:
        """The dialplan's variables for this call; from here on its events settle it."""
        self._ringing = True
        live = LiveCall(
            self.call_id,
            self.session_id,
            grant.limit_ms,
            self.channel,
            self.node.now(),
            grant.ends_by,
            relay=grant.relay,
            anonymous=self.hotline in ANONYMOUS_KINDS,
            inmate_heard=tuple(self.said),
        )
        self.node.live.add(live)
        return {
            "CALL_ID": self.call_id,
            "SESSION_ID": self.session_id,
            "DESTINATION": grant.number.removeprefix("+"),
            "LIMIT_MS": str(grant.limit_ms),
            "RING_SECONDS": str(self.facility.ring_seconds),
            "FACILITY_NUMBER": self.facility.caller_id.removeprefix("+"),
            "WARNING": f"warning.{grant.cutoff}",
            "ENDED": f"ended.{grant.cutoff}",
            "WARNED": "inmate" if grant.relay else "both",
            **self._shown(grant),
        }

    def _shown(self, grant: Grant) -> dict[str, str]:
        """What Asterisk's console may show; of a call that keeps no trace neither who calls whom nor from where."""
        is_kept = self.hotline not in ANONYMOUS_KINDS
        who = {"STATION": self.station_id, "INMATE": self._inmate_id, "NUMBER": grant.number}
        shown = {name: value if is_kept else "" for name, value in who.items()}
        rule = {"PAYER": grant.payer or "nobody", "RULE": grant.cutoff}
        return {**shown, **rule, "FACILITY": self.facility.id, "TRACE": "kept" if is_kept else "none"}

    async def end_call(self) -> Reason:
        """Settle the call that the dialplan rang; why it is over."""
        if live := self.node.live.get(self.call_id):
            if live.acceptance_over is not None:  # the called party's choice may still be on its way
                await until(live.acceptance_over, ACCEPTANCE_END_WAIT_SECONDS)
            if live.talking:
                await until(live.talk_ended, TALK_END_WAIT_SECONDS)
        settled = self.node.live.settled(self.call_id)
        if settled is None:
            settled = await self._settle(self._ending(Outcome.SYSTEM_FAULT))
        self.node.live.in_dialogue.discard(self.call_id)
        self.call_id = self.dial_status = self.cause = self.note = ""
        self._given_back = settled is not None and settled.given_back
        return settled.reason if settled else Outcome.SYSTEM_FAULT

    @property
    def is_given_back(self) -> bool:
        """Whether the call that has ended was dropped, costs nothing and counts for nothing."""
        return self._given_back

    # -- asking for a number

    async def may_ask_for_number(self) -> Asking | None:
        """Whether the number that was refused may be asked for; None where the facility takes no requests."""
        if not (self.facility.requests_by_phone and self._refused):
            return None
        assert self._inmate is not None
        most = self.facility.requests_waiting_maximum
        return await self.node.database.read(asking, self._inmate, self._refused, most)

    async def ask_for_number(self) -> None:
        """Have staff decide whether the number that was refused comes into the inmate's list."""
        assert self._inmate is not None
        most = self.facility.requests_waiting_maximum
        await self.node.database.transact(
            ask_for,
            self._inmate,
            self._refused,
            most,
            station_id=self.station_id,
            at=self.node.now(),
        )

    # -- the recorded name

    async def has_recorded_name(self) -> bool:
        """Whether this inmate's own voice has said their name before."""
        return self._has_name

    def name_file(self) -> str:
        """Where to record the name: a random file, without its suffix."""
        self._name_file = str(self.node.names / self.node.new_id())
        return self._name_file

    async def keep_recorded_name(self) -> bool:
        """Keep what was recorded if somebody spoke, and whether they did; the file goes."""
        path, self._name_file = Path(self._name_file + ".ulaw"), ""
        name = await asyncio.to_thread(take_file, path)
        if spoken := holds_speech(name):
            await self.node.database.transact(self._keep_name, name)
            self._has_name = True
        return spoken

    @property
    def facility(self) -> Facility:
        """The facility of this session, once it is open."""
        assert self._facility is not None
        return self._facility

    def _identify(self, conn: Connection, entry: str, at: datetime) -> Row[Any] | Hotline | Booking | None:
        """Whose ID and PIN these are, now in the session's record too; or the hotline whose code it is."""
        if 1 < len(entry) <= LONGEST_CODE and (by := lookup.hotline_by_code(conn, self.facility.id, entry)):
            if by.kind in ANONYMOUS_KINDS:
                sessions.forget_station(conn, self.session_id, self._language, at)
            else:
                sessions.set_language(conn, self.session_id, self._language)
            return by
        if self.facility.intake:
            booking = bookings.booking_by_number(conn, self.facility.id, entry)
            if booking is not None:
                sessions.set_booking(conn, self.session_id, booking.id, self._language)
            return booking
        found = identified(conn, self.node.pin_key, self.facility, entry, at)
        if found is not None:
            self._language = language_of(conn, found, self._language, is_chosen=self._chose_language)
            sessions.set_inmate(conn, self.session_id, found.id, self._language)
        return found

    def _keep_name(self, conn: Connection, name: bytes) -> None:
        if self._booking is not None:
            bookings.keep_recorded_name(conn, self._booking.id, name)
            self._booking = replace(self._booking, has_name=True)
        else:
            kept = {"recorded_name": name, "name_recorded_at": self.node.now()}
            conn.execute(update(inmate).where(inmate.c.id == self._inmate).values(**kept))

    async def _open_call(self) -> None:
        await self.node.database.transact(self._insert_call)
        self._is_open = True

    def _insert_call(self, conn: Connection) -> None:
        assert self._keyed_at is not None
        calls.open_call(
            conn,
            call_id=self.call_id,
            session_id=self.session_id,
            facility_id=self.facility.id,
            station_id=self.station_id,
            inmate=self._inmate,
            dialled=self._dialled,
            language=self._language,
            at=self._keyed_at,
            hotline_kind=self.hotline,
            booking_id=self._booking.id if self._booking else None,
            node=self.node.name,
        )

    def _choices(self, conn: Connection) -> Choices:
        if not self._is_open:
            self._insert_call(conn)
        return choices_of(conn, self.facility, self._caller, self._dialled, self.node.now())

    def _authorise(self, conn: Connection) -> Authorised:
        at = self.node.now()
        if not self._is_open:
            self._insert_call(conn)
        outcome = authorise(
            conn,
            self.facility,
            call_id=self.call_id,
            inmate=self._caller,
            dialled=self._dialled,
            at=at,
            choice=self._choice,
            takes_cards=self.node.paying is not None,
            sends_links=self.node.sends_sms,
        )
        if isinstance(outcome.decision, Deny) and outcome.decision.link is None:
            nothing = {
                "charge": 0,
                "calls_charged": 0,
                "talk_ms": 0,
                "talk_flagged": False,
                "billed_seconds": 0,
                "not_recorded": NotRecorded.NOT_CONNECTED,
            }
            sealed = {
                **nothing,
                "reason": outcome.decision.reason,
                "ended_at": at,
                "version": self.node.version,
            }
            if self.hotline in ANONYMOUS_KINDS:
                at = coarse(at)
            calls.seal(conn, self.call_id, {**sealed, "ended_at": at}, at)
            if outcome.decision.reason is Denial.FUNDS_TOO_LOW:
                missed_for_funds(conn, self.call_id, self.facility, at)
        return outcome

    def _ending(self, otherwise: Outcome) -> Ending:
        """What Dial told of the end, if it came that far."""
        redirected = (self.dial_status, self.cause) == REDIRECTED
        return Ending(
            otherwise=Outcome.UNAVAILABLE if redirected else DIAL_OUTCOMES.get(self.dial_status, otherwise),
            forwarded=Forwarded.REDIRECTED if redirected else None,
            dial_status=self.dial_status or None,
            cause=int(self.cause) if self.cause.isdecimal() else None,
            ended_by=self.node.live.hung_up_first(self.call_id),
            fault=self.node.live.fault(self.call_id),
        )

    async def _settle(self, ending: Ending) -> Settled | None:
        return await settle_call(self.node, self.call_id, ending, seen=evidence.note(self.note))


def _open_session(conn: Connection, session_id: str, station_id: str, node: Node) -> Facility | None:
    found = lookup.facility_of_station(conn, station_id)
    facility_id = found.id if found else None
    sessions.open_session(conn, session_id, station_id, facility_id, node.now(), node=node.name)
    return found


def _resume(
    conn: Connection, session_id: str, station_id: str
) -> tuple[Facility | None, Row[Any] | None, Booking | None]:
    row = sessions.session_of(conn, session_id)
    booking = bookings.booking_by_id(conn, row.booking_id) if row and row.booking_id else None
    return lookup.facility_of_station(conn, station_id), row, booking
