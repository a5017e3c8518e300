"""Reading a recording as its file stores it and writing it again so that what was not edited is the same to the bit.

Whole numbers stay whole numbers: nothing is scaled, rounded or dithered but what is new. Rate, channels and bits are
the file's own.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Samples, audio_info, named, read_mono
from affectgen.audio.formats import Format, format_named
from affectgen.errors import AudioError

WHOLE = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}  # bits by libsndfile's names
EXACT = ("FLOAT", "DOUBLE")
LONGEST = 4 * 3600.0  # seconds
BASELINE_SECONDS = 60.0  # of the speaker's neutral voice that are heard
KEPT = ("title", "artist", "album", "date", "copyright", "license", "genre", "tracknumber")


@dataclass(frozen=True)
class Recording:
    """A file in memory. stored: [N, C], int32 whole numbers left-justified (as libsndfile gives them) for PCM, float64
    otherwise; subtype: libsndfile's name of how its samples are stored; tags: the words it carries."""

    stored: NDArray[Any]
    rate: int
    subtype: str
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.stored) / self.rate

    @property
    def bits(self) -> int | None:
        """Of a whole number; None where samples are not whole numbers."""
        return WHOLE.get(self.subtype)

    def floats(self, start: int = 0, end: int | None = None) -> NDArray[np.float64]:
        """Frames [start, end) with full scale 1, float64 [M, C]."""
        part = self.stored[start:end]
        return part / 2.0**31 if self.bits is not None else np.asarray(part, dtype=np.float64)

    def mono(self) -> Samples:
        """The mean of the channels, float32 [N]."""
        mono = np.empty(len(self.stored), dtype=np.float32)
        for start in range(0, len(mono), 1 << 20):  # long files must not need their size again
            mono[start : start + (1 << 20)] = self.floats(start, start + (1 << 20)).mean(axis=1)
        return mono

    def rounded(self, sound: NDArray[np.float64]) -> NDArray[Any]:
        """New sound [M, C], full scale 1, in the form of `stored`: cut off at full scale and rounded to the file's
        bits."""
        if self.bits is None:
            return sound
        steps = 2.0 ** (self.bits - 1)
        whole = np.clip(np.rint(sound * steps), -steps, steps - 1).astype(np.int64)
        return (whole << (32 - self.bits)).astype(np.int32)


@dataclass(frozen=True)
class Patch:
    """New sound for frames [start, end) of a recording. sound: float64 [M, C], of any length M."""

    start: int
    end: int
    sound: NDArray[np.float64]


def read_recording(source: Path | bytes) -> Recording:
    """The whole file, as it is stored. AudioError where it is no audio, empty, too long or holds what is no number."""
    import soundfile

    info = audio_info(source)
    if info.seconds > LONGEST:
        raise AudioError(f"{named(source)} lasts {info.seconds / 3600:.1f} hours; 4 can be edited.", "Cut it first.")
    try:
        with soundfile.SoundFile(source if isinstance(source, Path) else io.BytesIO(source)) as file:
            subtype = file.subtype
            kind = "int32" if subtype in WHOLE else "float64"
            stored = file.read(dtype=kind, always_2d=True)
            tags = tuple((name, text) for name, text in file.copy_metadata().items() if text)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{named(source)} is damaged: {error}", "Give a file that plays to its end.") from error
    if not len(stored):
        raise AudioError(f"{named(source)} holds no sound.", "Give a longer recording.")
    if not np.isfinite(stored).all():
        raise AudioError(f"{named(source)} holds samples that are no numbers.", "Write it anew.")
    return Recording(stored, info.rate, subtype, tags)


def neutral_voice(source: Path | bytes, rate: int) -> NDArray[np.float64]:
    """A recording of the speaker's neutral voice, its first BASELINE_SECONDS, at another recording's rate, mono."""
    return read_mono(source, rate, seconds=BASELINE_SECONDS).astype(np.float64)


def patched(recording: Recording, patches: Sequence[Patch]) -> Recording:
    """The recording with each patch in its place; all else is the same to the bit. They must not overlap."""
    parts, reached = [], 0
    for patch in sorted(patches, key=lambda one: one.start):
        if patch.start < reached or patch.end < patch.start or patch.end > len(recording.stored):
            raise ValueError(f"patch {patch.start} to {patch.end} overlaps another or lies outside")
        parts += [recording.stored[reached : patch.start], recording.rounded(patch.sound)]
        reached = patch.end
    return replace(recording, stored=np.concatenate([*parts, recording.stored[reached:]]))


