"""What is given out of a recording: a ZIP file with the audio, the call's record and a manifest, which is signed.

Whoever has the public key proves it without this program, too: `manifest.json` is signed as it stands (Ed25519,
RFC 8032) and names the SHA-256 of every other file.
"""

import json
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

FORM: Final = "ivr recording export 1"
AUDIO, RECORD, MANIFEST, SIGNATURE = "audio.flac", "call.json", "manifest.json", "manifest.sig"
_NAMES: Final = {AUDIO, RECORD, MANIFEST, SIGNATURE}
_MOST_BYTES: Final = 1 << 30  # of any file in it: a ZIP file of somebody else's must not fill the memory


class ExportError(Exception):
    """An export is not what was given out; the message says in what."""


def public_key(seed: bytes) -> str:
    """What proves an export that was signed with this secret; hexadecimal."""
    return bytes(SigningKey(seed).verify_key).hex()


def write(
    target: BinaryIO, flac: bytes, record: Mapping[str, object], about: Mapping[str, object], seed: bytes
) -> None:
    """Put audio and record together; `about` is what the manifest says of them, beside their hashes."""
    content = {AUDIO: flac, RECORD: _json(record)}
    manifest = _json(
        {
            "form": FORM,
            **about,
            "files": {
                name: {"bytes": len(each), "sha256": sha256(each).hexdigest()}
                for name, each in content.items()
            },
            "public_key": public_key(seed),
        }
    )
    signature = SigningKey(seed).sign(manifest).signature.hex().encode() + b"\n"
    with zipfile.ZipFile(target, "w") as out:  # FLAC is compressed already
        for name, each in {MANIFEST: manifest, SIGNATURE: signature, **content}.items():
            out.writestr(zipfile.ZipInfo(name), each)


def verify(path: Path, public: str) -> Mapping[str, object]:
    """The manifest of an export that is whole, unchanged and signed with the secret of this public key.

    Raises ExportError for any other.
    """
    content = _content(path)
    manifest = content[MANIFEST]
    try:
        VerifyKey(bytes.fromhex(public)).verify(manifest, bytes.fromhex(content[SIGNATURE].decode("ascii")))
    except (BadSignatureError, ValueError):
        raise ExportError(f"{path}: its manifest is not signed with the key {public}") from None
    said: Mapping[str, object] = json.loads(manifest)
    files = said["files"]
    if said["form"] != FORM or not isinstance(files, dict):
        raise ExportError(f"{path}: its form is not {FORM}")
    for name in (AUDIO, RECORD):
        if sha256(content[name]).hexdigest() != files[name]["sha256"]:
            raise ExportError(f"{path}: {name} was changed")
    return said


def _content(path: Path) -> Mapping[str, bytes]:
    try:
        with zipfile.ZipFile(path) as packed:
            infos = packed.infolist()
            if {each.filename for each in infos} != _NAMES or len(infos) != len(_NAMES):
                raise ExportError(f"{path}: expected {', '.join(sorted(_NAMES))} and nothing else")
            if any(each.file_size > _MOST_BYTES for each in infos):
                raise ExportError(f"{path}: a file in it is too large")
            return {each.filename: packed.read(each) for each in infos}
    except OSError as error:
        raise ExportError(f"{path}: {error.strerror}") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as broken:
        raise ExportError(f"{path}: it is no whole ZIP file ({broken})") from None


def _json(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, indent=2, sort_keys=True, default=str).encode() + b"\n"
