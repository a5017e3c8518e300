"""From how sure a recogniser is to how intense the emotion is: ranks among labelled clips.

A reading of 2p - 1 says how sure a classifier is that an axis is high; half of all clips read above 0.9 in arousal.
Asked points mean intensities, so a reading is replaced by its rank among the clips of the same sign, with the median at
0.6: a quadrant's name stands at 0.6, and its typical clip is what it means. The map is increasing and keeps the sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RANKS = np.linspace(0.0, 1.0, 11)  # at which readings are kept
LEVELS = np.interp(RANKS, (0.0, 0.5, 1.0), (0.0, 0.6, 1.0))  # the intensities that they stand for


@dataclass(frozen=True)
class Intensity:
    """knots: float64 [2, 2, 11], absolute readings at the deciles of valence and arousal (rows), below and above 0."""

    knots: Floats

    @classmethod
    def of(cls, readings: Floats, signs: NDArray[np.int64]) -> Intensity:
        """From readings [N, 2] of clips whose true signs [N, 2] are known; readings of the wrong sign do not count.

        ValueError where an axis has no clip on one of its sides that is read rightly.
        """
        knots = np.empty((2, 2, len(RANKS)))
        for axis in range(2):
            for side, sign in enumerate((-1, 1)):
                here = np.abs(readings[(signs[:, axis] == sign) & (readings[:, axis] * sign > 0), axis])
                if not len(here):
                    raise ValueError("no clip is read rightly on one side of an axis")
                knots[axis, side] = np.quantile(here, RANKS)
        knots[..., 0], knots[..., -1] = 0.0, 1.0  # an undecided reading is 0, a certain one 1
        return cls(knots)

    def __call__(self, readings: Floats) -> Floats:
        """Intensities [N, 2] in [-1, 1] of readings [N, 2]."""
        out = np.empty_like(readings)
        for axis in range(2):
            for side, sign in enumerate((-1, 1)):
                here = readings[:, axis] * sign >= 0
                out[here, axis] = sign * np.interp(np.abs(readings[here, axis]), self.knots[axis, side], LEVELS)
        return out
