from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affectgen.score.grid import GridScore, make_grid
from affectgen.score.keys import Key
from affectgen.score.words import (
    BAR_LINE,
    DURATIONS,
    FIELDS,
    SIZES,
    TEMPI,
    Family,
    Field,
    WordError,
    bar_of_words,
    decode,
    duration_index,
    encode,
    pitch_index,
    tempo_index,
    velocity_index,
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_words_come_back(scores: st.SearchStrategy[GridScore], data: st.DataObject) -> None:
    score = data.draw(scores)
    words = encode(score)
    assert words.shape[1] == len(FIELDS)
    assert (words >= 0).all()
    assert all((words[:, column] < SIZES[field]).all() for column, field in enumerate(FIELDS))
    spoken = decode(words)
    np.testing.assert_array_equal(spoken.start, score.start)
    np.testing.assert_array_equal(spoken.pitch, score.pitch)
    assert np.abs(spoken.velocity - score.velocity).max() <= 2
    assert (spoken.length <= np.minimum(score.length, 32)).all()
    assert (spoken.bars, spoken.key) == (score.bars, score.key)
    struck = np.unique(score.start // 4)
    assert [spoken.chords[beat] for beat in struck] == [score.chords[beat] for beat in struck]
    np.testing.assert_array_equal(tempo_index(spoken.tempo[struck]), tempo_index(score.tempo[struck]))
    np.testing.assert_array_equal(encode(spoken), words)


def test_the_stream_reads_as_documented() -> None:
    notes = np.array([[0, 4, 62, 60], [0, 4, 66, 60], [20, 2, 69, 90]])
    score = make_grid(notes, np.full(8, 120.0), (None,) * 8, Key(2, 0))
    words = encode(score)
    assert words[:, Field.FAMILY].tolist() == [
        Family.KEY, Family.METRICAL, Family.METRICAL, Family.NOTE, Family.NOTE, Family.METRICAL, Family.METRICAL,
        Family.NOTE, Family.END,
    ]  # fmt: skip
    assert words[:, Field.BEAT].tolist() == [0, BAR_LINE, 2, 0, 0, BAR_LINE, 6, 0, 0]
    assert words[words[:, Field.FAMILY] == Family.NOTE, Field.PITCH].tolist() == [60 - 14, 64 - 14, 67 - 14]
    assert bar_of_words(words).tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("tonic", range(12))
def test_transposed_pieces_differ_in_the_key_only(piece, tonic: int) -> None:
    score = piece()
    plain = replace(score, chords=(None,) * (4 * score.bars))
    moved = replace(plain, pitch=score.pitch + Key(tonic, 0).offset, key=Key(tonic, 0))
    original = encode(plain)
    np.testing.assert_array_equal(encode(moved)[1:], original[1:])


def test_indices_rise_with_what_they_mean() -> None:
    assert (np.diff(tempo_index(TEMPI)) == 1).all()
    assert tempo_index(np.array([1.0, 24.0, 240.0, 1000.0])).tolist() == [1, 1, 48, 48]
    assert duration_index(DURATIONS).tolist() == list(range(1, 21))
    assert duration_index(np.array([0, 19, 500])).tolist() == [1, 16, 20]
    assert (np.diff(velocity_index(np.arange(1, 128))) >= 0).all()
    assert (np.diff(pitch_index(np.arange(21, 109), Key(6, 0))) == 1).all()


def test_pitches_beyond_the_vocabulary_move_by_octaves() -> None:
    for key in (Key(6, 0), Key(7, 1)):
        index = pitch_index(np.arange(128), key)
        assert (index >= 1).all()
        assert (index < SIZES["pitch"]).all()
        assert ((index - 1 + 15 + key.offset - np.arange(128)) % 12 == 0).all()


def test_empty_bars_at_the_end_are_kept(piece) -> None:
    score = piece(bars=2)
    longer = replace(score, bars=4, tempo=np.full(16, 100.0), chords=score.chords + (None,) * 8)
    assert decode(encode(longer)).bars == 4


def test_streams_that_are_no_piece_are_refused(piece) -> None:
    words = encode(piece(bars=1))
    bar, note = int(np.flatnonzero(words[:, 1] == BAR_LINE)[0]), int(np.flatnonzero(words[:, 0] == Family.NOTE)[0])
    for place, column, value, reason in [
        (bar, Field.FAMILY, Family.PAD, "before the first bar"),
        (note, Field.PITCH, 0, "lacks its pitch"),
        (note, Field.VELOCITY, 99, "velocity runs"),
        (bar, Field.BEAT, 0, "lacks its beat"),
    ]:
        spoiled = words.copy()
        spoiled[place, column] = value
        with pytest.raises(WordError, match=reason):
            decode(spoiled)
    with pytest.raises(WordError, match="before its beat"):
        decode(words[[0, bar, note]])
