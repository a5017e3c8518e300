"""The guide: a recogniser that may steer (best-of-n, pseudo-labels). It never measures a result; the judge does that.

Fitted on EMOPIA's training split and VGMIDI's ratings, of another model family than the judge (design, section 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import CheckpointError
from affectgen.recognize import store
from affectgen.recognize.features import VELOCITY_PREFIX, feature_names, feature_table, has_dynamics
from affectgen.recognize.intensity import Intensity
from affectgen.recognize.mlp import Perceptrons, affect_of
from affectgen.score.grid import GridScore
from affectgen.score.notes import NoteArray

Floats = NDArray[np.float64]
GUIDE = "midi-guide"
WINDOW_BARS = 4  # a path is measured in windows of this many bars


def velocity_columns() -> NDArray[np.bool_]:
    """Which statistics mean nothing in a piece of one velocity, bool [F]."""
    return np.array([name.startswith(VELOCITY_PREFIX) for name in feature_names()])


@dataclass(frozen=True)
class Guide:
    """Rates pieces of any length by their first 30 s; about 3 ms a piece."""

    model: Perceptrons
    intensity: Intensity | None = None

    def rate(self, pieces: Sequence[NoteArray]) -> Floats:
        """Valence and arousal in [-1, 1] of each piece, float64 [N, 2]; 0 is undecided. Intensities, where it has a map
        from its readings to them."""
        return self.heard(pieces)[0]

    def quadrants(self, pieces: Sequence[NoteArray]) -> Floats:
        """Probabilities of Q1-Q4 for each piece, float64 [N, 4]."""
        return self.heard(pieces)[1]

    def heard(self, pieces: Sequence[NoteArray]) -> tuple[Floats, Floats]:
        """Both at once."""
        dynamics = np.array([has_dynamics(piece) for piece in pieces], dtype=bool)
        readings, quadrants = affect_of(self.model.logits(feature_table(pieces), dynamics))
        return (readings if self.intensity is None else self.intensity(readings)), quadrants


def load_guide(name: str | Path = GUIDE) -> Guide:
    """The shipped guide, or the one in the folder `name`. CheckpointError if it is missing or damaged."""
    arrays, config = store.load(name, "guide")
    if "intensity" not in config:
        raise CheckpointError(
            f"{name} is a guide of an older version, without intensities.",
            "Fit it again: python -m affectgen.recognize.fit --what guide",
        )
    return Guide(Perceptrons(**arrays), Intensity(np.array(config["intensity"], dtype=np.float64)))


def measure_path(guide: Guide, score: GridScore, window: int = WINDOW_BARS) -> NDArray[np.float64]:
    """The guide's valence-arousal in windows of bars, [W, 2]; a window without notes reads 0."""
    parts = [score.take_bars(first, first + window).to_notes() for first in range(0, score.bars, window)]
    heard = [index for index, part in enumerate(parts) if len(part)]
    points = np.zeros((len(parts), 2))
    if heard:
        points[heard] = guide.rate([parts[index] for index in heard])
    return points
