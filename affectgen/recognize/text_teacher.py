"""A teacher of ratings: kernel ridge regression on a sentence encoder's vectors, word pairs and cues.

It rates the comments that no one rated, and the networks learn from those ratings as well (Hinton et al., 2015); it is
not shipped. Kernels: two Gaussians and one linear, summed; their weights were chosen on EmoBank's dev split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.text_features import Sentence
from affectgen.recognize.text_grams import Grams

Floats = NDArray[np.float64]
BLOCK = 4000  # rows of a kernel computed at a time


@dataclass(frozen=True)
class Settings:
    """width: of the Gaussian over vectors; cue_width, cue_weight: of that over cues; gram_weight: of the linear kernel;
    penalty: ridge's.
    """

    width: float = 0.25
    cue_width: float = 0.3
    cue_weight: float = 0.5
    gram_weight: float = 0.3
    penalty: float = 2.0


def teach(
    vectors: NDArray[np.float32],
    sentences: Sequence[Sentence],
    ratings: Floats,
    other_vectors: NDArray[np.float32],
    others: Sequence[Sentence],
    settings: Settings,
) -> Floats:
    """Ratings [M, 3] of `others`, from rated sentences [N] with ratings [N, 3]; vectors [N, D] and [M, D]."""
    from scipy.linalg import solve

    pairs = Grams.of(sentences)
    middle = vectors.mean(axis=0)
    size = float(np.sqrt(vectors.var(axis=0).sum()))
    cues = np.stack([sentence.cues for sentence in sentences])
    mean, scale = cues.mean(axis=0), (cues.std(axis=0) + 1e-6) * np.sqrt(cues.shape[1])
    known, known_cues, known_pairs = (vectors - middle) / size, (cues - mean) / scale, pairs.matrix(sentences)

    def kernel(rows: NDArray[np.float32], texts: Sequence[Sentence]) -> Floats:
        heard = (np.stack([text.cues for text in texts]) - mean) / scale
        first = _gaussian((rows - middle) / size, known, settings.width)
        second = settings.cue_weight * _gaussian(heard, known_cues, settings.cue_width)
        third = settings.gram_weight * (pairs.matrix(texts) @ known_pairs.T).toarray()
        return np.asarray(first + second + third, dtype=np.float32)

    gram = kernel(vectors, sentences)
    gram[np.diag_indices_from(gram)] += settings.penalty
    centre = ratings.mean(axis=0)
    weights = solve(gram, (ratings - centre).astype(np.float32), assume_a="pos", overwrite_a=True)
    starts = range(0, len(others), BLOCK)
    parts = [kernel(other_vectors[i : i + BLOCK], others[i : i + BLOCK]) @ weights for i in starts]
    return np.concatenate(parts).astype(np.float64) + centre


def _gaussian(first: NDArray[np.floating], second: NDArray[np.floating], width: float) -> NDArray[np.floating]:
    """exp(-width |a - b|^2) of rows [N, D] and [M, D]: [N, M]."""
    distance = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None] - 2 * first @ second.T
    return np.exp(-width * np.maximum(distance, 0))
