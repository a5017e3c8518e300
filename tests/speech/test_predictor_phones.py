"""Phones measured: what was put into a made voice is found again, and phones of two takes are matched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.spectrum import RATE
from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.predictor.phones import (
    COLUMNS,
    ENERGY,
    LENGTH,
    LEVEL,
    NAMES,
    PAUSE,
    SHAPE,
    SLOPE,
    Take,
    class_of,
    differences,
    matched,
    measure,
)  # fmt: skip


def alignment(words: list[list[tuple[str, float]]], start: float = 0.1, gap: float = 0.0) -> Alignment:
    """Words of (phone, seconds), one after another with a gap between them."""
    found, at = [], start
    for number, word in enumerate(words):
        phones = []
        for name, seconds in word:
            phones.append(Phone(name, at, at + seconds))
            at += seconds
        found.append(Word(f"w{number}", number, phones[0].start, at, tuple(phones)))
        at += gap
    return Alignment(tuple(found), at + start)


def voice(hertz: np.ndarray, power: float = 1.0) -> np.ndarray:
    """A buzz with a falling spectrum at a pitch for each sample, 0 for silence; power: of the fall."""
    phase = 2 * np.pi * np.cumsum(np.where(hertz > 0, hertz, 100.0)) / RATE
    sound = sum(np.sin(k * phase) * (k * hertz < RATE / 2) / k**power for k in range(1, 25))
    return (0.2 * sound * (hertz > 0)).astype(np.float32)


def take(names: list[list[str]], value: float = 0.0) -> Take:
    """A take of words of phones whose numbers are all the same."""
    flat = tuple(name for word in names for name in word)
    word = np.array([number for number, word in enumerate(names) for _ in word])
    last = np.array([place == len(word) - 1 for word in names for place in range(len(word))])
    return Take(flat, word, last, np.full((len(flat), len(COLUMNS)), value))


def test_pitch_slope_length_and_pause_are_measured_in_their_units() -> None:
    plan = alignment([[("AA", 0.2), ("IY", 0.3)], [("AA", 0.25)]], gap=0.15)
    time = np.arange(round(plan.seconds * RATE)) / RATE
    hertz = np.zeros(len(time))
    tones = [(110, 110), (150, 200), (220, 220)]
    for phone, (start, end) in zip([phone for word in plan.words for phone in word.phones], tones, strict=True):
        inside = (time >= phone.start) & (time < phone.end)
        hertz[inside] = np.linspace(start, end, inside.sum())
    found = measure(voice(hertz), RATE, plan)
    np.testing.assert_allclose(found.values[[0, 2], LEVEL], [24.0, 36.0], atol=0.2)  # 110 and 220 Hz above 27.5
    assert found.values[1, SLOPE] == pytest.approx(12 * np.log2(200 / 150), abs=1.0)
    assert abs(found.values[2, SLOPE]) < 0.5
    np.testing.assert_allclose(found.values[:, LENGTH], np.log([0.2, 0.3, 0.25]))
    assert found.values[1, PAUSE] == pytest.approx(np.log(0.15 + 0.05))
    assert np.isnan(found.values[[0, 2], PAUSE]).all()  # within a word, and behind the last
    assert found.names == ("AA", "IY", "AA")
    assert found.last.tolist() == [False, True, True]


def test_energy_and_shape_do_not_depend_on_the_recordings_gain_and_shape_hears_a_duller_voice() -> None:
    plan = alignment([[("AA", 0.4)]])
    hertz = np.where(np.arange(round(plan.seconds * RATE)) / RATE < 0.5, 150.0, 0.0)
    bright, dull = voice(hertz, 0.7), voice(hertz, 2.0)
    one, soft, other = (measure(sound, RATE, plan) for sound in (bright, 0.1 * bright, dull))
    np.testing.assert_allclose(one.values[:, ENERGY:SHAPE], soft.values[:, ENERGY:SHAPE], atol=0.1)
    np.testing.assert_allclose(one.values[:, SHAPE], soft.values[:, SHAPE], atol=0.5)
    assert other.values[0, SHAPE] > one.values[0, SHAPE] + 5  # more in the low bands


def test_an_unvoiced_phone_has_no_pitch() -> None:
    plan = alignment([[("S", 0.3)]])
    noise = np.random.default_rng(0).normal(size=round(plan.seconds * RATE)).astype(np.float32) * 0.1
    found = measure(noise, RATE, plan)
    assert np.isnan(found.values[0, [LEVEL, SLOPE]]).all()
    assert np.isfinite(found.values[0, LENGTH:PAUSE]).all()
    assert np.isnan(found.middle)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from(NAMES[1:6]), min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_take_matches_itself_phone_by_phone(names: list[list[str]]) -> None:
    one = take(names)
    np.testing.assert_array_equal(matched(one, one), np.arange(len(one)))
    np.testing.assert_array_equal(differences(one, take(names, 2.0)), 2.0)


def test_a_dropped_sound_is_not_matched_and_others_stay_in_their_words() -> None:
    full, short = take([["D", "OW", "N", "T"], ["T", "UW"]]), take([["D", "OW", "N"], ["T", "UW"]])
    assert matched(full, short).tolist() == [0, 1, 2, -1, 3, 4]
    found = differences(full, short)
    assert np.isnan(found[3]).all()
    assert np.isfinite(np.delete(found, 3, axis=0)).all()


def test_classes_of_sounds() -> None:
    assert class_of(["AA", "M", "S", "T", "SIL"]).tolist() == [0, 1, 2, 3, -1]
