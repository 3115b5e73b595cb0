"""What a dialogue with the called party may ask for: the offer, and what they make of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from accounts import ledger
from accounts.db import insert_if_new
from ivr.call import end
from ivr.controls.card_on_file import Checked, authorise_card
from ivr.controls.doubt import alert_of_doubt
from ivr.controls.links import send_link
from ivr.controls.node import Node
from ivr.facility import scopes
from ivr.facility.privileged import is_intact
from ivr.facility.tables import blocked_number
from ivr.live import endpoint_of, until
from ivr.policy.forwarding import forwarded
from ivr.policy.hotline import ANONYMOUS_KINDS
from ivr.policy.keys import OfferKeys
from ivr.policy.reasons import NotRecorded, Outcome
from ivr.policy.recording import RecordingFile, RecordingPermit, recording_permit
from ivr.policy.request import PAID_IN_CALLS, PAID_IN_MONEY, BlockCause, CallClass, NotCovered, Payer
from ivr.records import calls, recordings, sealing, watched
from ivr.records.states import Leg
from rating.money import Money
from rating.price import price_from_text
from rating.quote import NO_CHARGE, Quote, quote, speakable, spoken_minutes

#: How long the news of who hung up may lag behind the end of the dialogue.
HANG_UP_NEWS_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Offer:
    """What the called party is told before they decide."""

    facility_id: str
    name_file: str
    recorded: bool
    payer: Payer | None  # none: a link is offered, and nobody connected
    not_covered: NotCovered | None
    quote: Quote
    limit_minutes: int
    keys: OfferKeys
    passive: bool = False  # nobody there is asked: the answer is the acceptance
    relay: bool = False  # nothing is spoken to it
    by_code: bool = False  # a hotline: nobody said who calls
    continues: bool = False  # the last call, which was paid for: what comes is what is left to pay
    by_card: bool = False  # of theirs, on file
    link_for: Money | None = None  # what a link to pay for one call would be for, where nobody pays
    language: str | None = None  # in which somebody at the number has last decided


@dataclass(frozen=True, slots=True)
class Accepted:
    """The acceptance stands. `left` is the calls after this one, or the balance before it; a file only if permitted.

    `in_talk` holds the dialplan's variables for the talk.
    """

    payer: Payer
    left: int
    renews_on: date | None
    recording_file: RecordingFile | None
    in_talk: Mapping[str, str]
    continues: bool = False  # so that it uses up no further call
    by_card: bool = False  # so that nothing is left to tell


@dataclass(slots=True)
class CalledPartyControls:
    """One called party's answer to one call."""

    node: Node
    call_id: str
    channel: str
    answered_with: Mapping[str, str] = field(default_factory=dict)  # of the headers of its answer
    _name: Path | None = None

    async def offer(self) -> Offer:
        """The call as it waits for an answer; ends the script if it does not wait for one, or nobody calls any more."""
        self.node.live.answered(self.call_id, self.channel)
        if self.node.live.hung_up_first(self.call_id) == Leg.INMATE:
            end(Outcome.CALLER_HUNG_UP)
        found = await self.node.database.transact(self._offer)
        if found is None:
            end(Outcome.SYSTEM_FAULT)
        offer, name = found
        if name is not None:
            self._name = Path(offer.name_file + ".ulaw")
            await asyncio.to_thread(_write_private, self._name, name)
        return offer

    async def cost_heard(self) -> None:
        """The called party asked for the price (47 CFR 64.710)."""
        await self.node.database.transact(lambda conn: calls.set_values(conn, self.call_id, cost_heard=True))

    async def authorise_card(self) -> Checked:
        """Have the longest talk authorised on the card that is on file, while the called party waits."""
        return await authorise_card(self.node, self.call_id)

    async def send_link(self, language: str) -> bool:
        """Have a link to pay for one call sent to the called party's telephone; whether it is on its way."""
        return await self.node.database.transact(send_link, self.call_id, language, self.node.now())

    async def accept(self, key: str, language: str) -> Accepted | None:
        """Accept if everything still allows it; None if anything does not."""
        return await self.node.database.transact(self._accept, key, language)

    async def accept_by_answer(self, language: str) -> Accepted | None:
        """Accept without a key, where that was decided of this call; None if anything speaks against it."""
        return await self.node.database.transact(self._accept, calls.PASSIVE, language)

    async def is_sealed(self, file: RecordingFile) -> bool:
        """Whether the recording was sealed since the acceptance: the number has become privileged."""
        return await self.node.database.read(sealing.is_sealed, Path(file).stem)

    async def decline(self, outcome: Outcome, language: str) -> None:
        """Keep what the called party chose; a block by key is in force from now on."""
        await self.node.database.transact(self._decline, outcome, language)

    async def gone(self, language: str) -> None:
        """The called party's channel ended in the dialogue: they refused by hanging up, or their time was over.

        Where the inmate went first they have chosen nothing.
        """
        live = self.node.live.get(self.call_id)
        if live is not None:
            await until(live.hang_up_known, HANG_UP_NEWS_SECONDS)
        by = live.hung_up_first if live else None
        if by != Leg.INMATE:
            refused = by == Leg.CALLED_PARTY
            await self.decline(Outcome.REFUSED if refused else Outcome.NOT_ACCEPTED, language)

    async def close(self) -> None:
        """The dialogue is over: the recorded name leaves the spool."""
        if self._name is not None:
            await asyncio.to_thread(self._name.unlink, missing_ok=True)

    def _offer(self, conn: Connection) -> tuple[Offer, bytes | None] | None:
        live = self.node.live.get(self.call_id)
        dialled_at = live.dialled_at if live else None
        carrier = self.node.carriers.get(endpoint_of(self.channel))
        row = calls.offer(conn, self.call_id, dialled_at=dialled_at, carrier=carrier, at=self.node.now())
        if row is None:
            return None
        if found := forwarded(row.number, **self.answered_with):
            calls.set_values(conn, self.call_id, forwarded=found)
        by_code = row.hotline_kind is not None
        known = calls.known_to_offer(conn, self.call_id)
        name = None if by_code else known.recorded_name
        if name is None and not by_code:
            return None
        offer = Offer(
            facility_id=row.facility_id,
            name_file=str(self.node.names / self.node.new_id()),
            recorded=self._is_to_be_recorded(conn, row, self.node.now()),
            payer=Payer(row.payer) if row.payer else None,
            not_covered=NotCovered(row.not_covered) if row.not_covered else None,
            quote=_quote(row, self.node.now()),
            limit_minutes=spoken_minutes(row.limit_ms),
            keys=OfferKeys(str(known.accept_key), str(known.block_key), str(known.block_confirm_key)),
            passive=row.passive is True,
            relay=row.call_class == CallClass.TRS,
            by_code=by_code,
            continues=row.continues_id is not None,
            by_card=row.by_card is True,
            link_for=row.link_for,
            language=known.language,
        )
        return offer, name

    def _accept(self, conn: Connection, key: str, language: str) -> Accepted | None:
        at = self.node.now()
        row = calls.accept(conn, self.call_id, key=key, language=language, at=at)
        if row is None:
            return None
        in_doubt = _is_in_doubt(conn, row, at)
        permit = self._permit(conn, row, in_doubt=in_doubt)
        may_be_heard = _may_be_heard(row, in_doubt=in_doubt)
        if may_be_heard and watched.tell_of(conn, row, at, self.node.new_id):
            self._rings_listener()
        return Accepted(
            payer=Payer(row.payer),
            left=_left(conn, row),
            renews_on=row.renews_on,
            recording_file=recordings.begin(conn, permit, self.node.recordings, self.node.new_id(), at)
            if permit
            else None,
            in_talk={
                **_in_talk(row, in_doubt=in_doubt),
                "ACCEPTED_BY": calls.PASSIVE if key == calls.PASSIVE else f"key_{key}",
                "LISTEN": "allowed" if may_be_heard else "never",
                "RECORDING": "on" if permit else f"off_{_why_not(row, in_doubt=in_doubt)}",
            },
            continues=row.continues_id is not None,
            by_card=row.by_card is True,
        )

    def _is_to_be_recorded(self, conn: Connection, row: Row[Any], at: datetime) -> bool:
        """Whether the called party is told so: never of a call that is known by now to stay unrecorded."""
        if row.not_recorded is not None or row.privileged is not False:
            return False
        if in_doubt := _is_in_doubt(conn, row, at):
            calls.set_values(conn, self.call_id, not_recorded=NotRecorded.LIST_IN_DOUBT)
        return not in_doubt

    def _rings_listener(self) -> None:
        """A telephone of staff is rung once the two talk."""
        if (live := self.node.live.get(self.call_id)) is not None:
            live.is_watched = True

    def _permit(self, conn: Connection, row: Row[Any], *, in_doubt: bool) -> RecordingPermit | None:
        """Leave to record, if nobody and nothing is against it at this very moment."""
        if row.not_recorded is not None or row.privileged is not False:
            return None
        if in_doubt:
            calls.set_values(conn, self.call_id, not_recorded=NotRecorded.LIST_IN_DOUBT)
        return recording_permit(
            self.call_id, privileged=row.privileged, not_recorded=row.not_recorded, list_intact=not in_doubt
        )

    def _decline(self, conn: Connection, outcome: Outcome, language: str) -> None:
        calls.decline(conn, self.call_id, outcome, language)
        if outcome is not Outcome.BLOCKED_BY_KEY:
            return
        row = calls.call_of(conn, self.call_id)
        if row is not None:
            block_number(conn, row.facility_id, row.number, self.call_id, self.node)


