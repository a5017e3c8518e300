"""The pitch of made voices is the pitch they were made with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from affectgen.audio import f0
from affectgen.audio.spectrum import HOP, RATE


def voice(hertz: np.ndarray, seed: int = 0, noise: float = 0.003) -> np.ndarray:
    """A buzz of falling harmonics with the pitch `hertz` of each sample."""
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    top = int(4500 / hertz.max())
    sound = np.sum([np.sin(k * phase) / k for k in range(1, top + 1)], axis=0)
    return sound + noise * np.random.default_rng(seed).normal(size=len(hertz))


def at_frames(hertz: np.ndarray, count: int) -> np.ndarray:
    return hertz[np.minimum(np.arange(count) * HOP, len(hertz) - 1)]


@settings(max_examples=15, deadline=None)
@given(st.floats(80, 400), st.integers(0, 100))
@example(RATE / 27.5, 0)  # a period half-way between two samples
def test_a_held_pitch_is_found(hertz: float, seed: int) -> None:
    """Above 440 Hz, a tone whose period lies half-way between two samples can be taken for the octave below."""
    made = np.full(RATE // 2, hertz)
    found = f0.track(voice(made, seed))
    inner = slice(4, -4)
    assert found.voiced[inner].all()
    cents = 1200 * np.log2(found.hertz[inner] / hertz)
    assert np.abs(cents).max() < 20
    assert ((found.strength >= 0) & (found.strength <= 1)).all()


def test_a_glide_is_followed_without_octave_errors() -> None:
    made = 110 * 2 ** (np.arange(RATE) / RATE)  # an octave a second
    found = f0.track(voice(made))
    inner = slice(6, -6)
    cents = 1200 * np.log2(found.hertz[inner] / at_frames(made, len(found.hertz))[inner])
    assert np.median(np.abs(cents)) < 15
    assert np.abs(cents).max() < 60


def test_silence_between_two_words_is_unvoiced() -> None:
    sound = voice(np.full(RATE, 150.0))
    sound[RATE // 3 : 2 * RATE // 3] = 0.0
    found = f0.track(sound).voiced
    third = len(found) // 3
    assert found[4 : third - 4].all()
    assert not found[third + 4 : 2 * third - 4].any()
    assert found[2 * third + 5 : -4].all()


@pytest.mark.parametrize("seed", range(3))
def test_noise_has_next_to_no_pitch(seed: int) -> None:
    assert f0.track(np.random.default_rng(seed).normal(size=RATE)).voiced.mean() < 0.1


def test_semitones_count_from_the_lowest_a() -> None:
    pitch = f0.Pitch(np.array([27.5, 0.0, 440.0]), np.ones(3))
    np.testing.assert_allclose(pitch.semitones, [0.0, np.nan, 48.0])


def test_level_does_not_matter() -> None:
    sound = voice(np.full(RATE // 2, 220.0))
    np.testing.assert_allclose(f0.track(sound).hertz, f0.track(1e-3 * sound).hertz, rtol=1e-6)


@pytest.mark.parametrize("count", [1, 50, HOP, 3 * HOP])
def test_short_sounds_give_a_value_a_frame(count: int) -> None:
    found = f0.track(np.ones(count))
    assert found.hertz.shape == found.strength.shape == (1 + count // HOP,)
    assert not found.voiced.any()
