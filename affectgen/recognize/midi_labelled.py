"""The recogniser's expert for labelled music: which quadrant EMOPIA's annotators would give a performance.

Perceptrons (mlp.py) and gradient-boosted trees (trees.py) vote, each with a quadrant and with the sides of both axes; a
clip is read as a whole and in parts, and all are averaged as log-probabilities. Trees read velocities, so they have no
vote where those say nothing. Valence and arousal follow from the quadrants' probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize import mlp, trees
from affectgen.recognize.corpus import PART_WEIGHT
from affectgen.recognize.guide import velocity_columns
from affectgen.recognize.judge import FORESTS
from affectgen.recognize.midi_rows import Rows
from affectgen.recognize.mlp import Examples, Perceptrons
from affectgen.recognize.trees import Forest

Floats = NDArray[np.float64]
SIDES = np.array([[1, 1], [0, 1], [0, 0], [1, 0]])  # whether valence and arousal are high in Q1..Q4
LEAST = 0.01  # no single vote is surer than this


@dataclass(frozen=True)
class Settings:
    """perceptrons, trees: of the two families; their seeds are replaced by `seed`. Chosen by folds by song."""

    perceptrons: mlp.Settings = field(default_factory=lambda: mlp.Settings(members=16))
    trees: trees.Settings = field(
        default_factory=lambda: trees.Settings(stages=200, learning_rate=0.05, rows=0.5, columns=0.1, forests=1)
    )
    seed: int = 0


@dataclass(frozen=True)
class LabelledExpert:
    """perceptrons; forests: of quadrant, arousal and valence."""

    perceptrons: Perceptrons
    forests: dict[str, Forest]

    def quadrants(self, rows: Rows) -> Floats:
        """Probabilities of Q1-Q4, [N, 4]."""
        dynamics = rows.dynamics[rows.owner]
        logits = self.perceptrons.logits(rows.statistics, dynamics)
        votes = _votes(logits[:, :2], logits[:, 2:])
        if dynamics.any():
            scores = {name: self.forests[name].scores(rows.statistics[dynamics]) for name in FORESTS}
            axes = np.hstack([scores["valence"], scores["arousal"]])
            votes[dynamics] = (votes[dynamics] + _votes(axes, scores["quadrant"])) / 2
        return shares_of(rows.mean(votes))

    @classmethod
    def fit(cls, rows: Rows, quadrant: NDArray[np.int64], settings: Settings) -> LabelledExpert:
        """From clips, their parts and their quadrants (0-3, [N])."""
        owner = rows.owner
        weight = np.where(np.arange(len(owner)) < len(rows), 1.0, PART_WEIGHT)
        examples = Examples(rows.statistics, rows.dynamics[owner], quadrant[owner], np.zeros((len(owner), 2)), weight)
        perceptrons = mlp.fit(examples, velocity_columns(), replace(settings.perceptrons, seed=settings.seed))
        return cls(perceptrons, fit_forests(examples, replace(settings.trees, seed=settings.seed)))


def fit_forests(examples: Examples, settings: trees.Settings) -> dict[str, Forest]:
    """Three forests from rows with a quadrant: of the quadrant, and of the sides of arousal and valence."""
    sides = SIDES[examples.quadrant]
    targets = {"quadrant": examples.quadrant, "arousal": sides[:, 1], "valence": sides[:, 0]}
    return {name: trees.fit(examples.statistics, targets[name], examples.weight, settings) for name in FORESTS}


def points_of(quadrants: Floats) -> Floats:
    """Valence and arousal, each p(high) - p(low), of probabilities [N, 4]."""
    return quadrants @ (2.0 * SIDES - 1.0)


def shares_of(votes: Floats) -> Floats:
    """Probabilities [N, 4] of log-odds of the axes and log-probabilities of the quadrants [N, 6]: the mean of both."""
    sides = np.stack([_log_side(votes[:, axis], SIDES[:, axis]) for axis in range(2)]).sum(axis=0)
    scores = (votes[:, 2:] + sides) / 2
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float64)


def _log_side(odds: Floats, high: NDArray[np.int64]) -> Floats:
    """The log-probability [N, 4] of the side on which each quadrant lies, for log-odds [N] that the axis is high."""
    return -np.log1p(np.exp(-odds[:, None] * (2.0 * high - 1.0)))


def _votes(odds: Floats, scores: Floats) -> Floats:
    """Log-odds [N, 2] and class scores [N, 4] as votes [N, 6], none surer than LEAST."""
    edge = np.log(1 / LEAST - 1)
    scores = scores - scores.max(axis=1, keepdims=True)
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return np.hstack([np.clip(odds, -edge, edge), np.maximum(logs, np.log(LEAST))])
