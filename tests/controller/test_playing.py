"""Who hears a recording has a reason that is on record first; what was changed does not open, and somebody is told."""

import hashlib
import io
import json
import re
import stat
import wave
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from ivr.archive.cipher import RecordingKey
from ivr.config import load_settings
from ivr.facility import operators
from ivr.facility.audit import Deed, audit
from ivr.instance import keyring_of, places_of
from ivr.login import own_login
from ivr.policy.roles import Role
from ivr.records import alerts
from ivr.records.recordings import KeptFile
from tests.controller.conftest import Ivr
from tests.controller.kept import finisher_of, recorded, row_of
from tests.controller.test_cli import is_one_line
from tests.database import only_postgresql
from tests.fakes.loop import in_loop
from tests.transcripts.play import World


@in_loop
async def keep_one(world: World, ids: list[str]) -> None:
    """A call's recording as this instance keeps it."""
    settings = load_settings()
    places = places_of(settings)
    ids.append(await recorded(world, 8_000, places.spool))
    key = RecordingKey(keyring_of(settings).recording_key)
    await finisher_of(world, places, key).finish_all()


@pytest.fixture
def kept(world: World, ivr: Ivr, on_database: str) -> KeptFile:
    """One recording of a second, kept by this instance."""
    ids: list[str] = []
    keep_one(world, ids)
    return KeptFile.of(places_of(load_settings()), row_of(world, ids[0]))


def opened(world: World) -> list[tuple[str, str, str]]:
    """What is on record of recordings: what was done, with which, and why."""
    log = select(audit.c.verb, audit.c.about, audit.c.note).order_by(audit.c.id)
    return [tuple(row) for row in world.database.read_now(lambda conn: conn.execute(log).all())]


def test_a_recording_is_written_as_wav_for_its_owner_and_the_reason_is_on_record(
    world: World, kept: KeptFile, ivr: Ivr, tmp_path: Path
) -> None:
    file = tmp_path / "call.wav"
    assert ivr("recording", "play", kept.recording_id, "--into", str(file)).status == 2  # no reason
    assert opened(world) == []
    said = ivr("recording", "play", kept.recording_id.upper(), "--note", "case 12", "--into", str(file))
    assert (said.status, said.err) == (0, "")
    with wave.open(io.BytesIO(file.read_bytes())) as sound:
        assert sound.getnframes() == 8_000
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    about = f"recording {kept.recording_id}"
    assert opened(world) == [("recording play", about, "case 12")]
    again = ivr("recording", "play", kept.recording_id, "--note", "case 12", "--into", str(file))
    assert (again.status, again.err) == (1, f"ivr: {file}: File exists; nothing was done\n")
    assert len(opened(world)) == 1


def test_who_is_no_investigator_hears_no_recording(
    world: World, kept: KeptFile, ivr: Ivr, tmp_path: Path
) -> None:
    world.database.transact_now(operators.add, "bob", Role.OPERATOR, login=own_login(), at=world.at)
    for verb in ("play", "export"):
        file = tmp_path / verb
        said = ivr("recording", verb, kept.recording_id, "--note", "case 12", "--into", str(file))
        assert said.status == 1
        assert (
            f"bob is an operator: `ivr recording {verb}` needs an investigator or administrator" in said.err
        )
        assert not file.exists()
    logged = world.database.read_now(lambda conn: list(conn.scalars(select(audit.c.deed))))
    assert logged == [Deed.REFUSED, Deed.REFUSED]


