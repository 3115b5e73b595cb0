"""What Asterisk has recorded as FLAC, and FLAC as WAV: two channels of 16 bits at 8,000 Hz, without any loss."""

import io
import wave
from collections.abc import Iterable, Iterator
from typing import BinaryIO

SAMPLES_A_SECOND = 8_000
CHANNELS = 2  # what the called party said, what they heard
FRAME_BYTES = 2 * CHANNELS
_CHUNK_BYTES = 1 << 20


def raw_frames(source: BinaryIO) -> Iterator[bytes]:
    """Whole frames of a raw file; part of one at its end is left out."""
    while chunk := source.read(_CHUNK_BYTES):
        yield chunk[: len(chunk) // FRAME_BYTES * FRAME_BYTES]


def wav_frames(source: BinaryIO) -> Iterator[bytes]:
    """The frames of a WAV of this form."""
    with wave.open(source) as plain:
        while chunk := plain.readframes(_CHUNK_BYTES // FRAME_BYTES):
            yield chunk


def compress(frames: Iterable[bytes]) -> tuple[bytes, int]:
    """FLAC of these frames, and how many they are. It is made in memory: no second plain file is ever on a disk."""
    import soundfile  # noqa: PLC0415 - a quarter of a second, which no start has to wait for

    flac, count = io.BytesIO(), 0
    with soundfile.SoundFile(flac, "w", SAMPLES_A_SECOND, CHANNELS, "PCM_16", format="FLAC") as out:
        for chunk in frames:
            out.buffer_write(chunk, "int16")
            count += len(chunk) // FRAME_BYTES
    return flac.getvalue(), count


def write_wav(flac: bytes, target: BinaryIO) -> None:
    """The same sound as WAV, which every player takes."""
    import soundfile  # noqa: PLC0415 - as above

    with soundfile.SoundFile(io.BytesIO(flac)) as sound, wave.open(target, "wb") as out:
        out.setnchannels(sound.channels)
        out.setsampwidth(2)
        out.setframerate(sound.samplerate)
        out.setnframes(sound.frames)
        while block := bytes(sound.buffer_read(_CHUNK_BYTES // FRAME_BYTES, "int16")):
            out.writeframesraw(block)


def talk_ms(frames: int) -> int:
    """How long so many frames last."""
    return frames * 1000 // SAMPLES_A_SECOND
