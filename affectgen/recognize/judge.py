"""The judge: measures the emotion of finished music, and nothing else may learn from it or pick by it.

Gradient-boosted trees fitted on EMOPIA's validation songs only, which no generator and no guide trains on; of another
model family than the guide (design, section 6). Its accuracy on the training clips, which it has never seen, stands in
its card, and beside every figure it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize import store
from affectgen.recognize.features import feature_table
from affectgen.recognize.trees import Forest
from affectgen.score.notes import NoteArray

Floats = NDArray[np.float64]
JUDGE = "midi-judge"
FORESTS = ("quadrant", "arousal", "valence")


@dataclass(frozen=True)
class Verdict:
    """points: valence and arousal in [-1, 1], [N, 2]: 2p - 1 for the probability p that the axis is high;
    quadrants: probabilities of Q1-Q4, [N, 4].
    """

    points: Floats
    quadrants: Floats

    def accuracy(self, wanted: NDArray[np.int64]) -> dict[str, float]:
        """Shares of pieces whose quadrant (0-3, [N]), arousal sign and valence sign are read as wanted."""
        high, pleasant = wanted < 2, (wanted == 0) | (wanted == 3)
        return {
            "quadrants": float((self.quadrants.argmax(axis=1) == wanted).mean()),
            "arousal": float(((self.points[:, 1] > 0) == high).mean()),
            "valence": float(((self.points[:, 0] > 0) == pleasant).mean()),
        }


@dataclass(frozen=True)
class Judge:
    """Judges pieces by their first 30 s on the judging grid; about 4 ms a piece. figures: its own accuracy, unseen."""

    quadrant: Forest
    arousal: Forest
    valence: Forest
    figures: dict[str, float]

    def judge(self, pieces: Sequence[NoteArray]) -> Verdict:
        """Measure pieces [N]."""
        return self.judge_statistics(feature_table(pieces))

    def judge_statistics(self, statistics: Floats) -> Verdict:
        """Measure pieces given by their statistics [N, F], as `feature_table` makes them."""
        odds = [forest.scores(statistics)[:, 0] for forest in (self.valence, self.arousal)]
        scores = self.quadrant.scores(statistics)
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return Verdict(np.tanh(np.stack(odds, axis=1) / 2), raised / raised.sum(axis=1, keepdims=True))


def load_judge(name: str | Path = JUDGE) -> Judge:
    """The shipped judge, or the one in the folder `name`. CheckpointError if it is missing or damaged."""
    arrays, config = store.load(name, "judge")
    quadrant, arousal, valence = (Forest.of_arrays(arrays, forest) for forest in FORESTS)
    return Judge(quadrant, arousal, valence, config["figures"])
