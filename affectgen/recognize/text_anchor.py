"""One monotone map an axis from EmoBank's narrow scale to the plane in which an emotion word has its place.

EmoBank's raters hardly leave the middle: a joyful sentence is rated 0.3. The map is tanh(slope (x - neutral)), one
slope on either side of neutral: a comment without emotion reads 0, and the typical comments of GoEmotions' labels come
as near their words' points as one such map can bring them (least squares over labels).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST = 15  # comments that a label must have to count
MOST_UNEVEN = 2.0  # times that one side may be steeper than the other, whose labels may be few
SLOPES = np.geomspace(0.5, 12.0, 120)


@dataclass(frozen=True)
class Anchor:
    """neutral: float64 [2], what a neutral comment is rated; slopes: float64 [2, 2], axis by (below, above)."""

    neutral: Floats
    slopes: Floats

    def __call__(self, ratings: Floats) -> Floats:
        """Points [N, 2] in (-1, 1) of valence and arousal on EmoBank's scale, [N, 2]."""
        apart = ratings - self.neutral
        return np.tanh(apart * np.where(apart < 0, self.slopes[:, 0], self.slopes[:, 1]))

    @classmethod
    def fit(cls, ratings: Floats, labels: Floats, points: Floats, neutral: int) -> Anchor:
        """From readings [N, 2] of comments, their label shares [N, L], the labels' points [L, 2] and which is neutral.

        ValueError where no comment is neutral.
        """
        single = labels.max(axis=1) > 0.99
        named = labels.argmax(axis=1)
        rows = {label: ratings[single & (named == label)] for label in range(labels.shape[1])}
        if not len(rows[neutral]):
            raise ValueError("no comment is labelled neutral, so the scale has no zero")
        centre = np.median(rows[neutral], axis=0)
        kept = [label for label, found in rows.items() if len(found) >= LEAST and label != neutral]
        typical = np.array([np.median(rows[label], axis=0) - centre for label in kept]).reshape(-1, 2)
        weight = np.sqrt([len(rows[label]) for label in kept])
        slopes = np.ones((2, 2))
        for axis in range(2):
            for side, sign in enumerate((-1, 1)):
                there = sign * typical[:, axis] > 0
                wanted, size = points[kept][there, axis], weight[there]
                guess = np.tanh(SLOPES[:, None] * typical[there, axis])  # [slopes, labels]
                slopes[axis, side] = SLOPES[int(((guess - wanted) ** 2 @ size).argmin())]
        return cls(centre, np.maximum(slopes, slopes[:, ::-1] / MOST_UNEVEN))
