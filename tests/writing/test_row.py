"""One row: what it takes, what may come next, and how it goes on from another."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.score.keys import Key
from affectgen.score.words import BAR_LINE, SIZES, Family, Field, decode, encode
from affectgen.writing.grammar import Grammar
from affectgen.writing.pieces import key_word
from affectgen.writing.row import FREE, WORDS_PER_BAR, Row, close, never_empty, with_room_above


def row_of(bars=3, forced=None, seed=0):
    return Row.of(Grammar(bars, Key(0, 0)), np.random.default_rng(seed), key_word(Key(0, 0)), forced)


def test_a_row_follows_the_words_of_a_piece(score):
    words = encode(score(3, 3, key=Key(0, 0)))
    row = row_of()
    assert row.opening
    for word in words.tolist():
        assert not row.done
        row.take(word)
    assert row.done
    assert not row.opening
    assert row.bar == 2
    np.testing.assert_array_equal(row.closed(), words)
    metrical = words[words[:, 0] == Family.METRICAL]
    last = [int(metrical[metrical[:, field] > 0][-1, field]) for field in (2, 3)]
    assert row.in_force == [metrical[-1, 1], *last]


def test_a_row_of_no_bars_is_done_and_a_full_one_is_closed_after_its_last_bar(score):
    assert row_of(0).done
    words = encode(score(4, 3, key=Key(0, 0))).tolist()
    row = row_of()
    assert row.most == 1 + 3 * WORDS_PER_BAR + 1
    row.most = len(words) - 2
    for word in words[: row.most]:
        row.take(word)
    assert row.done
    closed = row.closed()
    assert closed[-1, 0] == Family.END
    assert decode(closed).bars == 2
    np.testing.assert_array_equal(closed[:-1], words[: len(closed) - 1])
    np.testing.assert_array_equal(close(closed), closed)


def test_who_follows_another_goes_on_alike_and_by_itself(score):
    words = encode(score(5, 2, key=Key(0, 0))).tolist()
    one, other = row_of(seed=1), row_of(seed=2)
    for word in words[:9]:
        one.take(word)
    other.follow(one)
    assert (other.words, other.in_force, vars(other.grammar)) == (one.words, one.in_force, vars(one.grammar))
    other.take(words[9])
    assert len(one.words) == 9
    assert one.grammar.pitches is not other.grammar.pitches
    assert one.rng.random() != other.rng.random()


@pytest.mark.parametrize("element", [Field.TEMPO, Field.CHORD, Field.VELOCITY])
def test_what_is_in_force_may_stay_and_a_note_has_real_values(element):
    row = row_of()
    assert not row.mask(element)[0], "the first onset states it"
    row.take([Family.METRICAL, 2, 5, 7, 0, 0, 0, 0])
    assert row.mask(element)[0] == (element != Field.VELOCITY)
    assert row.mask(element)[1:].all()
    names = ("family", "beat", "tempo", "chord", "pitch", "duration", "velocity")
    assert len(row.mask(element)) == SIZES[names[element]]


def test_kept_words_leave_room_for_the_notes_above():
    forced = np.full((4, 8), FREE)
    forced[:, 0] = [Family.METRICAL, Family.NOTE, Family.NOTE, Family.METRICAL]
    mask = np.zeros(101, dtype=bool)
    mask[[40, 50, 60]] = True
    assert np.flatnonzero(with_room_above(mask, forced, 1)).tolist() == [40, 50]
    assert np.flatnonzero(with_room_above(mask, forced, 2)).tolist() == [40, 50, 60]
    assert with_room_above(mask, None, 1) is mask
    row = row_of(forced=forced)
    assert [row.given(0), row.given(4)] == [Family.METRICAL, FREE]
    for _ in range(4):
        row.take([Family.METRICAL, BAR_LINE, 0, 0, 0, 0, 0, 0])
    assert row.given(0) == FREE, "past the words that are given"
    assert never_empty(np.zeros(5, dtype=bool)).tolist() == [False, True, True, True, True]
    assert never_empty(mask) is mask
