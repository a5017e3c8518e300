"""Intervals that hold the stated share of unseen labels: conformal, with a spread that depends on the reading.

Lei et al. (JASA 2018), "locally weighted split conformal": the residuals of readings that were taken out of fold are
divided by their typical size at readings like these, and the stated share's quantile of the quotients is kept. An
interval is then reading +- quantile x typical size. Holds for items drawn like those that the residuals came from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.reading import LEVEL

Floats = NDArray[np.float64]
KNOTS = np.linspace(-1.0, 1.0, 17)  # readings at which the typical residual is kept
WIDTH = 0.2  # of the kernel that smooths residuals over readings
LEAST_SPREAD = 0.02


@dataclass(frozen=True)
class Intervals:
    """half: float64 [2, 17], half the width of the interval at each of KNOTS, of valence and arousal (rows)."""

    half: Floats

    @classmethod
    def fit(cls, readings: Floats, labels: Floats, weight: Floats | None = None, level: float = LEVEL) -> Intervals:
        """From readings [N, 2] taken out of fold, their labels [N, 2] and weights [N]; a label may be nan, not known.

        ValueError where fewer than 20 labels of an axis are known.
        """
        weight = np.ones(len(readings)) if weight is None else np.asarray(weight, dtype=np.float64)
        half = np.empty((2, len(KNOTS)))
        for axis in range(2):
            known = np.isfinite(labels[:, axis]) & np.isfinite(readings[:, axis])
            if known.sum() < 20:
                raise ValueError(f"{known.sum()} labelled readings are too few for an interval")
            reading, rows = readings[known, axis], weight[known]
            size = np.abs(labels[known, axis] - reading)
            spread = _spread(reading, size, rows)
            quotient = size / np.interp(reading, KNOTS, spread)
            half[axis] = spread * _quantile(quotient, rows, level)
        return cls(half)

    def __call__(self, readings: Floats) -> tuple[Floats, Floats]:
        """(low, high), each [N, 2] in [-1, 1], for readings [N, 2]."""
        half = self.halves(readings)
        return np.clip(readings - half, -1.0, 1.0), np.clip(readings + half, -1.0, 1.0)

    def halves(self, readings: Floats) -> Floats:
        """Half the widths [N, 2] before they are cut to the plane, for readings [N, 2]."""
        return np.stack([np.interp(readings[:, axis], KNOTS, self.half[axis]) for axis in range(2)], axis=1)


def coverage(low: Floats, high: Floats, labels: Floats, slack: float = 1e-9) -> Floats:
    """The share of known labels [N, 2] that lie inside their intervals, float64 [2]; nan labels do not count."""
    known = np.isfinite(labels)
    inside = (labels >= low - slack) & (labels <= high + slack)
    return np.array([inside[known[:, axis], axis].mean() for axis in range(2)])


def _spread(reading: Floats, size: Floats, weight: Floats) -> Floats:
    """The mean size of residuals near each knot, float64 [17]."""
    near = np.exp(-0.5 * ((KNOTS[:, None] - reading[None]) / WIDTH) ** 2) * weight  # [knots, N]
    prior = weight.sum() * 1e-3  # far from all readings: what holds overall
    overall = float((size * weight).sum() / weight.sum())
    return np.maximum((near @ size + prior * overall) / (near.sum(axis=1) + prior), LEAST_SPREAD)


def _quantile(values: Floats, weight: Floats, level: float) -> float:
    """The least value that at least the share `level` of the weight does not exceed."""
    order = np.argsort(values)
    share = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][min(int(np.searchsorted(share, level)), len(values) - 1)])
