"""Secrets are made once, whole, and for their owner; a file that others can read is not trusted."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ivr.keyring import Keyring, KeyringError

READ_ALL = (
    "import sys; from pathlib import Path; from ivr.keyring import Keyring; k = Keyring(Path(sys.argv[1])); "
)
READ_ALL += "sys.stdin.read(1); print(k.agi_token, k.ami('controller'), k.sip('demo-a1'), k.pin_key.id)"


def test_secrets_are_long_random_different_and_stay(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "secrets")
    made = [keyring.agi_token, keyring.ami("controller"), keyring.ami("switch"), keyring.sip("demo-a1")]
    assert all(re.fullmatch("[0-9a-f]{32}", secret) for secret in made)
    assert len(set(made)) == 4
    again = Keyring(tmp_path / "secrets")
    assert again.agi_token == made[0]
    assert again.pin_key == keyring.pin_key
    assert len(keyring.pin_key.secret) == 32


def test_only_their_owner_can_read_them(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "secrets")
    assert keyring.agi_token
    assert keyring.pin_key
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    files = list((tmp_path / "secrets").iterdir())
    assert sorted(each.name for each in files) == ["agi_token", "pin_key"]
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660])
def test_a_file_that_others_can_read_is_refused_with_the_cure(tmp_path: Path, mode: int) -> None:
    secret = Keyring(tmp_path).agi_token
    (tmp_path / "agi_token").chmod(mode)
    with pytest.raises(
        KeyringError, match=rf"agi_token can be read by others \(mode {mode:04o}\): chmod 600"
    ) as refusal:
        assert Keyring(tmp_path).agi_token
    assert secret not in str(refusal.value)


@pytest.mark.parametrize("content", ["", "secret", "0" * 31, "0" * 33, "password" * 4, "ä" * 32, "\x00" * 32])
def test_a_file_that_holds_no_secret_of_ours_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "agi_token"
    path.touch(mode=0o600)
    path.write_text(content, "utf-8")
    with pytest.raises(KeyringError, match="holds no secret of this program") as refusal:
        assert Keyring(tmp_path).agi_token
    assert not content or content not in str(refusal.value).removeprefix(str(path)).replace(
        "no secret of", ""
    )


def test_the_key_of_the_pins_is_never_a_short_one(tmp_path: Path) -> None:
    path = tmp_path / "pin_key"
    path.touch(mode=0o600)
    path.write_text("0" * 32)
    with pytest.raises(KeyringError, match="pin_key holds no secret"):
        assert Keyring(tmp_path).pin_key


def test_what_is_no_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "agi_token").mkdir(mode=0o700)
    with pytest.raises(KeyringError, match="agi_token: Is a directory"):
        assert Keyring(tmp_path).agi_token


def test_threads_that_ask_first_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        for n in range(20):
            found = list(threads.map(lambda _, n=n: Keyring(tmp_path).sip(f"s{n}"), range(16)))
            assert len(set(found)) == 1
    assert len(list(tmp_path.iterdir())) == 20


def test_processes_that_start_first_agree(tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", READ_ALL, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.close()  # now all go on
    answers = {finished(process) for process in started}
    assert len(answers) == 1
    assert len(answers.pop().split()) == 4


def finished(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    with process.stdout as output:
        told = output.read()
    assert process.wait() == 0
    return told
