"""Filters give each band what it was asked to get, when it was, and touch nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_voices import sentence

from affectgen.audio.band_filter import band_centres, between, bin_hertz, filtered, shaped, spreading, tilted
from affectgen.audio.spectrum import mel_triangles
from affectgen.errors import AudioError


def tone(hertz: float, rate: int) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(rate) / rate)


def level(sound: np.ndarray) -> float:
    """dB of a sine's middle."""
    return float(10 * np.log10(2 * (sound[len(sound) // 4 : -len(sound) // 4] ** 2).mean()))


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 96000])
def test_each_band_gets_its_gain(rate: int) -> None:
    gains = np.linspace(-9, 9, 12)
    for band, hertz in enumerate(band_centres(12, (60.0, 3900.0))):
        result = filtered(tone(hertz, rate), rate, np.tile(gains, (3, 1)), band=(60.0, 3900.0))
        assert level(result) == pytest.approx(gains[band], abs=0.6 if hertz > 200 else 1.2)


def test_beyond_the_outer_bands_the_gain_is_level() -> None:
    gains = np.array([[6.0, 0.0, -6.0]])
    assert level(filtered(tone(15000, 44100), 44100, gains, band=(60, 5000))) == pytest.approx(-6, abs=0.1)
    assert level(filtered(tone(60, 44100), 44100, gains, band=(500, 5000))) == pytest.approx(6, abs=0.1)


@given(st.sampled_from([8000, 22050, 96000]), st.integers(0, 3000), st.integers(1, 40), st.integers(1, 30))
@settings(max_examples=25, deadline=None)
def test_no_gain_is_a_copy_bit_for_bit(rate: int, count: int, frames: int, bands: int) -> None:
    sound = np.random.default_rng(count).normal(size=count)
    assert (filtered(sound, rate, np.zeros((frames, bands))) == sound).all()
    assert (tilted(sound, rate, np.zeros(frames)) == sound).all()


@pytest.mark.parametrize("rate", [11025, 44100])
def test_only_the_time_that_was_asked_for_is_touched(rate: int) -> None:
    sound = sentence(rate)
    gains = np.zeros((150, 5))
    gains[60:80] = (6.0, 3.0, 0.0, -3.0, -6.0)
    changed = np.flatnonzero(filtered(sound, rate, gains) != sound) / rate
    assert 0.55 < changed.min() < 0.6
    assert 0.79 < changed.max() < 0.85


@pytest.mark.parametrize("rate", [16000, 48000])
def test_an_even_gain_is_that_gain_to_a_hair(rate: int) -> None:
    sound = np.random.default_rng(0).normal(size=5000)
    assert np.allclose(filtered(sound, rate, np.full((1, 1), 6.0)), sound * 10 ** (6 / 20), atol=1e-9)
    softer = shaped(sound, rate, np.full((7, len(bin_hertz(rate))), -6.0))
    assert np.allclose(softer, sound * 10 ** (-6 / 20), atol=1e-9)


def test_gains_follow_their_hop() -> None:
    rate = 16000
    result = filtered(np.ones(rate) * tone(1000, rate), rate, np.array([[0.0], [12.0]]), hop=1.0)
    for second in (0.25, 0.5, 0.75):
        part = result[int((second - 0.05) * rate) : int((second + 0.05) * rate)]
        assert 10 * np.log10(2 * (part**2).mean()) == pytest.approx(12 * second, abs=0.3)


@pytest.mark.parametrize(
    ("hertz", "gain"), [(250, -6.0), (500, -3.0), (1000, 0.0), (2000, 3.0), (4000, 6.0), (16000, 9.0)]
)
def test_a_tilt_is_so_many_decibels_an_octave(hertz: float, gain: float) -> None:
    assert level(tilted(tone(hertz, 48000), 48000, np.full(5, 3.0))) == pytest.approx(gain, abs=0.4)


def test_bands_lie_where_the_measured_ones_do() -> None:
    hertz = np.arange(0, 5500.0)
    peaks = hertz[mel_triangles((60.0, 5000.0), 26, hertz).argmax(axis=1)]
    assert np.abs(peaks - band_centres(26, (60.0, 5000.0))).max() <= 1


@given(st.integers(1, 8), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_values_are_interpolated_as_numpy_does(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    places, values = np.sort(rng.normal(size=count)), rng.normal(size=count)
    wanted = rng.normal(size=30) * 2
    assert np.allclose(values @ spreading(places, wanted), np.interp(wanted, places, values))
    assert np.allclose(between(values[:, None], wanted)[:, 0], np.interp(wanted, np.arange(count), values))


@pytest.mark.parametrize("gains", [np.zeros((0, 3)), np.zeros(4), np.full((2, 2), np.nan), np.full((2, 2), 99.0)])
def test_what_are_no_gains_is_refused(gains: np.ndarray) -> None:
    with pytest.raises(AudioError):
        filtered(np.zeros(100), 16000, gains)
    with pytest.raises(AudioError):
        shaped(np.zeros(100), 16000, gains)
