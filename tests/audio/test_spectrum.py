"""Short-time spectra: what a tone, a tilt and a change of level do to each measure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio import spectrum
from affectgen.audio.spectrum import CEPSTRA, HOP, MEL_BANDS, RATE

INNER = slice(5, -5)  # frames that lie wholly inside


def tones(*parts: tuple[float, float], seconds: float = 1.0) -> np.ndarray:
    """The sum of (Hz, amplitude)."""
    time = np.arange(int(seconds * RATE)) / RATE
    return np.sum([size * np.sin(2 * np.pi * hertz * time) for hertz, size in parts], axis=0)


@pytest.mark.parametrize("count", [1, HOP - 1, HOP, 10 * HOP + 3])
def test_frames_are_one_a_hop_and_centred(count: int) -> None:
    ramp = np.arange(1.0, count + 1)
    frames = spectrum.frames_of(ramp, 64)
    assert frames.shape == (1 + count // HOP, 64)
    for place in range(0, 1 + (count - 1) // HOP):
        assert frames[place, 32] == ramp[place * HOP]


@pytest.mark.parametrize("hertz", [200.0, 1000.0, 4000.0])
def test_a_tone_is_the_strongest_bin(hertz: float) -> None:
    power = spectrum.power_spectra(tones((hertz, 0.5)))[INNER]
    found = spectrum.bin_hertz()[power.argmax(axis=1)]
    assert np.abs(found - hertz).max() <= RATE / spectrum.WINDOW


def test_mel_filters_cover_the_band_and_weigh_alike() -> None:
    filters = spectrum.mel_filters()
    assert filters.shape == (MEL_BANDS, spectrum.WINDOW // 2 + 1)
    np.testing.assert_allclose(filters.sum(axis=1), 1.0)
    centres = filters @ spectrum.bin_hertz()
    assert (np.diff(centres) > 0).all()
    outside = spectrum.bin_hertz() > spectrum.BAND[1]
    assert not filters[:, outside].any()


def test_band_power_adds_up() -> None:
    power = spectrum.power_spectra(tones((300.0, 0.5), (2500.0, 0.1)))
    low, high = (spectrum.band_power(power, *band) for band in ((0, 1000), (1000, 6000)))
    np.testing.assert_allclose(low + high, power.sum(axis=1))
    assert (low[INNER] > 20 * high[INNER]).all()


def test_alpha_ratio_and_hammarberg_are_the_tones_own_levels() -> None:
    power = spectrum.power_spectra(tones((500.0, 0.5), (2500.0, 0.05)))[INNER]  # 20 dB apart
    np.testing.assert_allclose(spectrum.alpha_ratio(power), -20.0, atol=0.1)
    np.testing.assert_allclose(spectrum.hammarberg(power), 20.0, atol=1.5)  # a tone between two bins loses a little


def test_slope_of_a_line_is_its_slope() -> None:
    """A spectrum that falls by 12 dB a kHz."""
    line = 10 ** (-1.2 * spectrum.bin_hertz() / 1000)
    np.testing.assert_allclose(spectrum.slope(np.tile(line, (3, 1)), 500, 3000), -12.0)


def test_centroid_lies_at_a_tone_and_between_two() -> None:
    at = spectrum.centroid(spectrum.power_spectra(tones((1000.0, 0.5)))[INNER])
    np.testing.assert_allclose(at, 1000.0, atol=5.0)
    between = spectrum.centroid(spectrum.power_spectra(tones((1000.0, 0.5), (3000.0, 0.5)))[INNER])
    np.testing.assert_allclose(between, 2000.0, atol=20.0)


def test_flux_is_nothing_in_a_held_tone_and_something_where_it_changes() -> None:
    floor = np.random.default_rng(0).normal(size=RATE) * 1e-2
    held = tones((440.0, 0.5)) + floor
    moved = np.where(np.arange(RATE) < RATE // 2, held, tones((1500.0, 0.5)) + floor)
    still, jumped = (
        spectrum.flux(spectrum.decibels(spectrum.power_spectra(clip) @ spectrum.mel_filters().T))
        for clip in (held, moved)
    )
    assert still[0] == 0.0
    jump = int(jumped[INNER].argmax())
    assert abs(INNER.start + jump - RATE // 2 / HOP) < 4
    assert jumped[INNER][jump] > 2 * still[INNER].max()


@settings(max_examples=20, deadline=None)
@given(st.floats(-30, 20), st.integers(0, 1000))
def test_level_moves_the_first_cepstrum_only(gain: float, seed: int) -> None:
    mel = np.random.default_rng(seed).normal(-30, 10, (7, MEL_BANDS))
    first, second = spectrum.cepstra(mel), spectrum.cepstra(mel + gain)
    assert first.shape == (7, CEPSTRA)
    np.testing.assert_allclose(first[:, 1:], second[:, 1:], atol=1e-8)
    np.testing.assert_allclose(second[:, 0] - first[:, 0], gain * np.sqrt(MEL_BANDS), atol=1e-8)
