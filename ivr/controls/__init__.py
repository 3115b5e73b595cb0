"""The only bridge from dialogues to rules, money and the database: gather facts, decide, reserve; later settle."""

from ivr.controls.called_back import BlockedBy, CalledBackControls, PastTalk, Standing
from ivr.controls.called_party import Accepted, CalledPartyControls, Offer
from ivr.controls.calling_in import CallingInControls
from ivr.controls.card_on_file import Checked
from ivr.controls.choosing import Choices
from ivr.controls.granting import Grant, Refused
from ivr.controls.inmate import InmateControls
from ivr.controls.line import Rates
from ivr.facility.asking import Asking
from ivr.policy.hotline import HotlineKind
from ivr.policy.identity import IdentifyBy, UnfitPin
from ivr.policy.recording import RecordingFile
from ivr.policy.request import Payer
from ivr.policy.service import RequestKind
from rating.quote import Quote

__all__ = [
    "Accepted",
    "Asking",
    "BlockedBy",
    "CalledBackControls",
    "CalledPartyControls",
    "CallingInControls",
    "Checked",
    "Choices",
    "Grant",
    "HotlineKind",
    "IdentifyBy",
    "InmateControls",
    "Offer",
    "PastTalk",
    "Payer",
    "Quote",
    "Rates",
    "RecordingFile",
    "Refused",
    "RequestKind",
    "Standing",
    "UnfitPin",
]
