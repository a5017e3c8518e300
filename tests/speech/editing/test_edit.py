"""Editing as a whole, with an aligner and an engine that need no voice: what is not edited stays to the bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.errors import AffectgenError, AudioError
from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.edited_file import Recording
from affectgen.speech.editing.differ import tokens_of
from affectgen.speech.editing.edit import Edited, edited
from affectgen.speech.editing.engines import Filling, Request
from affectgen.speech.editing.seams import REACH

RATE = 8000
STEP = 0.25  # seconds a word
LEAD = 0.1


class Even:
    """An aligner for recordings whose words last a quarter of a second each."""

    def align(self, samples: np.ndarray, rate: int, text: str) -> Alignment:
        words = []
        for index, token in enumerate(tokens_of(text)):
            start = LEAD + index * STEP
            words.append(Word(token.text, index, start, start + STEP, (Phone("AH", start, start + STEP),)))
        if words and words[-1].end > len(samples) / rate + 1e-6:
            raise AffectgenError("too short", "")
        return Alignment(tuple(words), len(samples) / rate)

    def pronunciation(self, word: str) -> tuple[str, ...]:
        return ("AH",)

    def pick(self, samples: np.ndarray, rate: int, words: Sequence[str], span: object = None) -> list[float]:
        return [0.0 for _ in words]


class Hums:
    """An engine that hums each word for .2 s, with .05 s to spare on either side."""

    name = "hums"

    def fill(self, request: Request) -> list[Filling]:
        self.asked = request
        return [self._one(len(edit.added), request.rate) for edit in request.edits]

    def _one(self, words: int, rate: int) -> Filling:
        seconds = 0.2 * words
        sound = np.sin(2 * np.pi * 200 * np.arange(round((seconds + 0.1) * rate)) / rate) * 0.3
        return Filling(sound, 0.05, 0.05 + seconds, (), "a hum")


def recording(words: int, channels: int = 1, subtype: str = "PCM_16") -> Recording:
    rng = np.random.default_rng(0)
    floats = rng.normal(size=(round((2 * LEAD + words * STEP) * RATE), channels)) * 0.1
    return Recording(Recording(floats, RATE, subtype).rounded(floats), RATE, subtype)


def untouched(old: Recording, made: Edited) -> int:
    """The samples that both have outside the patches; asserts that they are the same."""
    reached = new = count = 0
    for place in made.edits:
        kept = place.patch.start - reached
        np.testing.assert_array_equal(made.recording.stored[new : new + kept], old.stored[reached : place.patch.start])
        new += kept + len(place.patch.sound)
        reached, count = place.patch.end, count + kept
    np.testing.assert_array_equal(made.recording.stored[new:], old.stored[reached:])
    return count + len(old.stored) - reached


WORDS = st.lists(st.sampled_from(["one", "two", "three", "four"]), min_size=1, max_size=7)


@settings(max_examples=50, deadline=None)
@given(WORDS, WORDS, st.integers(1, 2), st.sampled_from(["PCM_16", "PCM_24", "FLOAT"]))
def test_only_what_is_edited_changes(old: list[str], new: list[str], channels: int, subtype: str) -> None:
    before = recording(len(old), channels, subtype)
    made = edited(before, " ".join(old), " ".join(new), Even(), Hums())
    kept = untouched(before, made)
    taken = sum(place.edit.end - place.edit.start for place in made.edits)
    assert kept >= len(before.stored) - (taken + 2 * REACH * len(made.edits)) * RATE - 2 * len(made.edits)
    for place in made.edits:
        assert place.patch.start / RATE >= place.edit.start - REACH - 1e-3
        assert place.patch.end / RATE <= place.edit.end + REACH + 1e-3
    assert [word.text for word in made.alignment.words] == new if made.edits else True
    times = [time for word in made.alignment.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= made.recording.seconds + 1e-6
    assert [word.index for word in made.alignment.words] == list(range(len(new)))


def test_the_same_words_give_the_same_recording() -> None:
    before = recording(3)
    made = edited(before, "one two three", "One, two - three!", Even(), Hums())
    assert made.edits == ()
    np.testing.assert_array_equal(made.recording.stored, before.stored)


def test_new_words_lie_where_the_alignment_says() -> None:
    before = recording(4)
    made = edited(before, "one two three four", "one new words three four", Even(), Hums())
    first, last = made.alignment.words[1], made.alignment.words[2]
    assert (last.end - first.start) == pytest.approx(0.4, abs=0.03)
    sound = made.recording.floats()[round((first.start + 0.03) * RATE) : round((last.end - 0.03) * RATE), 0]
    spectrum = np.abs(np.fft.rfft(sound))
    assert np.fft.rfftfreq(len(sound), 1 / RATE)[spectrum.argmax()] == pytest.approx(200, abs=4)
    after = made.alignment.words[3]
    expected = before.floats()[round((LEAD + 2 * STEP + 0.05) * RATE) :][:400, 0]
    start = round((after.start + 0.05) * RATE)
    found = made.recording.floats()[start - 40 : start + 440, 0]
    assert np.correlate(found, expected).max() == pytest.approx(expected @ expected, rel=1e-6)


def test_both_channels_of_a_stereo_file_get_the_words_at_their_level() -> None:
    before = recording(3)
    stereo = Recording(np.c_[before.stored, before.stored // 2], RATE, "PCM_16")
    made = edited(stereo, "one two three", "one new three", Even(), Hums()).recording.floats()
    middle = made[round(0.4 * RATE) : round(0.5 * RATE)]
    np.testing.assert_allclose(middle[:, 1] / 0.5, middle[:, 0], atol=0.01)
    assert np.abs(middle[:, 0]).max() > 0.2


def test_an_engine_is_told_all_of_it() -> None:
    engine = Hums()
    edited(recording(4), "one two three four", "one new three", Even(), engine, None, 7)
    asked = engine.asked
    assert [edit.added for edit in asked.edits] == [("new",)]
    assert asked.seed == 7
    assert asked.old_text == "one two three four"
    assert len(asked.alignment.words) == 4
    assert asked.rate == RATE


def test_silence_is_no_recording_of_a_text() -> None:
    quiet = Recording(np.zeros((8000, 1)), RATE, "DOUBLE")
    with pytest.raises(AudioError, match="silent"):
        edited(quiet, "one", "two", Even(), Hums())