def format_of_file(source: Path | bytes) -> str:
    """libsndfile's name for the file's container and, of Ogg, whatever is in it. AudioError where it is no audio."""
    import soundfile

    audio_info(source)  # says what is wrong in a sentence
    with soundfile.SoundFile(source if isinstance(source, Path) else io.BytesIO(source)) as file:
        return {"WAVEX": "WAV"}.get(str(file.format), str(file.format))


def format_for(name: str | None, output: str) -> Format:
    """The format named, else the one of the output's ending, else WAV for a pipe. UsageError for an unknown one."""
    from affectgen.audio.formats import format_of

    if name is not None:
        return format_named(name)
    return format_named("wav") if output == "-" else format_of(Path(output))


def encoded(recording: Recording, kind: Format, comment: str, quality: str = "normal") -> tuple[bytes, list[str]]:
    """The file's bytes and what a person should know of it: where the format cannot hold the samples as they are.

    comment: goes into the metadata, after the file's own. AudioError where the format cannot hold such a rate or so
    many channels.
    """
    import soundfile

    subtype, notes = _subtype(recording, kind)
    data = recording.stored
    if recording.bits is not None and subtype not in WHOLE:
        data = recording.floats()
    settings = dict(kind.levels[quality]) if kind.lossy else {}
    memory = io.BytesIO()
    try:
        with soundfile.SoundFile(
            memory, "w", recording.rate, data.shape[1], subtype, format=kind.container, **settings
        ) as file:
            for name, text in _tags(recording, comment):
                setattr(file, name, text)
            for start in range(0, len(data), 1 << 16):  # one large write of Vorbis crashes libsndfile
                file.write(data[start : start + (1 << 16)] if subtype in WHOLE else _floats(data, start, subtype))
    except (soundfile.LibsndfileError, ValueError) as error:
        text = f"{kind.name} cannot hold {recording.rate} Hz in {data.shape[1]} channels: {error}"
        raise AudioError(text, "Write .wav or .flac.") from error
    return _steady(memory.getvalue(), kind), notes


def _floats(data: NDArray[Any], start: int, subtype: str) -> NDArray[Any]:
    part = np.ascontiguousarray(data[start : start + (1 << 16)])
    return part if subtype in EXACT else np.clip(part, -1.0, 1.0)


def _subtype(recording: Recording, kind: Format) -> tuple[str, list[str]]:
    """How the format stores these samples, and a note where it cannot as they are."""
    import soundfile

    if kind.lossy:
        return kind.subtypes[""], [f"{kind.name} is lossy: the whole recording was encoded anew."]
    exact = recording.subtype if recording.subtype in (*WHOLE, *EXACT) else "FLOAT"  # what lossy files decode to
    known = soundfile.available_subtypes(kind.container)
    if exact == "PCM_S8" and exact not in known:
        exact = "PCM_16"
    if exact == "PCM_U8" and exact not in known:
        exact = "PCM_S8" if "PCM_S8" in known else "PCM_16"
    if exact in known:
        return exact, []
    return "PCM_24", [f"{kind.name} holds no samples of {recording.subtype}: they were rounded to 24 bits."]


def _tags(recording: Recording, comment: str) -> list[tuple[str, str]]:
    """The file's own tags, and the comment after its own one."""
    own = dict(recording.tags)
    text = f"{own['comment']}; {comment}" if own.get("comment") and comment not in own["comment"] else comment
    said = [("comment", text)] if text else []
    return [*((name, own[name]) for name in KEPT if name in own), *said]


def _steady(data: bytes, kind: Format) -> bytes:
    """The same bytes for the same sound: the time of day in libsndfile's PEAK chunk becomes 0, Ogg's serial number one
    that depends on the sound."""
    if kind.container == "OGG":
        return _settled(data, _settle)
    place = data.find(b"PEAK", 0, 4096)
    if kind.container == "WAV" and place > 0:
        return data[: place + 12] + bytes(4) + data[place + 16 :]
    return data


def _settled(data: bytes, change: Callable[[Any], None]) -> bytes:
    file = io.BytesIO(data)
    change(file)
    return file.getvalue()


def _settle(file: Any) -> None:
    from affectgen.audio.ogg import settle_serial

    settle_serial(file)
