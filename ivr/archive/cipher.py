"""Encryption of one recording: a key of its own for the file, wrapped by the instance's key, which no database has.

The file is a secretstream of libsodium (XChaCha20-Poly1305): each part is authenticated with all before it and the last
one says that it is the last, so that a file changed, cut short, put together anew or lengthened anywhere does not open.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import BinaryIO, Final, final

from nacl import bindings as sodium
from nacl.exceptions import CryptoError
from nacl.secret import Aead
from nacl.utils import random

MAGIC: Final = b"ivr-recording-1\n"
_PART_BYTES: Final = 1 << 16
_SEALED_BYTES: Final = _PART_BYTES + sodium.crypto_secretstream_xchacha20poly1305_ABYTES
_LAST: Final = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_MORE: Final = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE


class Unreadable(Exception):  # noqa: N818 - a state that somebody meets, not a fault of theirs
    """A recording can't be opened; the message says why."""


class WrongKey(Unreadable):
    """This instance's key is not the one that the recording's own key was wrapped by."""


class Damaged(Unreadable):
    """The file is not what was written."""


@final
class RecordingKey:
    """The key by which the keys of recordings are wrapped: 32 bytes, kept outside the database."""

    __slots__ = ("_box", "id")

    def __init__(self, key: bytes) -> None:
        self._box = Aead(key)
        #: tells this key from another without telling the key
        self.id: str = blake2b(key, digest_size=8, person=b"ivr-rec-key-id").hexdigest()

    def new_data_key(self) -> bytes:
        """A key for one recording: 256 random bits."""
        return random(sodium.crypto_secretstream_xchacha20poly1305_KEYBYTES)

    def wrap(self, data_key: bytes, recording_id: str) -> str:
        """A recording's key as its row may hold it, of use for that recording alone; hexadecimal."""
        return bytes(self._box.encrypt(data_key, recording_id.encode())).hex()

    def unwrap(self, wrapped: str, recording_id: str, key_id: str) -> bytes:
        """A recording's own key; raises WrongKey where another key has wrapped it, Damaged where it was changed."""
        if key_id != self.id:
            raise WrongKey(
                f"recording {recording_id}: its key is wrapped by {key_id}, and secrets/recording_key is {self.id}"
            )
        try:
            return self._box.decrypt(bytes.fromhex(wrapped), recording_id.encode())
        except (CryptoError, ValueError):
            raise Damaged(f"recording {recording_id}: its key in the database was changed") from None


def encrypted(plain: bytes, data_key: bytes) -> Iterator[bytes]:
    """The content of a file, part by part."""
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    yield MAGIC + sodium.crypto_secretstream_xchacha20poly1305_init_push(state, data_key)
    starts = range(0, max(1, len(plain)), _PART_BYTES)
    for start in starts:
        tag = _LAST if start == starts[-1] else _MORE
        part = plain[start : start + _PART_BYTES]
        yield sodium.crypto_secretstream_xchacha20poly1305_push(state, part, tag=tag)


def decrypted(source: BinaryIO, data_key: bytes) -> Iterator[bytes]:
    """What was encrypted, part by part, each proved before it is given out.

    Raises Damaged at the first part that is not as it was written, and where the last one is not there or not the last.
    """
    header = source.read(len(MAGIC) + sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES)
    if not header.startswith(MAGIC):
        raise Damaged("the file is no recording of this program")
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    try:
        sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, header[len(MAGIC) :], data_key)
        tag = _MORE
        while part := source.read(_SEALED_BYTES):
            if tag == _LAST:
                raise Damaged("something was added to the end of the file")
            plain, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(state, part)
            yield plain
    except (CryptoError, ValueError, RuntimeError):
        raise Damaged("the file was changed, or is another recording's") from None
    if tag != _LAST:
        raise Damaged("the end of the file is missing")
