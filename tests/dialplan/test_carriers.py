"""Two carriers: which one a call goes to, and that nobody who has answered is rung again."""

import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dialplan.asterisk import Asterisk
from dialplan.carrier import ENDPOINTS, Carrier, Tls, Transport
from dialplan.install import Installation
from dialplan.network import Behaviour, CalledPhone, NetworkAsterisk
from dialplan.phone import Answers, Line, Phone
from dialplan.ports import free_ports
from dialplan.render import FacilityAsterisk, Station
from ivr.ami import Switchboard
from tests.dialplan.conftest import NUMBER, PROMPTS
from tests.dialplan.fastagi import Controller, Session
from tests.dialplan.secure import SecureNetwork, make_authority, make_certificate
from tests.dialplan.sounds import seconds_of_tone, write_tone
from tests.dialplan.story import Story

ELSEWHERE = "16175550102"  # has a phone at the first carrier, and would be answered by the second
BUSY, RINGS = "16175550110", "16175550111"
CALLED_HERTZ = 850


@dataclass
class Lines:
    """A facility between two networks."""

    installation: Installation
    facility: Asterisk
    first: Asterisk
    second: Asterisk

    def phone(self, folder: Path, of: Asterisk, answers: Answers = Answers.AUTO) -> Phone:
        spec = of.spec
        assert isinstance(spec, NetworkAsterisk)
        [called] = spec.phones
        line = Line(user=called.number, secret=called.secret, port=spec.sip_port, registers=True)
        return Phone(self.installation, folder, line, answers=answers)

    def station(self, folder: Path) -> Phone:
        spec = self.facility.spec
        assert isinstance(spec, FacilityAsterisk)
        [station] = spec.stations
        return Phone(self.installation, folder, Line(station.id, station.secret, spec.sip_port))

    @property
    def agi_port(self) -> int:
        spec = self.facility.spec
        assert isinstance(spec, FacilityAsterisk)
        return spec.agi_port

    def rung(self) -> tuple[int, int]:
        """How many calls each network has had."""
        told = (each.command("core show channels").splitlines()[-1] for each in (self.first, self.second))
        first, second = (int(line.split()[0]) for line in told)
        return first, second


def _facility(
    folder: Path, ports: tuple[int, ...], carriers: tuple[Carrier, ...], tls: Tls | None = None
) -> FacilityAsterisk:
    sip, agi, ami = ports
    return FacilityAsterisk(
        folder=folder,
        prompts=PROMPTS,
        sip_port=sip,
        agi_port=agi,
        ami_port=ami,
        rtp_ports=(24000, 24999),
        stations=(Station("demo-a1", secrets.token_hex(16)),),
        carriers=carriers,
        tls=tls,
        token=secrets.token_hex(32),
        controller_secret=secrets.token_hex(32),
        switch_secret=secrets.token_hex(32),
        announcer_secret=secrets.token_hex(32),
        dialogue_seconds=5,
        acceptance_seconds=6,
    )


@contextmanager
def _running(installation: Installation, folder: Path) -> Iterator[Lines]:
    sip, agi, ami, first_sip, second_sip = free_ports(5)
    voicemail = write_tone(folder / "voicemail.wav", 700, 3)
    facility = _facility(
        folder / "facility",
        (sip, agi, ami),
        (Carrier("127.0.0.1", first_sip), Carrier("127.0.0.1", second_sip)),
    )
    first = NetworkAsterisk(
        folder=folder / "first",
        sip_port=first_sip,
        rtp_ports=(25000, 25499),
        facility_port=sip,
        phones=(CalledPhone(ELSEWHERE, secrets.token_hex(16)),),
        voicemail_wav=voicemail,
        special={NUMBER: Behaviour.CONGESTION, BUSY: Behaviour.BUSY, RINGS: Behaviour.NO_ANSWER},
    )
    second = NetworkAsterisk(
        folder=folder / "second",
        sip_port=second_sip,
        rtp_ports=(25500, 25999),
        facility_port=sip,
        phones=(CalledPhone(NUMBER, secrets.token_hex(16)),),
        voicemail_wav=voicemail,
        special=dict.fromkeys((ELSEWHERE, BUSY, RINGS), Behaviour.SILENCE),
    )
    with ExitStack() as all_of_them:  # the networks first: else the facility finds that they are not there
        networks = [all_of_them.enter_context(Asterisk(installation, each)) for each in (first, second)]
        yield Lines(installation, all_of_them.enter_context(Asterisk(installation, facility)), *networks)


