"""Pictures of sound: keys stand where they belong, levels do not depend on the recording's, nothing breaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio import mel
from affectgen.audio.mel import HOP, LOWEST, RATE, picture


def tone(key: int, seconds: float = 1.0) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 440 * 2 ** ((key - 69) / 12) * time)).astype(np.float32)


@pytest.mark.parametrize("key", [33, 45, 51, 52, 60, 67, 68, 81, 96])
def test_a_tone_is_loudest_at_its_key(key: int) -> None:
    seen = picture(tone(key))
    middle = seen.semitones[len(seen) // 2]
    assert middle.argmax() == key - LOWEST
    assert middle[key - LOWEST] - middle[key - LOWEST + 3] > 40  # 12 dB over three semitones up


def test_one_frame_every_fifty_milliseconds() -> None:
    seen = picture(tone(60, 2.0))
    assert len(seen) == 1 + 2 * RATE // HOP == len(seen.mel)
    assert len(seen.between(0.5, 1.5)) == 20


@settings(max_examples=20, deadline=None)
@given(gain=st.floats(1e-3, 50.0), seed=st.integers(0, 99))
def test_the_level_of_a_recording_does_not_show(gain: float, seed: int) -> None:
    sound = np.random.default_rng(seed).normal(size=RATE).astype(np.float32)
    first, second = picture(sound), picture(sound * np.float32(gain))
    assert np.abs(first.semitones.astype(int) - second.semitones).max() <= 1  # rounding
    assert np.abs(first.mel.astype(int) - second.mel).max() <= 1


def test_silence_and_nothing_are_zero() -> None:
    for sound in (np.zeros(RATE, dtype=np.float32), np.zeros(0, dtype=np.float32)):
        seen = picture(sound)
        assert not seen.semitones.any()
        assert not seen.mel.any()


def test_the_loudest_band_is_at_the_top() -> None:
    seen = picture(tone(60))
    assert seen.semitones.max() == 255
    assert mel.decibels(seen.semitones).max() == 0


@pytest.mark.slow  # librosa takes seconds to import
def test_mel_filters_are_those_of_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    low, high = mel.MEL_BAND
    theirs = librosa.filters.mel(
        sr=RATE, n_fft=mel.MEL_WINDOW, n_mels=mel.MELS, fmin=low, fmax=high, htk=True, norm=None
    )
    np.testing.assert_allclose(mel.mel_filters(), theirs.T, atol=1e-5)
