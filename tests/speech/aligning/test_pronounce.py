"""Pronunciations: of the dictionary, by rule, from letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.speech.aligning.alignment import PHONES
from affectgen.speech.aligning.letters import load_letters
from affectgen.speech.aligning.letters_fit import figures, fit, held_out, match
from affectgen.speech.aligning.pronounce import dictionary, pronunciations


def test_known_words_have_all_their_ways() -> None:
    assert set(pronunciations("read")) == {("R", "EH", "D"), ("R", "IY", "D")}
    assert pronunciations("Hello")[0][0] == "HH"


@pytest.mark.parametrize(
    ("word", "ending"), [("woodcutters", ("Z",)), ("walrus's", ("IH", "Z")), ("giraffe's", ("S",)), ("zebra's", ("Z",))]
)
def test_endings_sound_as_they_must(word: str, ending: tuple[str, ...]) -> None:
    assert word not in dictionary()
    assert pronunciations(word)[0][-len(ending) :] == ending


@given(st.from_regex(r"[a-z][a-z']{0,15}", fullmatch=True))
def test_every_word_has_a_sound(word: str) -> None:
    ways = pronunciations(word)
    assert ways
    assert all(way and set(way) <= PHONES for way in ways)


def test_letters_are_right_about_words_not_learnt() -> None:
    words = {word: ways for word, ways in dictionary().items() if word.isalpha() and word.isascii() and held_out(word)}
    few = {word: words[word] for word in list(words)[::8]}
    found = figures(load_letters(), few)
    assert len(few) > 500
    assert found["phone_error"] < 0.11
    assert found["words_right"] > 0.55


def test_a_small_dictionary_is_learnt() -> None:
    words = {"cat": (("K", "AE", "T"),), "cap": (("K", "AE", "P"),), "city": (("S", "IH", "T", "IY"),),
             "cite": (("S", "AY", "T"),), "pat": (("P", "AE", "T"),), "tax": (("T", "AE", "K", "S"),)}  # fmt: skip
    tree = fit(words)
    assert all(tree.pronounce(word) == ways[0] for word, ways in words.items())
    assert tree.pronounce("pap") == ("P", "AE", "P")
    assert tree.pronounce("") == ()
    assert type(tree).of_arrays(tree.arrays()) == tree


def test_too_many_phones_for_the_letters_match_nothing() -> None:
    assert match("a", ("EY", "B", "IY"), {}) is None
