"""A whole stack on loopback: a played telephone network, the facility's Asterisk, the controller, and telephones."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from accounts import schema
from dialplan.asterisk import Asterisk
from dialplan.install import Installation
from dialplan.network import Behaviour, CalledPhone, NetworkAsterisk, Way
from dialplan.phone import Answers, Line, Phone
from ivr.config import PROJECT, Settings
from ivr.demonstration.ear import Ear
from ivr.demonstration.party import Party, Tell
from ivr.instance import keyring_of, stations_of
from ivr.keyring import Keyring
from ivr.load_file import load_facility_file
from ivr.own_asterisk import PROMPTS, facility_asterisk
from ivr.staff.files import BY_FILE
from ivr.supervise import Supervisor
from prompts.catalogue import Catalogue

NETWORK_RTP_PORTS = 1_000


class StageError(Exception):
    """The stack can't be set up; the message is one sentence with the cure."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The telephone network's numbers (digits of E.164, no +): those with a telephone, and those that only behave."""

    phones: tuple[str, ...]
    special: Mapping[str, Behaviour]
    ways: Mapping[str, Way] = field(default_factory=dict)  # to telephones; to others directly


def prepare(settings: Settings, facility_files: list[Path]) -> list[str]:
    """Migrate the database and load the facilities; a line for each change."""
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    schema.upgrade(settings.url)
    return [line for path in facility_files for line in load_facility_file(settings, path, note=BY_FILE)]


def require_free_ports(settings: Settings) -> None:
    """Raises StageError naming the first port that another program has."""
    for name, kind in (
        ("sip_port", socket.SOCK_DGRAM),
        ("carrier_port", socket.SOCK_DGRAM),
        ("agi_port", socket.SOCK_STREAM),
        ("ami_port", socket.SOCK_STREAM),
        ("web_port", socket.SOCK_STREAM),
    ):
        port = getattr(settings, name)
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, port))
            except OSError:
                raise StageError(
                    f"port {port} is taken by another program: end it, or set IVR_{name.upper()} to a free port"
                ) from None


@dataclass(slots=True)
class Stage:
    """The running stack."""

    settings: Settings
    telephones: Installation
    keyring: Keyring
    supervisor: Supervisor
    network: Asterisk
    ear: Ear

    @contextmanager
    def station(self, station_id: str, name: str, tell: Tell | None = None) -> Iterator[Party]:
        """Somebody at one of the facility's telephones."""
        line = Line(station_id, self.keyring.sip(station_id), self.settings.sip_port)
        with Phone(self.telephones, self._folder(name), line) as phone:
            yield Party(name, phone, self.ear, tell)

    @contextmanager
    def called(
        self, number: str, name: str, tell: Tell | None = None, answers: Answers = Answers.AUTO
    ) -> Iterator[Party]:
        """Somebody whom the telephone network can reach under a number."""
        line = Line(number, self.keyring.sip(number), self.settings.carrier_port, registers=True)
        with Phone(self.telephones, self._folder(name), line, answers=answers) as phone:
            yield Party(name, phone, self.ear, tell)

    @contextmanager
    def listener(self, phone: str, name: str, tell: Tell | None = None) -> Iterator[Party]:
        """Somebody of the staff at a telephone that listens."""
        line = Line(phone, self.keyring.sip(phone), self.settings.sip_port, registers=True)
        with Phone(self.telephones, self._folder(name), line, answers=Answers.AUTO) as found:
            yield Party(name, found, self.ear, tell)

    def _folder(self, name: str) -> Path:
        folder = self.settings.state_dir.absolute() / "phones" / name.lower().replace(" ", "-")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder


@contextmanager
def stage(
    settings: Settings,
    installation: Installation,
    numbers: Numbers,
    *,
    ear: Ear | None = None,
    telephones: Installation | None = None,
    controller: Settings | None = None,
) -> Iterator[Stage]:
    """Run the stack while the block runs; everything it started has ended afterwards.

    `telephones` has them where the installation of Asterisk has none that fit. `ear` spares a second stack the
    learning of the prompts; `controller` gives the controller settings that differ from Asterisk's.
    """
    keyring = keyring_of(settings)
    facility = Asterisk(installation, facility_asterisk(settings, keyring, stations_of(settings)))
    network = Asterisk(installation, _network(settings, keyring, numbers))
    ear = ear or Ear(PROMPTS, Catalogue.load())
    with ExitStack() as running:
        running.enter_context(network)
        supervisor = running.enter_context(Supervisor(controller or settings, facility))
        yield Stage(settings, telephones or installation, keyring, supervisor, network, ear)


def _network(settings: Settings, keyring: Keyring, numbers: Numbers) -> NetworkAsterisk:
    first = settings.rtp_last_port + 1
    return NetworkAsterisk(
        folder=settings.state_dir.absolute() / "network",
        sip_port=settings.carrier_port,
        rtp_ports=(first, first + NETWORK_RTP_PORTS - 1),
        facility_port=settings.sip_port,
        phones=tuple(
            CalledPhone(number, keyring.sip(number), numbers.ways.get(number, Way.DIRECT))
            for number in numbers.phones
        ),
        special=numbers.special,
        voicemail_wav=PROJECT / "prompts" / "audio" / "en" / "inbound_notice.wav",
    )
