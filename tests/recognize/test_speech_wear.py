"""Worse copies to learn from: drawn by name, of the stated kinds, and as strong as stated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.recognize.speech_wear import RATE, Wear, by_line, companded, mixed, speechlike, through_file, worn


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def power(samples: np.ndarray) -> float:
    return float((samples.astype(np.float64) ** 2).mean())


def test_a_copy_is_the_same_whenever_it_is_made_and_other_for_other_clips() -> None:
    first = worn(tone(200), Wear.drawn("emo_db/a~1", 1))
    np.testing.assert_array_equal(first, worn(tone(200), Wear.drawn("emo_db/a~1", 1)))
    assert not np.array_equal(first, worn(tone(200), Wear.drawn("emo_db/b~1", 1)))
    assert Wear.drawn("emo_db/a~1", 1) != Wear.drawn("emo_db/a~4", 4)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=12), st.integers(1, 9))
def test_a_copys_number_says_its_kind(name: str, copy: int) -> None:
    wear = Wear.drawn(name, copy)
    assert (wear.line is not None) == (copy % 3 == 2)
    assert (wear.room is not None or wear.codec != "") == (copy % 3 == 0)
    if copy % 3 == 1:
        assert wear.noise is not None
        assert 8 <= wear.noise <= 30
    else:
        assert wear.noise is None or 18 <= wear.noise <= 45


@pytest.mark.parametrize("copy", range(1, 7))
@pytest.mark.parametrize("seconds", [0.3, 1.237])
def test_copies_keep_the_length_and_are_numbers(copy: int, seconds: float) -> None:
    clean = tone(250, seconds)
    made = worn(clean, Wear.drawn(f"clip {seconds}", copy))
    assert made.shape == clean.shape
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert np.abs(made).max() > 0.01


@pytest.mark.parametrize("ratio", [5.0, 20.0])
def test_noise_like_speech_lies_the_stated_decibels_below_in_the_same_band(ratio: float) -> None:
    clean = tone(500)
    noise = speechlike(clean, ratio, 0) - clean
    assert 10 * np.log10(power(clean) / power(noise)) == pytest.approx(ratio, abs=0.1)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    hertz = np.fft.rfftfreq(len(noise), 1 / RATE)
    assert spectrum[np.abs(hertz - 500) < 60].sum() > 0.9 * spectrum.sum()


def test_mixed_has_the_stated_ratio_for_any_levels() -> None:
    other = 17.0 * np.random.default_rng(0).normal(size=RATE)
    added = mixed(tone(300), other, 12.0) - tone(300)
    assert 10 * np.log10(power(tone(300)) / power(added)) == pytest.approx(12.0, abs=0.01)


def test_a_line_keeps_its_band_only() -> None:
    for hertz in (60, 3900):
        assert power(by_line(tone(hertz), (300, 3400))) < 0.02 * power(tone(hertz))
    assert power(by_line(tone(1000), (300, 3400))) > 0.9 * power(tone(1000))


@settings(max_examples=40, deadline=None)
@given(st.floats(-1.0, 1.0))
def test_the_mu_law_errs_in_proportion(value: float) -> None:
    found = float(companded(np.array([value]))[0])
    assert abs(found - value) <= 0.025 * abs(value) + 1e-4
    assert np.sign(found) in (0.0, np.sign(value))


def test_a_file_gives_back_what_it_was_given() -> None:
    clean = tone(440)
    heard = through_file(clean, RATE, "WAV", "GSM610", 8000)
    assert len(heard) == len(clean)
    assert np.corrcoef(heard[1000:-1000], clean[1000:-1000])[0, 1] > 0.9
