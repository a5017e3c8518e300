"""Reading audio: whatever libsndfile reads, as mono samples at one rate, with memory bounded however long the file is.

Files are read and resampled in blocks (python-soundfile, python-soxr). Channels are averaged. Nothing here writes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AudioError

if TYPE_CHECKING:
    import soundfile

Samples = NDArray[np.float32]

BLOCK = 1 << 16  # frames that are read at a time
AUDIO_SUFFIXES = frozenset(
    (".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64")
)
READS = "WAV, FLAC, OGG, Opus, MP3, AIFF and what else libsndfile reads can be given."
PEAK = 1e-4  # -80 dB of full scale: nothing above it is silence


@dataclass(frozen=True)
class AudioInfo:
    """Of one file. seconds: length; rate: samples a second; channels."""

    seconds: float
    rate: int
    channels: int


def is_audio_name(path: Path) -> bool:
    """Whether the suffix is one of audio."""
    return path.suffix.lower() in AUDIO_SUFFIXES


def audio_info(source: Path | bytes) -> AudioInfo:
    """Length, rate and channels. AudioError where it is no audio."""
    with _opened(source) as file:
        return AudioInfo(file.frames / file.samplerate, file.samplerate, file.channels)


def read_mono(source: Path | bytes, rate: int, start: float = 0.0, seconds: float | None = None) -> Samples:
    """Mono samples at `rate` from `start` seconds on, at most `seconds` of them, float32 [N].

    AudioError where it is no audio, holds no sample there or one that is no number.
    """
    parts = list(blocks(source, rate, start=start, seconds=seconds))
    if not parts or not sum(len(part) for part in parts):
        raise AudioError(f"{named(source)} holds no sound from {start:g} s on.", "Give a longer recording.")
    return np.concatenate(parts)


def blocks(source: Path | bytes, rate: int, start: float = 0.0, seconds: float | None = None) -> Iterator[Samples]:
    """The same in pieces of no fixed length, so that any file can be worked through. AudioError as above."""
    with _opened(source) as file:
        resampler = _resampler(file.samplerate, rate)
        left = file.frames if seconds is None else round(seconds * file.samplerate)
        first = round(start * file.samplerate)
        if first:
            file.seek(min(first, file.frames))
        while left > 0:
            data = _read(file, min(BLOCK, left), source)
            left -= len(data)
            last = len(data) < BLOCK or left <= 0
            if not np.isfinite(data).all():
                raise AudioError(f"{named(source)} holds samples that are no numbers.", "Write it anew.")
            mono = data.mean(axis=1) if data.shape[1] > 1 else data[:, 0]
            piece = mono if resampler is None else resampler.resample_chunk(mono, last=last)
            if len(piece):
                yield np.ascontiguousarray(piece, dtype=np.float32)
            if last:
                return


def resampled(samples: Samples, given: float, wanted: float) -> Samples:
    """Samples [N] at `given` a second as samples at `wanted`, float32; themselves where the rates agree."""
    if given == wanted:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, given, wanted), dtype=np.float32)


def is_silent(samples: Samples) -> bool:
    """Whether nothing is louder than -80 dB of full scale."""
    return not len(samples) or float(np.abs(samples).max()) < PEAK


def named(source: Path | bytes) -> str:
    """A file's name for a sentence; what came through a pipe is standard input."""
    return str(source) if isinstance(source, Path) else "standard input"


@contextmanager
def _opened(source: Path | bytes) -> Iterator[soundfile.SoundFile]:
    """The open file. AudioError where libsndfile does not know it, or it cannot be read."""
    import soundfile

    try:
        file = soundfile.SoundFile(io.BytesIO(source) if isinstance(source, bytes) else str(source))
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        if isinstance(source, Path) and not source.exists():
            raise AudioError(f"{source} is not there.", "Check the name.") from error
        raise AudioError(f"{named(source)} is not audio that can be read.", READS) from error
    with file:
        yield file


def _read(file: soundfile.SoundFile, frames: int, source: Path | bytes) -> NDArray[np.float32]:
    """The next frames, float32 [frames, channels]."""
    import soundfile

    try:
        return file.read(frames, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{named(source)} is damaged: {error}", "Give a file that plays to its end.") from error


def _resampler(given: int, wanted: int):  # type: ignore[no-untyped-def]
    """A streaming resampler, or None where the rates agree."""
    if given == wanted:
        return None
    import soxr

    return soxr.ResampleStream(given, wanted, 1, dtype="float32")
