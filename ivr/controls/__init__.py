"""The only bridge from dialogues to rules, money and the database: gather facts, decide, reserve; later settle."""

from accounts.tables import Renewal
from ivr.controls.called_back import BlockedBy, CalledBackControls, PastTalk, Privilege
from ivr.controls.called_party import Accepted, CalledPartyControls, Offer
from ivr.controls.calling_in import CallingInControls
from ivr.controls.card_on_file import Checked
from ivr.controls.choosing import Choices
from ivr.controls.granting import Grant, Refused
from ivr.controls.inmate import InmateControls
from ivr.controls.line import Rates
from ivr.controls.own import Left, OwnControls
from ivr.controls.own_account import AccountControls, Bought, Charged, OfferedPlan, Plan, Standing
from ivr.facility.asking import Asking
from ivr.policy.hotline import HotlineKind
from ivr.policy.identity import IdentifyBy, UnfitPin
from ivr.policy.keys import Wish
from ivr.policy.recording import RecordingFile
from ivr.policy.request import Payer
from ivr.policy.service import RequestKind
from ivr.policy.volume import Volume
from rating.quote import Quote

__all__ = [
    "Accepted",
    "AccountControls",
    "Asking",
    "BlockedBy",
    "Bought",
    "CalledBackControls",
    "CalledPartyControls",
    "CallingInControls",
    "Charged",
    "Checked",
    "Choices",
    "Grant",
    "HotlineKind",
    "IdentifyBy",
    "InmateControls",
    "Left",
    "Offer",
    "OfferedPlan",
    "OwnControls",
    "PastTalk",
    "Payer",
    "Plan",
    "Privilege",
    "Quote",
    "Rates",
    "RecordingFile",
    "Refused",
    "Renewal",
    "RequestKind",
    "Standing",
    "UnfitPin",
    "Volume",
    "Wish",
]
