"""Fisher vectors: how a clip's cepstra differ from what is usual, one Gaussian of a mixture at a time.

Perronnin, Sanchez & Mensink (2010), with the signed square root and unit length that they found to help; for emotion in
speech, Kaya & Karpov (2016). The mixture is fitted by scikit-learn when a checkpoint is made and evaluated in numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Frames = NDArray[np.floating[Any]]
MOST_FRAMES = 20_000  # that a mixture is fitted on
LEAST_VARIANCE = 1e-3


@dataclass(frozen=True)
class Mixture:
    """A mixture of K Gaussians over D standardised descriptors. mean, scale: float64 [D], of them; weights: [K];
    centres, variances: [K, D].
    """

    mean: Floats
    scale: Floats
    weights: Floats
    centres: Floats
    variances: Floats

    @classmethod
    def fit(cls, clips: Sequence[Frames], gaussians: int, seed: int) -> Mixture:
        """Fit on descriptors of clips, each [T, D]."""
        from sklearn.mixture import GaussianMixture

        total = sum(len(clip) for clip in clips)
        rows = np.concatenate([clip[:: max(1, total // MOST_FRAMES)] for clip in clips]).astype(np.float64)
        mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
        made = GaussianMixture(
            gaussians,
            covariance_type="diag",
            max_iter=20,
            init_params="k-means++",
            reg_covar=LEAST_VARIANCE,
            random_state=seed,
        ).fit((rows - mean) / scale)
        return cls(mean, scale, made.weights_, made.means_, made.covariances_)

    def vector(self, clip: Frames) -> Floats:
        """The Fisher vector of descriptors [T, D], float64 [2 K D], of length 1 (0 where there is no frame)."""
        rows = (np.asarray(clip, dtype=np.float64) - self.mean) / self.scale
        sharp = 1 / self.variances
        score = (rows**2) @ sharp.T - 2 * rows @ (self.centres * sharp).T + (self.centres**2 * sharp).sum(axis=1)
        score = np.log(self.weights) + 0.5 * np.log(sharp).sum(axis=1) - 0.5 * score
        share = np.exp(score - score.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        count, first, second = share.sum(axis=0)[:, None], share.T @ rows, share.T @ rows**2
        root = np.sqrt(self.weights)[:, None]
        by_mean = (first - count * self.centres) * np.sqrt(sharp) / root
        spread = (second - 2 * first * self.centres + count * self.centres**2) * sharp
        by_spread = (spread - count) / (np.sqrt(2) * root)
        found = np.concatenate([by_mean.ravel(), by_spread.ravel()]) / max(len(rows), 1)
        found = np.sign(found) * np.sqrt(np.abs(found))
        return found / max(float(np.linalg.norm(found)), 1e-12)

    def vectors(self, clips: Sequence[Frames]) -> Floats:
        """Of several clips, [N, 2 K D]."""
        size = 2 * self.centres.size
        return np.stack([self.vector(clip) for clip in clips]) if len(clips) else np.zeros((0, size))