@pytest.fixture(scope="module")
def lines(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    with _running(installation, tmp_path_factory.mktemp("lines")) as running:
        yield running


@pytest.fixture
def story() -> Story:
    story = Story()
    story.call_id = secrets.token_hex(16)
    return story


@pytest.fixture
def inmate(lines: Lines, story: Story, tmp_path: Path) -> Iterator[Phone]:
    with Controller(lines.agi_port, story.scripts) as running:
        with lines.station(tmp_path / "inmate") as phone:
            yield phone
        assert running.faults == []


def test_where_the_first_carrier_takes_no_call_the_second_carries_it_by_the_same_rules(
    lines: Lines, story: Story, inmate: Phone, tmp_path: Path
) -> None:
    story.limit_ms = "3000"
    before = lines.rung()
    with lines.phone(tmp_path / "called", lines.second) as called:
        called.say(write_tone(tmp_path / "called.wav", CALLED_HERTZ), repeat=True)
        inmate.dial("1000")
        called.wait_for("CALL_ESTABLISHED")
        time.sleep(1)  # not accepted: nobody hears anything
        called.press("1")
        called.wait_for("CALL_CLOSED", deadline_seconds=20)
    inmate.wait_for("CALL_CLOSED", deadline_seconds=20)
    assert story.finished.wait(5)
    assert story.status[:2] == [story.call_id, "ANSWER"]
    assert seconds_of_tone(inmate.heard[0].path, CALLED_HERTZ) == pytest.approx(3, abs=0.5)
    assert [now - then for now, then in zip(lines.rung(), before, strict=True)] == [1, 1]


@pytest.mark.parametrize("failure", ["", "dies_in"], ids=["declined", "the controller dies"])
def test_who_has_answered_is_not_rung_again_whatever_becomes_of_it(
    lines: Lines, story: Story, inmate: Phone, tmp_path: Path, failure: str
) -> None:
    story.destination = ELSEWHERE
    if failure:
        setattr(story, failure, "accept")
    before = lines.rung()
    with lines.phone(tmp_path / "called", lines.first) as called:
        inmate.dial("1000")
        called.wait_for("CALL_ESTABLISHED")
        if not failure:  # else the controller's death has ended it by now
            called.press("2")
        called.wait_for("CALL_CLOSED", deadline_seconds=20)
    inmate.wait_for("CALL_CLOSED", deadline_seconds=20)
    assert story.finished.wait(5)
    assert story.status[:2] == [story.call_id, "ANSWER"]
    assert lines.rung()[1] == before[1]


def test_a_line_that_is_busy_or_that_staff_hang_up_is_not_rung_by_another_carrier(
    lines: Lines, story: Story, inmate: Phone
) -> None:
    before = lines.rung()
    for number, status in ((BUSY, "BUSY"), (RINGS, "CHANUNAVAIL")):
        story.destination, story.call_id = number, secrets.token_hex(16)
        story.finished.clear()
        inmate.dial("1000")
        if number == RINGS:
            time.sleep(1)
            shown = lines.facility.command("core show channels concise").splitlines()
            [leg] = [each.split("!")[0] for each in shown if each.startswith("PJSIP/carrier-")]
            lines.facility.command(f"channel request hangup {leg}")
        inmate.wait_for("CALL_CLOSED")
        assert story.finished.wait(5)
        assert story.status[:2] == [story.call_id, status]
    assert lines.rung()[1] == before[1]


def test_a_carrier_that_does_not_answer_costs_eight_seconds(
    lines: Lines, inmate: Phone, tmp_path: Path
) -> None:
    with lines.phone(tmp_path / "called", lines.second) as called:
        os.kill(lines.first.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            inmate.dial("1000")
            called.wait_for("CALL_ESTABLISHED", deadline_seconds=20)
            assert time.monotonic() - began < 10
            inmate.hang_up()
            called.wait_for("CALL_CLOSED", deadline_seconds=20)
            assert answers_in_time(lines) == (False, True)
        finally:
            os.kill(lines.first.pid, signal.SIGCONT)
        assert answers_in_time(lines) == (True, True)


def answers_in_time(lines: Lines) -> tuple[bool | None, bool | None]:
    """What Asterisk knows of each carrier once it has asked both."""
    spec = lines.facility.spec
    assert isinstance(spec, FacilityAsterisk)
    board = Switchboard("127.0.0.1", spec.ami_port, switch_secret=spec.switch_secret, announcer_secret="")
    assert board.registered() == set(ENDPOINTS)  # the inmate's telephone only calls
    for endpoint in ENDPOINTS:
        lines.facility.command(f"pjsip qualify {endpoint}")
    time.sleep(3.5)
    first, second = (board.answers(endpoint) for endpoint in ENDPOINTS)
    return first, second


class Secure(Story):
    """Notes whether the called party's audio is encrypted."""

    def __init__(self) -> None:
        super().__init__()
        self.encrypted = ""

    async def accept(self, session: Session) -> None:
        self.encrypted = await session.value("${CHANNEL(rtp,secure,audio)}")
        await super().accept(session)


def test_over_tls_the_audio_is_encrypted_and_a_stranger_gets_no_call(
    installation: Installation, tmp_path: Path
) -> None:
    authority = make_authority(tmp_path / "ours")
    stranger = make_authority(tmp_path / "strangers")
    sip, agi, ami, network_sip, network_tls, tls = free_ports(6)
    certificate, key = make_certificate(authority.parent, "IP:127.0.0.1")
    carriers = (Carrier("127.0.0.1", network_tls, transport=Transport.TLS),)
    spec = _facility(tmp_path / "f", (sip, agi, ami), carriers, Tls(tls, authority, certificate, key))
    network = SecureNetwork(
        folder=tmp_path / "n",
        sip_port=network_sip,
        rtp_ports=(25000, 25499),
        facility_port=sip,
        phones=(CalledPhone(NUMBER, secrets.token_hex(16)),),
        voicemail_wav=write_tone(tmp_path / "voicemail.wav", 700, 3),
        tls_port=network_tls,
        certificate=certificate,
        key=key,
    )
    for trusted in (authority, stranger):
        story = Secure()
        secure = replace(
            spec, folder=tmp_path / trusted.parent.name[0], tls=Tls(tls, trusted, certificate, key)
        )
        with (
            Asterisk(installation, network) as carrier,
            Asterisk(installation, secure) as facility,
            Controller(agi, story.scripts),
        ):
            lines = Lines(installation, facility, carrier, carrier)
            with lines.station(tmp_path / "i") as inmate, lines.phone(tmp_path / "c", carrier) as called:
                called.say(write_tone(tmp_path / "called.wav", CALLED_HERTZ), repeat=True)
                inmate.dial("1000")
                if trusted == authority:
                    called.wait_for("CALL_ESTABLISHED")
                    called.press("1")
                    time.sleep(1.5)
                    called.hang_up()
                inmate.wait_for("CALL_CLOSED", deadline_seconds=20)
                assert story.finished.wait(5)
                if trusted == authority:
                    assert story.encrypted == "1"
                    assert seconds_of_tone(inmate.heard[0].path, CALLED_HERTZ) > 1
                else:
                    assert story.status[1] != "ANSWER"
                    assert lines.rung()[0] == 0
