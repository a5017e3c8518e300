"""Gradient-boosted trees evaluated in numpy, so that a fitted forest ships as plain arrays and needs no scikit-learn.

`fit` and `from_sklearn` need scikit-learn (a development dependency) and are used when a checkpoint is made. Boosting
as in Friedman (2001), with the subsampling of Friedman (2002); several forests of different seeds are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.ensemble import GradientBoostingClassifier

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """stages, depth, learning_rate, leaf (least clips in a leaf), rows and columns (shares drawn for a tree and for a
    split), forests (seeds averaged).
    """

    stages: int = 120
    depth: int = 3
    learning_rate: float = 0.06
    leaf: int = 5
    rows: float = 0.6
    columns: float = 0.15
    forests: int = 4
    seed: int = 0


@dataclass(frozen=True)
class Forest:
    """Trees of equal node count, padded with leaves.

    feature: int32 [T, nodes], -1 in a leaf; threshold: float64 [T, nodes], left where the statistic is at most this;
    left, right: int32 [T, nodes]; value: float64 [T, nodes], what a leaf adds; output: int32 [T], the class a tree
    adds to; start: float64 [K], what the classes start from (one for a two-class forest: the second class's log-odds).
    """

    feature: NDArray[np.int32]
    threshold: Floats
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Floats
    output: NDArray[np.int32]
    start: Floats

    def scores(self, statistics: Floats) -> Floats:
        """Log-odds (K = 1) or class scores (K > 1) of each row, float64 [N, K], for statistics [N, F]."""
        rows = np.asarray(statistics, dtype=np.float32)  # scikit-learn compares single precision with its thresholds
        trees = np.arange(len(self.feature))
        node = np.zeros((len(rows), len(trees)), dtype=np.int64)  # [N, T]
        while True:
            feature = self.feature[trees, node]
            if (feature < 0).all():
                break
            seen = rows[np.arange(len(rows))[:, None], np.maximum(feature, 0)]
            child = np.where(seen <= self.threshold[trees, node], self.left[trees, node], self.right[trees, node])
            node = np.where(feature < 0, node, child)
        added = self.value[trees, node]  # [N, T]
        return self.start[None] + added @ np.eye(len(self.start))[self.output]

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What a checkpoint stores, names prefixed; `Forest.of_arrays` is the way back."""
        return {f"{prefix}_{name}": getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[Any]], prefix: str) -> Forest:
        """The forest that `arrays` holds under `prefix`."""
        return cls(*(arrays[f"{prefix}_{name}"] for name in cls.__dataclass_fields__))


def from_sklearn(models: list[GradientBoostingClassifier]) -> Forest:
    """The mean of the fitted models' scores as one forest."""
    share = 1.0 / len(models)
    rate = models[0].learning_rate
    trees = [(tree.tree_, k) for model in models for stage in model.estimators_ for k, tree in enumerate(stage)]
    nodes = max(tree.node_count for tree, _ in trees)
    count = (len(trees), nodes)
    feature = np.full(count, -1, dtype=np.int32)
    threshold, value = np.zeros(count), np.zeros(count)
    left, right = np.zeros(count, dtype=np.int32), np.zeros(count, dtype=np.int32)
    for row, (tree, _) in enumerate(trees):
        used = slice(0, tree.node_count)
        feature[row, used] = np.where(tree.children_left < 0, -1, tree.feature)
        threshold[row, used] = tree.threshold
        left[row, used] = np.maximum(tree.children_left, 0)
        right[row, used] = np.maximum(tree.children_right, 0)
        value[row, used] = tree.value[:, 0, 0] * rate * share
    start = np.log(np.clip(models[0].init_.class_prior_, 1e-12, 1.0))
    start = start[1:] - start[:1] if len(start) == 2 else start - start.mean()
    output = np.array([k for _, k in trees], dtype=np.int32)
    return Forest(feature, threshold, left, right, value, output, start)


def fit(statistics: Floats, target: NDArray[np.int64], weight: Floats, settings: Settings) -> Forest:
    """Fit a classifier of `target` [N] (0..K-1) on statistics [N, F] with row weights [N]."""
    from sklearn.ensemble import GradientBoostingClassifier

    models = []
    for forest in range(settings.forests):
        model = GradientBoostingClassifier(
            n_estimators=settings.stages,
            max_depth=settings.depth,
            learning_rate=settings.learning_rate,
            min_samples_leaf=settings.leaf,
            subsample=settings.rows,
            max_features=settings.columns,
            random_state=settings.seed + forest,
        )
        models.append(model.fit(statistics, target, sample_weight=weight))
    return from_sklearn(models)
