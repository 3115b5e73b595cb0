"""Secrets of this instance: made at the first start, one file each, readable by their owner only."""

import contextlib
import os
import re
import secrets
import stat
from pathlib import Path

from ivr.facility.pins import PinKey


class KeyringError(Exception):
    """A secret's file can't be trusted; the message says which and why."""


class Keyring:
    """The folder of secrets."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def agi_token(self) -> str:
        """What Asterisk shows before the controller says a word to it."""
        return self._secret("agi_token")

    def ami(self, user: str) -> str:
        """The secret of one of Asterisk's manager users."""
        return self._secret(f"ami_{user}")

    def sip(self, name: str) -> str:
        """The secret that a telephone registers with."""
        return self._secret(f"sip_{name}")

    @property
    def pin_key(self) -> PinKey:
        """The key of the PINs' hashes: lose it and every PIN is lost."""
        return PinKey(bytes.fromhex(self._secret("pin_key", size=32)))

    @property
    def list_key(self) -> bytes:
        """The key by which lists of privileged numbers are signed; whoever has it may approve them."""
        return bytes.fromhex(self._secret("list_key", size=32))

    @property
    def recording_key(self) -> bytes:
        """The key of the keys of recordings: lose it and every recording is lost."""
        return bytes.fromhex(self._secret("recording_key", size=32))

    @property
    def signing_key(self) -> bytes:
        """The secret by which exports of recordings are signed (an Ed25519 seed)."""
        return bytes.fromhex(self._secret("signing_key", size=32))

    def given(self, name: str) -> str:
        """A secret of somebody else's that an operator has put into its file; raises KeyringError without one."""
        path = self._folder / name
        try:
            secret = _private(path).strip()
        except FileNotFoundError:
            raise KeyringError(
                f"{path}: expected a file with this secret, readable by its owner only"
            ) from None
        except OSError as error:
            raise KeyringError(f"{path}: {error.strerror}") from None
        if not secret:
            raise KeyringError(f"{path} is empty")
        return secret

    def _secret(self, name: str, size: int = 16) -> str:
        path = self._folder / name
        try:
            if not path.exists():
                self._make(path, size)
            return self._read(path, size)
        except OSError as error:
            raise KeyringError(f"{path}: {error.strerror}") from None

    def _make(self, path: Path, size: int) -> None:
        """A new secret under its name at once and whole, or another process's that was there first."""
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(size))
            file.flush()
            os.fsync(file.fileno())
        try:
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()

    def _read(self, path: Path, size: int) -> str:
        secret = _private(path).strip()
        if not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", secret):
            raise KeyringError(f"{path} holds no secret of this program: remove it to have a new one made")
        return secret


def _private(path: Path) -> str:
    """What the file holds, if nobody else can read it."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyringError(
            f"{path} can be read by others (mode {mode:04o}): chmod 600 it, and renew what it keeps"
        )
    return path.read_text("latin-1")
