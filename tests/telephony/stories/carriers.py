"""Two carriers, the second spoken with as Twilio's trunks are: TLS, encrypted audio, numbers with their plus."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from dialplan.asterisk import Asterisk
from dialplan.network import Behaviour, CalledPhone
from dialplan.phone import Answers, Line, Phone
from dialplan.ports import free_ports
from ivr.demonstration import ports
from ivr.demonstration.party import Party
from ivr.own_asterisk import PROMPTS
from ivr.policy.reasons import Outcome
from tests.dialplan.secure import SecureNetwork, make_authority, make_certificate
from tests.telephony.acting import accepts, does_not_call_again, is_asked, rings, said_to, talk
from tests.telephony.cast import Cast, Role
from tests.telephony.faults import Theatre
from tests.telephony.registry import fault
from tests.telephony.scene import INTRODUCTION, PREPAID, PROLOGUE
from tests.telephony.stack import ear, installation

NO_ROOM = Cast(prepaid="5.00", behaviour=Behaviour.CONGESTION)
SECRET = "f" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk(SecureNetwork):
    """A network of which every number has its plus sign."""

    def render(self) -> dict[str, str]:
        files = SecureNetwork.render(self)
        plan = files["extensions.conf"]
        numbers = plan.index("[calls]\n") + len("[calls]\n")
        with_plus = "exten => _+X!,1,Goto(${EXTEN:1},1)\n"
        return {**files, "extensions.conf": plan[:numbers] + with_plus + plan[numbers:]}


@fault
def the_second_carrier_takes_what_the_first_has_no_room_for(theatre: Theatre) -> None:
    own = ports.free_ports()
    trunk_sip, trunk_tls, tls = free_ports(3)
    authority = make_authority(theatre.folder / "authority")
    certificate, key = make_certificate(authority.parent, "IP:127.0.0.1")
    number = Role(NO_ROOM, 1).number
    trunk = Trunk(
        folder=theatre.folder / "trunk",
        sip_port=trunk_sip,
        rtp_ports=(27_000, 27_999),  # above every stack's
        facility_port=own["sip_port"],
        phones=(CalledPhone(number, SECRET),),
        voicemail_wav=PROMPTS / "en" / "inbound_notice.wav",
        tls_port=trunk_tls,
        certificate=certificate,
        key=key,
    )
    settings = {
        **own,
        "second_carrier_host": "127.0.0.1",
        "second_carrier_port": trunk_tls,
        "second_carrier_transport": "tls",
        "second_carrier_profile": "twilio",
        "tls_port": tls,
        "tls_authorities": str(authority),
        "tls_certificate": str(certificate),
        "tls_key": str(key),
    }
    with (
        Asterisk(installation(), trunk),
        theatre.scenes_of(NO_ROOM, settings=settings) as [scene],
        _at_the_trunk(theatre.folder, number, trunk_sip) as called,
        scene.inmate() as inmate,
    ):
        family = Party("trunk family", called, ear(), scene.tell)
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)
        assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.completed", "another_call"]
        assert said_to(family)[: len(INTRODUCTION)] == INTRODUCTION
        [cdr] = scene.calls()
        assert (cdr.reason, cdr.charge, cdr.carrier) == (Outcome.COMPLETED, 60_000, f"127.0.0.1:{trunk_tls}")
        row, _ = scene.finished_recording()
        assert row.talk_ms == pytest.approx(cdr.talk_ms, abs=300)


def _at_the_trunk(folder: Path, number: str, sip_port: int) -> Phone:
    line = Line(number, SECRET, sip_port, registers=True)
    return Phone(installation(), folder / "called", line, answers=Answers.AUTO)
