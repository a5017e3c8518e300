"""What the first bars of pieces tell about wholes."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.emogen.data import cut_window
from affectgen.emogen.parts import LEAST_PIECES, PART_BARS, WHOLE, Parts, measure_parts
from affectgen.emogen.scale import Scale
from affectgen.emogen.vector import NAMES

K = len(NAMES)
PITCHES, NOTES, LOUD = (NAMES.index(name) for name in ("number_of_pitches", "total_number_of_notes", "velocity_mean"))


def parts_of(drift, slope):
    """The same for all attributes, by bars."""
    return Parts(*(np.repeat(np.array(row, dtype=float)[:, None], K, axis=1) for row in (drift, slope)))


@pytest.fixture
def songs(song):
    return [song(seed, 16) for seed in range(LEAST_PIECES + 2)]


@pytest.fixture
def scale(songs):
    windows = [cut_window(song, 0, 3000) for song in songs]
    return Scale.of(np.stack([window.describe(0, bars) for window in windows for bars in (2, 4, 8, 16)]))


def test_what_is_usual_for_a_part_is_no_miss():
    parts = parts_of([-1.0, -0.5, -0.25, -0.1], [0.4, 0.6, 0.8, 0.9])
    for bars, drift, slope in zip(PART_BARS, parts.drift[:, 0], parts.slope[:, 0], strict=True):
        np.testing.assert_allclose(parts.whole_gap(np.full(K, drift), bars, WHOLE), 0.0, atol=1e-12)
        np.testing.assert_allclose(parts.whole_gap(np.full(K, drift + 1.0), bars, WHOLE), slope)


def test_a_whole_misses_what_it_misses():
    parts = parts_of([-1.0, -0.5, -0.25, -0.1], [0.4, 0.6, 0.8, 0.9])
    gap = np.random.default_rng(0).normal(size=(2, K))
    for bars in (WHOLE, 24, 3):
        np.testing.assert_allclose(parts.whole_gap(gap, bars, bars), gap)


def test_between_the_measured_parts_there_is_no_jump():
    parts = parts_of([-1.0, -0.5, -0.25, -0.1], [0.4, 0.6, 0.8, 0.9])
    found = [float(parts.whole_gap(np.full(K, 1.0), bars, WHOLE)[0]) for bars in range(1, WHOLE + 1)]
    assert found[0] == found[1], "what one bar tells is not known better than two"
    assert max(np.abs(np.diff(found))) < 0.1
    assert found[2] == pytest.approx((found[1] + found[3]) / 2, abs=0.03)


def test_of_a_short_piece_so_many_bars_tell_more():
    parts = parts_of([0.0] * 4, [0.4, 0.6, 0.8, 0.9])
    gap = np.ones(K)
    long, short = (float(parts.whole_gap(gap, 4, of)[0]) for of in (WHOLE, 8))
    assert (long, short) == (pytest.approx(0.6), pytest.approx(0.8))


def test_parts_are_compared_with_their_wholes(songs, scale):
    parts = measure_parts(songs, scale)
    assert parts.drift.shape == parts.slope.shape == (len(PART_BARS), K)
    for place in (PITCHES, NOTES):
        assert parts.drift[0, place] < -0.5, "in two bars there are fewer of them"
        assert (np.diff(parts.drift[:, place]) > 0).all(), "and more with every bar"
    assert abs(parts.drift[-1, LOUD]) < 0.3
    assert parts.slope.min() >= 0
    assert parts.slope.max() <= 1
    assert parts.slope[3].mean() > parts.slope[0].mean(), "twelve bars tell more than two"
    assert np.isfinite(parts.drift).all()
    assert np.isfinite(parts.slope).all()


def test_a_few_pieces_tell_nothing(song, songs, scale):
    short = [song(seed, WHOLE // 2) for seed in range(LEAST_PIECES)]
    for few in ([], short, songs[: LEAST_PIECES - 1]):
        parts = measure_parts(few, scale)
        gap = np.random.default_rng(0).normal(size=K)
        np.testing.assert_array_equal(parts.whole_gap(gap, 2, WHOLE), gap)
