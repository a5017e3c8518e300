"""The recogniser's expert for rated music: what the mean of VGMIDI's raters would be, by kernel ridge regression.

Reads the note statistics and EmoGen's hundred attributes of a piece's first 30 s: the kernel is the mean of a Gaussian
over the statistics and one over everything. The windows of one piece share its weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.midi_rows import Rows, dynamic_columns
from affectgen.recognize.mlp import standardise
from affectgen.score.attributes import ATTRIBUTES

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """ridge: added to the kernel's diagonal for a row of mean weight; width: 1 / (2 s^2) for Gaussians of s standard
    deviations a column. Chosen by folds by series.
    """

    ridge: float = 0.2
    width: float = 0.1


@dataclass(frozen=True)
class RatedExpert:
    """mean, scale: float64 [C]; support: [S, C + 1], standardised rows of the fit; dual: [S, 2]; start: [2]; width."""

    mean: Floats
    scale: Floats
    support: Floats
    dual: Floats
    start: Floats
    width: Floats

    def ratings(self, rows: Rows) -> Floats:
        """What raters would say on average, valence and arousal, [N, 2]."""
        table = standardise(_columns(rows), rows.dynamics, self.mean, self.scale, dynamic_columns())
        return _kernel(table, self.support, float(self.width)) @ self.dual + self.start

    @classmethod
    def fit(cls, rows: Rows, ratings: Floats, songs: NDArray[np.str_], settings: Settings) -> RatedExpert:
        """From windows of the pieces `songs` [N] and their ratings [N, 2]."""
        velocity, columns = dynamic_columns(), _columns(rows)
        mean, scale = columns.mean(axis=0), columns.std(axis=0)
        if rows.dynamics.any():
            known = columns[rows.dynamics][:, velocity]
            mean[velocity], scale[velocity] = known.mean(axis=0), known.std(axis=0)
        mean, scale = _stored(mean), _stored(scale + 1e-6)
        table = standardise(columns, rows.dynamics, mean, scale, velocity).astype(np.float16).astype(np.float64)
        _, piece, windows = np.unique(songs, return_inverse=True, return_counts=True)
        weight = 1.0 / windows[piece]
        weight = weight / weight.mean()
        start = (weight[:, None] * ratings).sum(axis=0) / weight.sum()
        gram = _kernel(table, table, settings.width) + np.diag(settings.ridge / weight)
        return cls(mean, scale, table, np.linalg.solve(gram, ratings - start), start, np.array(settings.width))


def _stored(values: Floats) -> Floats:
    """Single precision, as a checkpoint keeps it, so that the stored rows mean the same."""
    return values.astype(np.float32).astype(np.float64)


def _columns(rows: Rows) -> Floats:
    """[N, F + 100]."""
    return np.hstack([rows.whole, rows.attributes])


def _kernel(rows: Floats, others: Floats, width: float) -> Floats:
    """[N, S] for standardised rows [N, C + 1] and [S, C + 1]."""
    first = np.append(np.arange(rows.shape[1] - 1 - len(ATTRIBUTES)), -1)  # the statistics and the flag
    return (_gauss(rows[:, first], others[:, first], width) + _gauss(rows, others, width)) / 2


def _gauss(rows: Floats, others: Floats, width: float) -> Floats:
    """exp(-width |a - b|^2 / columns), [N, S]."""
    square = (rows**2).sum(axis=1)[:, None] - 2 * rows @ others.T + (others**2).sum(axis=1)
    return np.exp(-width / (rows.shape[1] - 1) * np.maximum(square, 0.0))
