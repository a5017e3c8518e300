"""The recogniser of MIDI behind `affectgen rate`: fitted on everything there is, EMOPIA and VGMIDI.

It is the best single reading of an unknown piece, and therefore unfit to measure this project's own generators, which
have learned from the same clips: that is the judge's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affectgen.errors import CheckpointError
from affectgen.recognize import store
from affectgen.recognize.guide import Guide
from affectgen.recognize.intensity import Intensity
from affectgen.recognize.interval import Intervals
from affectgen.recognize.mlp import Perceptrons
from affectgen.recognize.reading import Reading, readings
from affectgen.score.notes import NoteArray

RECOGNISER = "midi-recogniser"


@dataclass(frozen=True)
class MidiRecogniser:
    """model: rates and tells quadrants, as a guide does; intervals: around its points."""

    model: Guide
    intervals: Intervals

    def read(self, pieces: Sequence[NoteArray]) -> list[Reading]:
        """Readings of pieces by their first 30 s."""
        if not pieces:
            return []
        points, quadrants = self.model.heard(pieces)
        return readings(points, quadrants, *self.intervals(points))


def load_recogniser(name: str | Path = RECOGNISER) -> MidiRecogniser:
    """The shipped recogniser, or the one in the folder `name`. CheckpointError if it is missing or damaged."""
    arrays, config = store.load(name, "recogniser")
    if not {"intensity", "intervals"} <= set(config):
        raise CheckpointError(
            f"{name} is a recogniser of an older version, without intervals.",
            "Fit it again: python -m affectgen.recognize.fit --what recogniser",
        )
    intensity = Intensity(np.array(config["intensity"], dtype=np.float64))
    intervals = Intervals(np.array(config["intervals"], dtype=np.float64))
    return MidiRecogniser(Guide(Perceptrons(**arrays), intensity), intervals)
