"""Envelopes show the resonances and not the harmonics; warping moves the resonances and leaves the pitch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_voices import response, sentence, vowel

from affectgen.audio.envelope import bin_hertz, envelopes, fft_size, shaped, warped
from affectgen.audio.glottal import contour
from affectgen.audio.timemap import HOP
from affectgen.errors import AudioError

AT = np.arange(20, 80) * HOP


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 96000])
@pytest.mark.parametrize(("hertz", "error"), [(80.0, 0.5), (150.0, 1.2), (300.0, 3.0)])
def test_resonances_show_and_harmonics_do_not(rate: int, hertz: float, error: float) -> None:
    found = envelopes(vowel(np.full(rate, hertz), rate), rate, AT, np.full(len(AT), hertz))
    assert found.shape == (len(AT), fft_size(rate) // 2 + 1)
    bins = bin_hertz(rate)
    band = (bins > 100) & (bins < 3500)
    off = found.mean(axis=0)[band] - response(bins, rate)[band]
    assert np.sqrt(((off - off.mean()) ** 2).mean()) < error
    assert found[:, band].std(axis=0).mean() < 0.5  # nor do single periods, over time


@pytest.mark.parametrize("deviation", [0.001, 0.1, 1.0])
def test_a_noise_lies_at_its_level(deviation: float) -> None:
    sound = deviation * np.random.default_rng(0).normal(size=16000)
    found = envelopes(sound, 16000, AT)
    assert 10 * np.log10((10 ** (found / 10)).mean()) == pytest.approx(20 * np.log10(deviation), abs=0.7)


def test_silence_is_at_the_floor_and_so_is_what_lies_outside() -> None:
    found = envelopes(np.zeros(1000), 16000, np.array([-1.0, 0.0, 0.03, 9.0]))
    assert np.allclose(found, -120)
    assert envelopes(np.zeros(0), 16000, np.array([0.0])).shape == (1, fft_size(16000) // 2 + 1)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 3000), st.integers(0, 99), st.floats(-40, 40))
def test_a_gain_is_a_shift(count: int, seed: int, gain: float) -> None:
    sound = np.random.default_rng(seed).normal(size=count)
    at, hertz = np.array([0.0, count / 32000]), np.array([0.0, 140.0])
    one, other = (envelopes(part, 16000, at, hertz) for part in (sound, sound * 10 ** (gain / 20)))
    assert np.allclose(other - one, gain, atol=1e-3)


def test_the_difference_of_two_envelopes_makes_the_one_sound_like_the_other() -> None:
    rate = 16000
    one, other = vowel(np.full(rate, 110.0), rate), np.random.default_rng(0).normal(size=rate)
    frames = np.arange(101) * HOP
    hertz = np.full(101, 110.0)
    gains = np.clip(envelopes(other, rate, frames, 0 * hertz) - envelopes(one, rate, frames, hertz), -60, 60)
    smooth = np.tile(gains[20:80].mean(axis=0), (101, 1))
    found = envelopes(shaped(one, rate, smooth), rate, AT, hertz[20:80]).mean(axis=0)
    wanted = envelopes(other, rate, AT, 0 * AT).mean(axis=0)
    band = (bin_hertz(rate) > 200) & (bin_hertz(rate) < 3000)
    assert np.abs(found - wanted)[band].mean() < 1.0


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.15])
def test_formants_move_by_their_factor_and_the_pitch_stays(factor: float) -> None:
    rate = 16000
    sound = vowel(np.full(rate, 100.0), rate)
    result = warped(sound, rate, np.full(101, factor))
    found = envelopes(result, rate, AT, np.full(len(AT), 100.0)).mean(axis=0)
    bins = bin_hertz(rate)
    for resonance in (500.0, 1500.0, 2500.0):
        near = np.abs(bins / (resonance * factor) - 1) < 0.12
        assert bins[near][found[near].argmax()] == pytest.approx(resonance * factor, rel=0.03, abs=24)
    assert np.abs(1200 * np.log2(contour(result, rate)[10:90] / 100)).max() < 15


def test_a_factor_of_one_copies() -> None:
    sound = sentence(16000)
    factor = np.ones(151)
    assert (warped(sound, 16000, factor) == sound).all()
    factor[100:] = 1.2
    changed = np.flatnonzero(warped(sound, 16000, factor) != sound)
    assert changed.min() > 0.95 * 16000


@pytest.mark.parametrize("factor", [[], [0.4], [2.1], [float("nan")]])
def test_what_is_no_factor_is_refused(factor: list[float]) -> None:
    with pytest.raises(AudioError):
        warped(np.zeros(100), 16000, np.array(factor))


def test_a_pitch_for_each_moment_is_asked_for() -> None:
    with pytest.raises(AudioError):
        envelopes(np.zeros(100), 16000, np.zeros(3), np.zeros(2))
