"""Whatever is drawn under the grammar's masks is a piece: it decodes, has its bars, and closes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.score.grid import BAR
from affectgen.score.keys import Key
from affectgen.score.words import BAR_LINE, DURATIONS, NO_CHORD, TEMPI, Family, Field, decode, encode
from affectgen.writing.grammar import CLOSING_NOTES, MOST_NOTES, NEAR_TEMPO, PIANO, TRIADS, Grammar
from affectgen.writing.pieces import CLOSE_POSITIONS, key_word

KEYS = st.builds(Key, st.integers(0, 11), st.integers(0, 1))


def choose(rng, mask, eager):
    """Any allowed index; at times the first or the last, where mistakes live."""
    allowed = np.flatnonzero(mask)
    assert len(allowed), "the grammar left nothing to draw"
    if rng.random() < eager:
        return int(allowed[-1 if rng.random() < 0.5 else 0])
    return int(rng.choice(allowed))


def walk(grammar, seed, eager=0.2, opening=()):
    """Words drawn at random from what the grammar allows, from the key event to END."""
    rng, in_force = np.random.default_rng(seed), 0
    words = [*key_word(grammar.key), *opening]
    for word in words:
        grammar.take(word)
    while words[-1][0] != Family.END:
        word = np.zeros(8, dtype=np.int64)
        word[Field.FAMILY] = choose(rng, grammar.families(), eager)
        if word[0] == Family.METRICAL:
            word[Field.BEAT] = choose(rng, grammar.beats(), eager)
            if word[1] > BAR_LINE:
                word[Field.TEMPO] = in_force = choose(rng, grammar.tempi(in_force), eager) or in_force
                word[Field.CHORD] = rng.integers(NO_CHORD, 134)
        elif word[0] == Family.NOTE:
            word[Field.PITCH] = choose(rng, grammar.notes_allowed(), eager)
            word[Field.DURATION] = choose(rng, grammar.durations(), eager)
            word[Field.VELOCITY] = rng.integers(1, 43)
        grammar.take(word)
        words.append(word)
        assert len(words) < 200 * grammar.bars, "a bar has 16 onsets of at most 10 notes"
    return np.stack(words)


@settings(max_examples=120, deadline=None)
@given(st.integers(1, 5), KEYS, st.booleans(), st.sampled_from(CLOSE_POSITIONS), st.integers(0, 2**32 - 1),
       st.sampled_from([0.0, 0.3, 0.9]))  # fmt: skip
def test_any_walk_is_a_piece(bars, key, ending, close_from, seed, eager):
    words = walk(Grammar(bars, key, ending, close_from), seed, eager)
    score = decode(words)
    assert (score.bars, score.key) == (bars, key)
    assert len(score) == (words[:, 0] == Family.NOTE).sum(), "no two notes are one"
    assert score.pitch.min() >= PIANO[0]
    assert score.pitch.max() <= PIANO[1]
    onsets, counts = np.unique(score.start, return_counts=True)
    assert counts.max() <= MOST_NOTES
    assert onsets.max() >= (bars - 1) * BAR, "the last bar sounds"
    rising_within_onsets(words)
    again = encode(score)
    notes = [table[table[:, 0] == Family.NOTE][:, 4:7] for table in (words, again)]
    assert np.array_equal(*notes), "the words are in the order in which pieces are written"
    if ending:
        closes_on_the_tonic(score, bars, key)


def rising_within_onsets(words):
    lowest = 0
    for family, *fields in words.tolist():
        if family == Family.METRICAL:
            lowest = 0
        elif family == Family.NOTE:
            assert fields[3] > lowest
            lowest = fields[3]


def closes_on_the_tonic(score, bars, key):
    assert (score.start + score.length).max() <= bars * BAR, "nothing sounds past the final bar line"
    last = score.start == score.start.max()
    chord = score.pitch[last]
    assert len(chord) <= CLOSING_NOTES
    assert (chord.min() - key.tonic) % 12 == 0
    assert set(((chord - key.tonic) % 12).tolist()) <= set(TRIADS[key.mode])
    assert (score.start[last] + score.length[last] == bars * BAR).all(), "held to the final bar line"
    position = score.start.max() % BAR
    assert position % 4 == 0
    assert position <= BAR // 2


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), KEYS, st.integers(0, 2**32 - 1))
def test_what_opens_a_piece_stays_and_the_rest_follows(bars, key, seed):
    opening = walk(Grammar(1, key, ending=False), seed)[1:-1]
    words = walk(Grammar(bars, key), seed + 1, opening=opening)
    assert np.array_equal(words[1 : 1 + len(opening)], opening)
    score = decode(words)
    assert score.bars == bars
    last = score.start == score.start.max()
    assert (score.start[last] + score.length[last] == bars * BAR).all()


def grammar_after(*words, bars=2, **settings):
    grammar = Grammar(bars, Key(0, 0), **settings)
    for word in (key_word(Key(0, 0))[0], *words):
        grammar.take(np.array(word))
    return grammar


LINE = (Family.METRICAL, BAR_LINE, 0, 0, 0, 0, 0, 0)


def beat(position):
    return (Family.METRICAL, position + 2, 5, 1, 0, 0, 0, 0)


def note(pitch):
    return (Family.NOTE, 0, 0, 0, pitch, 4, 20, 0)


def families(grammar):
    return {Family(index) for index in np.flatnonzero(grammar.families()).tolist()}


def test_what_may_follow_what():
    assert families(grammar_after()) == {Family.METRICAL}
    assert np.flatnonzero(grammar_after().beats()).tolist() == [BAR_LINE]
    assert families(grammar_after(LINE)) == {Family.METRICAL}
    assert np.flatnonzero(grammar_after(LINE).beats()).tolist() == list(range(1, 18)), "a bar may be empty"
    assert families(grammar_after(LINE, beat(3))) == {Family.NOTE}
    after_note = grammar_after(LINE, beat(3), note(40))
    assert families(after_note) == {Family.NOTE, Family.METRICAL}
    assert np.flatnonzero(after_note.beats()).tolist() == [BAR_LINE, *range(6, 18)]
    assert np.flatnonzero(after_note.notes_allowed())[0] == 41
    full = [note(40 + number) for number in range(MOST_NOTES)]
    assert families(grammar_after(LINE, beat(3), *full)) == {Family.METRICAL}
    top = np.flatnonzero(grammar_after(LINE, beat(3)).notes_allowed())[-1]
    assert families(grammar_after(LINE, beat(3), note(int(top)))) == {Family.METRICAL}, "no key is left above"
    assert np.flatnonzero(grammar_after(LINE, beat(15), note(40)).beats()).tolist() == [BAR_LINE]


def test_the_last_bar():
    last = grammar_after(LINE, LINE)
    assert np.flatnonzero(last.beats()).tolist() == [2, 6, 10], "a closing onset on a beat, in the first half"
    assert families(grammar_after(LINE, LINE, beat(0), note(22))) == {Family.NOTE, Family.END}
    later = grammar_after(LINE, LINE, close_from=8)
    assert np.flatnonzero(later.beats()).tolist() == list(range(2, 11))
    before = grammar_after(LINE, LINE, beat(5), note(22), close_from=8)
    assert families(before) == {Family.NOTE, Family.METRICAL}, "it may not end before it has closed"
    assert np.flatnonzero(before.beats()).tolist() == [8, 9, 10]
    open_end = grammar_after(LINE, LINE, beat(5), note(22), ending=False)
    assert families(open_end) == {Family.NOTE, Family.METRICAL, Family.END}
    assert BAR_LINE not in np.flatnonzero(open_end.beats())
    assert families(grammar_after(LINE, LINE, beat(15), note(22), ending=False)) == {Family.NOTE, Family.END}


@pytest.mark.parametrize(("mode", "third"), [(0, 4), (1, 3)])
def test_the_closing_chord(mode, third):
    grammar = Grammar(1, Key(9, mode))
    for word in (key_word(Key(9, mode))[0], LINE, beat(4)):
        grammar.take(np.array(word))
    first = np.flatnonzero(grammar.notes_allowed())
    degrees = (first - 1 + 15 + grammar.key.offset - 9) % 12
    assert set(degrees.tolist()) == {0}
    assert DURATIONS[np.flatnonzero(grammar.durations()) - 1].tolist() == [12]
    grammar.take(np.array(note(int(first[2]))))
    above = np.flatnonzero(grammar.notes_allowed())
    assert above.min() == first[2] + third
    assert set(((above - first[2]) % 12).tolist()) == {0, third, 7}


def test_durations_keep_within_the_piece():
    at_eight = grammar_after(LINE, beat(8))
    assert DURATIONS[np.flatnonzero(at_eight.durations()) - 1].max() == 24, "eight sixteenths and a bar are left"
    excerpt = grammar_after(LINE, LINE, beat(8), ending=False)
    assert DURATIONS[np.flatnonzero(excerpt.durations()) - 1].max() == 32, "an excerpt may ring on"


@settings(max_examples=40, deadline=None)
@given(st.floats(24.0, 240.0), st.integers(0, 2**32 - 1))
def test_tempi_keep_near_the_one_asked_for(tempo, seed):
    score = decode(walk(Grammar(3, Key(0, 0), tempo=tempo), seed))
    assert np.abs(np.log(score.tempo / tempo)).max() <= NEAR_TEMPO + 1e-9


def test_a_tempo_must_be_stated_before_it_can_stay():
    free, near = Grammar(1, Key(0, 0)), Grammar(1, Key(0, 0), tempo=120.0)
    assert free.tempi(0).tolist() == [False] + 48 * [True]
    assert free.tempi(5).all()
    allowed = np.flatnonzero(near.tempi(0))
    assert 3 <= len(allowed) <= 4
    assert near.tempi(int(allowed[0]))[0], "the tempo in force is near"
    assert not near.tempi(int(allowed[0]) - 1)[0], "the tempo in force must be left"
    for far, only in ((1000.0, len(TEMPI)), (5.0, 1)):
        assert np.flatnonzero(Grammar(1, Key(0, 0), tempo=far).tempi(0)).tolist() == [only], "the nearest there is"
