"""A common scale for attributes of all units: where a value stands among real pieces, as standard deviations.

Attributes are shares, rates and counts, most of them skewed; what a network and a person can both read is the rank: 0
is the median of real pieces, and two thirds of them lie between -1 and +1 (rank-based normal scores, Blom 1958).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]
POINTS = 65  # quantiles kept of each attribute
FARTHEST = 2.5  # standard deviations told apart


@dataclass(frozen=True)
class Scale:
    """quantiles: float64 [K, POINTS], rising, of each attribute over real pieces."""

    quantiles: Floats

    @classmethod
    def of(cls, values: Floats, weights: Floats | None = None) -> Scale:
        """From pieces [N, K]; nan is left out, and an attribute that is nan throughout has zeros. Weights [N] say how
        much each piece counts."""
        weight = np.ones(len(values)) if weights is None else weights
        levels = (np.arange(POINTS) + 0.5) / POINTS
        rows = []
        for column in values.T:
            there = np.isfinite(column)
            if not there.any():
                rows.append(np.zeros(POINTS))
                continue
            order = np.argsort(column[there], kind="stable")
            mass = np.cumsum(weight[there][order])
            middle = (mass - weight[there][order] / 2) / mass[-1]
            rows.append(np.interp(levels, middle, column[there][order]))
        return cls(np.stack(rows))

    def to_sd(self, values: Floats) -> Floats:
        """Natural values [..., K] as standard deviations, within FARTHEST; nan stays nan.

        A value that many pieces share (no sevenths at all, say) stands in the middle of them.
        """
        each = values[..., None]
        first, last = (self.quantiles < each).sum(axis=-1), (self.quantiles <= each).sum(axis=-1)  # [..., K]
        place = np.arange(len(self.quantiles))
        before, after = (self.quantiles[place, np.clip(step, 0, POINTS - 1)] for step in (first - 1, first))
        share = np.divide(values - before, after - before, out=np.zeros(values.shape), where=after > before)
        rank = np.where(last > first, (first + last - 1) / 2, first - 1 + share)  # of ties the middle
        rank = np.where(last == 0, -0.5, np.where(first == POINTS, POINTS - 0.5, rank))  # beyond all
        rank = np.where(np.isnan(values), np.nan, (rank + 0.5) / POINTS)
        return np.clip(_normal(torch.special.ndtri, rank), -FARTHEST, FARTHEST)

    def to_natural(self, sd: Floats) -> Floats:
        """Standard deviations [..., K] as natural values; nan stays nan."""
        found = np.full(sd.shape, np.nan)
        ranks = _normal(torch.special.ndtr, sd) * POINTS - 0.5
        for place, steps in enumerate(self.quantiles):
            column = np.asarray(ranks[..., place])
            there = np.isfinite(column)
            found[..., place][there] = np.interp(column[there], np.arange(POINTS), steps)
        return found


def _normal(function: Callable[[torch.Tensor], torch.Tensor], values: Floats) -> Floats:
    """The normal distribution's function, or its inverse, of values; nan stays nan. Torch is loaded in any case."""
    found: Floats = function(torch.from_numpy(np.asarray(values, dtype=np.float64))).numpy()
    return found
