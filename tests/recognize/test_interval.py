"""Intervals that hold the stated share of unseen labels, wide where readings err more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.recognize.interval import KNOTS, Intervals, coverage


def items(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Readings [N, 2] and labels whose error grows from one end of the axis to the other."""
    rng = np.random.default_rng(seed)
    readings = rng.uniform(-0.8, 0.8, (count, 2))
    return readings, np.clip(readings + rng.normal(size=(count, 2)) * (0.02 + 0.2 * (readings + 1)), -1, 1)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.95]))
def test_the_stated_share_of_unseen_labels_lies_inside(seed: int, level: float) -> None:
    made = Intervals.fit(*items(2000, seed), level=level)
    readings, labels = items(4000, seed + 1)
    np.testing.assert_allclose(coverage(*made(readings), labels), level, atol=0.065)  # of both axes, for any seed


def test_it_is_wide_where_readings_err_more() -> None:
    low, high = Intervals.fit(*items(3000, 0))(np.array([[-0.5, -0.5], [0.3, 0.3]]))
    width = high - low
    assert (width[1] > 1.7 * width[0]).all()


def test_both_ends_of_the_reading_are_inside_and_nothing_leaves_the_plane() -> None:
    made = Intervals.fit(*items(500, 3))
    readings = np.stack([KNOTS, KNOTS[::-1]], axis=1)
    low, high = made(readings)
    assert (low >= -1).all()
    assert (high <= 1).all()
    assert ((low <= readings) & (readings <= high)).all()


def test_weights_count() -> None:
    """Items of no weight might as well not be there."""
    readings, labels = items(600, 4)
    noisy = np.concatenate([labels[:300], -readings[300:]])
    weight = np.repeat([1.0, 0.0], 300)
    np.testing.assert_allclose(
        Intervals.fit(readings, noisy, weight).half, Intervals.fit(readings[:300], labels[:300]).half
    )


def test_unknown_labels_are_left_out() -> None:
    readings, labels = items(200, 5)
    holes = labels.copy()
    holes[::2, 0] = np.nan
    low, high = Intervals.fit(readings, holes)(readings)
    assert np.isfinite(low).all()
    assert 0.6 < coverage(low, high, holes)[0] < 0.95


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        Intervals.fit(*items(12, 6))


def test_coverage_by_hand() -> None:
    low, high = np.full((4, 2), -0.1), np.full((4, 2), 0.1)
    labels = np.array([[0, 0], [0.1, 0.2], [0.3, np.nan], [-0.2, 0.05]])
    np.testing.assert_allclose(coverage(low, high, labels), [0.5, 2 / 3])
