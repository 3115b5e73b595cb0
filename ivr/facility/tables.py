"""What a facility's staff set: who may call whom, when, and at what price."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from accounts.db import Instant, Micros, metadata
from ivr.policy.hotline import HotlineKind
from ivr.policy.identity import IdentifyBy
from ivr.policy.keys import ACCEPTING, BLOCKING, Dtmf
from ivr.policy.privilege import PrivilegeKind, PrivilegeSource, Shrinking
from ivr.policy.quantity import Counted, DayKind, Each, From
from ivr.policy.recording import Unrecorded
from ivr.policy.request import ONLY_PAYERS, BlockCause, InmateState, PanMode
from ivr.policy.switching import Way
from ivr.policy.volume import Volume
from rating.call_type import CallType
from rating.site import FacilityKind, Operator

NUMBER = String(16)  # E.164 with its plus sign (ITU-T E.164: 15 digits)
SCOPE = String(64)  # what a rule is set for, as `ivr.facility.scopes` writes it


def one_of(column: str, *words: str) -> CheckConstraint:
    """A CHECK that a column holds one of an enumeration's words: the database knows no others."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def one_of_keys(column: str, *keys: int) -> CheckConstraint:
    """A CHECK that a column holds one of the keys of a telephone that its prompts know."""
    return CheckConstraint(f"{column} IN ({', '.join(map(str, keys))})", name=f"{column}_known")


agency = Table(
    "agency",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
)

