"""Another prosody for a recording."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_voices import vowel
from talking import RATE, talk

from affectgen.speech.converting.prosody import BANDS, NAMES, PLACES, measure
from affectgen.speech.converting.transfer import applied, read_source, smoothed, transferred


def shift_of(**moves: float) -> np.ndarray:
    shift = np.zeros(len(NAMES))
    for name, value in moves.items():
        shift[BANDS[name] if name in BANDS else PLACES[name]] = value
    return shift


def test_nothing_is_a_copy() -> None:
    sound = talk()
    same, recipe = transferred(read_source(sound, RATE), np.zeros(len(NAMES)))
    assert np.array_equal(same, sound)
    assert recipe.change.is_nothing


@pytest.mark.parametrize("tones", [-4.0, 3.0, 7.0])
def test_pitch_goes_where_it_is_sent(tones: float) -> None:
    source = read_source(talk(seconds=2.0), RATE)
    found = measure(transferred(source, shift_of(pitch=tones))[0], RATE)
    assert found[PLACES["pitch"]] - source.own[PLACES["pitch"]] == pytest.approx(tones, abs=0.3)


def test_pitch_is_widened_and_sloped() -> None:
    time = np.arange(2 * RATE) / RATE
    waving = vowel(130 * 2 ** (2 * np.sin(2 * np.pi * 1.5 * time) / 12), RATE)
    source = read_source(waving, RATE)
    wide = measure(transferred(source, shift_of(spread=1.0))[0], RATE)
    assert wide[PLACES["spread"]] - source.own[PLACES["spread"]] == pytest.approx(1.0, abs=0.25)
    source = read_source(talk(seconds=2.0, rise=4.0), RATE)
    flat = measure(transferred(source, shift_of(slope=-2.0))[0], RATE)
    assert flat[PLACES["slope"]] - source.own[PLACES["slope"]] == pytest.approx(-2.0, abs=0.4)


def test_pace_changes_the_length() -> None:
    source = read_source(talk(seconds=2.0), RATE)
    quick, _ = transferred(source, shift_of(rate=1.0))
    slow, _ = transferred(source, shift_of(rate=-1.0))
    assert len(quick) < 0.92 * len(source.samples)
    assert len(slow) > 1.1 * len(source.samples)


def test_silence_at_the_ends_stays() -> None:
    quiet = 1e-4 * np.random.default_rng(0).normal(size=RATE)
    source = read_source(np.concatenate([quiet, talk(seconds=2.0), quiet]), RATE)
    _, recipe = transferred(source, shift_of(rate=-1.0, pauses=0.2))
    assert (recipe.change.time[:90] == 1).all()
    assert (recipe.change.time[-90:] == 1).all()
    assert (recipe.change.time[120:280] > 1).all()


def test_bands_go_where_they_are_sent() -> None:
    shift = np.zeros(len(NAMES))
    shift[BANDS["voiced_mean"]] = np.linspace(-4, 8, 26)
    source = read_source(talk(seconds=2.0), RATE)
    got = (measure(transferred(source, shift)[0], RATE) - source.own)[BANDS["voiced_mean"]]
    tilt = np.polyfit(np.arange(26), got, 1)[0] * 25
    assert tilt == pytest.approx(12.0, abs=2.5)


def test_rounds_come_nearer() -> None:
    shift = np.zeros(len(NAMES))
    shift[BANDS["voiced_mean"]] = np.linspace(-6, 6, 26)
    shift[BANDS["voiced_spread"]] = 2.0
    source = read_source(talk(seconds=2.0), RATE)
    missed = [
        np.abs(measure(transferred(source, shift, rounds)[0], RATE) - source.own - shift)[BANDS["voiced_mean"]].mean()
        for rounds in (0, 2)
    ]
    assert missed[1] < missed[0]


def test_every_channel_is_changed_alike() -> None:
    left = talk(seconds=1.5).astype(np.float64)
    both = np.stack([left, 0.5 * left], axis=1)
    source = read_source(both.mean(axis=1), RATE)
    _, recipe = transferred(source, shift_of(pitch=3.0, rate=0.5))
    one, two = applied(recipe, source.voice, both).T
    np.testing.assert_allclose(two, 0.5 * one, atol=1e-9)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_any_shift_gives_sound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    source = read_source(talk(seconds=0.8, pitch=rng.uniform(80, 300)), RATE)
    found, _ = transferred(source, rng.normal(size=len(NAMES)) * 8, rounds=1)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1.0
    assert 0.25 < len(found) / len(source.samples) < 4


def test_smoothing_keeps_the_mean_of_a_level() -> None:
    flat = np.full((6, 4), 3.0)
    np.testing.assert_allclose(smoothed(flat, 5, 0), flat)
    np.testing.assert_allclose(smoothed(flat, 3, 1), flat)
    bump = np.zeros((9, 1))
    bump[4] = 1.0
    assert smoothed(bump, 5, 0).sum() == pytest.approx(1.0)
