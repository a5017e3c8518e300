"""Reading audio: whatever libsndfile reads, at one rate, mono or in channels, in memory that no length of file raises.

Files are read and resampled in blocks (python-soundfile, python-soxr). For mono, channels are averaged; for stereo,
more of them are mixed down after ITU-R BS.775. Nothing here writes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AudioError
from affectgen.output import explain
from affectgen.spooled import PREFIX

if TYPE_CHECKING:
    import soundfile

Samples = NDArray[np.float32]  # [N], one channel
Frames = NDArray[np.float32]  # [N, C]

BLOCK = 1 << 16  # frames that are read at a time
AUDIO_SUFFIXES = frozenset(
    (".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64")
)
READS = "WAV, FLAC, OGG, Opus, MP3, AIFF and what else libsndfile reads can be given."
FRONT, SIDE, BOTH = (1.0, 0.0), (0.7071, 0.0), (0.7071, 0.7071)  # gains to (left, right) of one channel
# by number of channels, in WAV's order: left, right, centre, low frequencies, back or sides; BS.775 leaves out the bass
# channel
LAYOUTS = {
    3: (FRONT, FRONT[::-1], BOTH),
    4: (FRONT, FRONT[::-1], SIDE, SIDE[::-1]),
    5: (FRONT, FRONT[::-1], BOTH, SIDE, SIDE[::-1]),
    6: (FRONT, FRONT[::-1], BOTH, (0.0, 0.0), SIDE, SIDE[::-1]),
    7: (FRONT, FRONT[::-1], BOTH, (0.0, 0.0), BOTH, SIDE, SIDE[::-1]),
    8: (FRONT, FRONT[::-1], BOTH, (0.0, 0.0), SIDE, SIDE[::-1], SIDE, SIDE[::-1]),
}
UNKNOWN = 1 << 60  # frames that libsndfile gives at least where a FLAC file, written to a pipe, does not say how many
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
        frames = file.frames if file.frames < UNKNOWN else _counted(file, source)
        return AudioInfo(frames / file.samplerate, file.samplerate, file.channels)


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
    for piece in _pieces(source, rate, 1, start, seconds):
        yield piece[:, 0]


def frames_of(source: Path | bytes, rate: int, channels: int = 2) -> Iterator[Frames]:
    """The whole sound at `rate` in blocks of no fixed length, float32 [N, channels].

    Mono is doubled; three to eight channels are mixed down to two by their places (no louder than full scale if none of
    them was), more than eight evenly. AudioError where it is no audio, holds a sample that is no number, or has
    several channels that `channels` neither equals nor can be mixed from: only 1 and 2 can.
    """
    yield from _pieces(source, rate, channels, 0.0, None)


def _pieces(source: Path | bytes, rate: int, channels: int, start: float, seconds: float | None) -> Iterator[Frames]:
    """The frames from `start` on, mixed to so many channels and resampled, float32 [N, channels]."""
    with _opened(source) as file:
        resampler = _resampler(file.samplerate, rate, channels)
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
            mixed = _mixed(data, channels, source)
            piece = mixed if resampler is None else resampler.resample_chunk(mixed, last=last)
            if len(piece):
                yield np.ascontiguousarray(piece, dtype=np.float32)
            if last:
                return


def _mixed(data: Frames, channels: int, source: Path | bytes) -> Frames:
    """Frames of any number of channels as frames of `channels`."""
    given = data.shape[1]
    if given == channels:
        return data
    if channels == 1:
        return data.mean(axis=1, keepdims=True)
    if given == 1:
        return np.repeat(data, channels, axis=1)
    if channels != 2:
        raise AudioError(f"{named(source)} holds {given} channels; {channels} were expected.", "Mix it down first.")
    gains = np.array(LAYOUTS.get(given, ((1.0, 1.0),) * given), dtype=np.float32)
    return data @ (gains / gains.sum(axis=0))


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

    with _readable(source) as given:
        try:
            file = soundfile.SoundFile(given, closefd=False)
        except (soundfile.LibsndfileError, OSError, TypeError) as error:
            if isinstance(source, Path) and not source.exists():
                raise AudioError(f"{source} is not there.", "Check the name.") from error
            raise AudioError(f"{named(source)} is not audio that can be read.", READS) from error
        if file.frames >= UNKNOWN:  # after each read python-soundfile seeks, which fails at the end of such a file
            file.seekable = lambda: False
        with file:
            yield file


@contextmanager
def _readable(source: Path | bytes) -> Iterator[str | bytes | int]:
    """What libsndfile opens: a name, or the descriptor of an unnamed file that holds the bytes.

    It could read bytes through calls back into Python, but Ctrl-C during one of those is swallowed, and with it a part
    of the sound.
    """
    if isinstance(source, Path):
        yield str(source) if os.name == "nt" else os.fsencode(source)  # a name need not be UTF-8
        return
    with tempfile.TemporaryFile() as file:
        try:
            file.write(source)
            file.seek(0)
        except OSError as error:
            raise explain(error, Path(tempfile.gettempdir(), f"{PREFIX}audio")) from error
        yield file.fileno()


def _read(file: soundfile.SoundFile, frames: int, source: Path | bytes) -> NDArray[np.float32]:
    """The next frames, float32 [frames, channels]."""
    import soundfile

    try:
        return file.read(frames, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{named(source)} is damaged: {error}", "Give a file that plays to its end.") from error


def _counted(file: soundfile.SoundFile, source: Path | bytes) -> int:
    """The frames of a file that does not say how many it has, by reading it to its end."""
    count = 0
    while length := len(_read(file, BLOCK, source)):
        count += length
    return count


def _resampler(given: int, wanted: int, channels: int):  # type: ignore[no-untyped-def]
    """A streaming resampler, or None where the rates agree."""
    if given == wanted:
        return None
    import soxr

    return soxr.ResampleStream(given, wanted, channels, dtype="float32")
