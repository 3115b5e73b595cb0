"""Every way a call ends. A reason's value is the CDR's disposition and the prompt `ending.<value>`.

A reason is never renamed once a CDR holds it; a new meaning is a new member.
"""

from enum import StrEnum


class Denial(StrEnum):
    """Refused before anybody's telephone rang; in order of precedence."""

    STATION_UNKNOWN = "station_unknown"
    SWITCHED_OFF = "switched_off"
    PIN_INVALID = "pin_invalid"
    BOOKING_UNKNOWN = "booking_unknown"
    INMATE_RELEASED = "inmate_released"
    INMATE_TRANSFERRED = "inmate_transferred"
    INMATE_SUSPENDED = "inmate_suspended"
    NAME_NOT_RECORDED = "name_not_recorded"
    EMERGENCY_NUMBER = "emergency_number"
    SERVICE_CODE = "service_code"
    NUMBER_INVALID = "number_invalid"
    NUMBER_TYPE_BLOCKED = "number_type_blocked"
    NUMBER_BLOCKED = "number_blocked"
    BLOCKED_BY_CALLED_PARTY = "blocked_by_called_party"
    NUMBER_NOT_ALLOWED = "number_not_allowed"
    INTAKE_LOCAL_ONLY = "intake_local_only"
    INTAKE_TIME_OVER = "intake_time_over"
    INTAKE_CALLS_USED = "intake_calls_used"
    OUTSIDE_SCHEDULE = "outside_schedule"
    INMATE_ON_A_CALL = "inmate_on_a_call"
    NUMBER_ON_A_CALL = "number_on_a_call"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    COOLING_OFF = "cooling_off"
    CALLS_USED = "calls_used"
    MINUTES_USED = "minutes_used"
    NO_RATE = "no_rate"
    FUNDS_TOO_LOW = "funds_too_low"


class Outcome(StrEnum):
    """What became of a call that was allowed."""

    COMPLETED = "completed"
    LIMIT_REACHED = "limit_reached"
    CUT_OFF = "cut_off"  # by staff
    REFUSED = "refused"
    BLOCKED_BY_KEY = "blocked_by_key"
    NOT_ACCEPTED = "not_accepted"
    PAYMENT_OFFERED = "payment_offered"  # nobody paid, and the called party has asked for a link to pay
    CARD_DECLINED = "card_declined"  # the called party's, when they accepted
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CONGESTION = "congestion"
    UNAVAILABLE = "unavailable"
    CALLER_HUNG_UP = "caller_hung_up"
    SYSTEM_FAULT = "system_fault"


class Cutoff(StrEnum):
    """Which limit ends a talk: prompts `warning.<value>` and `ended.<value>`, CDR `cut_off_by`."""

    SCHEDULE = "schedule"
    LONGEST_CALL = "longest_call"
    ALLOWANCE = "allowance"  # of minutes, each day, week or month
    BALANCE = "balance"
    MAX_COST = "max_cost"  # of the tariff, for one call
    COURTESY = "courtesy"  # of the one call that a number gets from the provider
    SWITCHED_OFF = "switched_off"  # by staff
    UNRECORDED = "unrecorded"  # it must be recorded, and is not


class NotRecorded(StrEnum):
    """Why a call has no recording, as the CDR says it."""

    PRIVILEGED = "privileged"
    LIST_IN_DOUBT = "list_in_doubt"  # the facility's list of privileged numbers is not what was written to it
    RELAY = "relay"
    PASSIVE = "passive"
    AGENCY = "agency"
    FACILITY = "facility"
    UNIT = "unit"
    STATION = "station"
    INMATE = "inmate"
    NUMBER = "number"
    ANONYMOUS = "anonymous"  # a hotline that keeps no trace of who calls
    NOT_CONNECTED = "not_connected"
    FAILED = "failed"  # it must have been: nothing was written, from the start or from some moment on


Reason = Denial | Outcome

#: Nobody can be warned of these: no prompt `warning.<value>`.
UNFORESEEN: frozenset[Cutoff] = frozenset({Cutoff.UNRECORDED})

#: Nobody is left to hear these.
INAUDIBLE: frozenset[Reason] = frozenset({Outcome.CALLER_HUNG_UP})


def reason(value: str) -> Reason:
    """The reason that a record's word stands for; raises ValueError for a word that is none."""
    try:
        return Denial(value)
    except ValueError:
        return Outcome(value)