facility = Table(
    "facility",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("agency_id", ForeignKey("agency.id"), index=True),
    Column("kind", String(16), nullable=False),
    Column("operator", String(16), nullable=False),
    Column("average_daily_population", Integer),
    Column("state", String(2), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("caller_id", NUMBER, nullable=False),
    Column("inmate_id_digits", SmallInteger, nullable=False),
    Column("identify_by", String(16), nullable=False),
    Column("pin_least", SmallInteger, nullable=False),  # digits
    Column("pin_most", SmallInteger, nullable=False),
    Column("pin_change_by_phone", Boolean, nullable=False),
    Column("intake_calls", SmallInteger, nullable=False),  # free after an arrest
    Column("intake_calls_for_parents", SmallInteger, nullable=False),  # more for who has children in custody
    Column("intake_within_minutes", Integer, nullable=False),
    Column("longest_call_ms", Integer, nullable=False),
    Column("ring_seconds", SmallInteger, nullable=False),
    Column("records", Boolean, nullable=False),
    Column("taxes", Text, nullable=False),  # the table of taxes, as it was reviewed
    Column("localities", Text, nullable=False),  # parted by spaces
    Column("toll_free", Boolean, nullable=False),  # whether toll-free numbers may be called
    Column("pan_mode", String(16), nullable=False),
    Column("pan_maximum", SmallInteger),  # none: as many as there are
    Column("requests_by_phone", Boolean, nullable=False),  # whether inmates may ask for numbers by telephone
    Column("requests_waiting_maximum", SmallInteger, nullable=False),  # of one inmate
    Column("relay_limit_factor", SmallInteger, nullable=False),  # how much longer a talk over a relay may be
    Column("accept_key", SmallInteger, nullable=False),  # of the called party
    Column("block_key", SmallInteger, nullable=False),
    Column("block_confirm_key", SmallInteger, nullable=False),
    Column("overlay_seconds", Integer),  # how often both hear in a talk where it comes from; none: never
    Column("payers", Text, nullable=False),  # who may pay, parted by spaces
    Column("collect_limit", Micros, nullable=False),  # what a number may owe for collect calls
    Column("courtesy_seconds", Integer, nullable=False),  # of the one call that a number gets
    Column("dropped_within_seconds", Integer, nullable=False),  # a talk that fails so early is given back
    Column("continues_within_seconds", Integer, nullable=False),  # so soon after, a call continues the last
    Column("recordings_kept_days", Integer, nullable=False),
    Column("when_unrecorded", String(8), nullable=False),  # of a talk that must be recorded and is not
    one_of("kind", *FacilityKind),
    one_of("operator", *Operator),
    one_of("pan_mode", *PanMode),
    one_of("identify_by", *IdentifyBy),
    one_of("when_unrecorded", *Unrecorded),
    one_of_keys("accept_key", *ACCEPTING),
    one_of_keys("block_key", *BLOCKING),
    one_of_keys("block_confirm_key", *BLOCKING),
    CheckConstraint("block_confirm_key <> block_key", name="block_confirmed_by_another_key"),
)

local_exchange = Table(
    "local_exchange",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("exchange", String(6), primary_key=True),  # area code and exchange: NPA-NXX
)

housing_unit = Table(
    "housing_unit",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("label", Text, nullable=False),
)

station = Table(
    "station",
    metadata,
    Column("id", String(64), primary_key=True),  # the name of its PJSIP endpoint
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("unit_id", String(40)),
    Column("label", Text, nullable=False),
    Column("intake", Boolean, nullable=False),  # a booking is keyed there, no ID and PIN
    Column("dtmf", String(8), nullable=False),  # how its keys come in
    ForeignKeyConstraint(["facility_id", "unit_id"], ["housing_unit.facility_id", "housing_unit.id"]),
    one_of("dtmf", *Dtmf),
)

schedule_window = Table(
    "schedule_window",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("scope", SCOPE, nullable=False),
    Column("day", SmallInteger, nullable=False),  # Monday is 0, a holiday 7
    Column("opens", String(5), nullable=False),  # HH:MM, the facility's time zone
    Column("closes", String(5), nullable=False),
    Index("ix_schedule_window_scope", "facility_id", "scope"),
)

schedule_exception = Table(
    "schedule_exception",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("scope", SCOPE, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Index("ix_schedule_exception_scope", "facility_id", "scope"),
    one_of("kind", "closure", "opening", "holiday"),
    CheckConstraint("ends_at > starts_at", name="ends_after_start"),
)

call_limit = Table(
    "call_limit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("scope", SCOPE, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("most", Integer, nullable=False),  # minutes, calls or attempts
    Column("call_type", String(16)),
    Column("days", String(8)),
    Column("each", String(8)),
    Column("within_minutes", Integer),
    Column("measured_from", String(8)),
    Column("counted", String(8)),
    Column("valid_from", Date),  # of calls that are keyed on a local day; none: ever
    Column("valid_to", Date),  # inclusive; none: until further notice
    Index("ix_call_limit_scope", "facility_id", "scope"),
    one_of("kind", "longest_call", "calls", "minutes", "cooling_off", "attempts"),
    one_of("call_type", *CallType),
    one_of("days", *DayKind),
    one_of("each", *Each),
    one_of("measured_from", *From),
    one_of("counted", *Counted),
    CheckConstraint("most > 0", name="most_positive"),
)

# What says that calls are not recorded, beside the facility and the numbers of lists, which have columns for it.
unrecorded = Table(
    "unrecorded",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("scope", SCOPE, nullable=False),
    Index("ix_unrecorded_scope", "facility_id", "scope", unique=True),
)

# Telephones that are switched off; a row is only ever ended.
switch = Table(
    "switch",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scope", String(128), nullable=False),  # as `scopes.switch` writes it
    Column("way", String(8), nullable=False),
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("thrown_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", Text),
    Column("ended_note", Text),
    Index(
        "ix_switch_open",
        "scope",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    one_of("way", *Way),
)

inmate = Table(
    "inmate",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("unit_id", String(40)),
    Column("inmate_id", String(12), nullable=False),  # the digits that are keyed
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("pin_hash", String(64), nullable=False),
    Column("pin_key_id", String(16), nullable=False),
    Column("suspended_from", Instant),
    Column("suspended_to", Instant),
    Column("state_note", Text),
    Column("recorded_name", LargeBinary),  # mu-law, 8,000 samples a second
    Column("name_recorded_at", Instant),
    Column("language", String(2)),  # chosen by key at a telephone, for the next time
    Column("volume", String(7)),  # so too
    UniqueConstraint("facility_id", "inmate_id"),
    UniqueConstraint("facility_id", "pin_hash"),  # where a PIN alone is keyed, it is one inmate's
    ForeignKeyConstraint(["facility_id", "unit_id"], ["housing_unit.facility_id", "housing_unit.id"]),
    one_of("state", *InmateState),
    one_of("volume", *Volume),
)

# People who were arrested a moment ago and have their free calls at an intake station.
booking = Table(
    "booking",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("number", String(12), nullable=False),  # the digits that are keyed
    Column("arrested_at", Instant, nullable=False),
    Column("custodial_parent", Boolean, nullable=False),
    Column("recorded_name", LargeBinary),
    Column("opened_at", Instant, nullable=False),
    UniqueConstraint("facility_id", "number"),
)

wrong_pin = Table(
    "wrong_pin",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("inmate_id", String(12), primary_key=True),  # the digits that were keyed, or none
    Column("station_id", String(64), primary_key=True),
    Column("in_row", Integer, nullable=False),
    Column("lately", Integer, nullable=False),
    Column("since_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
)

allowed_number = Table(
    "allowed_number",
    metadata,
    Column("inmate", ForeignKey("inmate.id"), primary_key=True),
    Column("number", NUMBER, primary_key=True),
    Column("speed_dial", String(2)),
    Column("records", Boolean, nullable=False),
    Column("relation", Text),
    Column("override_note", Text),  # why a block of the facility does not hold for this inmate
    Column("payer", String(16)),  # who alone may pay for calls to it; none: anybody
    Column("learned", Boolean, nullable=False),  # by a completed call, not by the file
    UniqueConstraint("inmate", "speed_dial"),
    one_of("payer", *ONLY_PAYERS),
)

blocked_number = Table(
    "blocked_number",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("scope", SCOPE, nullable=False),  # the facility, or one inmate
    Column("covers", String(8), nullable=False),
    Column("number", NUMBER, nullable=False),  # or the prefix, or the type
    Column("cause", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("blocked_at", Instant, nullable=False),
    Column("lifted_at", Instant),
    Index(
        "ix_blocked_number_live",
        "facility_id",
        "number",
        "covers",
        "cause",
        "scope",
        unique=True,
        sqlite_where=text("lifted_at IS NULL"),
        postgresql_where=text("lifted_at IS NULL"),
    ),
    one_of("cause", *BlockCause),
    one_of("covers", "number", "prefix", "type"),
)

special_number = Table(
    "special_number",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("number", NUMBER, primary_key=True),
    Column("label", Text, nullable=False),
    Column("free", Boolean, nullable=False),
    Column("hotline", Boolean, nullable=False),  # for everybody, suspended inmates too
    Column("office", Boolean, nullable=False),  # takes several calls at the same time, and keys
    Column("overlay", Boolean, nullable=False, default=True),  # whether talks with it may have announcements
    Column("allowed", Boolean, nullable=False, default=False),  # for everybody, at its price
    Column(
        "passive", Boolean, nullable=False
    ),  # its answer shall be the acceptance, if two operators want it
    Column("relay", Boolean, nullable=False),  # a telecommunications relay service
    Column("short_code", String(3)),  # the code that stands for it
    Column("hotline_kind", String(16)),
    Column("code", String(5)),  # what is keyed in place of an ID and a PIN
    UniqueConstraint("facility_id", "code"),
    one_of("hotline_kind", *HotlineKind),
)

# Numbers that are never recorded. What is asked for is done when another operator confirms it, and not later than
# policy.privilege says; whoever else may lose it, the number stays privileged until then.
privileged_number = Table(
    "privileged_number",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("scope", SCOPE, nullable=False),  # the facility, or one inmate
    Column("number", NUMBER, nullable=False),
    Column("untimed", Boolean, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("source", String(8), nullable=False),
    Column("bar_number", Text),
    Column("document_sha256", String(64)),
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("lapses_at", Instant, nullable=False),  # unless it is confirmed before
    Column("confirmed_by", Text),
    Column("confirmed_at", Instant),
    Column("asked", String(8)),  # what an operator wants taken away
    Column("asked_scope", SCOPE),  # to whom it is narrowed
    Column("asked_by", Text),
    Column("asked_until", Instant),
    Column("removed_at", Instant),
    Index(
        "ix_privileged_number_live",
        "facility_id",
        "number",
        "scope",
        "untimed",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    Index("ix_privileged_number_of_facility", "facility_id"),  # a list is read whole, with what was removed
    one_of("kind", *PrivilegeKind),
    one_of("source", *PrivilegeSource),
    one_of("asked", *Shrinking),
)

# What each facility's list of privileged numbers was when it was last changed by us.
privileged_list = Table(
    "privileged_list",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("vouched_by", Text),  # the first of two who take a list in doubt for right
    Column("vouched_at", Instant),
    Column("vouched_for", String(64)),  # the digest of the list that they have seen
)

# Whose answer is the acceptance, once a second operator has confirmed it.
passive_number = Table(
    "passive_number",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("number", NUMBER, primary_key=True),
    Column("author", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("confirmed_by", Text),
    Column("confirmed_at", Instant),
)

# The files of tariffs as they were reviewed; `ivr.facility.tariffs` reads them.
tariff = Table(
    "tariff",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),  # inclusive; none: until further notice
    Column("sha256", String(64), nullable=False),
    Column("text", Text, nullable=False),  # TOML
)

plan = Table(
    "plan",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("price", Micros, nullable=False),
    Column("calls", Integer, nullable=False),
)
