"""Which audio there is, what words each file was made from, and whether all of it is still right."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from prompts.clips import Clip
from prompts.speak import PromptError

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Made:
    """One file as it was made."""

    words: str
    made_from: str  # the clip's fingerprint, as spoken by the machine or recorded by a person
    sha256: str  # of the file
    seconds: float


Manifest = Mapping[str, Made]  # by the path of the file below the folder


def read_manifest(folder: Path) -> dict[str, Made]:
    """The manifest of a folder of audio; empty when there is none yet. Raises PromptError for one of other form."""
    path = folder / NAME
    if not path.exists():
        return {}
    try:
        return {name: Made(**entry) for name, entry in json.loads(path.read_text("utf-8")).items()}
    except (ValueError, TypeError, AttributeError):
        raise PromptError(
            f"{path}: not as `ivr prompts` writes it; without it `build` and `record` make all anew"
        ) from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest of a folder in one step."""
    entries = {name: asdict(made) for name, made in sorted(manifest.items())}
    draft = folder / f"{NAME}.new"
    draft.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", "utf-8")
    draft.replace(folder / NAME)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file, or nothing when there is no such file."""
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def stale(clip: Clip, processing: int, folder: Path, manifest: Manifest) -> str:
    """Why the file of a clip must be made again; empty when it is right."""
    made = manifest.get(clip.path)
    if made is None or not (folder / clip.path).is_file():
        return "missing"
    if made.made_from not in {clip.fingerprint(processing), clip.recorded_fingerprint(processing)}:
        return f'was made from other words or settings: "{made.words}"'
    if made.sha256 != hash_of(folder / clip.path):
        return "the file is not the one that was made"
    return ""


def findings(clips: Sequence[Clip], processing: int, folder: Path) -> list[str]:
    """Everything in which a folder of audio differs from the clips there must be; empty when nothing does."""
    manifest = read_manifest(folder)
    found = [
        f"{clip.path}: {reason}" for clip in clips if (reason := stale(clip, processing, folder, manifest))
    ]
    wanted = {clip.path for clip in clips}
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.wav")}
    return [*found, *(f"{path}: no text has it" for path in sorted({*files, *manifest} - wanted))]
