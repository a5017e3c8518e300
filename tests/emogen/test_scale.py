"""The common scale: ranks among real pieces as standard deviations, there and back."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from affectgen.emogen.scale import FARTHEST, POINTS, Scale

NORMAL = NormalDist()
PIECES = arrays(np.float64, st.integers(3, 80), elements=st.floats(-1e3, 1e3).map(lambda x: round(x, 3)))
ANY = arrays(np.float64, st.integers(1, 20), elements=st.floats(-2e3, 2e3).map(lambda x: round(x, 3)))


def one(values, weights=None):
    """The scale of a single attribute."""
    return Scale.of(np.asarray(values, dtype=np.float64)[:, None], weights)


def sd(scale, *values):
    return scale.to_sd(np.array(values, dtype=np.float64)[:, None])[:, 0]


def natural(scale, *values):
    return scale.to_natural(np.array(values, dtype=np.float64)[:, None])[:, 0]


def test_a_value_stands_where_its_rank_does():
    scale = one(np.random.default_rng(0).permutation(np.arange(POINTS)) ** 2)
    expected = [NORMAL.inv_cdf((rank + 0.5) / POINTS) for rank in range(POINTS)]
    np.testing.assert_allclose(sd(scale, *(np.arange(POINTS) ** 2)), expected, atol=1e-9)
    np.testing.assert_allclose(natural(scale, *expected), np.arange(POINTS) ** 2, atol=1e-6)


@given(PIECES)
def test_the_median_is_zero(values):
    values = np.unique(values)
    if len(values) % 2 == 0:
        values = values[1:]
    assert sd(one(values), float(np.median(values)))[0] == pytest.approx(0, abs=1e-6)
    assert natural(one(values), 0.0)[0] == pytest.approx(np.median(values), abs=1e-6)


def test_two_thirds_of_real_pieces_lie_within_one():
    values = np.random.default_rng(0).lognormal(size=3000)
    assert (np.abs(sd(one(values), *values)) < 1).mean() == pytest.approx(0.683, abs=0.02)


@given(PIECES, st.data())
def test_there_and_back_inside_the_range(values, data):
    scale = one(values)
    low, high = scale.quantiles[0, [0, -1]] + 0.0  # hypothesis takes -0.0 for less than 0.0
    value = data.draw(st.floats(low, high))
    assert natural(scale, *sd(scale, value))[0] == pytest.approx(value, abs=1e-5 + 1e-5 * (high - low))


@given(PIECES, ANY)
def test_the_scale_rises_and_stays_within_its_ends(values, asked):
    scale, asked = one(values), np.sort(asked)
    found = sd(scale, *asked)
    assert (np.diff(found) >= -1e-12).all()
    assert (np.abs(found) <= FARTHEST).all()
    back = natural(scale, *np.linspace(-4, 4, 33))
    assert (np.diff(back) >= -1e-9).all()
    assert values.min() <= back.min()
    assert back.max() <= values.max()


def test_what_lies_beyond_all_pieces_is_the_farthest():
    scale = one(np.arange(100.0))
    assert sd(scale, -1e9, 1e9).tolist() == [-FARTHEST, FARTHEST]
    assert (np.abs(sd(scale, 0.5, 98.5)) < FARTHEST).all()


def test_a_shared_value_stands_in_the_middle_of_those_that_share_it():
    scale = one([0.0] * 33 + list(range(1, 33)))  # ranks 0 to 32 of 65
    assert sd(scale, 0.0)[0] == pytest.approx(NORMAL.inv_cdf(16.5 / POINTS))
    assert sd(scale, -0.1)[0] == -FARTHEST
    assert sd(scale, 1.0)[0] == pytest.approx(NORMAL.inv_cdf(33.5 / POINTS))
    same = one([7.0] * 5)
    assert sd(same, 6.9, 7.0, 7.1).tolist() == [-FARTHEST, pytest.approx(0, abs=1e-9), FARTHEST]


def test_nan_stays_nan_and_is_left_out():
    values = np.random.default_rng(0).normal(size=(30, 3))
    holed = np.concatenate([values, np.full((7, 3), np.nan)])
    np.testing.assert_array_equal(Scale.of(holed).quantiles, Scale.of(values).quantiles)
    holed[:, 1] = np.nan
    scale = Scale.of(holed)
    assert (scale.quantiles[1] == 0).all()
    asked = np.array([[[0.0, 0.0, np.nan]], [[np.nan, 1.0, 0.5]]])  # any leading shape
    for found in (scale.to_sd(asked), scale.to_natural(asked)):
        assert found.shape == asked.shape
        np.testing.assert_array_equal(np.isnan(found), np.isnan(asked))


def test_a_piece_counts_by_its_weight():
    values = np.arange(101.0)
    heavy = one(values, np.where(values > 50, 3.0, 1.0))  # 51 and 150: the half of 201 is the middle of piece 67
    assert natural(heavy, 0.0)[0] == pytest.approx(67.0, abs=0.01)
    assert natural(one(values), 0.0)[0] == pytest.approx(50.0)
    np.testing.assert_allclose(one(values, np.full(101, 0.01)).quantiles, one(values).quantiles)


def test_attributes_do_not_mix():
    values = np.random.default_rng(0).normal(size=(40, 2)) * [1.0, 100.0]
    both = Scale.of(values)
    for place in (0, 1):
        np.testing.assert_array_equal(both.quantiles[place], one(values[:, place]).quantiles[0])
    assert both.to_sd(np.array([[3.0, 3.0]]))[0].tolist() == [sd(one(values[:, 0]), 3.0)[0],
                                                               sd(one(values[:, 1]), 3.0)[0]]  # fmt: skip
