"""The critic: tells real clips from composed ones, so that a generator can leave out what does not pass for real.

A logistic regression over note statistics (`affectgen.recognize.features`) and their squares, fitted on EMOPIA's
training clips against pieces that a generator composed at the same points of the plane. With the squares it knows what
is too usual or too odd, not only what is too high or too low. Drawing again what a discriminator doubts brings a
generator's pieces nearer to real ones without training it (Azadi et al., Discriminator Rejection Sampling, ICLR 2019).
It steers, so it never measures: the distance of a result is taken from the same statistics, which its card says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize import store
from affectgen.recognize.features import feature_table
from affectgen.recognize.mlp import CLIP
from affectgen.score.notes import NoteArray

Floats = NDArray[np.float64]
CRITIC = "muser-critic"
PARTS = ("mean", "scale", "weight")


@dataclass(frozen=True)
class Critic:
    """mean, scale: float64 [F], of the statistics; weight: float64 [2F], of them in standard deviations, then of their
    squares; bias; level: the log odds that a piece should reach. name, sha256: the checkpoint's, where it is known.
    """

    mean: Floats
    scale: Floats
    weight: Floats
    bias: float
    level: float = 0.0
    name: str = ""
    sha256: str = ""

    @property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What a checkpoint holds of it, beside bias and level."""
        return {part: getattr(self, part).astype(np.float32) for part in PARTS}

    @classmethod
    def of(
        cls, arrays: Mapping[str, NDArray[Any]], config: Mapping[str, Any], name: str = "", sha256: str = ""
    ) -> Critic:
        """From what a checkpoint holds; KeyError for what it lacks."""
        mean, scale, weight = (arrays[part].astype(np.float64) for part in PARTS)
        return cls(mean, scale, weight, float(config["bias"]), float(config["level"]), name, sha256)

    def log_odds(self, statistics: Floats) -> Floats:
        """Log odds of being real, float64 [N], of statistics [N, F] as `feature_table` makes them."""
        return terms(statistics, self.mean, self.scale) @ self.weight + self.bias

    def belief(self, pieces: Sequence[NoteArray]) -> Floats:
        """How far above the level pieces pass for real, in log odds, float64 [N]; below 0 they are doubted."""
        return self.log_odds(feature_table(pieces)) - self.level


def terms(statistics: Floats, mean: Floats, scale: Floats) -> Floats:
    """Statistics [N, F] in standard deviations, at most `CLIP`, and their squares less one: [N, 2F]."""
    rows = np.clip((statistics - mean) / scale, -CLIP, CLIP)
    return np.concatenate([rows, rows**2 - 1.0], axis=1)


def fit(real: Floats, made: Floats, strength: float) -> Critic:
    """A critic from statistics of real clips [N, F] and of composed ones [M, F].

    strength: inverse of the L2 penalty (scikit-learn's C). The level is left at 0. Needs scikit-learn.
    """
    from sklearn.linear_model import LogisticRegression

    rows = np.concatenate([real, made])
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    truth = np.concatenate([np.ones(len(real)), np.zeros(len(made))])
    model = LogisticRegression(C=strength, max_iter=5000)
    model.fit(terms(rows, mean, scale), truth)
    return Critic(mean, scale, model.coef_[0].astype(np.float64), float(model.intercept_[0]))


def load_critic(name: str | Path = CRITIC) -> Critic:
    """The shipped critic, or the one in the folder `name`. CheckpointError if it is missing or damaged."""
    arrays, config = store.load(name, "critic")
    return Critic.of(arrays, config)
