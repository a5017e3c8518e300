"""Fisher vectors: their form, what they do not depend on, and that they tell clips apart by sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.recognize.speech_fisher import Mixture

SIZE, GAUSSIANS = 5, 4


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    """Of frames around four places."""
    rng = np.random.default_rng(0)
    clips = [3 * rng.normal(size=SIZE) + rng.normal(size=(200, SIZE)) for _ in range(8)]
    return Mixture.fit(clips, GAUSSIANS, 0)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 50), st.integers(0, 1000))
def test_a_vector_has_length_one_and_forgets_order_and_duration(count: int, seed: int) -> None:
    made = mixture_of(seed)
    clip = np.random.default_rng(seed + 1).normal(size=(count, SIZE))
    found = made.vector(clip)
    assert found.shape == (2 * GAUSSIANS * SIZE,)
    assert np.linalg.norm(found) == pytest.approx(1.0)
    np.testing.assert_allclose(made.vector(clip[::-1]), found, atol=1e-8)
    np.testing.assert_allclose(made.vector(np.tile(clip, (3, 1))), found, atol=1e-8)


def mixture_of(seed: int) -> Mixture:
    """Any mixture, without a fit."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(GAUSSIANS) * 5)
    centres, variances = rng.normal(size=(GAUSSIANS, SIZE)), rng.uniform(0.3, 2.0, (GAUSSIANS, SIZE))
    return Mixture(rng.normal(size=SIZE), rng.uniform(0.5, 2.0, SIZE), weights, centres, variances)


def test_the_fitted_places_are_found(mixture: Mixture) -> None:
    assert mixture.weights.sum() == pytest.approx(1.0)
    assert mixture.centres.shape == mixture.variances.shape == (GAUSSIANS, SIZE)
    assert (mixture.variances > 0).all()


def test_clips_of_one_kind_are_nearer_to_each_other() -> None:
    rng = np.random.default_rng(5)
    kinds = [np.zeros(SIZE), np.r_[1.5, np.zeros(SIZE - 1)]]
    clips = [rng.normal(size=(300, SIZE)) + kinds[k] for k in (0, 0, 1, 1)]
    first, again, other, _ = Mixture.fit(clips, GAUSSIANS, 0).vectors(clips)
    assert first @ again > first @ other + 0.2


def test_frames_as_the_mixture_expects_them_say_nothing() -> None:
    """The gradient of a likelihood is near 0 where the clip is drawn from the model itself: one Gaussian, exactly."""
    made = Mixture(np.zeros(1), np.ones(1), np.ones(1), np.zeros((1, 1)), np.ones((1, 1)))
    even = np.array([[-1.0], [1.0]])  # mean 0, variance 1
    assert not made.vector(even).any()
    assert made.vector(even + 0.5)[0] > 0  # above the mean
    assert made.vector(2 * even)[1] > 0  # wider


def test_many_clips_and_none(mixture: Mixture) -> None:
    clips = [np.ones((3, SIZE)), np.zeros((0, SIZE))]
    found = mixture.vectors(clips)
    np.testing.assert_array_equal(found[0], mixture.vector(clips[0]))
    assert not found[1].any()
    assert mixture.vectors([]).shape == (0, 2 * GAUSSIANS * SIZE)
