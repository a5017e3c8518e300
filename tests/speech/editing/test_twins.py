"""Frames of two voices that say the same word are paired, sound by sound."""

from __future__ import annotations

import numpy as np

from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.editing.sources import Source, Speech
from affectgen.speech.editing.twins import NONE, twins_of

RATE = 8000


def speech(words: list[tuple[str, list[tuple[str, float]]]]) -> Speech:
    """Words of sounds of so many seconds, one after another."""
    made, at = [], 0.0
    for index, (text, sounds) in enumerate(words):
        phones = []
        for name, seconds in sounds:
            phones.append(Phone(name, at, at + seconds))
            at += seconds
        made.append(Word(text, index, phones[0].start, at, tuple(phones)))
    sound = np.random.default_rng(0).normal(size=round(at * RATE)) * 0.1
    return Speech(sound, RATE, Alignment(tuple(made), at))


def test_kept_words_are_paired_in_their_own_time_and_new_ones_not() -> None:
    speaker = speech([("See", [("S", 0.1), ("IY", 0.2)]), ("Monday", [("M", 0.3)]), ("too", [("T", 0.1), ("UW", 0.1)])])
    donor = speech([("see", [("S", 0.2), ("IY", 0.1)]), ("Friday", [("F", 0.2)]), ("too", [("T", 0.2), ("OW", 0.1)])])
    twins = twins_of(Source(donor, 1, 2, False, ""), speaker)
    assert len(twins) == len(speaker.frames.phone)
    step = np.arange(len(twins)) * 0.005
    kept = twins >= 0
    np.testing.assert_array_equal(kept, step < 0.3 - 1e-9)  # "too" is said with other sounds
    first, second = step < 0.1 - 1e-9, (step >= 0.1 - 1e-9) & kept
    np.testing.assert_allclose(twins[first] * 0.005, step[first] * 2, atol=0.003)
    np.testing.assert_allclose(twins[second] * 0.005, 0.2 + (step[second] - 0.1) / 2, atol=0.003)
    assert (twins[~kept] == NONE).all()


def test_a_new_word_that_the_recording_has_elsewhere_is_no_twin_of_itself() -> None:
    speaker = speech([("no", [("N", 0.1), ("OW", 0.2)])])
    donor = speech([("no", [("N", 0.1), ("OW", 0.2)])])
    assert (twins_of(Source(donor, 0, 1, False, ""), speaker) == NONE).all()
