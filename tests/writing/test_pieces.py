"""Pieces as words: opened, read, brought to their bars, and written in batches of one width."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.score.grid import make_grid
from affectgen.score.keys import Key
from affectgen.score.words import Family, Field, encode, key_of
from affectgen.writing.pieces import WIDTH, in_batches, in_rounds, key_word, open_words, score_of, with_bars


@pytest.mark.parametrize("key", [Key(tonic, mode) for tonic in (0, 6, 11) for mode in (0, 1)])
def test_the_key_event_names_the_key_and_nothing_else(key):
    word = key_word(key)
    assert word.shape == (1, 8)
    assert (word[0, Field.FAMILY], key_of(int(word[0, Field.KEY]))) == (Family.KEY, key)
    assert np.count_nonzero(word) == 2


def test_an_opening_is_a_piece_without_key_event_and_end(score):
    source = score(3, 2, key=Key(5, 1))
    key, opening = open_words(source)
    assert key == Key(5, 1)
    words = encode(source)
    assert np.array_equal(np.concatenate([key_word(key), opening, words[-1:]]), words)


def test_silent_bars_at_the_end_are_bars(score):
    words = encode(score(0, 2))
    longer = with_bars(words, 5)
    assert (longer.bars, len(longer.tempo), len(longer.chords)) == (5, 20, 20)
    assert np.array_equal(longer.start, with_bars(words, 2).start)
    assert longer.tempo[8:].tolist() == [longer.tempo[7]] * 12
    assert longer.chords[8:] == (longer.chords[7],) * 12
    assert with_bars(words, 1).bars == 2, "no bar is taken away"


def ringing():
    """A note held through two bars, one that stops at the last onset, one that stops before, and the last chord."""
    rows = [(0, 32, 40, 64), (8, 16, 60, 64), (16, 2, 62, 64), (24, 8, 48, 64), (24, 4, 55, 64)]
    return encode(make_grid(np.array(rows), np.full(8, 100.0), (None,) * 8, Key(0, 0)))


def test_nothing_rings_into_the_closing_chord():
    free, closed = (score_of(ringing(), 2, ending) for ending in (False, True))
    assert free.length.tolist() == [32, 16, 2, 8, 4], "an excerpt stays as it is"
    assert closed.length.tolist() == [24, 16, 2, 8, 4]
    assert np.array_equal(closed.start, free.start)


@pytest.mark.parametrize("ending", [True, False])
def test_a_score_has_the_bars_asked_for_even_without_notes(ending):
    words = np.concatenate([key_word(Key(0, 0)), ringing()[1:2], ringing()[-1:]])
    score = score_of(words, 3, ending)
    assert (score.bars, len(score)) == (3, 0)
    assert score_of(ringing(), 4, ending).bars == 4


def run_batches(count, answers=None, told_in_turn=True):
    """What was written, batch by batch, and what was told, of requests r0, r1 ..., where some make others needless."""
    written, told = [], []

    def write(numbered, tell):
        written.append(dict(numbered))
        stopped = set()
        for number in numbered if told_in_turn else reversed(numbered):
            if number not in stopped:
                stopped |= set(tell(number, numbered[number].upper()))

    def finished(number, piece):
        told.append((number, piece))
        return (answers or {}).get(number, ())

    in_batches([f"r{number}" for number in range(count)], write, finished)
    return written, told


def test_requests_are_written_so_many_at_a_time_by_their_numbers():
    written, told = run_batches(2 * WIDTH + 1)
    assert [list(batch) for batch in written] == [list(range(4)), list(range(4, 8)), [8]]
    assert all(request == f"r{number}" for batch in written for number, request in batch.items())
    assert told == [(number, f"R{number}") for number in range(9)]
    assert run_batches(0) == ([], [])


def test_what_is_needless_leaves_its_place_to_others():
    written, told = run_batches(9, {1: (0, 2, 4, 7)})
    assert [list(batch) for batch in written] == [[0, 1, 2, 3], [5, 6, 8]]
    assert [number for number, _ in told] == [0, 1, 3, 5, 6, 8]
    assert len(run_batches(9, {0: range(9)})[0]) == 1, "no batch is written of which nobody needs a piece"


def test_what_was_needless_before_is_told_with_every_piece():
    heard = []

    def write(numbered, tell):
        heard.extend(set(tell(number, None)) for number in numbered)

    in_batches(list("abcdef"), write, lambda number, piece: (5,) if number == 0 else ())
    assert len(heard) == 5
    assert all(5 in answer for answer in heard)


@given(st.integers(0, 15), st.dictionaries(st.integers(0, 14), st.lists(st.integers(0, 14))), st.booleans())
def test_every_request_is_told_once_or_needless(count, answers, in_turn):
    written, told = run_batches(count, answers, in_turn)
    numbers = [number for number, _ in told]
    needless = {other for number in numbers for other in answers.get(number, ())}
    assert len(set(numbers)) == len(numbers)
    assert set(range(count)) - set(numbers) <= needless
    begun = [number for batch in written for number in batch]
    assert len(set(begun)) == len(begun), "nothing is written twice"
    assert all(1 <= len(batch) <= WIDTH for batch in written)


def test_works_are_served_together_until_each_is_through():
    served = []

    def work(name, rounds):
        for number in range(rounds):
            yield f"{name}{number}"
        return name.upper()

    assert in_rounds([work("a", 2), work("b", 0), work("c", 3)], served.append) == ["A", "B", "C"]
    assert served == [["a0", "c0"], ["a1", "c1"], ["c2"]]
    assert in_rounds([], served.append) == []