def _is_in_doubt(conn: Connection, row: Row[Any], at: datetime) -> bool:
    """Whether the facility's list is in doubt, as the statement has seen it that gave the row."""
    if is_intact(row):
        return False
    alert_of_doubt(conn, row.facility_id, at)
    return True


def _may_be_heard(row: Row[Any], *, in_doubt: bool) -> bool:
    """Whether staff may listen: never to a privileged talk or one in doubt, nor to an anonymous hotline's."""
    return row.privileged is False and not in_doubt and row.hotline_kind not in ANONYMOUS_KINDS


def _why_not(row: Row[Any], *, in_doubt: bool) -> str:
    """Why a call is not recorded, for whoever watches Asterisk's console."""
    if row.not_recorded is not None:
        return str(row.not_recorded)
    return NotRecorded.LIST_IN_DOUBT if in_doubt else NotRecorded.PRIVILEGED


def _quote(row: Row[Any], at: datetime) -> Quote:
    if row.payer not in PAID_IN_MONEY and row.link_for is None:
        return NO_CHARGE
    return quote(price_from_text(row.price), at, row.limit_ms)


def _in_talk(row: Row[Any], *, in_doubt: bool) -> dict[str, str]:
    """What the dialplan does by itself in the talk; nothing is put into one that is not known to be unprivileged."""
    keys = {"KEYS": "pass"} if row.keys_pass else {}
    if row.overlay_seconds is None or row.privileged is not False or in_doubt:
        return keys
    languages = dict.fromkeys((row.called_language, row.inmate_language))
    return {**keys, "OVERLAY": "".join(languages), "OVERLAY_SECONDS": str(row.overlay_seconds)}


def _left(conn: Connection, row: Row[Any]) -> int:
    """What is told on acceptance: the calls left after this one, or the balance that this call will be paid from.

    What other calls have reserved is not counted.
    """
    if row.account_id is None or row.by_card:
        return 0
    available = ledger.balance(conn, row.account_id).available
    if row.payer in PAID_IN_CALLS:
        return available
    return speakable(Money(available + row.held))


def block_number(conn: Connection, facility_id: str, number: str, call_id: str, node: Node) -> None:
    """The called party wants no calls from this facility; asking twice is one block, beside any of the facility's."""
    insert_if_new(
        conn,
        blocked_number,
        {
            "facility_id": facility_id,
            "scope": scopes.FACILITY,
            "covers": "number",
            "number": number,
            "cause": BlockCause.CALLED_PARTY,
            "note": f"by key in call {call_id}",
            "author": "called party",
            "blocked_at": node.now(),
        },
    )


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)
