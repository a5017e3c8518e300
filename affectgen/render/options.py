"""What can be asked of the task `render`. A frozen dataclass that checks its own values; nothing heavy is imported."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from affectgen.audio.formats import Encoding, Tags, format_named
from affectgen.audio.join import CURVES
from affectgen.audio.level import Level
from affectgen.audio.reverb import SPACES
from affectgen.errors import UsageError

RENDERERS = ("auto", "fluidsynth", "piano")
DRY = "none"
REVERBS = (DRY, *SPACES)
LONGEST_OVERLAP = 60.0  # seconds


@dataclass(frozen=True)
class RenderOptions:
    """One file to make.

    sources: MIDI or audio, one after the other; renderer: what plays MIDI, one of RENDERERS; soundfont: path of the
    font for FluidSynth, None for the one found; format: "wav", "flac", "ogg", "opus" or "mp3"; bits: "16", "24" or
    "float", None for the usual; rate: samples a second, None for 44100 (Opus: 48000); quality: of a lossy format;
    loudness: LUFS, None to leave it; ceiling: dBTP; reverb: one of REVERBS; overlap: seconds of the crossfade between
    two sources; curve: of that crossfade; title, artist, comment: tags; measure: whether the emotion of the sound is
    read.
    """

    sources: tuple[Path | bytes, ...]
    renderer: str = "auto"
    soundfont: str | None = None
    format: str = "wav"
    bits: str | None = None
    rate: int | None = None
    quality: str = "normal"
    loudness: float | None = -16.0
    ceiling: float = -1.0
    reverb: str = DRY
    overlap: float = 0.0
    curve: str = "equal-power"
    title: str = ""
    artist: str = ""
    comment: str = ""
    measure: bool = False

    def __post_init__(self) -> None:
        if not self.sources:
            raise UsageError("Nothing was given to render.", "Name a MIDI or sound file, or - for standard input.")
        for name, value, known in (
            ("renderer", self.renderer, RENDERERS), ("reverb", self.reverb, REVERBS), ("curve", self.curve, CURVES),
        ):  # fmt: skip
            if value not in known:
                raise UsageError(f"{value!r} is no {name}.", f"Use one of {', '.join(known)}.")
        if self.soundfont is not None and self.renderer == "piano":
            raise UsageError("The built-in piano came with a soundfont, and has its own.", "Leave one of them out.")
        if not (math.isfinite(self.overlap) and 0 <= self.overlap <= LONGEST_OVERLAP):
            raise UsageError(f"An overlap of {self.overlap} s was asked for.", f"Use 0 to {LONGEST_OVERLAP:g} seconds.")
        self.encoding  # noqa: B018 - checks its own values, as does the level
        self.level  # noqa: B018

    @property
    def encoding(self) -> Encoding:
        """How the file is written. UsageError for bits, rate or quality that the format lacks."""
        kind = format_named(self.format)
        rate = self.rate if self.rate is not None else kind.rates[0]
        return Encoding(kind, self.bits, rate, self.quality, Tags(self.title, self.artist, self.comment))

    @property
    def level(self) -> Level:
        """The loudness and the ceiling. UsageError out of range."""
        return Level(self.loudness, self.ceiling)
