"""The plain facts of a file: what it is, how long, and the words that it carries."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectgen.errors import AffectgenError, AudioError, MidiError
from affectgen.manifest import file_hash
from affectgen.recognize.items import kind_of

if TYPE_CHECKING:
    import symusic

DIGITS = 3
SHORT = 0.1  # seconds that a whole file may play less than it says
KEPT = ("title", "artist", "comment", "software", "copyright", "date", "album", "genre", "license", "tracknumber")


@dataclass(frozen=True)
class FileFacts:
    """kind: "midi", "audio", "text" or "other"; size: bytes; details: by name, such as seconds, notes, rate; tags: the
    words that it carries, by name; played: whether it bears the mark of a piece that affectgen played; damaged: what is
    wrong with it, None for nothing."""

    kind: str
    size: int
    sha256: str
    details: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    played: bool = False
    damaged: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "kind": self.kind, "bytes": self.size, "sha256": self.sha256, **self.details, "tags": dict(self.tags),
            "damaged": self.damaged,
        }  # fmt: skip


def facts_of(source: Path | bytes, damaged: bool = False) -> FileFacts:
    """The facts of a file, or of bytes.

    damaged: state what is wrong with a file that cannot be read; else MidiError or AudioError say it. AffectgenError
    where it is not there, or may not be opened.
    """
    kind = _kind(source)
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        digest = sha256(source).hexdigest() if isinstance(source, bytes) else file_hash(source)
    except OSError as error:
        raise AffectgenError(f"{source!s} cannot be read: {error.strerror}.", "Check the path.") from error
    try:
        if kind == "midi":
            details, played = _midi(source)
            return FileFacts(kind, size, digest, details, played=played)
        if kind == "audio":
            return FileFacts(kind, size, digest, *_audio(source))
    except (MidiError, AudioError) as error:
        if not damaged:
            raise
        return FileFacts(kind, size, digest, damaged=error.message.rstrip("."))
    return FileFacts(kind, size, digest)


def _kind(source: Path | bytes) -> str:
    """What a file is; "other" for what is neither music nor text, such as a picture or a table of numbers."""
    from affectgen.audio.files import AUDIO_SUFFIXES

    found = kind_of(source)
    if found == "audio" and isinstance(source, Path) and source.suffix.lower() not in AUDIO_SUFFIXES:
        return "audio" if _opens(source) else "other"
    if found == "audio" and isinstance(source, bytes) and not _opens(source):
        return "other"
    return found


def _opens(source: Path | bytes) -> bool:
    from affectgen.audio.files import audio_info

    try:
        audio_info(source)
    except AudioError:
        return False
    return True


def _midi(source: Path | bytes) -> tuple[dict[str, Any], bool]:
    """The facts of a MIDI file, and whether it bears the mark of affectgen's played pieces."""
    from affectgen.score.midi import GRID_MARK, key_signature, open_midi

    score = open_midi(source)
    notes = sum(len(track.notes) for track in score.tracks)
    key, signature = key_signature(score), next(iter(score.time_signatures), None)
    details = {
        "tracks": len(score.tracks), "notes": notes, "seconds": _seconds(score),
        "bars": _bars(score, signature), "tempo": _tempi(score), "key": None if key is None else str(key),
        "metre": None if signature is None else f"{signature.numerator}/{signature.denominator}",
        "programs": sorted({int(track.program) for track in score.tracks if not track.is_drum and len(track.notes)}),
    }  # fmt: skip
    return details, any(marker.text == GRID_MARK for marker in score.markers)


def _seconds(score: symusic.Score) -> float:
    """When the last note ends."""
    inside = score.to("second")
    return round(max(float(note.end) for track in inside.tracks for note in track.notes), DIGITS)


def _bars(score: symusic.Score, signature: Any) -> int:
    """Bars of the first metre, 4/4 where none is named, up to the last onset: what only rings on is no bar."""
    quarters = 4.0 if signature is None else 4.0 * signature.numerator / max(signature.denominator, 1)
    last = max(int(note.start) for track in score.tracks for note in track.notes)
    return math.floor(last / (quarters * score.ticks_per_quarter)) + 1


def _tempi(score: symusic.Score) -> list[float]:
    """The slowest and the fastest tempo, in quarters a minute; MIDI's default where none is named."""
    found = [float(tempo.qpm) for tempo in score.tempos]
    return [round(min(found), 1), round(max(found), 1)] if found else [120.0, 120.0]


def _audio(source: Path | bytes) -> tuple[dict[str, Any], dict[str, str]]:
    """The facts of a recording, and its tags. AudioError where it does not play to the end that it names."""
    import soundfile

    from affectgen.audio.files import audio_info, blocks, named

    info = audio_info(source)
    played = sum(len(block) for block in blocks(source, info.rate)) / info.rate
    if played < info.seconds - SHORT:
        text = f"{named(source)} is damaged: it plays {played:.2f} s of {info.seconds:.2f} s."
        raise AudioError(text, "Give a file that plays to its end.")
    with soundfile.SoundFile(str(source) if isinstance(source, Path) else io.BytesIO(source)) as file:
        tags = {name: text for name, text in file.copy_metadata().items() if text and name in KEPT}
        form, subtype = str(file.format), str(file.subtype)
    details = {
        "format": form, "encoding": subtype, "seconds": round(info.seconds, DIGITS), "rate": info.rate,
        "channels": info.channels,
    }  # fmt: skip
    return details, tags
