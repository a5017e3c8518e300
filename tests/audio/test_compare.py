from __future__ import annotations

import numpy as np
import pytest

from affectgen.audio.compare import (
    cents_between,
    chroma_correlation,
    contour_correlation,
    log_mel,
    loudness_contour,
    mel_distance,
    mono,
    partials,
)
from affectgen.audio.strikes import Strikes

RATE = 44100


def tone(key: int, seconds: float = 1.5, cents: float = 0.0, powers=(1.0, 0.5, 0.3, 0.2)) -> np.ndarray:
    """A dying note of some partials, stereo."""
    time = np.arange(round(seconds * RATE)) / RATE
    hertz = 440 * 2 ** ((key - 69 + cents / 100) / 12)
    wave = sum(size * np.sin(2 * np.pi * hertz * (k + 1) * time) for k, size in enumerate(powers))
    return (0.1 * wave * np.exp(-2 * time))[:, None].repeat(2, axis=1).astype(np.float32)


def strikes(onset, stop, pitch, velocity) -> Strikes:
    whole = [np.array(column) for column in (onset, stop, pitch, velocity)]
    return Strikes(whole[0], whole[1], whole[2], whole[3], np.ones(len(onset)))


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (RATE, 2)).astype(np.float32)


def test_mono_is_the_mean_of_the_channels() -> None:
    np.testing.assert_allclose(mono(np.array([[1.0, 3.0], [0.0, -2.0]], dtype=np.float32)), [2.0, -1.0])
    alone = np.ones(3, dtype=np.float32)
    assert mono(alone) is alone


def test_the_same_sound_is_at_no_distance_and_loudness_does_not_count() -> None:
    sound = noise(1)
    assert mel_distance(sound, sound, RATE) == 0
    assert mel_distance(sound, sound * 1.41, RATE) == pytest.approx(0, abs=1e-3)
    assert mel_distance(tone(60), tone(60) / 8, RATE) == pytest.approx(0, abs=1e-3)


def test_the_distance_is_symmetric_and_grows_with_the_difference() -> None:
    one, other = tone(60), tone(64)
    assert mel_distance(one, other, RATE) == pytest.approx(mel_distance(other, one, RATE), rel=1e-3)
    dull = tone(60, powers=(1.0, 0.4, 0.2, 0.12))
    assert 0 < mel_distance(one, dull, RATE) < mel_distance(one, other, RATE)


def test_a_difference_of_level_over_time_is_told_in_decibels() -> None:
    sound = noise(2)
    half = sound.copy()
    half[RATE // 2 :] *= 10 ** (-6 / 20)
    # made equally loud on the whole, the halves are 2 dB and 4 dB off
    mean = 10 * np.log10((1 + 10**-0.6) / 2)
    wanted = (abs(mean) + abs(6 + mean)) / 2
    assert mel_distance(sound, half, RATE) == pytest.approx(wanted, abs=0.15)


def test_what_is_80_db_softer_is_not_compared() -> None:
    sound = tone(60)
    whisper = np.random.default_rng(3).normal(0, 1e-7, sound.shape).astype(np.float32)
    assert mel_distance(sound, sound + whisper, RATE) < 0.02


def test_the_longer_one_is_cut() -> None:
    sound = tone(60)
    assert mel_distance(sound, np.concatenate([sound, noise(4)]), RATE) == 0
    assert contour_correlation(sound, np.concatenate([sound, noise(4)]), RATE) == pytest.approx(1)


def test_log_mel_is_finite_for_silence() -> None:
    assert np.isfinite(log_mel(np.zeros((RATE, 2), dtype=np.float32), RATE)).all()


def test_the_contour_is_of_50_ms_and_ends_60_db_down() -> None:
    sound = noise(5)
    sound[RATE // 2 :] = 0
    contour = loudness_contour(sound, RATE)
    assert len(contour) == 20
    assert contour[:10] == pytest.approx(contour[:10].max(), abs=1)
    assert contour[10:] == pytest.approx(contour.max() - 60)


def test_contours_correlate_whatever_the_loudness() -> None:
    rising = noise(6) * np.linspace(0.01, 1, RATE, dtype=np.float32)[:, None]
    assert contour_correlation(rising, rising / 10, RATE) == pytest.approx(1, abs=1e-5)
    assert contour_correlation(rising, rising[::-1], RATE) < -0.7


@pytest.mark.parametrize("key", [33, 48, 60, 69, 84, 96, 108])
@pytest.mark.parametrize("cents", [-30, -5, 0, 3, 20])
def test_cents_are_found(key: int, cents: float) -> None:
    assert cents_between(tone(key, cents=cents), tone(key), key, RATE) == pytest.approx(abs(cents), abs=0.5)


def test_partials_are_found_where_they_are() -> None:
    hertz, power = partials(tone(57), 57, RATE)
    np.testing.assert_allclose(hertz, [220, 440, 660, 880], rtol=2e-4)
    np.testing.assert_allclose(np.sqrt(power / power[0]), [1, 0.5, 0.3, 0.2], rtol=0.05)
    assert len(partials(tone(120), 120, RATE)[0]) == 2  # 8.4 and 16.7 kHz: the third lies beyond half the rate


def test_weak_partials_do_not_count() -> None:
    off = tone(60) + tone(60, cents=30, powers=(0, 0, 0, 0.001)) - tone(60, powers=(0, 0, 0, 0.2))
    assert cents_between(off.astype(np.float32), tone(60), 60, RATE) == pytest.approx(0, abs=0.2)


def test_the_chroma_of_the_right_notes_correlates_and_of_wrong_ones_does_not() -> None:
    keys = [60, 64, 67, 71, 62, 65, 69, 57]
    sound = np.concatenate([tone(key, 1.0) for key in keys])
    onset = np.arange(len(keys), dtype=float)
    right = strikes(onset, onset + 1, keys, [80] * len(keys))
    wrong = strikes(onset, onset + 1, [key + 1 for key in keys], [80] * len(keys))
    octave = strikes(onset, onset + 1, [key - 12 for key in keys], [80] * len(keys))
    found = chroma_correlation(sound, right, RATE)
    assert found > 0.85
    assert chroma_correlation(sound, octave, RATE) == pytest.approx(found, abs=0.1)
    assert chroma_correlation(sound, wrong, RATE) < 0.3
    assert chroma_correlation(sound[::-1], right, RATE) < 0.5


@pytest.mark.filterwarnings("ignore::UserWarning:librosa")
def test_the_chroma_of_silence_is_no_number() -> None:
    silent = np.zeros((2 * RATE, 2), dtype=np.float32)
    assert np.isnan(chroma_correlation(silent, strikes([0.0], [1.0], [60], [80]), RATE))
