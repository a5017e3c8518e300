"""Towers: on the unit sphere, whatever comes in, and the same after a checkpoint."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from affectgen.speech.space.tower import FAR, Tower


def made(size: int = 5, dim: int = 3) -> Tower:
    rng = np.random.default_rng(0)
    layers = ((rng.normal(size=(size, 4)), rng.normal(size=4)), (rng.normal(size=(4, dim)), rng.normal(size=dim)))
    return Tower(rng.normal(size=size), rng.uniform(0.5, 2, size), layers)


@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, (3, 5), elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6))))
def test_vectors_are_of_length_one_whatever_is_not_known(rows: np.ndarray) -> None:
    found = made()(rows)
    assert found.shape == (3, 3)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-9)


def test_what_is_not_known_stands_at_the_middle_and_what_is_far_is_drawn_in() -> None:
    tower = made()
    rows = np.stack([np.full(5, np.nan), tower.middle, tower.middle + 100 * tower.spread])
    standard = tower.standard(rows)
    np.testing.assert_array_equal(standard[:2], 0.0)
    np.testing.assert_array_equal(standard[2], FAR)
    np.testing.assert_array_equal(tower(rows)[0], tower(rows)[1])


def test_a_tower_is_the_same_after_it_was_stored_beside_another() -> None:
    one, other = made(), made(4, 2)
    stored = one.arrays("speech") | other.arrays("speechless")
    rows = np.random.default_rng(1).normal(size=(2, 5))
    np.testing.assert_array_equal(Tower.of_arrays("speech", stored)(rows), one(rows))
