"""Sentences with one word changed: where it can be, by what, and that the sentence then has the emotion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.speech.dataset.dataset_words import (
    ADJECTIVE,
    ADVERB,
    EMOTIONS,
    NOUN,
    TABLE,
    VERB,
    WORD,
    fits,
    guide_reads,
    slots,
    usual_words,
    variants,
)

OF_WORD = {word: emotion for kinds in TABLE.values() for emotion, words in kinds.items() for word in words}


def table_reads(texts):
    """Hears the words of the table, and nothing else."""
    found = np.full((len(texts), len(EMOTIONS)), 0.05)
    for row, text in enumerate(texts):
        for word in WORD.findall(text):
            if word in OF_WORD:
                found[row, EMOTIONS.index(OF_WORD[word])] += 0.8
    return found / found.sum(axis=1, keepdims=True)


def flat(words, place):
    return 0.0


@pytest.mark.parametrize(("text", "wanted"), [
    ("I would like a new alarm clock.", [("new", ADJECTIVE)]),
    ("The surface is slick.", [("surface", NOUN), ("slick", ADJECTIVE)]),
    ("That is exactly what happened.", [("exactly", ADVERB)]),
    ("I wonder what this is about.", [("wonder", VERB)]),
    ("He found the book, green and old.", [("book", NOUN)]),
    ("It's eleven o'clock.", []),
    ("They gave him a couple of books.", []),
    ("She is singing.", []),
    ("The dogs bark.", [("dogs", ADJECTIVE)]),
    ("", []),
])  # fmt: skip
def test_places_where_a_word_can_be_changed(text, wanted):
    assert [(text[slot.start : slot.end], slot.kind) for slot in slots(text)] == wanted


@pytest.mark.parametrize(("before", "word", "right"), [
    ("a", "lonely", True), ("a", "awful", False), ("an", "awful", True), ("an", "happy", False), ("the", "awful", True),
    ("a", "usual", True), ("an", "unhappy", True),
])  # fmt: skip
def test_a_and_an(before, word, right):
    assert fits(before, word) is right


def test_no_word_means_two_emotions_and_each_kind_has_all():
    words = [word for kinds in TABLE.values() for group in kinds.values() for word in group]
    for kinds in TABLE.values():
        assert tuple(kinds) == EMOTIONS
        own = [word for group in kinds.values() for word in group]
        assert len(own) == len(set(own))
    assert all(word == word.lower() and WORD.fullmatch(word) for word in words)


def test_one_word_differs_and_it_is_the_same_for_all():
    text = "He carried a strange box to the old house."
    found = variants(text, table_reads, flat, np.random.default_rng(0))
    assert tuple(found) == EMOTIONS
    assert len({one.place for one in found.values()}) == 1
    for emotion, one in found.items():
        old, new = WORD.findall(text), WORD.findall(one.text)
        assert [n for n, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1]] == [one.place]
        assert (old[one.place], new[one.place]) == (one.old, one.new)
        assert OF_WORD[one.new] == emotion == one.emotion
        assert one.text.endswith(".")


def test_the_seed_draws_and_the_same_seed_draws_the_same():
    text = "He carried a strange box to the old house."
    texts = [
        [one.text for one in variants(text, table_reads, flat, np.random.default_rng(seed)).values()]
        for seed in (1, 1, 2, 3)
    ]
    assert texts[0] == texts[1]
    assert any(other != texts[0] for other in texts[2:])


def test_a_text_that_is_not_heard_as_its_emotion_is_left_out():
    def deaf(texts):
        """Never hears fear."""
        found = table_reads(texts)
        found[:, EMOTIONS.index("fear")] = 0
        return found

    found = variants("He carried a strange box.", deaf, flat, np.random.default_rng(0))
    assert set(found) == set(EMOTIONS) - {"fear"}
    assert variants("He carried a strange box.", lambda texts: np.full((len(texts), 5), 0.2), flat,
                    np.random.default_rng(0)) == {}  # fmt: skip


@given(st.text(max_size=60))
def test_any_text_can_be_asked(text):
    for slot in slots(text):
        assert 0 <= slot.start < slot.end <= len(text)
        assert slot.kind in TABLE
    for one in variants(text, table_reads, flat, np.random.default_rng(0)).values():
        assert one.text != text


def test_usual_words_are_told_from_odd_ones():
    fluent = usual_words()
    assert fluent(["a", "happy", "man"], 1) > fluent(["a", "of", "man"], 1)
    assert fluent(["the", "terrible", "storm"], 1) > fluent(["the", "qwertish", "storm"], 1)


def test_the_guide_hears_what_was_meant():
    found = variants("I would like a new alarm clock.", guide_reads(), usual_words(), np.random.default_rng(0))
    assert {"fear", "happiness", "neutral", "sadness"} <= set(found)
    assert all(one.share > 0.25 for one in found.values())
    assert all(one.old == "new" for one in found.values())
