"""New words out of the recording itself: whole words where they fit, else sound by sound."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.editing.differ import tokens_of
from affectgen.speech.editing.sources import Speech
from affectgen.speech.editing.units import ANY, from_sounds, whole_words

RATE = 8000
SOUNDS = {"the": "DH AH", "cat": "K AE T", "sat": "S AE T", "mat": "M AE T", "on": "AA N"}


def speech(text: str, gaps: tuple[int, ...] = ()) -> Speech:
    """Each sound lasts .1 s and holds its own number; gaps: words before which .3 s are silent."""
    words, at = [], 0.1
    for index, token in enumerate(tokens_of(text)):
        at += 0.3 * (index in gaps)
        phones = tuple(Phone(n, at + 0.1 * i, at + 0.1 * (i + 1)) for i, n in enumerate(SOUNDS[token.text].split()))
        words.append(Word(token.text, index, at, phones[-1].end, phones))
        at = phones[-1].end
    samples = np.zeros(round((at + 0.1) * RATE))
    for number, phone in enumerate(phone for word in words for phone in word.phones):
        samples[round(phone.start * RATE) : round(phone.end * RATE)] = number + 1
    return Speech(samples, RATE, Alignment(tuple(words), at + 0.1))


def test_a_word_that_is_there_is_taken_from_where_it_fits_best() -> None:
    text = "the cat sat on the cat"
    new = tokens_of("the cat sat on the mat cat on")
    found = whole_words(speech(text), tokens_of(text), new, 6, 7, ("T", "AA"))
    assert found is not None
    assert found.first == 1
    assert found.own
    last = whole_words(speech(text), tokens_of(text), tokens_of("on the cat"), 2, 3, ("AH", "SIL"))
    assert last is not None
    assert last.first == 5


def test_words_are_taken_together_only_where_they_are_said_together() -> None:
    text, new = "the cat sat on", tokens_of("on cat sat")
    assert whole_words(speech(text), tokens_of(text), new, 1, 3, ("N", "SIL"), ANY) is not None
    apart = speech(text, gaps=(2,))
    assert whole_words(apart, tokens_of(text), new, 1, 3, ("N", "SIL"), ANY) is None
    assert whole_words(apart, tokens_of(text), tokens_of("on dog"), 1, 2, ("N", "SIL"), ANY) is None


def test_a_word_in_another_place_of_the_sentence_is_left_to_a_synthesiser() -> None:
    text = "the cat sat on"
    new = tokens_of("the cat the cat")
    assert whole_words(speech(text), tokens_of(text), new, 3, 4, ("AH", "SIL")) is None
    assert whole_words(speech(text), tokens_of(text), new, 3, 4, ("AH", "SIL"), ANY) is not None


def test_a_word_is_put_together_from_its_sounds_by_long_runs() -> None:
    made = from_sounds(speech("the cat sat on"), ["scat"], [["S", "K", "AE", "T"]])
    assert made is not None
    assert made.own
    assert [phone.name for phone in made.speech.alignment.words[0].phones] == ["S", "K", "AE", "T"]
    kept = {round(value) for value in made.speech.samples[::40]}
    assert {6, 3, 4, 5} <= kept
    assert not kept & {7, 8}
    assert made.speech.alignment.words[0].end == pytest.approx(0.4, abs=0.02)


def test_sounds_that_are_not_there_cannot_be_said() -> None:
    assert from_sounds(speech("the cat"), ["sit"], [["S", "IH", "T"]]) is None
    assert from_sounds(speech("the cat"), [""], [[]]) is None
