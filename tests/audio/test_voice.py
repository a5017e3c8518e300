"""Resonances, roughness, balance of harmonics and syllables of made voices."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from affectgen.audio import f0, spectrum, voice
from affectgen.audio.spectrum import HOP, RATE

VOWEL = ((700.0, 80.0), (1200.0, 90.0), (2600.0, 120.0))  # Hz: resonances and their bandwidths


def pulses(periods: np.ndarray, heights: np.ndarray | None = None) -> np.ndarray:
    """Smooth pulses that follow each other at these periods in samples."""
    at = np.cumsum(periods)
    heights = np.ones(len(periods)) if heights is None else heights
    time = np.arange(int(at[-1]) + 40)
    sound = np.zeros(len(time))
    for place, height in zip(at, heights, strict=True):
        near = slice(max(0, int(place) - 12), int(place) + 13)
        sound[near] += height * np.exp(-0.5 * ((time[near] - place) / 2.5) ** 2)
    return sound


def resonated(sound: np.ndarray) -> np.ndarray:
    """A sound through the resonances of VOWEL."""
    for hertz, width in VOWEL:
        radius, angle = np.exp(-np.pi * width / RATE), 2 * np.pi * hertz / RATE
        sound = lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], sound)
    return np.asarray(sound)


def buzz(hertz: float, seconds: float = 0.6) -> np.ndarray:
    """A train of single samples with a falling spectrum, 6 dB an octave."""
    clicks = np.zeros(int(seconds * RATE))
    clicks[(np.arange(int(seconds * hertz)) * RATE / hertz).astype(int)] = 1.0
    return lfilter([1.0], [1.0, -0.95], clicks)


@pytest.mark.parametrize("hertz", [95.0, 130.0])
def test_formants_are_the_resonances(hertz: float) -> None:
    found, width = voice.formants(resonated(buzz(hertz)), np.arange(10, 50))
    assert found.shape == width.shape == (40, voice.FORMANTS)
    np.testing.assert_allclose(np.nanmedian(found, axis=0), [hertz for hertz, _ in VOWEL], rtol=0.08)
    assert (np.nanmedian(width, axis=0) < 400).all()


def test_formants_of_no_frame_and_of_silence() -> None:
    assert voice.formants(np.ones(500), np.zeros(0, dtype=np.int64))[0].shape == (0, voice.FORMANTS)
    found, _ = voice.formants(np.zeros(2000), np.arange(3))
    assert found.shape == (3, voice.FORMANTS)


def test_harmonic_balance_is_the_harmonics_own() -> None:
    """Two harmonics 12 dB apart and a third formant where there is a weak tone, 30 dB down."""
    time = np.arange(RATE) / RATE
    parts = ((200.0, 1.0), (400.0, 10 ** (-12 / 20)), (2600.0, 10 ** (-30 / 20)))
    clip = np.sum([size * np.sin(2 * np.pi * hertz * time) for hertz, size in parts], axis=0)
    power = spectrum.power_spectra(clip)
    count = len(power)
    pitch = f0.Pitch(np.r_[0.0, np.full(count - 1, 200.0)], np.ones(count))
    second, third = voice.harmonic_balance(power, pitch, np.full(count, 2600.0))
    assert np.isnan([second[0], third[0]]).all()
    assert np.median(second[5:-5]) == pytest.approx(12.0, abs=1.5)
    assert np.median(third[5:-5]) == pytest.approx(30.0, abs=1.5)
    assert np.isnan(voice.harmonic_balance(power, pitch, np.full(count, np.nan))[1]).all()


def steady(count: int) -> f0.Pitch:
    """Frames of 110 Hz."""
    return f0.Pitch(np.full(count, RATE / 100.0), np.ones(count))


def test_a_steady_voice_is_not_rough() -> None:
    sound = pulses(np.full(80, 100.0))
    found = voice.roughness(sound, steady(len(sound) // HOP))
    assert found.jitter < 0.003
    assert found.shimmer < 0.1


@pytest.mark.parametrize("share", [0.01, 0.02, 0.04])
def test_jitter_is_the_change_of_periods(share: float) -> None:
    periods = 100.0 * (1 + share * np.where(np.arange(80) % 2, 0.5, -0.5))  # each differs from the next by `share`
    sound = pulses(periods)
    assert voice.roughness(sound, steady(len(sound) // HOP)).jitter == pytest.approx(share, rel=0.15)


def test_shimmer_is_the_change_of_peaks_in_decibels() -> None:
    heights = np.where(np.arange(80) % 2, 1.0, 10 ** (-2 / 20))
    sound = pulses(np.full(80, 100.0), heights)
    assert voice.roughness(sound, steady(len(sound) // HOP)).shimmer == pytest.approx(2.0, abs=0.15)


def test_nothing_voiced_has_no_roughness() -> None:
    count = 30
    found = voice.roughness(np.zeros(count * HOP), f0.Pitch(np.zeros(count), np.zeros(count)))
    assert (found.jitter, found.jitter_sd, found.shimmer) == (0.0, 0.0, 0.0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), max_size=40))
def test_runs_are_the_stretches_of_true(flags: list[bool]) -> None:
    mask = np.array(flags, dtype=bool)
    again = np.zeros(len(mask), dtype=bool)
    found = voice.runs(mask)
    for start, end in found:
        assert start < end
        again[start:end] = True
    np.testing.assert_array_equal(again, mask)
    assert all(end < start for (_, end), (start, _) in pairwise(found))  # none touches the next


@pytest.mark.parametrize("syllables", [1, 3, 6])
def test_each_syllable_has_one_nucleus(syllables: int) -> None:
    level = np.tile(np.r_[np.linspace(-20, 0, 12), np.linspace(0, -20, 12)], syllables)
    found = voice.nuclei(level, np.ones(len(level), dtype=bool))
    np.testing.assert_allclose(found, 11.5 + 24 * np.arange(syllables), atol=2)


def test_unvoiced_peaks_and_shallow_dips_are_no_syllables() -> None:
    level = np.tile(np.r_[np.linspace(-20, 0, 12), np.linspace(0, -20, 12)], 2)
    assert len(voice.nuclei(level, np.arange(len(level)) < 24)) == 1
    shallow = np.tile(np.r_[np.linspace(-1, 0, 12), np.linspace(0, -1, 12)], 2)
    assert len(voice.nuclei(shallow, np.ones(len(shallow), dtype=bool))) == 1
