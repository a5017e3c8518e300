"""What a new transcript changes, and where it lies in the recording."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.errors import UsageError
from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.editing.differ import changes_between, edits_between, tokens_of

WORDS = st.lists(st.sampled_from(["one", "two", "three", "four", "Five"]), min_size=1, max_size=8)


def spoken(text: str, gaps: dict[int, float] | None = None, lead: float = 0.2) -> Alignment:
    """Each word lasts .3 s; gaps: seconds of silence before the word of that place."""
    words, at = [], lead
    for index, token in enumerate(tokens_of(text)):
        at += (gaps or {}).get(index, 0.0)
        words.append(Word(token.text, index, at, at + 0.3, (Phone("AH", at, at + 0.3),)))
        at += 0.3
    return Alignment(tuple(words), at + 0.2)


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS)
def test_changes_turn_the_old_words_into_the_new_ones(old: list[str], new: list[str]) -> None:
    before, after = tokens_of(" ".join(old)), tokens_of(" ".join(new))
    made = [token.plain for token in before]
    for change in reversed(changes_between(before, after)):
        made[change.first : change.last] = [token.plain for token in after[change.start : change.stop]]
    assert made == [token.plain for token in after]


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS, st.dictionaries(st.integers(0, 7), st.floats(0, 0.5)))
def test_edits_lie_in_the_recording_in_order_and_leave_kept_words_alone(
    old: list[str], new: list[str], gaps: dict[int, float]
) -> None:
    alignment = spoken(" ".join(old), gaps)
    edits = edits_between(alignment, " ".join(old), " ".join(new))
    reached = 0.0
    for edit in edits:
        assert reached <= edit.start + 1e-9
        assert edit.start <= edit.end <= alignment.seconds
        reached = edit.end
        assert bool(edit.added) or bool(edit.removed)
    touched = {i for edit in edits for i in range(edit.change.first, edit.change.last)}
    for word in alignment.words:
        inside = any(edit.start <= word.start + 1e-9 and word.end <= edit.end + 1e-9 for edit in edits)
        assert inside == (word.index in touched)


@pytest.mark.parametrize("new", ["Hello there, my friend!", "HELLO THERE my friend", "“Hello” there — my friend"])
def test_case_and_marks_change_nothing(new: str) -> None:
    assert edits_between(spoken("hello there my friend"), "hello there my friend", new) == []


def test_of_two_repeated_words_the_right_one_goes() -> None:
    edits = edits_between(spoken("a very very good day"), "a very very good day", "a very good day")
    assert [edit.removed for edit in edits] == [("very",)]
    assert edits[0].kind == "delete"
    assert edits[0].end - edits[0].start == pytest.approx(0.3)


def test_a_deletion_keeps_the_longer_pause() -> None:
    alignment = spoken("so now then go", {1: 0.1, 2: 0.4})
    edit = edits_between(alignment, "so now then go", "so then go")[0]
    words = alignment.words
    assert (edit.start, edit.end) == (words[0].end, words[1].end)  # the 0.4 s behind it stay
    alignment = spoken("so now then go", {1: 0.4, 2: 0.1})
    edit = edits_between(alignment, "so now then go", "so then go")[0]
    assert (edit.start, edit.end) == (alignment.words[1].start, alignment.words[2].start)


def test_the_silence_at_both_ends_stays() -> None:
    alignment = spoken("one two three")
    first = edits_between(alignment, "one two three", "two three")[0]
    last = edits_between(alignment, "one two three", "one two")[0]
    assert (first.start, first.end) == (alignment.words[0].start, alignment.words[1].start)
    assert (last.start, last.end) == (alignment.words[1].end, alignment.words[2].end)


def test_new_words_go_behind_a_pause_unless_their_mark_says_that_it_follows() -> None:
    alignment = spoken("well I see", {1: 0.3})
    after = edits_between(alignment, "well, I see", "well, yes I see")[0]
    before = edits_between(alignment, "well I see", "well yes, I see")[0]
    assert after.start == after.end == alignment.words[1].start
    assert before.start == alignment.words[0].end


def test_an_alignment_of_another_text_is_refused() -> None:
    with pytest.raises(UsageError, match="2 words and the old text 3"):
        edits_between(spoken("one two"), "one two three", "one two")
    with pytest.raises(UsageError, match="no word"):
        edits_between(spoken("one two"), "one two", "...")
