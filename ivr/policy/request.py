"""What the rules may know of a call, and what they answer. Values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from ivr.policy.hotline import HotlineKind
from ivr.policy.intake import Intake
from ivr.policy.level import Level
from ivr.policy.quantity import CallLimit, History
from ivr.policy.reasons import Cutoff, Denial, NotRecorded
from ivr.policy.schedule import Period, Schedule
from rating.call_type import CallType
from rating.money import Money
from rating.numbers import Number, Unusable
from rating.price import Price


class InmateState(StrEnum):
    """Whether an inmate may call at all."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    RELEASED = "released"
    TRANSFERRED = "transferred"


class BlockCause(StrEnum):
    """Who wanted a number blocked, or why; of several the first is told."""

    NO_CONTACT = "no_contact"  # a protected person; the inmate hears no more than of any other block
    FACILITY = "facility"
    SECURITY = "security"
    AGENT = "agent"
    CALLED_PARTY = "called_party"


class PanMode(StrEnum):
    """What an inmate's own list of numbers is for."""

    ENFORCED = "enforced"  # only its numbers are called
    SELF_LEARNING = "self_learning"  # a completed call adds the number, until the list is full
    OPEN = "open"  # every number may be called


class Payer(StrEnum):
    """Who pays for a call, in the order in which they are tried."""

    FREE = "free"
    SUBSCRIPTION = "subscription"
    DEBIT = "debit"  # the inmate's own account
    CARD = "card"  # a calling card whose PIN the inmate keys
    PREPAID = "prepaid"  # the called party's account
    PAID_CALL = (
        "paid_call"  # one call to this number, paid before it is made, or by a card on file when accepted
    )
    DIRECT_BILL = "direct_bill"  # the called party's bill, by agreement
    COLLECT = "collect"  # the called party's bill, by accepting the call
    COURTESY = "courtesy"  # nobody: the one call that a number gets from the provider


#: Whose account is of money: it pays by the minute, and a talk ends with it.
PAID_IN_MONEY = frozenset(
    {Payer.DEBIT, Payer.CARD, Payer.PREPAID, Payer.PAID_CALL, Payer.DIRECT_BILL, Payer.COLLECT}
)
#: Whose account counts calls.
PAID_IN_CALLS = frozenset({Payer.SUBSCRIPTION, Payer.COURTESY})
#: Who pays only where the inmate says so, in the order of the keys.
CHOSEN_BY_INMATE = (Payer.DEBIT, Payer.CARD)
#: Who may be named as the only payer of a number in an inmate's list.
ONLY_PAYERS = tuple(each for each in Payer if each not in (Payer.FREE, Payer.COURTESY))


class CallClass(StrEnum):
    """What sort of service a call is, where it is not an ordinary one."""

    TRS = "trs"  # telecommunications relay service (47 CFR 64.6040)


class NotPaying(StrEnum):
    """Why somebody does not pay for a call, beside what `NotCovered` says of a subscription."""

    HAS_A_PRICE = "has_a_price"
    NOT_OFFERED = "not_offered"  # by the facility
    ANOTHER_ALONE = "another_alone"  # the inmate's list names somebody else for this number
    NOT_CHOSEN = "not_chosen"  # by the inmate, for this call
    NO_ACCOUNT = "no_account"
    TOO_LITTLE = "too_little"  # for the first increment
    USED = "used"  # the number has had its courtesy call
    TOO_SMALL = "too_small"  # the longest talk costs less than card processors take
    NO_PROCESSOR = "no_processor"  # of cards is set up, and only a card could pay


class NotCovered(StrEnum):
    """Why a subscription that exists does not pay: the prompt `not_covered.<value>`, told before accepting."""

    OUT_OF_STATE = "out_of_state"
    USED_UP = "used_up"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """The subscription that ties this number to this facility; without an account its last period has ended."""

    subscription_id: str
    account_id: str | None
    calls_left: int
    renews_on: date | None


@dataclass(frozen=True, slots=True)
class Funds:
    """An account of money that may pay, and what it has for this call."""

    account_id: str
    available: Money


@dataclass(frozen=True, slots=True)
class CardOnFile:
    """The card that the holder of the number's prepaid account has on file: it may be charged for one call."""

    account_id: str


@dataclass(frozen=True, slots=True)
class CourtesyFacts:
    """The courtesy call of a number that has had none, and how long it may last."""

    account_id: str
    ms: int


@dataclass(frozen=True, slots=True)
class Limit:
    """The longest talk, and what sets it."""

    ms: int
    cutoff: Cutoff
    set_at: Level | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LastCall:
    """The last connected call of the inmate to the number, paid for, that ended within the time for continuing it."""

    id: str
    payer: Payer
    account_id: str | None
    renews_on: date | None
    was_ended: bool  # by a limit, an hour, a switch or staff
    rest: Limit | None  # of its longest talk; None: something else limited it


