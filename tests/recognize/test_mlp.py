"""The perceptron ensemble: what it learns, what it may not see, and its arithmetic by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from affectgen.recognize import mlp

SETTINGS = mlp.Settings(members=2, hidden=16, steps=300, batch=128)


def examples(count: int = 300, seed: int = 0) -> mlp.Examples:
    """Column 0 is arousal, column 1 valence, column 2 a loudness that repeats arousal; the rest is noise."""
    numbers = np.random.default_rng(seed)
    rows = numbers.normal(size=(count, 6))
    rows[:, 2] = rows[:, 0]
    quadrant = np.where(rows[:, 0] > 0, np.where(rows[:, 1] > 0, 0, 1), np.where(rows[:, 1] > 0, 3, 2))
    return mlp.Examples(rows, np.ones(count, bool), quadrant, np.zeros((count, 2)), np.ones(count))


VELOCITY = np.array([False, False, True, False, False, False])


def test_it_learns_quadrants_and_signs() -> None:
    model = mlp.fit(examples(), VELOCITY, SETTINGS)
    unseen = examples(seed=1)
    points, shares = mlp.affect_of(model.logits(unseen.statistics, unseen.dynamics))
    assert (shares.argmax(axis=1) == unseen.quadrant).mean() > 0.85
    assert ((points[:, 1] > 0) == (unseen.quadrant < 2)).mean() > 0.9
    assert np.abs(points).max() <= 1
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_it_learns_from_ratings_alone() -> None:
    given = examples()
    rating = np.stack([np.tanh(given.statistics[:, 1]), np.tanh(given.statistics[:, 0])], axis=1) * 0.3 + 0.1
    rated = replace(given, quadrant=np.full(300, -1), rating=rating)
    logits = mlp.fit(rated, VELOCITY, SETTINGS).logits(given.statistics, given.dynamics)
    assert np.corrcoef(logits[:, 0], rating[:, 0])[0, 1] > 0.9
    assert np.corrcoef(logits[:, 1], rating[:, 1])[0, 1] > 0.9


def test_velocities_are_not_read_where_they_are_unknown() -> None:
    given = examples()
    model = mlp.fit(given, VELOCITY, SETTINGS)
    other = given.statistics.copy()
    other[:, 2] = 99.0
    unknown = np.zeros(300, bool)
    np.testing.assert_array_equal(model.logits(given.statistics, unknown), model.logits(other, unknown))
    assert not np.allclose(model.logits(given.statistics, ~unknown), model.logits(other, ~unknown))


def test_a_fit_is_repeatable_and_leaves_the_global_generator_alone() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    short = replace(SETTINGS, steps=10)
    first, second = (mlp.fit(examples(), VELOCITY, short) for _ in range(2))
    assert torch.equal(torch.rand(3), wanted)
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(array, second.arrays()[name])
    other = mlp.fit(examples(), VELOCITY, replace(short, seed=1))
    assert not np.array_equal(other.first, first.first)


def test_forward_by_hand() -> None:
    model = mlp.Perceptrons(
        mean=np.array([1.0]), scale=np.array([2.0]), velocity=np.array([False]),
        first=np.array([[[1.0], [0.5]], [[-1.0], [0.0]]]), first_bias=np.zeros((2, 1)),
        second=np.ones((2, 1, 6)), second_bias=np.stack([np.zeros(6), np.ones(6)]),
    )  # fmt: skip
    found = model.logits(np.array([[5.0]]), np.array([True]))  # standardised: 2; members: relu(2.5), relu(-2) + 1
    np.testing.assert_allclose(found, np.full((1, 6), (2.5 + 1.0) / 2))


def test_standardised_statistics_are_clipped_and_flagged() -> None:
    rows = mlp.standardise(
        np.array([[1e9, 3.0], [-1e9, 3.0]]), np.array([True, False]), np.zeros(2), np.ones(2), np.array([False, True])
    )
    assert rows.tolist() == [[mlp.CLIP, 3.0, 1.0], [-mlp.CLIP, 0.0, 0.0]]


def test_the_undecided_point_is_neutral() -> None:
    points, shares = mlp.affect_of(np.zeros((1, 6)))
    assert points.tolist() == [[0.0, 0.0]]
    assert shares.tolist() == [[0.25] * 4]
