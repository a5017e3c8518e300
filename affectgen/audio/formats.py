"""The formats that sound is written in, how each is asked of libsndfile, and what one file is to be like.

Bit rates of the lossy ones, for stereo: Vorbis by quality 2, 5, 8 (about 96, 160, 256 kbit/s); Opus 64, 128, 256
kbit/s; MP3 by LAME's V5 and V2 (about 130 and 190 kbit/s) and 320 kbit/s constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from affectgen.errors import UsageError

Bits = Literal["16", "24", "float"]
Quality = Literal["low", "normal", "high"]

RATES = (44_100, 48_000)
QUALITIES: tuple[Quality, ...] = ("low", "normal", "high")
MAX_CHANNELS = 8  # that have one agreed order in WAV, FLAC, Vorbis and Opus alike


@dataclass(frozen=True)
class Format:
    """One kind of file.

    name: as after --format; suffixes: of its files, the usual one first; container: libsndfile's name; subtypes:
    libsndfile's names by bits, under "" where there is no choice; levels: what libsndfile is given for low, normal and
    high quality: compression_level (0 best, 1 smallest) and bitrate_mode; channels: the most that it holds; rates: a
    second.
    """

    name: str
    suffixes: tuple[str, ...]
    container: str
    subtypes: Mapping[str, str]
    levels: Mapping[str, Mapping[str, float | str]] = field(default_factory=dict)
    channels: int = MAX_CHANNELS
    rates: tuple[int, ...] = RATES

    @property
    def lossy(self) -> bool:
        """Whether it has a quality instead of bits."""
        return bool(self.levels)

    @property
    def bits(self) -> tuple[str, ...]:
        """The bits that can be asked for, the usual ones first; empty for a lossy format."""
        return tuple(bits for bits in self.subtypes if bits)


FORMATS = (
    Format("wav", (".wav", ".wave"), "WAV", {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}),
    Format("flac", (".flac",), "FLAC", {"16": "PCM_16", "24": "PCM_24"}),
    Format("ogg", (".ogg", ".oga"), "OGG", {"": "VORBIS"}, {
        "low": {"compression_level": 0.8}, "normal": {"compression_level": 0.5}, "high": {"compression_level": 0.2},
    }),
    # libsndfile gives each channel 6 to 256 kbit/s: 32, 64 and 128 here
    Format("opus", (".opus",), "OGG", {"": "OPUS"}, {
        "low": {"compression_level": 0.896}, "normal": {"compression_level": 0.768},
        "high": {"compression_level": 0.512},
    }, rates=(48_000,)),
    Format("mp3", (".mp3",), "MP3", {"": "MPEG_LAYER_III"}, {
        "low": {"compression_level": 0.5, "bitrate_mode": "VARIABLE"},
        "normal": {"compression_level": 0.2, "bitrate_mode": "VARIABLE"},
        "high": {"compression_level": 0.0, "bitrate_mode": "CONSTANT"},
    }, channels=2),
)  # fmt: skip


def format_named(name: str) -> Format:
    """The format called so, in any case. UsageError for another word."""
    for one in FORMATS:
        if one.name == name.lower():
            return one
    names = ", ".join(one.name for one in FORMATS)
    raise UsageError(f"{name!r} is no format that sound is written in.", f"Use one of {names}.")


def format_of(path: Path) -> Format:
    """The format that the name's ending asks for. UsageError where it has none."""
    for one in FORMATS:
        if path.suffix.lower() in one.suffixes:
            return one
    endings = ", ".join(one.suffixes[0] for one in FORMATS)
    raise UsageError(f"{path} has no ending that names a sound format.", f"Use one of {endings}; or --format.")


@dataclass(frozen=True)
class Tags:
    """Words that the file carries about itself; empty ones are left out."""

    title: str = ""
    artist: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        for name, text in self.given():
            if "\0" in text:
                raise UsageError(f"The {name} holds a zero character.", "Leave it out: tags end at one.")
            if any("\ud800" <= letter <= "\udfff" for letter in text):  # what Python makes of other encodings' bytes
                raise UsageError(f"The {name} is no text in UTF-8.", "Write it in UTF-8.")

    def given(self) -> list[tuple[str, str]]:
        """(name, text) of those that are not empty."""
        pairs = (("title", self.title), ("artist", self.artist), ("comment", self.comment))
        return [(name, text) for name, text in pairs if text]


@dataclass(frozen=True)
class Encoding:
    """How one file is written. bits: "16", "24" or "float", None for the format's usual ones (16); rate: samples a
    second; quality: of a lossy format; tags.

    UsageError for bits that the format lacks, a rate that is not 44100 or 48000 (Opus: 48000 only), another quality.
    """

    format: Format
    bits: str | None = None
    rate: int = 44_100
    quality: str = "normal"
    tags: Tags = Tags()

    def __post_init__(self) -> None:
        kind = self.format
        if self.bits is not None and self.bits not in kind.bits:
            hint = f"Use one of {', '.join(kind.bits)}." if kind.bits else "It is lossy: choose a quality instead."
            raise UsageError(f"{kind.name} was asked for with {self.bits!r} bits, which it has not.", hint)
        if self.rate not in kind.rates:
            rates = " or ".join(map(str, kind.rates))
            raise UsageError(f"{kind.name} was asked for at {self.rate} samples a second.", f"Use {rates}.")
        if self.quality not in QUALITIES:
            raise UsageError(f"{self.quality!r} is no quality.", f"Use one of {', '.join(QUALITIES)}.")

    @property
    def depth(self) -> str:
        """The bits of a sample: "16", "24" or "float"; "float" for a lossy format, which rounds in its own way."""
        if self.format.lossy:
            return "float"
        return self.format.bits[0] if self.bits is None else self.bits

    @property
    def subtype(self) -> str:
        """libsndfile's name for how samples are stored."""
        return self.format.subtypes["" if self.format.lossy else self.depth]

    def check_channels(self, channels: int) -> None:
        """UsageError where the format cannot hold so many."""
        if not 1 <= channels <= self.format.channels:
            most = self.format.channels
            raise UsageError(f"{self.format.name} holds 1 to {most} channels; {channels} came.", "Mix them down first.")
