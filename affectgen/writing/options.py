"""What can be asked of whatever composes pieces. Options check their own values; nothing heavy is imported."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from affectgen.affect import parse_affect
from affectgen.errors import UsageError
from affectgen.task import LARGEST_SEED

ELEMENTS = ("family", "beat", "tempo", "chord", "pitch", "duration", "velocity")
MOST_BARS = 256
MOST_SECONDS = 900.0
MOST_CANDIDATES = 64
BAR_BEATS = 4


@dataclass(frozen=True)
class ComposeOptions:
    """One piece to compose.

    affect: a point or path as `parse_affect` reads it, None for none; bars: length, or seconds if given, of what is
    composed; temperature, top_p, guidance: how words are drawn; best_of: candidates, of which the best is kept; tries:
    how often as many are composed at most, while none is good (each generator says what that is);
    source and keep: a piece of which some elements stay, and its length; continue_from: a piece that is gone
    on from; tempo: beats per minute at the median; key: as `Key.parse` reads it; expressive: play the notes with
    learned timing and lengths, False to leave them on the grid. guidance None: the generator's own.
    """

    affect: str | None
    seed: int
    bars: int = 16
    seconds: float | None = None
    temperature: float = 1.0
    top_p: float = 0.99
    guidance: float | None = None
    best_of: int = 1
    tries: int = 4
    source: Path | bytes | None = None
    keep: tuple[str, ...] = ()
    continue_from: Path | bytes | None = None
    tempo: float | None = None
    key: str | None = None
    expressive: bool = True

    def __post_init__(self) -> None:
        if self.affect is not None:
            parse_affect(self.affect)
        if self.key is not None:
            from affectgen.score.keys import Key  # numpy, which --help does without

            Key.parse(self.key)
        check_elements(self.keep, "--keep")
        self._check_numbers()
        self._check_pieces()

    def _check_numbers(self) -> None:
        """UsageError for a number that is out of range."""
        whole("--seed", self.seed, 0, LARGEST_SEED)
        whole("--bars", self.bars, 1, MOST_BARS)
        whole("--best-of", self.best_of, 1, MOST_CANDIDATES)
        whole("--tries", self.tries, 1, MOST_CANDIDATES)
        within("--temperature", self.temperature, 0.0, 5.0)
        within("--top-p", self.top_p, 0.01, 1.0)
        if self.guidance is not None:
            within("--guidance", self.guidance, 0.0, 20.0)
        if self.seconds is not None:
            within("--seconds", self.seconds, 4.0, MOST_SECONDS)
        if self.tempo is not None:
            within("--tempo", self.tempo, 20.0, 300.0)
        if self.tempo is not None and self.seconds is not None and self.seconds < BAR_BEATS * 60 / self.tempo:
            raise UsageError(
                f"--seconds {self.seconds:g} is shorter than one bar at --tempo {self.tempo:g}.",
                "Give more seconds, a faster tempo, or one of the two.",
            )

    def _check_pieces(self) -> None:
        """UsageError for pieces that do not go together."""
        if self.source is not None and self.continue_from is not None:
            raise UsageError("--source and --continue were both given; one was expected.", "Use them one by one.")
        if (self.source is None) != (not self.keep):
            came, lacks = ("--keep", "--source") if self.source is None else ("--source", "--keep")
            raise UsageError(f"{came} came without {lacks}.", "Say both: --source PIECE --keep ELEMENTS")
        if self.key is not None and (self.source is not None or self.continue_from is not None):
            came = "--source" if self.source is not None else "--continue"
            raise UsageError(f"--key came with {came}, whose key stays.", "Leave --key out.")
        if self.source is not None and self.seconds is not None:
            raise UsageError("--seconds came with --source, whose length stays.", "Leave --seconds out.")


def check_elements(names: tuple[str, ...], option: str) -> None:
    """UsageError for a name that is no element."""
    for name in names:
        if name not in ELEMENTS:
            raise UsageError(f"{option} got {name!r}, which is no element.", f"Elements are: {', '.join(ELEMENTS)}.")


def whole(option: str, value: int, low: int, high: int) -> None:
    """UsageError unless a value is a whole number in a range."""
    within(option, value, low, high)
    if value != int(value):
        raise UsageError(f"{option} got {value}; a whole number was expected.", "Give a whole number.")


def within(option: str, value: float, low: float, high: float) -> None:
    """UsageError unless a value is a number in a range."""
    if not math.isfinite(value) or not low <= value <= high:
        raise UsageError(f"{option} got {value}; expected {low:g} to {high:g}.", "Give a value in that range.")
