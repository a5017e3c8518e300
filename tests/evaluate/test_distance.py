"""The Frechet distance against its closed form, and the floor it is divided by."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.errors import UsageError
from affectgen.evaluate.distance import (
    STATISTICS,
    choose_columns,
    chosen_statistics,
    differences,
    distance_over_floor,
    frechet,
)
from affectgen.recognize.features import describe, feature_names
from affectgen.score.notes import NoteArray


def real(count: int, seed: int, shift: float = 0.0) -> np.ndarray:
    numbers = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(40, 40)) / 6
    return 5 + shift + numbers.normal(size=(count, 40)) @ mix


def test_equal_sides_are_at_distance_zero() -> None:
    rows = real(100, 0)
    assert frechet(rows, rows) == pytest.approx(0.0, abs=1e-9)


def test_a_shift_alone_is_its_square() -> None:
    rows = real(100, 0)
    assert frechet(rows, rows + 0.5) == pytest.approx(40 * 0.25)


def test_one_dimension_by_the_closed_form() -> None:
    first, second = np.array([[-1.0], [1.0]]), np.array([[1.0], [9.0]])  # sd sqrt(2), sqrt(32), means 0 and 5
    assert frechet(first, second, ridge=0.0) == pytest.approx(25 + (np.sqrt(32) - np.sqrt(2)) ** 2)


def test_it_is_symmetric_and_grows_with_the_difference() -> None:
    first, second, third = real(80, 0), real(80, 1, 0.2), real(80, 1, 0.6)
    assert frechet(first, second) == pytest.approx(frechet(second, first))
    assert frechet(first, second) < frechet(first, third)


def test_more_of_the_same_music_is_at_the_floor() -> None:
    found = distance_over_floor(real(150, 1), real(600, 2), real(150, 3))
    assert found.n == 150
    assert 0.7 < found.ratio < 1.4
    assert distance_over_floor(real(150, 1, 0.5), real(600, 2), real(150, 3)).ratio > 2


def test_both_sides_have_as_many_clips() -> None:
    found = distance_over_floor(real(40, 1), real(300, 2), real(150, 3))
    assert found.n == 40
    assert 0.6 < found.ratio < 1.5  # with 150 real ones against 40 generated the floor would be far too low


def test_the_figure_is_repeatable_and_free_of_scale() -> None:
    sides = (real(60, 1, 0.1), real(200, 2), real(80, 3))
    first = distance_over_floor(*sides)
    assert first == distance_over_floor(*sides)
    scale = np.linspace(0.01, 100, 40)
    scaled = distance_over_floor(*(side * scale for side in sides))
    assert scaled.ratio == pytest.approx(first.ratio, rel=1e-6)


def test_too_few_pieces_are_refused() -> None:
    with pytest.raises(UsageError, match="Only 5 pieces"):
        distance_over_floor(real(5, 1), real(100, 2), real(100, 3))
    with pytest.raises(UsageError, match="at least 2"):
        frechet(real(1, 1), real(10, 2))


def test_a_constant_statistic_divides_by_nothing() -> None:
    sides = [real(count, seed) for count, seed in ((40, 1), (100, 2), (40, 3))]
    for side in sides:
        side[:, 3] = 2.0
    assert np.isfinite(distance_over_floor(*sides).ratio)


def test_the_columns_are_the_named_statistics() -> None:
    assert len(STATISTICS) == len(set(STATISTICS)) == 40
    piece = NoteArray.of([0, 0.5, 1], [0.5, 0.5, 1], [60, 64, 67], [50, 60, 70])
    found = describe(piece)
    assert chosen_statistics([piece])[0].tolist() == [found[name] for name in STATISTICS]
    table = np.arange(2.0 * len(feature_names())).reshape(2, -1)
    assert choose_columns(table)[0].tolist() == [float(feature_names().index(name)) for name in STATISTICS]


def test_differences_name_the_farthest_statistic_first() -> None:
    base = real(400, 0)
    made = base.copy()
    made[:, 7] += 3 * base[:, 7].std()
    found = differences(made, base)
    assert found[0].name == STATISTICS[7]
    assert found[0].shift == pytest.approx(3.0)
    assert found[1].shift == pytest.approx(0.0, abs=1e-9)
    assert found[1].spread == pytest.approx(1.0)
