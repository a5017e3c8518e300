"""What can be asked of MusER's tasks. Frozen dataclasses that check their own values; nothing heavy is imported."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from affectgen.affect import parse_affect
from affectgen.errors import UsageError

ELEMENTS = ("family", "beat", "tempo", "chord", "pitch", "duration", "velocity")
MOST_BARS = 256
MOST_SECONDS = 900.0
MOST_CANDIDATES = 64


@dataclass(frozen=True)
class GenerateOptions:
    """One piece to compose.

    affect: a point or path as `parse_affect` reads it, None for none; bars: length, or seconds if given;
    temperature, top_p, guidance: how words are drawn; best_of: candidates, of which the guide picks the nearest;
    source and keep: a piece of which some elements stay; continue_from: a piece that is gone on from;
    tempo: beats per minute at the median; key: as `Key.parse` reads it; expressive: play the notes with learned timing
    and lengths, False to leave them on the grid.
    """

    affect: str | None
    seed: int
    bars: int = 16
    seconds: float | None = None
    temperature: float = 1.0
    top_p: float = 0.97
    guidance: float = 2.0
    best_of: int = 1
    source: Path | bytes | None = None
    keep: tuple[str, ...] = ()
    continue_from: Path | bytes | None = None
    tempo: float | None = None
    key: str | None = None
    expressive: bool = True

    def __post_init__(self) -> None:
        if self.affect is not None:
            parse_affect(self.affect)
        check_elements(self.keep, "--keep")
        _within("--bars", self.bars, 1, MOST_BARS)
        _within("--best-of", self.best_of, 1, MOST_CANDIDATES)
        _within("--temperature", self.temperature, 0.0, 5.0)
        _within("--top-p", self.top_p, 0.01, 1.0)
        _within("--guidance", self.guidance, 0.0, 20.0)
        if self.seconds is not None:
            _within("--seconds", self.seconds, 4.0, MOST_SECONDS)
        if self.tempo is not None:
            _within("--tempo", self.tempo, 20.0, 300.0)


@dataclass(frozen=True)
class TransferOptions:
    """A source piece that borrows `elements` from a donor; no affect is asked, so the elements alone do the work."""

    source: Path | bytes
    donor: Path | bytes
    elements: tuple[str, ...]
    seed: int = 0
    temperature: float = 0.8

    def __post_init__(self) -> None:
        check_elements(self.elements, "--elements")
        if not self.elements:
            raise UsageError("--elements names no element.", f"Name some of: {', '.join(ELEMENTS)}.")
        _within("--temperature", self.temperature, 0.0, 5.0)


@dataclass(frozen=True)
class ReconstructOptions:
    """A piece to pass through the latents and back."""

    source: Path | bytes


def check_elements(names: tuple[str, ...], option: str) -> None:
    """UsageError for a name that is no element."""
    for name in names:
        if name not in ELEMENTS:
            raise UsageError(f"{option} got {name!r}, which is no element.", f"Elements are: {', '.join(ELEMENTS)}.")


def _within(option: str, value: float, low: float, high: float) -> None:
    if not math.isfinite(value) or not low <= value <= high:
        raise UsageError(f"{option} got {value}; expected {low:g} to {high:g}.", "Give a value in that range.")
