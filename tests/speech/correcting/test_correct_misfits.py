"""Words that do not fit their neighbours: what is compared, what is taken, and that level and time do not matter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.errors import AudioError
from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.correcting.correct_misfits import (
    BIAS,
    CAPS,
    FEATURES,
    LEAST_WORDS,
    LONGEST,
    MOST_WORDS,
    TERMS,
    WEIGHTS,
    features,
    heard,
    misfits,
    parts_of,
    stretches,
    terms,
)  # fmt: skip

RATE = 16_000
LONG = 0.3  # seconds of a word


def sung(tones, levels=None, lead=0.0):
    """A voice that says a word of LONG seconds on each of `tones`, Hz, and when."""
    levels = [1.0] * len(tones) if levels is None else levels
    parts, words, at = [np.zeros(round(lead * RATE))], [], lead
    time = np.arange(round(LONG * RATE)) / RATE
    shape = np.minimum(1.0, np.minimum(time, LONG - time) / 0.02)
    for place, (hertz, level) in enumerate(zip(tones, levels, strict=True)):
        tone = sum(np.sin(2 * np.pi * hertz * n * time) / n for n in range(1, 16))
        parts.append(0.1 * level * shape * tone)
        phones = (Phone("M", at, at + 0.1), Phone("AA", at + 0.1, at + LONG))
        words.append(Word(f"w{place}", place, at, at + LONG, phones))
        at += LONG
    noise = np.random.default_rng(0).normal(0, 1e-4, round((at + 0.2) * RATE))
    sound = np.concatenate([*parts, np.zeros(round(0.2 * RATE))])
    return sound + noise[: len(sound)], Alignment(tuple(words), len(sound) / RATE)


def looked_at(tones, lead=0.0):
    sound, alignment = sung(tones, lead=lead)
    return misfits(sound, RATE, alignment)


EVEN = [150.0, 155.0, 152.0, 149.0, 153.0, 147.0, 145.0, 142.0]


def test_a_voice_that_goes_on_evenly_has_no_misfit():
    assert looked_at(EVEN) == []


@pytest.mark.parametrize("place", [1, 3, 5])
@pytest.mark.parametrize("factor", [0.6, 1.7])
def test_a_word_at_another_pitch_is_found_and_why(place, factor):
    tones = [hertz * (factor if number == place else 1) for number, hertz in enumerate(EVEN)]
    sound, alignment = sung(tones)
    found = misfits(sound, RATE, alignment)
    assert [one.words for one in found] == [range(place, place + 1)]
    assert found[0].why["pitch"] == pytest.approx(12 * np.log2(factor), abs=1.0)
    assert found[0].score > 0
    assert (found[0].start, found[0].end) == pytest.approx((place * LONG, (place + 1) * LONG))


def test_neither_the_level_nor_the_moment_matters():
    tones = [150.0, 150, 150, 90, 150, 150, 150]
    sound, alignment = sung(tones)
    one = misfits(sound, RATE, alignment)[0]
    softer = misfits(0.1 * sound, RATE, alignment)[0]
    assert (softer.words, softer.score) == (one.words, pytest.approx(one.score, abs=0.02))
    later = looked_at(tones, lead=2.0)[0]
    assert later.words == one.words
    assert later.start == pytest.approx(one.start + 2.0)


def test_a_far_off_sentence_is_not_compared():
    """Another mood ten seconds later is no reason to change the words here."""
    sound, alignment = sung(EVEN * 2 + [hertz * 1.8 for hertz in EVEN] * 2)
    held = [word for word in alignment.words if word.index < 16]
    moved = [Word(word.text, word.index, word.start + 8, word.end + 8,
                  tuple(Phone(phone.name, phone.start + 8, phone.end + 8) for phone in word.phones))
             for word in alignment.words if word.index >= 16]  # fmt: skip
    cut = round(16 * LONG * RATE)
    spread = np.concatenate([sound[:cut], np.random.default_rng(1).normal(0, 1e-4, 8 * RATE), sound[cut:]])
    assert misfits(spread, RATE, Alignment((*held, *moved), len(spread) / RATE)) == []


def test_what_cannot_be_told():
    sound, alignment = sung([150.0, 300.0, 150.0])
    assert misfits(sound, RATE, alignment) == []
    many = sung(EVEN)[1]
    with pytest.raises(AudioError, match="silent"):
        misfits(np.zeros(4 * RATE), RATE, many)


@given(st.integers(0, 40))
def test_stretches_are_at_most_half_of_the_words(count):
    found = list(stretches(count))
    assert len(set(found)) == len(found)
    assert all(0 <= one.start < one.stop <= count and len(one) <= min(LONGEST, count // 2) for one in found)
    assert bool(found) == (count >= LEAST_WORDS)


@given(st.lists(st.floats(0.0, 2.0), min_size=1, max_size=60))
def test_parts_are_all_words_once(pauses):
    at, words = 0.0, []
    for place, pause in enumerate(pauses):
        words.append(Word("w", place, at + pause, at + pause + 0.2, ()))
        at += pause + 0.2
    found = list(parts_of(words, 0, len(words)))
    assert found[0][0] == 0
    assert found[-1][1] == len(words)
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert all(last - first <= MOST_WORDS for first, last in found)
    assert len(found) == 1 or all(last - first >= LEAST_WORDS for first, last in found)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.floats(80, 350), min_size=5, max_size=8))
def test_what_is_compared_is_finite_and_taken_words_are_apart(tones):
    sound, alignment = sung(tones)
    whole = heard(sound, RATE, alignment)
    for one in stretches(len(tones)):
        own = features(whole, one)
        assert own.shape == (len(FEATURES),)
        assert np.isfinite(own).all()
        assert (own >= 0).all()
    found = misfits(sound, RATE, alignment)
    assert sum(len(one.words) for one in found) <= len(tones) // 2
    assert all(one.words.stop < other.words.start for one, other in pairwise(found))


def test_the_weights_belong_to_what_is_compared():
    assert len(WEIGHTS) == len(TERMS)
    assert len(CAPS) == len(FEATURES)
    assert np.isfinite([*WEIGHTS, *CAPS, BIAS]).all()


@given(
    st.lists(st.floats(0, 20), min_size=len(FEATURES), max_size=len(FEATURES)), st.integers(0, len(FEATURES) - 1),
    st.floats(0, 20), st.integers(1, LONGEST),
)  # fmt: skip
def test_a_greater_difference_is_never_a_better_fit(own, place, more, count):
    greater = np.array(own)
    greater[place] += more
    low, high = (terms(np.array(one), np.array(CAPS), count) @ np.array(WEIGHTS) for one in (own, greater))
    assert high >= low - 1e-9
