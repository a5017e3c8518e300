"""The times that a synthesiser states, for the words of a text."""

from __future__ import annotations

import numpy as np

from affectgen.speech.aligning.stated import stated_alignment
from affectgen.speech.editing.espeak import Spoken

NAMES = {"out": ("AW", "T"), "of": ("AH", "V"), "the": ("DH", "AH"), "blue": ("B", "L", "UW"), "42": tuple("ABCDE")}


def said(words: list[tuple[str, list[str]]]) -> Spoken:
    """Events one after another, each sound .1 s."""
    at, events, phones = 0.0, [], []
    for name, sounds in words:
        start = at
        for sound in sounds:
            phones.append((sound, at, at + 0.1))
            at += 0.1
        events.append((name, start, at))
    return Spoken(np.zeros(round(at * 1000), dtype=np.float32), 1000, tuple(events), tuple(phones))


def test_each_word_has_its_sounds_named_as_the_dictionary_does() -> None:
    spoken = said([("out", ["AW", "T"]), ("blue", ["B", "L", "OW"])])
    found = stated_alignment(spoken, "Out? blue!".lower(), NAMES.__getitem__)
    assert found is not None
    assert [(word.text, round(word.start, 1), round(word.end, 1)) for word in found.words] == [
        ("out", 0.0, 0.2), ("blue", 0.2, 0.5)
    ]  # fmt: skip
    assert [phone.name for phone in found.words[1].phones] == ["B", "L", "UW"]


def test_words_said_as_one_share_its_sounds_and_a_number_keeps_all_of_them() -> None:
    spoken = said([("out", ["AW", "T"]), ("of", ["AH", "V", "DH", "AH"]), ("blue", ["B", "L", "UW"])])
    found = stated_alignment(spoken, "out of the blue", NAMES.__getitem__)
    assert found is not None
    assert [len(word.phones) for word in found.words] == [2, 2, 2, 3]


def test_no_times_or_others_words_give_nothing() -> None:
    silent = Spoken(np.zeros(10, dtype=np.float32), 1000)
    assert stated_alignment(silent, "out", NAMES.__getitem__) is None
    assert stated_alignment(said([("in", ["IH", "N"])]), "out", NAMES.__getitem__) is None
