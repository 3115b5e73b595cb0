"""What Asterisk's own console shows of calls: a story, at no verbosity a PIN, and nothing of who reports abuse."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ivr.facility.switches import open_switches
from ivr.policy.reasons import Outcome
from tests.telephony.acting import accepts, does_not_call_again, is_asked, rings, said_to, talk
from tests.telephony.cast import JAIL
from tests.telephony.registry import story
from tests.telephony.scene import Scene


@contextmanager
def console(scene: Scene, verbosity: int = 9) -> Iterator[Path]:
    """A console that shows everything of this verbosity, as a file."""
    asterisk = scene.stage.supervisor.asterisk
    name = f"console-{scene.role.station}-{verbosity}"
    asterisk.command(f"logger add channel {name} notice,warning,error,verbose({verbosity})")
    try:
        yield asterisk.log.with_name(name)
    finally:
        asterisk.command(f"logger remove channel {name}")


@contextmanager
def operators_console(scene: Scene, verbosity: int) -> Iterator[Path]:
    """What `asterisk -r` prints at this verbosity, as a file: it has its own, beside those of the log's files."""
    asterisk = scene.stage.supervisor.asterisk
    folder = asterisk.spec.folder
    output = folder / "log" / f"operators-{scene.role.station}-{verbosity}"
    argv = asterisk._sandbox.command(
        asterisk._asterisk, "-C", str(folder / "etc" / "asterisk.conf"), "-r", writable=(folder,)
    )
    with (
        output.open("wb") as out,
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT) as opened,
    ):
        assert opened.stdin is not None
        try:
            opened.stdin.write(f"core set verbose {verbosity}\n".encode())
            opened.stdin.flush()
            scene.wait(lambda _: output.read_text("utf-8", "replace"), lambda text: "onsole verbose" in text)
            yield output
        finally:
            opened.kill()


def channel_of(scene: Scene) -> str:
    """The name of the inmate's channel."""
    listed = scene.stage.supervisor.asterisk.command("core show channels concise").splitlines()
    return next(line.split("!")[0] for line in listed if line.startswith(f"PJSIP/{scene.role.station}-"))


def _text(shown: Path) -> str:
    return shown.read_text("utf-8", "replace")


def lines_of(shown: Path, call_id: str) -> list[str]:
    """What it tells of a call, without time and place."""
    of_call = re.compile(rf"ivr {call_id} (.*)")
    told = [line for line in _text(shown).splitlines() if "Executing" not in line]  # each step, from 3 on
    return [found[1].strip() for line in told if (found := of_call.search(line))]


@story(prepaid="5.00")
def a_console_tells_a_call_in_a_line_for_each_step_and_never_a_pin(scene: Scene) -> None:
    with console(scene) as shown:
        with scene.both() as (inmate, family):
            rings(scene, inmate)
            is_asked(family)
            accepts(family)
            talk(scene, inmate, family)
            channels = scene.stage.supervisor.asterisk.command("core show channels concise").splitlines()
            own = next(
                line.split("!")[0] for line in channels if line.startswith(f"PJSIP/{scene.role.station}-")
            )
            channel = scene.stage.supervisor.asterisk.command(f"core show channel {own}")
            family.hangs_up()
            does_not_call_again(inmate)
        [cdr] = scene.calls()
        ended = f"ended completed talk {-(-cdr.talk_ms // 1000)} s charge {cdr.charge / 1_000_000:.2f}"
        scene.wait(lambda _: lines_of(shown, cdr.id), lambda lines: ended in lines)
        told = lines_of(shown, cdr.id)
    role = scene.role
    assert told == [
        f"identified {role.inmate_id} {role.station} {JAIL}",
        f"allowed prepaid {cdr.limit_ms} ms {cdr.limit_set_by}",
        f"ringing +{role.number}",
        "accepted key_1",
        "recording on",
        ended,
    ]
    for name, value in (
        ("CALL_ID", cdr.id),
        ("INMATE", role.inmate_id),
        ("NUMBER", f"+{role.number}"),
        ("FACILITY", JAIL),
    ):
        assert f"{name}={value}\n" in channel
    assert re.search(rf"accountcode={cdr.id}|Account Code: {cdr.id}", channel, re.IGNORECASE)
    assert f"userfield={JAIL} {role.inmate_id}" in channel
    everything = shown.read_text("utf-8")
    assert "Executing" in everything  # it shows each step of the dialplan, what Read was keyed too
    assert role.keys.rstrip("#") not in everything
    assert role.pin not in re.sub(r"\b[0-9a-f]{32}\b|\d+\.\d+|\bssrc=[^\"]*", "", everything).replace(
        role.number, ""
    )


@story(prepaid="5.00")
def a_station_that_is_closed_at_the_console_is_off_and_open_again_by_a_verb_alone(scene: Scene) -> None:
    asterisk, scope = scene.stage.supervisor.asterisk, f"station/{scene.role.station}"
    asterisk.command(f"ivr lockdown station {scene.role.station} fight")
    assert f"/switch/{scope}" in asterisk.command("ivr switches")
    with scene.inmate() as inmate:
        inmate.dials("1")
        inmate.is_hung_up_on()
        assert said_to(inmate)[0] == "ending.switched_off"
    off = scene.wait(open_switches, lambda rows: scope in {row.scope for row in rows})
    assert [row.author for row in off if row.scope == scope] == ["console"]
    asterisk.command(f"database del switch {scope}")
    scene.staff("unlock", "station", scene.role.station, "--note", "The fight is over")
    scene.wait(lambda _: asterisk.command("ivr switches"), lambda shown: scope not in shown)


@story(hotline_kind="prea")
def a_console_tells_neither_who_reports_abuse_nor_to_whom(scene: Scene) -> None:
    asterisk = scene.stage.supervisor.asterisk
    with operators_console(scene, 2) as shown, operators_console(scene, 3) as traced:
        with scene.both() as (inmate, family):
            inmate.dials("1")
            inmate.begins_to_hear("choose_language")
            inmate.presses("1")
            inmate.begins_to_hear("enter_id_and_pin")
            inmate.presses(f"{scene.role.code}#")
            inmate.hears("please_hold")
            family.is_called()
            family.begins_to_hear("hotline_key.1")
            accepts(family)
            talk(scene, inmate, family)
            own = channel_of(scene)
            variables = asterisk.command(f"core show channel {own}").partition("Variables:")[2]
            family.hangs_up()
            inmate.is_hung_up_on()
        [cdr] = scene.calls()
        scene.wait(lambda _: lines_of(shown, cdr.id), lambda lines: lines[-1:] != [] and "ended" in lines[-1])
        told = "\n".join(lines_of(shown, cdr.id))
    assert (cdr.reason, cdr.inmate, cdr.station_id) == (Outcome.COMPLETED, None, "-")
    assert "accepted key_1" in told
    assert "recording off_anonymous" in told
    for canary in (scene.role.number, scene.role.station, scene.role.inmate_id):
        assert canary not in told
    everything, trace = _text(shown), _text(traced)
    assert not re.search(rf"Executing|{scene.role.number}", everything)
    assert re.search(
        rf"Executing .*Dial.*{scene.role.number}", trace
    )  # so nobody raises it where such calls are
    for name in ("INMATE", "NUMBER", "STATION"):
        assert f"\n{name}=\n" in variables
    assert "userfield=" not in variables