def test_one_that_was_changed_does_not_open_and_an_alert_stays(
    world: World, kept: KeptFile, ivr: Ivr, tmp_path: Path
) -> None:
    content = bytearray(kept.path.read_bytes())
    content[len(content) // 2] ^= 1
    kept.path.write_bytes(content)
    file = tmp_path / "call.wav"
    for _ in range(2):
        said = ivr("recording", "play", kept.recording_id, "--note", "case 12", "--into", str(file))
        assert said.status == 1
        assert (
            said.err
            == f"ivr: recording {kept.recording_id}: the file was changed, or is another recording's\n"
        )
        assert not file.exists()
    [alert] = world.database.read_now(alerts.open_alerts)
    assert (alert.kind, alert.text) == ("recording damaged", said.err.removeprefix("ivr: ").strip())


def test_with_another_key_in_the_secrets_nothing_opens_and_it_says_which(
    kept: KeptFile, ivr: Ivr, tmp_path: Path
) -> None:
    secret = load_settings().state_dir / "secrets" / "recording_key"
    secret.unlink()  # so that a new one is made
    said = ivr("recording", "play", kept.recording_id, "--note", "case 12", "--into", str(tmp_path / "wav"))
    assert said.status == 1
    assert f"its key is wrapped by {kept.key_id}, and secrets/recording_key is " in said.err


def test_a_lock_keeps_a_recording_and_takes_a_reason(world: World, kept: KeptFile, ivr: Ivr) -> None:
    short = kept.recording_id[:31]
    assert "legal hold is on it" in ivr("recording", "lock", short, "--note", "case 12").out
    assert row_of(world, kept.recording_id).legal_hold_at is not None
    assert "no legal hold" in ivr("recording", "unlock", short, "--note", "case closed").out
    assert [change for change, _, _ in opened(world)] == ["recording lock", "recording unlock"]
    assert ivr("recording", "lock", "ffff", "--note", "case 12").err == "ivr: no recording begins with ffff\n"


def test_an_export_is_proved_by_its_signed_manifest_whatever_is_changed(
    world: World, kept: KeptFile, ivr: Ivr, tmp_path: Path
) -> None:
    file, other = tmp_path / "one.zip", tmp_path / "other.zip"
    assert (
        ivr("recording", "verify", str(file), "--key", "00" * 32).err
        == f"ivr: {file}: No such file or directory\n"
    )
    assert "there is no instance here that has one" in ivr("recording", "verify", str(file)).err
    world.database.transact_now(operators.add, "vera", Role.INVESTIGATOR, login=own_login(), at=world.at)
    said = ivr("recording", "export", kept.recording_id[:8], "--note", "court order 7", "--into", str(file))
    assert (said.status, stat.S_IMODE(file.stat().st_mode)) == (0, 0o600)
    assert opened(world) == [("recording export", f"recording {kept.recording_id}", "court order 7")]
    whole = ivr("recording", "verify", str(file))
    assert whole.status == 0
    assert whole.out.splitlines()[0].startswith(
        f"whole and unchanged: recording {kept.recording_id} of call "
    )
    assert whole.out.splitlines()[-1] == f"SHA-256 of the audio: {kept.sha256}"
    assert re.search(r"exported by vera at .*: court order 7", whole.out)
    public = ivr("recording", "key").out.strip()
    assert ivr("recording", "verify", str(file), "--key", public).status == 0

    with zipfile.ZipFile(file) as packed:
        content = {name: packed.read(name) for name in packed.namelist()}
    assert json.loads(content["call.json"])["sha256"] == kept.sha256
    assert hashlib.sha256(content["audio.flac"]).hexdigest() == kept.sha256
    for name, each in content.items():
        change = each.replace(b"1", b"2", 1) if name != "audio.flac" else each[:-1]
        assert change != each
        pack(other, {**content, name: change})
        assert ivr("recording", "verify", str(other)).status == 1, name
    for wrong in ({**content, "more.txt": b""}, {"audio.flac": b""}):
        pack(other, wrong)
        assert "expected audio.flac, call.json" in ivr("recording", "verify", str(other)).err
    other.write_bytes(file.read_bytes()[:-40])
    assert "no whole ZIP file" in ivr("recording", "verify", str(other)).err
    foreign = ivr("recording", "verify", str(file), "--key", "ab" * 32)
    assert foreign.err == f"ivr: {file}: its manifest is not signed with the key {'ab' * 32}\n"


def pack(path: Path, content: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as out:
        for name, each in content.items():
            out.writestr(name, each)


@only_postgresql
def test_a_recording_of_another_node_is_played_there(
    world: World, kept: KeptFile, ivr: Ivr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVR_NODE", "second")
    monkeypatch.setenv("IVR_STATE_DIR", str(tmp_path / "second"))
    said = ivr("recording", "play", kept.recording_id, "--note", "case 12", "--into", str(tmp_path / "a.wav"))
    assert is_one_line(said, f"recording {kept.recording_id} is kept on node main: give the command there")
    assert opened(world) == []
    assert world.database.read_now(alerts.open_alerts) == []