@dataclass(frozen=True, slots=True)
class CallRequest:
    """All that the rules may know of a call. Gathered before, changed by nobody."""

    at: datetime  # aware, in the facility's time zone
    inmate_state: InmateState
    has_recorded_name: bool
    dialled: Number | Unusable
    blocked_by: frozenset[BlockCause]
    on_allowed_list: bool
    privileged: bool
    free: bool  # to both, by number or by law
    schedules: Sequence[Schedule]  # of every level that sets one
    call_type: CallType | None
    price: Price | None  # without one there is no call, unless it is free
    starts: tuple[datetime, datetime]  # the talk begins between these two
    agency_rule: str | None  # the law by which the agency pays a part or all
    subscription: SubscriptionFacts | None
    funds: Mapping[Payer, Funds]  # the accounts of money that there are
    longest_call_ms: int
    facility_records: bool
    number_records: bool
    limits: Sequence[CallLimit] = ()  # of every level
    history: History = ()  # the calls that the limits count
    holidays: frozenset[date] = frozenset()
    office: bool = False  # a number with several lines
    hotline: bool = False
    intake: Intake | None = None  # of a call on a booking
    hotline_kind: HotlineKind | None = None  # of a hotline with a code
    block_overridden: bool = False  # for this inmate and number
    pan_mode: PanMode = PanMode.ENFORCED
    list_is_full: bool = False
    suspended_from: datetime | None = None  # of a suspended inmate; none: from ever
    suspended_to: datetime | None = None
    offered: frozenset[Payer] = frozenset({Payer.SUBSCRIPTION, Payer.PREPAID})  # who may pay here
    only_payer: Payer | None = None  # of this number in the inmate's list; none: anybody may pay
    chosen: Payer | None = None  # by the inmate, for this call
    courtesy: CourtesyFacts | None = None
    card: CardOnFile | None = None  # of the called party
    takes_cards: bool = False  # a card processor is set up
    sends_links: bool = False  # and SMS are sent
    link_is_due: bool = (
        False  # none was offered to the number within a day, none waits there, and it takes SMS
    )
    appointments: Sequence[Period] = ()  # of this inmate and number
    untimed: bool = False  # of a privileged number: neither a longest call nor quotas hold
    passive: bool = False  # two operators let an answer be the acceptance
    relay: bool = False
    relay_limit_factor: int = 1  # how many times as long a talk over a relay takes
    switched_off: Level | None = None  # the widest level whose telephones are switched off
    unrecorded_at: frozenset[Level] = frozenset()  # levels that say not to record, beside facility and list
    list_in_doubt: bool = False  # the facility's list of privileged numbers: any number may be one
    overlay_seconds: int | None = None  # how often a talk tells where it comes from; none: never
    number_overlay: bool = True  # whether calls to this number may have that
    last_call: LastCall | None = None
    continues: LastCall | None = None  # the last call, where this one goes on with it


@dataclass(frozen=True, slots=True)
class Payment:
    """Who pays, from which ledger account, and how much is reserved for the longest talk."""

    payer: Payer
    account_id: str | None = None
    hold: int = 0  # micro-units of money, or 1 call, as the account counts; 0 when free
    price: Price | None = None  # what is charged, to the payer or to the agency
    not_covered: NotCovered | None = None  # told to the called party before they accept
    renews_on: date | None = None
    by_card: bool = False  # on file, authorised when the call is accepted: the account is that of its holder


@dataclass(frozen=True, slots=True)
class InTalk:
    """How often both hear in a talk where it comes from (None: never), and whether the inmate's keys pass."""

    overlay_seconds: int | None = None
    keys_pass: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A way to pay for one call, which the called party may be rung to be offered; nobody is connected to them."""

    amount: Money  # the price of the longest talk, in whole cents
    limit: Limit  # of that talk


@dataclass(frozen=True, slots=True)
class Deny:
    """The call may not be made. `told` holds the variables of the prompt `ending.<reason>`."""

    reason: Denial
    told: Mapping[str, object] = field(default_factory=dict)
    is_unbillable: bool = False  # a collect call, and the number may owe no more (47 CFR 64.6050)
    link: Link | None = None  # where nobody pays yet, and the called party may be asked to
    set_at: Level | None = field(default=None, compare=False)  # where the rule was set, if a level sets it


@dataclass(frozen=True, slots=True)
class Allow:
    """The call may be made, so long, at this payer's cost; `not_recorded` is None if it may be recorded."""

    limit: Limit
    payment: Payment
    not_recorded: NotRecorded | None
    passive: bool = False  # the answer is the acceptance
    call_class: CallClass | None = None
    in_talk: InTalk = InTalk()


Decision = Allow | Deny
