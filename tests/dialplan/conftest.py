"""One facility's Asterisk, one played network, and phones for both, on ports that are free now."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dialplan.asterisk import Asterisk
from dialplan.carrier import Carrier
from dialplan.dtmf import Dtmf
from dialplan.install import Installation, provide
from dialplan.network import Behaviour, CalledPhone, NetworkAsterisk
from dialplan.phone import Answers, Line, Phone
from dialplan.ports import free_ports
from dialplan.render import FacilityAsterisk, Station
from tests.dialplan.sounds import write_tone

PROMPTS = Path(__file__).parents[2] / "prompts" / "audio"
NUMBER = "16175550101"
SPECIAL = {
    "16175550110": Behaviour.BUSY,
    "16175550111": Behaviour.NO_ANSWER,
    "16175550112": Behaviour.CONGESTION,
    "16175550113": Behaviour.UNALLOCATED,
    "16175550114": Behaviour.SILENCE,
    "16175550115": Behaviour.VOICEMAIL,
    "16175550116": Behaviour.EARLY_MEDIA,
}


@dataclass(frozen=True)
class Stack:
    installation: Installation
    facility: Asterisk
    network: Asterisk
    facility_spec: FacilityAsterisk
    network_spec: NetworkAsterisk

    def station(self, folder: Path, number: int = 0, dtmf: Dtmf = Dtmf.RFC4733) -> Phone:
        station = self.facility_spec.stations[number]
        line = Line(user=station.id, secret=station.secret, port=self.facility_spec.sip_port)
        return Phone(self.installation, folder, line, dtmf=dtmf)

    def called(self, folder: Path, answers: Answers = Answers.AUTO) -> Phone:
        phone = self.network_spec.phones[0]
        line = Line(user=phone.number, secret=phone.secret, port=self.network_spec.sip_port, registers=True)
        return Phone(self.installation, folder, line, answers=answers)


@pytest.fixture(scope="session")
def installation() -> Installation:
    return provide()


@pytest.fixture(scope="session")
def stack(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Shared by tests that leave both Asterisks as they found them."""
    with running(installation, tmp_path_factory.mktemp("stack")) as both:
        yield both


@pytest.fixture
def own_stack(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """For a test that stops, kills or freezes Asterisk."""
    with running(installation, tmp_path_factory.mktemp("own")) as both:
        yield both


@contextmanager
def running(installation: Installation, folder: Path, dtmf: Dtmf = Dtmf.RFC4733) -> Iterator[Stack]:
    """Both Asterisks; the network hands keys to the facility in this way."""
    sip, agi, ami, network_sip = free_ports(4)
    facility = FacilityAsterisk(
        folder=folder / "facility",
        prompts=PROMPTS,
        sip_port=sip,
        agi_port=agi,
        ami_port=ami,
        rtp_ports=(24000, 24999),
        stations=(
            Station("demo-a1", secrets.token_hex(16)),
            Station("demo-a2", secrets.token_hex(16)),
            Station("demo-a3", secrets.token_hex(16), Dtmf.INBAND),
        ),
        carriers=(Carrier("127.0.0.1", network_sip),),
        token=secrets.token_hex(32),
        controller_secret=secrets.token_hex(32),
        switch_secret=secrets.token_hex(32),
        announcer_secret=secrets.token_hex(32),
        dialogue_seconds=5,
        acceptance_seconds=6,
    )
    voicemail = folder / "voice"
    voicemail.mkdir()
    network = NetworkAsterisk(
        folder=folder / "network",
        sip_port=network_sip,
        rtp_ports=(25000, 25999),
        facility_port=sip,
        phones=(CalledPhone(NUMBER, secrets.token_hex(16)),),
        voicemail_wav=write_tone(voicemail / "voicemail.wav", 700, 3),
        special=SPECIAL,
        early_seconds=3,
        dtmf=dtmf,
    )
    with Asterisk(installation, facility) as one, Asterisk(installation, network) as other:
        yield Stack(installation, one, other, facility, network)
