"""Boosted trees in numpy against scikit-learn's own, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.recognize import trees


def stump() -> trees.Forest:
    """One tree: statistic 1 <= 0.5 gives -1, else statistic 0 <= 2 gives 3, else 7; starts from 10."""
    return trees.Forest(
        feature=np.array([[1, -1, 0, -1, -1]], dtype=np.int32),
        threshold=np.array([[0.5, 0, 2.0, 0, 0]]),
        left=np.array([[1, 0, 3, 0, 0]], dtype=np.int32),
        right=np.array([[2, 0, 4, 0, 0]], dtype=np.int32),
        value=np.array([[0.0, -1, 0, 3, 7]]),
        output=np.array([0], dtype=np.int32),
        start=np.array([10.0]),
    )


def test_a_tree_by_hand() -> None:
    rows = np.array([[9.0, 0.5], [2.0, 0.6], [2.1, 0.6]])
    assert stump().scores(rows)[:, 0].tolist() == [9.0, 13.0, 17.0]


def test_no_rows_give_no_scores() -> None:
    assert stump().scores(np.zeros((0, 2))).shape == (0, 1)


@pytest.mark.parametrize("classes", [2, 4])
def test_parity_with_sklearn(classes: int) -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    numbers = np.random.default_rng(classes)
    rows = numbers.normal(size=(150, 9))
    target = np.argmax(rows[:, :classes] + numbers.normal(size=(150, classes)), axis=1)
    models = [
        ensemble.GradientBoostingClassifier(n_estimators=15, max_depth=3, subsample=0.7, random_state=seed).fit(
            rows, target
        )
        for seed in (0, 1)
    ]
    fresh = numbers.normal(size=(200, 9))
    wanted = np.mean([model.decision_function(fresh).reshape(200, -1) for model in models], axis=0)
    found = trees.from_sklearn(models).scores(fresh)
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_fit_learns_and_is_repeatable() -> None:
    pytest.importorskip("sklearn")
    numbers = np.random.default_rng(0)
    rows = numbers.normal(size=(200, 6))
    target = (rows[:, 2] + rows[:, 4] > 0).astype(np.int64)
    settings = trees.Settings(stages=30, forests=2, columns=0.5)
    first, second = (trees.fit(rows[:150], target[:150], np.ones(150), settings) for _ in range(2))
    scores = first.scores(rows[150:])[:, 0]
    assert ((scores > 0) == target[150:]).mean() > 0.85
    np.testing.assert_array_equal(scores, second.scores(rows[150:])[:, 0])


def test_arrays_come_back() -> None:
    arrays = stump().arrays("one")
    again = trees.Forest.of_arrays({**arrays, "other": np.zeros(1)}, "one")
    np.testing.assert_array_equal(again.scores(np.ones((1, 2))), stump().scores(np.ones((1, 2))))
