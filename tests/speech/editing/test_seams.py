"""Cuts lie where the sound is alike or quiet, near the words, and nothing beyond them is touched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.speech.editing.seams import REACH, SEARCH, channel_gains, joint, patch_for

RATE = 16_000


def tone(hertz: float, seconds: float, rate: int = RATE, phase: float = 0.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate + phase)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([8000, 22_050, 48_000]), st.floats(0, 0.5), st.floats(0, 0.5), st.integers(1, 2), st.booleans()
)
def test_patches_stay_within_reach_and_join_on(
    rate: int, one: float, other: float, channels: int, deletes: bool
) -> None:
    rng = np.random.default_rng(0)
    start, end = min(one, other), max(one, other)
    whole = rng.normal(size=(round(0.5 * rate), channels))
    sound = None if deletes else rng.normal(size=round(0.3 * rate))
    cut = joint(whole.mean(axis=1), rate, start, end, sound, 0.05, 0.25)
    patch = patch_for(cut, whole, 0, sound, np.ones(channels))
    slack = 1 / rate + 1e-9
    assert 0 <= patch.start <= patch.end <= len(whole)
    near = 0.003 + slack  # at the very ends of the file half a fade is left
    assert patch.start / rate >= min(start, 0.5 - near) - REACH - slack
    assert patch.end / rate <= max(end, near) + REACH + near
    assert patch.sound.shape[1] == channels
    assert np.isfinite(patch.sound).all()
    if not deletes:
        assert abs(len(patch.sound) / rate - 0.2) < 2 * SEARCH + 0.01


def test_a_tone_goes_on_through_both_seams() -> None:
    whole, sound = tone(120, 1.0), tone(120, 0.6, phase=1.7)
    cut = joint(whole, RATE, 0.4, 0.6, sound, 0.1, 0.4)
    patch = patch_for(cut, whole[:, None], 0, sound, np.ones(1))
    made = np.concatenate([whole[: patch.start], patch.sound[:, 0], whole[patch.end :]])
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made))))
    hertz = np.fft.rfftfreq(len(made), 1 / RATE)
    beside = spectrum[np.abs(hertz - 120) > 30].max() / spectrum.max()
    assert beside < 0.02  # a jump of phase would spread it
    blunt = np.concatenate([whole[:6400], sound[1600:6400], whole[9600:]])
    spread = np.abs(np.fft.rfft(blunt * np.hanning(len(blunt))))
    assert spread[np.abs(np.fft.rfftfreq(len(blunt), 1 / RATE) - 120) > 30].max() / spread.max() > 2 * beside


def test_a_pause_is_preferred_to_the_middle_of_a_sound() -> None:
    whole = np.random.default_rng(0).normal(size=RATE)
    whole[6300:6500] = 0  # a gap of 12 ms, 6 ms before the word's edge
    cut = joint(whole, RATE, 0.406, 0.406, None)
    assert 6300 <= cut.left <= 6500


def test_a_voice_gets_each_channels_level() -> None:
    mono = np.random.default_rng(0).normal(size=1000)
    np.testing.assert_allclose(channel_gains(np.c_[mono * 1.5, mono * 0.5]), [1.5, 0.5])
    np.testing.assert_allclose(channel_gains(np.c_[mono * 2, np.zeros(1000)]), [2, 0])
    np.testing.assert_allclose(channel_gains(np.zeros((10, 2))), [1, 1])


def test_the_cuts_of_near_edits_can_be_kept_apart() -> None:
    whole = np.random.default_rng(3).normal(size=RATE)
    for seed in range(5):
        sound = np.random.default_rng(seed).normal(size=4000)
        cut = joint(whole, RATE, 0.4, 0.5, sound, 0.02, 0.2, (0.0, 0.002))
        assert cut.left == pytest.approx(6400, abs=1)
        assert abs(cut.right - 8000) <= 0.002 * RATE + 1
