"""Readings as ranks: by hand, at the ends, and for readings that no clip ever had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.recognize.guide import load_guide
from affectgen.recognize.intensity import Intensity
from affectgen.recognize.pseudo import SIGNS


def clips(count: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Readings [N, 2] crowded near the ends, as a sure classifier gives them, a tenth of the wrong sign; signs."""
    rng = np.random.default_rng(seed)
    signs = SIGNS[np.arange(count) % 4]
    right = np.where(rng.random((count, 2)) < 0.1, -1, 1)
    return signs * right * rng.beta(6, 1, (count, 2)), signs


READINGS, KNOWN = clips()
MAP = Intensity.of(READINGS, KNOWN)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20))
def test_it_increases_keeps_signs_and_stays_in_bounds(values: list[float]) -> None:
    column = np.sort(values)
    found = MAP(np.stack([column, column], axis=1))
    assert (np.diff(found, axis=0) >= 0).all()
    assert (found * column[:, None] >= 0).all()
    assert (np.abs(found) <= 1).all()


def test_undecided_is_nothing_and_certain_is_all() -> None:
    np.testing.assert_array_equal(MAP(np.array([[0.0, 0.0], [1.0, -1.0]])), [[0.0, 0.0], [1.0, -1.0]])


def test_it_is_the_rank_among_clips_of_the_same_sign() -> None:
    assert np.median(np.abs(READINGS)) > 0.85  # the readings themselves crowd at the ends
    for axis in range(2):
        for sign in (-1, 1):
            here = READINGS[(KNOWN[:, axis] == sign) & (READINGS[:, axis] * sign > 0)]
            found = MAP(here)[:, axis] * sign
            assert np.median(found) == pytest.approx(0.6, abs=0.02), "where a quadrant's name stands"
            assert (found > 0.8).mean() == pytest.approx(0.25, abs=0.02)


def test_readings_of_the_wrong_sign_do_not_count() -> None:
    wrong = READINGS * KNOWN < 0
    moved = np.where(wrong, 0.01 * READINGS, READINGS)
    np.testing.assert_array_equal(Intensity.of(moved, KNOWN).knots, MAP.knots)


def test_the_axes_and_sides_have_ranks_of_their_own() -> None:
    readings, signs = clips(seed=1)
    readings[:, 1] = np.where(readings[:, 1] > 0, 0.2, 1.0) * readings[:, 1]  # aroused clips are read less surely
    found = Intensity.of(readings, signs)(np.array([[0.19, 0.19], [-0.19, -0.19]]))
    assert found[0, 1] > 0.5
    assert np.abs(found[[0, 1, 1], [0, 0, 1]]).max() < 0.3


def test_a_side_without_a_clip_read_rightly_is_refused() -> None:
    readings = READINGS.copy()
    readings[KNOWN[:, 1] == -1, 1] = 0.5  # every calm clip is read as aroused
    with pytest.raises(ValueError, match="no clip is read rightly"):
        Intensity.of(readings, KNOWN)


def test_the_shipped_guide_has_such_a_map() -> None:
    found = load_guide().intensity
    assert found is not None
    assert found.knots.shape == (2, 2, 11)
    assert (np.diff(found.knots, axis=2) > 0).all()
    assert (found.knots[..., 0] == 0).all()
    assert (found.knots[..., -1] == 1).all()
    assert (found.knots[1, :, 5] > 0.9).all()  # half of the clips are read surer than this in arousal
