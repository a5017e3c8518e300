"""What vectors tell about labels: linear probes on songs they never saw, silhouettes, and two dimensions to look at.

Everything is measured on the vectors themselves; the projection serves pictures only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
REPEATS = 4  # divisions into folds that a probe's accuracy is averaged over
PENALTY = 1.0  # L2 weight of a probe, against the summed loss of its clips on standardised vectors
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Projection:
    """points [N, 2]: vectors on their two main axes; explained [2]: each one's share of the variance.

    mean [D] and axes [2, D] put other vectors into the same picture: (x - mean) @ axes.T.
    """

    points: Floats
    explained: Floats
    mean: Floats
    axes: Floats


def song_folds(songs: Sequence[str], folds: int, seed: int) -> Ints:
    """A fold 0..folds-1 for each clip [N], all clips of a song in one."""
    names, index = np.unique(np.array(songs), return_inverse=True)
    return (np.random.default_rng(seed).permutation(len(names)) % folds)[index].astype(np.int64)


def probe_accuracy(
    vectors: Floats, labels: Ints, songs: Sequence[str], folds: int = FOLDS, repeats: int = REPEATS
) -> float:
    """Share of clips whose label a linear probe reads off vectors [N, D], fitted on other songs; nan for one song.

    labels [N]: classes counted from 0. Mean over `repeats` divisions into song-disjoint folds.
    """
    folds = min(folds, len(set(songs)))
    if folds < 2:
        return float("nan")
    found = []
    for seed in range(repeats):
        fold = song_folds(songs, folds, seed)
        right = np.zeros(len(labels), dtype=bool)
        for held in range(folds):
            test = fold == held
            right[test] = predict(fit_probe(vectors[~test], labels[~test]), vectors[test]) == labels[test]
        found.append(right.mean())
    return float(np.mean(found))


@dataclass(frozen=True)
class Probe:
    """Logits of a vector x [D] are ((x - mean) / scale) @ weight [D, K] + bias [K]."""

    mean: Floats
    scale: Floats
    weight: Floats
    bias: Floats


def fit_probe(vectors: Floats, labels: Ints, penalty: float = PENALTY) -> Probe:
    """Multinomial logistic regression with an L2 penalty on standardised vectors [N, D], by L-BFGS."""
    from scipy.optimize import minimize

    mean, scale = vectors.mean(0), vectors.std(0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    x = (vectors - mean) / scale
    width, classes = x.shape[1], int(labels.max()) + 1
    wanted = np.eye(classes)[labels]  # [N, K]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weight, bias = flat[: width * classes].reshape(width, classes), flat[width * classes :]
        logits = x @ weight + bias
        logits -= logits.max(1, keepdims=True)
        norm = np.log(np.exp(logits).sum(1, keepdims=True))
        error = np.exp(logits - norm) - wanted  # [N, K]
        value = -((logits - norm) * wanted).sum() + 0.5 * penalty * (weight**2).sum()
        return float(value), np.concatenate([(x.T @ error + penalty * weight).ravel(), error.sum(0)])

    found = minimize(loss, np.zeros((width + 1) * classes), jac=True, method="L-BFGS-B").x
    return Probe(mean, scale, found[: width * classes].reshape(width, classes), found[width * classes :])


def predict(probe: Probe, vectors: Floats) -> Ints:
    """The likeliest class of each vector [N, D], int64 [N]."""
    logits = (vectors - probe.mean) / probe.scale @ probe.weight + probe.bias
    return logits.argmax(1)


def majority_share(labels: Ints) -> float:
    """Accuracy of always naming the most frequent class."""
    return float(np.bincount(labels).max() / len(labels))


def silhouette(vectors: Floats, labels: Ints) -> float:
    """Mean silhouette (Rousseeuw, 1987) of vectors [N, D] under labels [N], Euclidean; nan for fewer than two classes.

    A clip that is alone in its class counts 0.
    """
    classes, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        return float("nan")
    square = (vectors**2).sum(1)
    distance = np.sqrt(np.maximum(square[:, None] + square - 2 * vectors @ vectors.T, 0.0))  # [N, N]
    np.fill_diagonal(distance, 0.0)  # rounding
    total = distance @ np.eye(len(classes))[index]  # [N, K]: summed distance to each class
    rows = np.arange(len(labels))
    own = total[rows, index] / np.maximum(sizes[index] - 1, 1)
    mean = total / sizes
    mean[rows, index] = np.inf
    other = mean.min(1)
    widest = np.maximum(np.maximum(own, other), 1e-12)
    return float(np.where(sizes[index] > 1, (other - own) / widest, 0.0).mean())


def project(vectors: Floats) -> Projection:
    """The two main axes of vectors [N, D], N >= 1, by singular values; each axis points where its largest entry is
    positive, so that a picture does not flip from run to run."""
    mean = vectors.mean(0)
    _, values, axes = np.linalg.svd(vectors - mean, full_matrices=False)
    size = max(2, vectors.shape[1])
    values, axes = np.pad(values, (0, size))[:size], np.pad(axes, ((0, size), (0, 0)))[:2]
    axes = axes * np.where(axes[np.arange(2), np.abs(axes).argmax(1)] < 0, -1.0, 1.0)[:, None]
    share = values[:2] ** 2 / max(float((values**2).sum()), 1e-12)
    return Projection((vectors - mean) @ axes.T, share, mean, axes)
