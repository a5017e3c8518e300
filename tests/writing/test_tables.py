"""Tables of words: a stretch of one as a piece of its own, and augmentation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.score.keys import Key
from affectgen.score.stream import BAR, CHORD, POSITION, TEMPO, Stream
from affectgen.score.words import BAR_LINE, SIZES, Family, Field, decode, encode, key_of
from affectgen.writing.pieces import key_word
from affectgen.writing.tables import COLUMNS, cut_table, first_onset, jitter

LINE = [Family.METRICAL, BAR_LINE, 0, 0, 0, 0, 0, 0]


def onsets_of(table):
    return np.flatnonzero((table[:, Field.FAMILY] == Family.METRICAL) & (table[:, Field.BEAT] > BAR_LINE))


@pytest.fixture
def table(score):
    """table(seed, bars): a whole piece with its context, as training data hold it."""
    return lambda seed, bars: Stream.of(encode(score(seed, bars))).table().astype(np.int16)


@pytest.mark.parametrize("first", [0, 1, 4])
@pytest.mark.parametrize("most", [30, 10_000])
def test_a_stretch_is_a_piece_of_its_own(table, first, most):
    whole = table(3, 8)
    cut, begin = cut_table(whole, first, most)
    assert cut.dtype == np.int64
    assert cut.shape[1] == COLUMNS
    assert len(cut) == min(most, len(whole) - begin + 1)
    assert cut[0, :8].tolist() == whole[0, :8].tolist(), "the key event opens it"
    assert (cut[1:, Field.KEY] == 0).all()
    assert cut[1, :2].tolist() == [Family.METRICAL, BAR_LINE]
    assert begin == int(np.flatnonzero(whole[:, BAR] == first)[1 if first == 0 else 0])
    opening = onsets_of(cut)[0]
    assert cut[opening, Field.TEMPO] > 0
    assert cut[opening, Field.CHORD] > 0
    rows = whole[begin : begin + len(cut) - 1]
    changed = [Field.TEMPO, Field.CHORD]
    assert np.array_equal(np.delete(cut[1:, :8], changed, 1), np.delete(rows[:, :8], changed, 1))
    assert np.array_equal(cut[opening + 1 :, :8], rows[opening:, :8]), "beyond its first onset it is the piece's own"


@pytest.mark.parametrize("first", [0, 2, 5])
def test_a_stretch_says_what_a_stream_of_its_words_says(table, first):
    cut, _ = cut_table(table(4, 8), first, 60)
    alone = Stream.of(cut[:, :8]).table()
    onsets = onsets_of(cut)
    assert np.array_equal(cut[:, [BAR, POSITION]], alone[:, [BAR, POSITION]]), "bars are renumbered, positions stay"
    assert np.array_equal(cut[onsets[0] :, [TEMPO, CHORD]], alone[onsets[0] :, [TEMPO, CHORD]]), "what is in force"
    assert (cut[: onsets[0], [TEMPO, CHORD]] == 0).all(), "nothing is in force before, as in sampling"
    assert np.array_equal(cut[onsets[:-1], 12], alone[onsets[:-1], 12])


def test_cutting_leaves_the_piece_as_it_was(table):
    whole = table(4, 6)
    before = whole.copy()
    cut, _ = cut_table(whole, 2, 10_000)
    cut[:] = 0
    assert np.array_equal(whole, before)


def test_a_whole_stretch_decodes_to_the_bars_of_the_piece(table, score):
    cut, _ = cut_table(table(4, 8), 3, 10_000)
    assert cut[-1, 0] == Family.END
    found, expected = decode(cut[:, :8]), score(4, 8).take_bars(3, 8)
    assert found.bars == 5
    assert np.array_equal(found.start, expected.start)
    assert np.array_equal(found.pitch, expected.pitch)


def test_bars_without_an_onset_have_nothing_in_force():
    words = np.array([*key_word(Key(0, 0)).tolist(), LINE, [3, 2, 9, 2, 0, 0, 0, 0], [4, 0, 0, 0, 30, 4, 9, 0], LINE,
                      LINE, [1, 0, 0, 0, 0, 0, 0, 0]])  # fmt: skip
    whole = Stream.of(words).table()
    assert first_onset(whole).tolist() == [2]
    cut, begin = cut_table(whole, 1, 100)
    assert begin == 4
    assert first_onset(cut).tolist() == []
    assert cut[:, BAR].tolist() == [0, 0, 1, 1]
    assert (cut[:, [TEMPO, CHORD]] == 0).all()


def test_jitter_moves_key_tempo_and_velocity_and_nothing_else(table):
    keys, tempi, velocities = set(), set(), set()
    one = table(5, 6)
    for seed in range(60):
        moved = one.astype(np.int64)
        jitter(moved, np.random.default_rng(seed))
        same = [column for column in range(COLUMNS) if column not in (Field.TEMPO, Field.VELOCITY, TEMPO)]
        assert np.array_equal(moved[1:, same], one[1:, same]), "pitches above all"
        assert ((moved == 0) == (one == 0)).all(), "what does not apply still does not"
        for column, size in ((Field.TEMPO, "tempo"), (Field.VELOCITY, "velocity"), (TEMPO, "tempo")):
            assert moved[:, column].max() < SIZES[size]
        before, after = key_of(int(one[0, Field.KEY])), key_of(int(moved[0, Field.KEY]))
        assert after.mode == before.mode
        keys.add(after.tonic)
        onset = onsets_of(moved)[0]
        assert moved[onset, Field.TEMPO] == moved[onset, TEMPO]
        tempi.add(int(moved[onset, TEMPO] - one[onset, TEMPO]))
        note = np.flatnonzero(moved[:, 0] == Family.NOTE)[0]
        velocities.add(int(moved[note, Field.VELOCITY] - one[note, Field.VELOCITY]))
    assert (len(keys), tempi, velocities) == (12, {-2, -1, 0, 1, 2}, {-1, 0, 1})


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_jitter_stays_among_the_words_at_their_ends(seed, high):
    tempo, velocity = (SIZES["tempo"] - 1, SIZES["velocity"] - 1) if high else (1, 1)
    words = np.array([*key_word(Key(3, 1)).tolist(), LINE, [3, 2, tempo, 2, 0, 0, 0, 0],
                      [4, 0, 0, 0, 30, 4, velocity, 0], [1, 0, 0, 0, 0, 0, 0, 0]])  # fmt: skip
    moved = Stream.of(words).table()
    jitter(moved, np.random.default_rng(seed))
    assert 1 <= moved[2, Field.TEMPO] <= SIZES["tempo"] - 1
    assert abs(moved[2, Field.TEMPO] - tempo) <= 2
    assert 1 <= moved[3, Field.VELOCITY] <= SIZES["velocity"] - 1
    assert abs(moved[3, Field.VELOCITY] - velocity) <= 1
