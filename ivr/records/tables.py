"""Sessions, calls and what was seen of them.

A row of `call` is opened when a number is keyed and sealed once, in the transaction that settles its money. A sealed
row is the call-detail record: the database refuses to change it. Evidence is only ever added.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from accounts.db import Instant, Micros, metadata
from ivr.facility.tables import NUMBER, one_of
from ivr.policy.forwarding import Forwarded
from ivr.policy.hotline import HotlineKind
from ivr.policy.reasons import Cutoff, Denial, NotRecorded, Outcome
from ivr.policy.request import CallClass, NotCovered, Payer
from ivr.policy.service import RequestKind, RequestState
from ivr.policy.talk import Kind
from ivr.records.states import CallState, Finding, Leg, RecordingState, SealedWish

ID = String(32)  # random, 128 bits as hexadecimal

#: Calls in progress: the database itself lets an inmate, and a number that is no office, have only one.
LIVE = text("state IN ('allowed', 'offered', 'accepted')")
LIVE_ALONE = text("one_at_a_time AND state IN ('allowed', 'offered', 'accepted')")

TO_PUT_AWAY = text("sealed_at IS NOT NULL AND put_away_at IS NULL")
TO_AGE = text("state = 'kept' AND sealed_at IS NULL AND legal_hold_at IS NULL")
TO_ERASE = text("destroyed_at IS NOT NULL AND put_away_at IS NULL")

session = Table(
    "session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("station_id", String(64), nullable=False),
    Column("facility_id", ForeignKey("facility.id")),
    Column("inmate", ForeignKey("inmate.id")),
    Column("booking_id", ForeignKey("booking.id")),
    Column("language", String(2), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("reason", String(32)),  # only where the session ended before any number was keyed
    Column("node", String(15)),  # where it is; none: the first one
    one_of("reason", *Denial, *Outcome),
    Index("ix_session_station", "station_id", "started_at"),
    Index(
        "ix_session_open",
        "id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

call = Table(
    "call",
    metadata,
    Column("id", ID, primary_key=True),
    Column("session_id", ForeignKey("session.id"), nullable=False, index=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("station_id", String(64), nullable=False),
    Column("inmate", ForeignKey("inmate.id")),  # none: nobody said who they are
    Column("booking_id", ForeignKey("booking.id")),
    Column("hotline_kind", String(16)),  # of a call by a hotline's code
    Column("state", String(16), nullable=False),
    # what was asked for
    Column("dialled", String(32), nullable=False),
    Column("number", NUMBER),
    Column("call_type", String(16)),
    Column("inmate_language", String(2), nullable=False),
    # what was decided
    Column("payer", String(16)),
    Column("account_id", Text),
    Column("by_card", Boolean),  # on file with the account, authorised when the call is accepted
    Column("link_for", Micros),  # nobody pays: the called party is rung to be offered a link to pay so much
    Column("hold_id", Text),
    Column("not_covered", String(16)),
    Column("renews_on", Date),
    Column("price", Text),  # all that decides what the talk costs: rating.price, as text
    Column("held", BigInteger),  # in the paying account's own unit; no charge is above it
    Column("agency_rule", String(64)),  # the law by which the agency pays a part or all
    Column("limit_ms", Integer),
    Column("limit_set_by", String(16)),
    Column("ends_by", Instant),  # the hour at which the talk must end, whenever it began
    Column("privileged", Boolean),
    Column("not_recorded", String(16)),
    Column("passive", Boolean),  # the answer is the acceptance
    Column("call_class", String(16)),  # none: an ordinary call
    Column("blocked_by", String(16)),  # the cause of the block that refused it
    Column("overlay_seconds", Integer),  # how often both are told where the call comes from
    Column("keys_pass", Boolean),  # whether the inmate's keys reach the called party in the talk
    Column("one_at_a_time", Boolean),  # no other call to the number while this one is in progress
    # what happened, when
    Column("keyed_at", Instant, nullable=False),
    Column("dialled_at", Instant),
    Column("answered_at", Instant),
    Column("accepted_at", Instant),
    Column("accepted_by", String(16)),  # the key, or "passive"
    Column("called_language", String(2)),
    Column("cost_heard", Boolean, nullable=False),
    Column("inmate_heard", Text),  # the prompts that were said to each before the talk; none: not known
    Column("called_heard", Text),
    Column("declined", String(32)),  # what the called party chose instead of accepting
    Column("last_seen_at", Instant),
    Column("talk_from_at", Instant),
    Column("talk_to_at", Instant),
    Column("switched_off_at", Instant),  # when a switch that staff have thrown ends it
    Column("unrecorded_at", Instant),  # when it ends because it must be recorded and is not
    Column("cut_at", Instant),  # when staff cut it off
    Column("ended_at", Instant),
    # what it came to
    Column("talk_ms", Integer),
    Column("talk_flagged", Boolean),
    Column("billed_seconds", Integer),
    Column("charge", Micros),  # what the payer pays, taxes included
    Column("connect_fee", Micros),
    Column("tax", Micros),
    Column("taxes", Text),  # line by line
    Column("agency_charge", Micros),
    Column("calls_charged", Integer),
    Column("balance_before", BigInteger),  # of the paying account, in its own unit
    Column("balance_after", BigInteger),
    Column("reason", String(32)),
    Column("cut_off_by", String(16)),
    Column("forwarded", String(16)),  # how it was seen that the called side sent the call elsewhere
    Column("ended_by", String(16)),
    Column("dropped_by", String(16)),  # whose failure ended the talk; none: nobody's
    Column("given_back", Boolean),  # of a dropped one: it costs nothing and counts for nothing
    Column("continues_id", ID),  # the call that it goes on with
    Column("carrier", Text),  # the host and port of the one that carried it, or was the last to refuse it
    Column("dial_status", String(16)),
    Column("cause", Integer),  # Q.850, as Asterisk reports it for the called leg
    Column("version", String(32)),
    Column("node", String(15)),  # whose Asterisk has it; none: the first one's
    Column("sealed_at", Instant),
    one_of("state", *CallState),
    one_of("payer", *Payer),
    one_of("not_covered", *NotCovered),
    one_of("limit_set_by", *Cutoff),
    one_of("cut_off_by", *Cutoff),
    one_of("not_recorded", *NotRecorded),
    one_of("call_class", *CallClass),
    one_of("forwarded", *Forwarded),
    one_of(
        "declined",
        Outcome.REFUSED,
        Outcome.BLOCKED_BY_KEY,
        Outcome.NOT_ACCEPTED,
        Outcome.PAYMENT_OFFERED,
        Outcome.CARD_DECLINED,
    ),
    one_of("reason", *Denial, *Outcome),
    one_of("hotline_kind", *HotlineKind),
    CheckConstraint("hotline_kind IS NULL OR inmate IS NULL", name="hotline_of_nobody"),
    CheckConstraint("(sealed_at IS NULL) = (reason IS NULL)", name="sealed_with_a_reason"),
    CheckConstraint("charge IS NULL OR charge >= 0", name="charge_not_negative"),
    CheckConstraint(
        "link_for IS NULL OR (payer IS NULL AND accepted_at IS NULL)", name="link_connects_nobody"
    ),
    Index(
        "ix_call_unsealed",
        "id",
        sqlite_where=text("sealed_at IS NULL"),
        postgresql_where=text("sealed_at IS NULL"),
    ),
    Index("ix_call_sealed_at", "sealed_at"),
    Index("ix_call_keyed_at", "keyed_at", "id"),
    Index("ix_call_live_inmate", "inmate", unique=True, sqlite_where=LIVE, postgresql_where=LIVE),
    Index("ix_call_live_number", "number", unique=True, sqlite_where=LIVE_ALONE, postgresql_where=LIVE_ALONE),
    Index("ix_call_inmate", "inmate", "keyed_at"),
    Index("ix_call_number", "number", "keyed_at"),
    Index("ix_call_booking", "booking_id", "keyed_at"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_id", ForeignKey("call.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("source", String(16), nullable=False),  # who brought it: event, note
    Column("at", Instant, nullable=False),  # Asterisk's stamp
    Column("monotonic_ms", BigInteger),
    Column("clock", ID),
    Column("seen_at", Instant, nullable=False),
    one_of("kind", *Kind),
)

leg_quality = Table(
    "leg_quality",
    metadata,
    Column("call_id", ForeignKey("call.id"), primary_key=True),
    Column("leg", String(16), primary_key=True),
    Column("packets_received", Integer),
    Column("packets_lost", Integer),  # of what Asterisk should have received
    Column("far_packets_lost", Integer),  # of what the far end should have received (RTCP)
    Column("jitter_us", Integer),
    Column("round_trip_us", Integer),
    one_of("leg", *Leg),
)

recording = Table(
    "recording",
    metadata,
    Column("id", ID, primary_key=True),  # random; also the file's name
    Column("call_id", ForeignKey("call.id"), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("talk_ms", Integer),
    Column("sha256", String(64)),  # of the audio that was kept: FLAC
    Column("file_sha256", String(64)),  # of its file, which is encrypted
    Column("file_bytes", BigInteger),
    Column("data_key", Text),  # the file's own key, wrapped by one that is not in this database
    Column("key_id", String(16)),  # which one that was
    # of a number that has become privileged since: nobody plays it
    Column("sealed_at", Instant),
    Column("sealed_because", Text),
    Column("put_away_at", Instant),  # its file was moved, or deleted
    Column("asked", String(8)),  # what an operator wants done with a sealed one
    Column("asked_by", Text),
    Column("asked_until", Instant),
    Column("opened_at", Instant),
    Column("destroyed_at", Instant),
    Column("legal_hold_at", Instant),
    Column("finding", String(16)),  # of the last look at its file; none: it is as it should be
    one_of("state", *RecordingState),
    one_of("asked", *SealedWish),
    one_of("finding", *Finding),
    CheckConstraint("state <> 'destroyed' OR data_key IS NULL", name="destroyed_with_its_key"),
    Index(
        "ix_recording_running",
        "id",
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    Index(
        "ix_recording_missing",
        "started_at",
        sqlite_where=text("state = 'missing'"),
        postgresql_where=text("state = 'missing'"),
    ),
    Index(
        "ix_recording_to_put_away",
        "id",
        sqlite_where=TO_PUT_AWAY,
        postgresql_where=TO_PUT_AWAY,
    ),
    Index("ix_recording_kept", "started_at", sqlite_where=TO_AGE, postgresql_where=TO_AGE),
    Index("ix_recording_to_erase", "id", sqlite_where=TO_ERASE, postgresql_where=TO_ERASE),
)

NOT_DONE = text("done_at IS NULL")
# What somebody has to look at; whoever has done so says it.
alert = Table(
    "alert",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("done_by", Text),
    Column("done_at", Instant),
    Column("told_at", Instant, index=True),  # to whoever is on call, the last time
    Index("ix_alert_open", "id", sqlite_where=NOT_DONE, postgresql_where=NOT_DONE),
)

# What a called party complains of about a call, and what staff have decided on it.
complaint = Table(
    "complaint",
    metadata,
    Column("call_id", ForeignKey("call.id"), primary_key=True),
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("given_back", Boolean),  # what the call cost; none: not decided
    Column("decided_note", Text),
    Column("decided_by", Text),
    Column("decided_at", Instant),
    CheckConstraint("(decided_at IS NULL) = (given_back IS NULL)", name="decided_whole"),
)

# Work that runs by the hour; its row is locked while it does.
job = Table(
    "job",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("ran_at", Instant),  # when it last had nothing left to do
    Column("did", Integer, nullable=False),  # how many things it did when it last did any
    Column("place", Text),  # how far one that goes through many things has come; none: to their end
    Column("failed_at", Instant),  # none: it has not failed since
    Column("failure", Text),
)

# A call to somebody who called in, at the number that they seemed to call from: who answers it has that telephone.
call_back = Table(
    "call_back",
    metadata,
    Column("id", ID, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("number", NUMBER, nullable=False),
    Column("language", String(2), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", Instant),  # none: it is not to be rung any more
    Column("answered_at", Instant),
    Column("verified_at", Instant),  # somebody there pressed the key
    Column("unwanted_at", Instant),  # somebody there has not asked for it
    Index(
        "ix_call_back_to_ring",
        "next_try_at",
        sqlite_where=text("next_try_at IS NOT NULL"),
        postgresql_where=text("next_try_at IS NOT NULL"),
    ),
    Index("ix_call_back_number", "number", "asked_at"),
    Index("ix_call_back_asked_at", "asked_at"),
)

# What somebody who called in has asked people for, with the day by which they are answered.
service_request = Table(
    "service_request",
    metadata,
    Column("id", Integer, primary_key=True),  # also the receipt that they were told
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("number", NUMBER, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("language", String(2), nullable=False),
    Column("call_back_id", ForeignKey("call_back.id")),  # none: the number is only what was shown
    Column("asked_at", Instant, nullable=False),
    Column("due_on", Date, nullable=False),  # of the facility
    Column("state", String(8), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Instant),
    Column("note", Text),
    one_of("kind", *RequestKind),
    one_of("state", *RequestState),
    CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided_whole"),
)
