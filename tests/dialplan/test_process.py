"""Asterisk as a process: started, watched over AMI, stopped in order, killed."""

import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest

from dialplan import asterisk, pulse
from dialplan.asterisk import Asterisk, AsteriskError
from tests.dialplan.conftest import Stack
from tests.dialplan.fastagi import Controller
from tests.dialplan.story import CALL_ID, Story


class Ami:
    """An AMI login of the controller's rights that keeps everything it is told."""

    def __init__(self, port: int, user: str, secret: str) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.told = ""
        self.send(Action="Login", Username=user, Secret=secret)
        self.read_until("Authentication accepted")

    def send(self, **headers: str) -> None:
        text = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.connection.sendall(f"{text}\r\n".encode())

    def read_until(self, text: str) -> str:
        while not re.search(text, self.told):
            received = self.connection.recv(65536)
            assert received, "AMI closed the connection"
            self.told += received.decode()
        return self.told


def test_ami_tells_a_talk_and_no_keys(stack: Stack, tmp_path: Path) -> None:
    story = Story()
    spec = stack.facility_spec
    ami = Ami(spec.ami_port, "controller", spec.controller_secret)
    with (
        Controller(spec.agi_port, story.scripts),
        stack.station(tmp_path / "inmate") as inmate,
        stack.called(tmp_path / "called") as called,
    ):
        inmate.dial("1000")
        called.wait_for("CALL_ESTABLISHED")
        called.press("1")
        ami.read_until("UserEvent: TalkFrom")
        legs = stack.facility.command("core show channels concise").splitlines()
        time.sleep(1)
        called.hang_up()
        assert story.finished.wait(5)
    told = ami.read_until("UserEvent: TalkTo(.*\r\n)+?\r\n")
    ami.connection.close()

    events = dict(re.findall(r"UserEvent: (\w+)\r\n((?:.+\r\n)+)", told))
    talk_from = re.search(r"At: (\S+)", events["TalkFrom"])
    talk_to = re.search(r"From: (\S+)\r\nAt: (\S+)\r\nCause: 16\r\nQuality: (.+)", events["TalkTo"])
    assert talk_from is not None
    assert talk_to is not None
    assert talk_to[1] == talk_from[1]
    assert float(talk_to[2]) > float(talk_to[1]) + 1
    assert re.search(r"Leg: inmate\r\nQuality: .*rxjitter=.*rtt=", events["LegQuality"])
    assert re.search(r"rxjitter=.*rxcount=\d+.*lp=", talk_to[3] + "lp=")
    assert [CALL_ID in leg.split("!") for leg in legs if leg.startswith("PJSIP/")] == [True, True]
    acted_on = {"FullyBooted", "UserEvent", "HangupRequest", "SoftHangupRequest", "Hangup"}
    assert set(re.findall(r"^Event: (\w+)\r$", told, re.MULTILINE)) <= acted_on


def test_secrets_are_in_no_log(stack: Stack) -> None:
    spec = stack.facility_spec
    stack.facility.command("dialplan reload")
    logged = stack.facility.log.read_text() + stack.facility.output.read_text()
    secrets = [spec.token, spec.controller_secret, spec.switch_secret, *(s.secret for s in spec.stations)]
    assert [secret for secret in secrets if secret in logged] == []
    errors = [line for line in logged.splitlines() if "ERROR" in line]
    assert [line for line in errors if "PERIODIC_HOOK write blocked" not in line] == []  # tried on purpose


def test_the_switch_may_write_notes_and_hears_nothing(stack: Stack) -> None:
    spec = stack.facility_spec
    ami = Ami(spec.ami_port, "switch", spec.switch_secret)
    ami.send(Action="DBPut", Family="switch", Key="closed", Val="yes")
    ami.read_until("Updated database successfully")
    ami.send(Action="Originate", Channel="PJSIP/1@carrier", Application="Hangup")
    ami.read_until("Permission denied")
    ami.connection.close()
    assert "Event: " not in ami.told.replace("Event: FullyBooted", "")
    assert stack.facility.command("database get switch closed").strip() == "Value: yes"


def test_a_taken_port_is_named_with_the_cure(stack: Stack) -> None:
    second = Asterisk(stack.installation, stack.facility_spec)
    with pytest.raises(AsteriskError, match=rf"port {stack.facility_spec.sip_port} .* is taken"):
        second.start()
    assert stack.facility.is_running


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_notes_of_a_talk_outlive_asterisk(own_stack: Stack, tmp_path: Path, end: str) -> None:
    story = Story()
    facility = own_stack.facility
    with (
        Controller(own_stack.facility_spec.agi_port, story.scripts),
        own_stack.station(tmp_path / "inmate") as inmate,
        own_stack.called(tmp_path / "called") as called,
    ):
        inmate.dial("1000")
        called.wait_for("CALL_ESTABLISHED")
        called.press("1")
        time.sleep(2)
        if end == "stop":
            facility.stop()
        else:
            facility.kill()
        assert not facility.is_running
        facility.start()
    noted = facility.command(f"database get talk {CALL_ID}").strip()
    stamps = r"\d+\.\d{6}"
    assert re.fullmatch(rf"Value: {stamps} {stamps} \d+" if end == "stop" else rf"Value: {stamps}", noted), (
        noted
    )


def test_a_frozen_asterisk_runs_but_does_not_answer(
    own_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asterisk, "FROZEN_SECONDS", 0.5)
    monkeypatch.setattr(pulse, "PAUSE_SECONDS", 0.1)
    assert trouble(own_stack.facility, within=1.0) is None
    logged = own_stack.facility.log.read_text()
    os.kill(own_stack.facility.pid, signal.SIGSTOP)
    try:
        assert trouble(own_stack.facility, within=5.0) == "gave no sign of life for 1 s"
        with pytest.raises(AsteriskError):
            own_stack.facility.command("core show channels", deadline_seconds=0.5)
        assert own_stack.facility.is_running
    finally:
        os.kill(own_stack.facility.pid, signal.SIGCONT)
    assert "0 active channels" in own_stack.facility.command("core show channels")
    assert trouble(own_stack.facility, within=1.0) is None  # once it goes on, all is well
    assert own_stack.facility.log.read_text() == logged  # being asked is nothing to log
    own_stack.facility.kill()
    assert own_stack.facility.trouble() == "ended by itself"


def trouble(of: Asterisk, within: float) -> str | None:
    """What becomes wrong with it, asked as a supervisor asks."""
    deadline = time.monotonic() + within
    while (found := of.trouble()) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_a_configuration_that_asterisk_refuses_is_told_with_the_place_to_look(own_stack: Stack) -> None:
    own_stack.facility.stop()
    (own_stack.facility_spec.folder / "lib" / "astdb.sqlite3").write_text("this is no database")
    with pytest.raises(AsteriskError, match="did not start"):
        own_stack.facility.start()
    assert not own_stack.facility.is_running
