"""Pitch marks stand at the pulses that a voice was made of, and nothing that is no voice has any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_voices import pulses, sentence, vowel

from affectgen.audio import glottal
from affectgen.audio.glottal import analyse, contour
from affectgen.audio.timemap import HOP, frame_count


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 96000])
@pytest.mark.parametrize(("low", "high"), [(85.0, 85.0), (110.0, 180.0), (420.0, 300.0)])
def test_marks_are_as_far_apart_as_the_pulses(rate: int, low: float, high: float) -> None:
    hertz = np.linspace(low, high, int(0.6 * rate))
    found, places = analyse(vowel(hertz, rate), rate), pulses(hertz, rate)[1]
    inner = found.places[found.voiced & (found.places > 0.05 * rate) & (found.places < 0.55 * rate)]
    assert len(inner) > 0.45 * min(low, high)
    lag = inner - places[np.abs(inner[:, None] - places).argmin(axis=1)]
    assert np.ptp(lag) < 4e-4 * rate  # always at the same point of the period
    period = rate / hertz[np.rint(inner[:-1]).astype(int)]
    assert np.median(np.abs(np.diff(inner) / period - 1)) < 0.004


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([8000, 11025, 22050, 48000]), st.integers(0, 4000), st.integers(0, 99), st.booleans())
def test_marks_rise_within_the_recording_whatever_it_is(rate: int, count: int, seed: int, noisy: bool) -> None:
    rng = np.random.default_rng(seed)
    sound = rng.normal(size=count) if noisy else np.sin(np.cumsum(rng.uniform(0.005, 0.2)) * np.arange(count))
    found = analyse(sound, rate)
    assert len(found.hertz) == frame_count(count, rate)
    assert len(found.places) == len(found.voiced) == len(found.marks) >= 1
    assert (np.diff(found.places) > 0).all()
    assert found.places[0] >= 0
    assert found.places[-1] <= max(count - 1, 0)


def test_silence_and_noise_have_marks_without_a_voice_and_no_wide_gaps() -> None:
    rng = np.random.default_rng(0)
    for sound in (np.zeros(16000), rng.normal(size=16000)):
        found = analyse(sound, 16000)
        assert found.voiced.mean() < 0.02
        assert np.diff(found.places).max() < 0.02 * 16000


def test_the_voice_of_a_sentence_is_where_it_was_put() -> None:
    found = analyse(sentence(16000), 16000)
    at = np.arange(len(found.hertz)) * HOP
    inside = ((at > 0.33) & (at < 0.72)) | ((at > 0.93) & (at < 1.32))
    outside = (at < 0.13) | ((at > 0.17) & (at < 0.27)) | (at > 1.4)
    assert (found.hertz[inside] > 0).all()
    assert not found.hertz[outside].any()
    assert np.abs(found.hertz[40] / (110 + 50 * (0.4 - 0.3) / 0.45) - 1) < 0.02


def test_a_long_recording_is_tracked_in_parts_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.concatenate([sentence(11025, seed) for seed in range(4)])
    whole = contour(sound, 11025)
    monkeypatch.setattr(glottal, "CHUNK", 150)
    assert np.allclose(contour(sound, 11025), whole)


def test_marks_do_not_depend_on_the_level_and_sit_on_peaks() -> None:
    sound = vowel(np.full(8000, 120.0), 16000)
    loud, soft = analyse(sound, 16000), analyse(0.01 * sound, 16000)
    assert np.allclose(loud.places, soft.places)
    upside = analyse(-sound, 16000)
    inner = (loud.places > 800) & (loud.places < 7200) & loud.voiced
    nearest = np.abs(upside.places - loud.places[inner][:, None]).min(axis=1)
    assert nearest.max() < 1.5  # whichever way the microphone was wired
