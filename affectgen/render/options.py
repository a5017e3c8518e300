"""What can be asked of the task `render`. A frozen dataclass that checks its own values; nothing heavy is imported."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from affectgen.audio.join import CURVES
from affectgen.audio.options import SoundOptions, one_of
from affectgen.errors import UsageError

LONGEST_OVERLAP = 60.0  # seconds


@dataclass(frozen=True)
class RenderOptions(SoundOptions):
    """One file to make.

    sources: MIDI or audio, one after the other; overlap: seconds of the crossfade between two of them; curve: of that
    crossfade; measure: whether the emotion of the sound is read.
    """

    sources: tuple[Path | bytes, ...]
    overlap: float = 0.0
    curve: str = "equal-power"
    measure: bool = False

    def __post_init__(self) -> None:
        if not self.sources:
            raise UsageError("Nothing was given to render.", "Name a MIDI or sound file, or - for standard input.")
        super().__post_init__()
        one_of("curve", self.curve, CURVES)
        if not (math.isfinite(self.overlap) and 0 <= self.overlap <= LONGEST_OVERLAP):
            raise UsageError(f"An overlap of {self.overlap} s was asked for.", f"Use 0 to {LONGEST_OVERLAP:g} seconds.")
