"""The files of kept recordings: written whole or not at all, opened only as they were written."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from errno import EIO
from hashlib import sha256
from pathlib import Path

from ivr.archive.cipher import Damaged, RecordingKey, Unreadable, decrypted, encrypted
from ivr.records.recordings import KeptFile

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Written:
    """What there is to know of a file that was written: of the audio in it, and of itself."""

    sha256: str  # of the FLAC inside: what whoever is given a copy can compare
    file_sha256: str
    file_bytes: int
    data_key: str  # wrapped
    key_id: str


def write(path: Path, flac: bytes, recording_id: str, key: RecordingKey) -> Written:
    """Encrypt audio into its file, whole and on the disk before this returns, and seen to open again.

    Raises OSError where it can't be written; what stood there before stands then.
    """
    data_key, digest = key.new_data_key(), sha256(flac).hexdigest()
    file_digest, size = _write_whole(path, encrypted(flac, data_key))
    try:
        is_whole = sha256(_decrypt(path, data_key)).hexdigest() == digest
    except Damaged:
        is_whole = False
    if not is_whole:
        raise OSError(EIO, "what was written does not open again", str(path))
    return Written(digest, file_digest, size, key.wrap(data_key, recording_id), key.id)


def read(kept: KeptFile, key: RecordingKey) -> bytes:
    """The audio of a kept recording as FLAC; raises Unreadable, of which Damaged means that somebody changed it."""
    named = f"recording {kept.recording_id}"
    data_key = key.unwrap(kept.data_key, kept.recording_id, kept.key_id)
    try:
        flac = _decrypt(kept.path, data_key)
    except FileNotFoundError:
        raise Damaged(f"{named}: its file is gone") from None
    except OSError as error:
        raise Unreadable(f"{named}: its file can't be read: {error.strerror}") from None
    except Damaged as damaged:
        raise Damaged(f"{named}: {damaged}") from None
    if sha256(flac).hexdigest() != kept.sha256:
        raise Damaged(f"{named}: its hash is not the one in its record")
    return flac


def file_hash(path: Path) -> str:
    """SHA-256 of a file as it lies there; raises OSError where it can't be read, or is a link to another."""
    digest = sha256()
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _write_whole(path: Path, parts: Iterable[bytes]) -> tuple[str, int]:
    """Under its name at once, for its owner alone, and on the disk with its folder."""
    _make_folder(path.parent)
    draft, digest, size = path.with_suffix(".partial"), sha256(), 0
    flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(draft, flags, 0o600), "wb") as target:
        for part in parts:
            target.write(part)
            digest.update(part)
            size += len(part)
        target.flush()
        os.fsync(target.fileno())
    draft.replace(path)
    _sync(path.parent)
    return digest.hexdigest(), size


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _decrypt(path: Path, data_key: bytes) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as source:
        return b"".join(decrypted(source, data_key))
