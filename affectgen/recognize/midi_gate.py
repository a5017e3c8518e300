"""The gate of the recogniser of MIDI: how likely it is that a piece is of the kind that was rated.

Logistic regression on standardised statistics, attributes and how the notes were entered, by Newton's method
(iteratively reweighted least squares); both kinds weigh the same. Rated were arrangements of game music, entered on a
grid and often without dynamics; labelled were performances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.midi_rows import Rows, dynamic_columns
from affectgen.recognize.mlp import standardise

Floats = NDArray[np.float64]
STEPS = 30
ENOUGH = 1e-8


@dataclass(frozen=True)
class Gate:
    """mean, scale: float64 [C]; slope: [C + 1], of the standardised columns and the flag that velocities are known;
    start: an array without axes.
    """

    mean: Floats
    scale: Floats
    slope: Floats
    start: Floats

    def __call__(self, rows: Rows) -> Floats:
        """The probability that each piece is of the rated kind, [N]."""
        odds = _inputs(rows, self.mean, self.scale) @ self.slope + self.start
        return np.asarray(0.5 + 0.5 * np.tanh(odds / 2), dtype=np.float64)

    @classmethod
    def fit(cls, rows: Rows, rated: NDArray[np.bool_], penalty: float) -> Gate:
        """From pieces of which `rated` [N] are of the rated kind. penalty: of the squared slopes, a share of a row."""
        columns = _columns(rows)
        mean, scale = columns.mean(axis=0), columns.std(axis=0) + 1e-6
        table = np.hstack([_inputs(rows, mean, scale), np.ones((len(rows), 1))])
        weight = np.where(rated, 0.5 / max(rated.sum(), 1), 0.5 / max((~rated).sum(), 1))
        ridge = np.append(np.full(table.shape[1] - 1, penalty), 1e-9)
        found = np.zeros(table.shape[1])
        for _ in range(STEPS):
            share = 0.5 + 0.5 * np.tanh(table @ found / 2)
            slope = table.T @ (weight * (share - rated)) + ridge * found
            bend = (table * (weight * share * (1 - share))[:, None]).T @ table + np.diag(ridge)
            step = np.linalg.solve(bend, slope)
            found -= step
            if np.abs(step).max() < ENOUGH:
                break
        return cls(mean, scale, found[:-1], np.array(found[-1]))


def _columns(rows: Rows) -> Floats:
    """[N, C]."""
    return np.hstack([rows.whole, rows.attributes, rows.writing])


def _inputs(rows: Rows, mean: Floats, scale: Floats) -> Floats:
    """[N, C + 1]."""
    dynamic = np.append(dynamic_columns(), np.zeros(rows.writing.shape[1], dtype=bool))
    return standardise(_columns(rows), rows.dynamics, mean, scale, dynamic)
