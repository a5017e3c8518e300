"""What can be asked of a sound file, by every task that makes one. A frozen dataclass that checks its own values."""

from __future__ import annotations

from dataclasses import dataclass

from affectgen.audio.formats import Encoding, Tags, format_named
from affectgen.audio.level import Level
from affectgen.audio.reverb import SPACES
from affectgen.errors import UsageError

RENDERERS = ("auto", "fluidsynth", "piano")
DRY = "none"
REVERBS = (DRY, *SPACES)


@dataclass(frozen=True, kw_only=True)
class SoundOptions:
    """renderer: what plays MIDI, one of RENDERERS; soundfont: path of the font for FluidSynth, None for the one found;
    format: "wav", "flac", "ogg", "opus" or "mp3"; bits: "16", "24" or "float", None for the usual; rate: samples a
    second, None for 44100 (Opus: 48000); quality: of a lossy format; loudness: LUFS, None to leave it; ceiling: dBTP;
    reverb: one of REVERBS; title, artist, comment: tags.
    """

    renderer: str = "auto"
    soundfont: str | None = None
    format: str = "wav"
    bits: str | None = None
    rate: int | None = None
    quality: str = "normal"
    loudness: float | None = -16.0
    ceiling: float = -1.0
    reverb: str = DRY
    title: str = ""
    artist: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        one_of("renderer", self.renderer, RENDERERS)
        one_of("reverb", self.reverb, REVERBS)
        if self.soundfont is not None and self.renderer == "piano":
            raise UsageError("The built-in piano came with a soundfont, and has its own.", "Leave one of them out.")
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


def one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """UsageError for a value that is none of those known."""
    if value not in known:
        raise UsageError(f"{value!r} is no {name}.", f"Use one of {', '.join(known)}.")
