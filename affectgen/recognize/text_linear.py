"""The judge's model: linear in words, word pairs and cues; logistic for the labels, ridge for the ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from affectgen.recognize.text_features import Sentence
from affectgen.recognize.text_grams import Grams

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """decay: of the labels' weights; penalty: ridge's; cue_size, label_size: how large cues and label scores stand
    beside a row of words of length 1; steps: of L-BFGS at most.
    """

    decay: float = 2e-4
    penalty: float = 3.0
    cue_size: float = 0.15
    label_size: float = 0.1
    steps: int = 60


@dataclass(frozen=True)
class TextLinear:
    """grams: words and pairs; mean, scale: float64 [C] of cues; labels: float32 [G + C + 1, 28]; ratings: float32
    [G + C + 28 + 1, 3]; middle: float64 [28], label scores where nothing is known.
    """

    grams: Grams
    mean: Floats
    scale: Floats
    labels: NDArray[np.float32]
    ratings: NDArray[np.float32]
    middle: Floats
    settings: Settings

    def scores(self, sentences: Sequence[Sentence]) -> tuple[Floats, Floats]:
        """(log label shares [N, 28], ratings [N, 3]) of sentences."""
        rows = _rows(self.grams, sentences, self.mean, self.scale, self.settings)
        logits = rows @ self.labels
        return _log_softmax(logits), _beside(rows, logits - self.middle, self.settings) @ self.ratings

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a checkpoint stores; names of words and pairs in the order of their columns."""
        names = np.array(["\n".join(self.grams.rows)])
        small = {"labels": self.labels.astype(np.float16), "ratings": self.ratings.astype(np.float16)}
        plain = {name: getattr(self, name) for name in ("mean", "scale", "middle")}
        return small | plain | {"grams": names, "idf": self.grams.idf}

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[Any]], settings: Settings) -> TextLinear:
        """The model that `arrays` stored."""
        names = str(arrays["grams"][0]).split("\n")
        known = Grams({name: column for column, name in enumerate(names)}, arrays["idf"])
        labels, ratings = (arrays[name].astype(np.float32) for name in ("labels", "ratings"))
        return cls(known, arrays["mean"], arrays["scale"], labels, ratings, arrays["middle"], settings)


def fit(
    commented: Sequence[Sentence], labels: Floats, rated: Sequence[Sentence], ratings: Floats, settings: Settings
) -> TextLinear:
    """From comments with label shares [N, 28] and sentences with ratings [M, 3]."""
    known = Grams.of([*commented, *rated])
    cues = np.stack([sentence.cues for sentence in (*commented, *rated)])
    mean, scale = cues.mean(axis=0), cues.std(axis=0) + 1e-6
    rows = _rows(known, commented, mean, scale, settings)
    weights = _logistic(rows, labels, settings)
    middle = (rows @ weights).mean(axis=0)
    plain = _rows(known, rated, mean, scale, settings)
    full = _beside(plain, plain @ weights - middle, settings)
    solution = _ridge(full, ratings, settings.penalty)
    return TextLinear(known, mean, scale, weights.astype(np.float32), solution.astype(np.float32), middle, settings)


def _rows(grams: Grams, sentences: Sequence[Sentence], mean: Floats, scale: Floats, settings: Settings) -> Any:
    """Sparse rows [N, G + C + 1]; the last column is 1."""
    cues = np.stack([sentence.cues for sentence in sentences]) if sentences else np.empty((0, len(mean)))
    dense = np.c_[((cues - mean) / scale).clip(-4, 4) * settings.cue_size, np.ones(len(sentences))]
    return sparse.hstack([grams.matrix(sentences), sparse.csr_matrix(dense)]).tocsr()


def _beside(rows: Any, scores: Floats, settings: Settings) -> Any:
    """Rows [N, G + C + 1] with label scores before the last column."""
    return sparse.hstack([rows[:, :-1], sparse.csr_matrix(settings.label_size * scores), rows[:, -1:]]).tocsr()


def _logistic(rows: Any, labels: Floats, settings: Settings) -> Floats:
    """Multinomial logistic regression by L-BFGS: weights [G, 28]."""
    from scipy.optimize import minimize

    shape = (rows.shape[1], labels.shape[1])

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(shape)
        guess = _log_softmax(rows @ weights)
        slope = rows.T @ (np.exp(guess) - labels) / len(labels) + settings.decay * weights
        value = -(labels * guess).sum() / len(labels) + settings.decay / 2 * float(flat @ flat)
        return value, slope.ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": settings.steps})
    return found.x.reshape(shape)


def _ridge(rows: Any, ratings: Floats, penalty: float) -> Floats:
    """Weights [G, 3] in the dual form (fewer rows than columns); the last column, of ones, is not penalised much."""
    middle = ratings.mean(axis=0)
    kernel = (rows @ rows.T).toarray()
    kernel[np.diag_indices_from(kernel)] += penalty
    weights = rows.T @ np.linalg.solve(kernel, ratings - middle)
    weights[-1] += middle
    return weights


def _log_softmax(scores: Floats) -> Floats:
    lowered = scores - scores.max(axis=1, keepdims=True)
    return lowered - np.log(np.exp(lowered).sum(axis=1, keepdims=True))
