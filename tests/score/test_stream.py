"""What words say beyond their fields, on a stream small enough for paper."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.score.stream import BRIGHTNESS, MOST_AT_ONCE, Stream, bar_attributes
from affectgen.score.words import QUALITY_NAMES, TEMPI, chord_index, encode

TONIC = 2  # chord index of the major triad on the tonic; 1 is "no chord"
# family, beat, tempo, chord, pitch, duration, velocity, key
WORDS = np.array([
    [2, 0, 0, 0, 0, 0, 0, 1],
    [3, 1, 0, 0, 0, 0, 0, 0],
    [3, 2, 10, TONIC, 0, 0, 0, 0],
    [4, 0, 0, 0, 20, 4, 10, 0],
    [4, 0, 0, 0, 24, 8, 14, 0],
    [3, 10, 0, 0, 0, 0, 0, 0],
    [4, 0, 0, 0, 30, 4, 12, 0],
    [3, 1, 0, 0, 0, 0, 0, 0],
    [3, 1, 0, 0, 0, 0, 0, 0],
    [3, 6, 12, 1, 0, 0, 0, 0],
    [4, 0, 0, 0, 10, 1, 1, 0],
    [1, 0, 0, 0, 0, 0, 0, 0],
])  # fmt: skip


def test_what_is_in_force():
    stream = Stream.of(WORDS)
    assert stream.bar.tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2]
    assert stream.position.tolist() == [0, 1, 2, 2, 2, 10, 10, 1, 1, 6, 6, 6]
    assert stream.tempo.tolist() == [10] * 9 + [12] * 3
    assert stream.chord.tolist() == [TONIC] * 9 + [1] * 3
    assert stream.at_once.tolist() == [0, 0, 2, 0, 0, 1, 0, 0, 0, 1, 0, 0]


def test_the_table_has_the_words_first():
    table = Stream.of(WORDS).table()
    assert table.shape == (12, 13)
    assert np.array_equal(table[:, :8], WORDS)
    assert table[5, 8:].tolist() == [0, 10, 10, TONIC, 1]


def test_attributes_on_paper():
    found = bar_attributes(Stream.of(WORDS), 3)
    log = np.log
    expected = [
        [1.5, 2, log(TEMPI[9]), 1.0, 74 / 3, (log(4) + log(8) + log(4)) / 3, 12.0],
        [np.nan, 0, np.nan, np.nan, np.nan, np.nan, np.nan],
        [1.0, 1, log(TEMPI[11]), np.nan, 10.0, 0.0, 1.0],
    ]
    np.testing.assert_allclose(found, expected)


def test_bars_beyond_the_words_have_nothing():
    found = bar_attributes(Stream.of(WORDS), 5)
    assert np.isnan(found[3:, [0, 2, 3, 4, 5, 6]]).all()
    assert found[3:, 1].tolist() == [0, 0]


@pytest.mark.parametrize(("quality", "bright"), [
    ("M", 1), ("m", -1), ("o", -1), ("+", 1), ("7", 1), ("M7", 1), ("m7", -1), ("o7", -1), ("/o7", -1), ("sus2", 0),
    ("sus4", 0),
])  # fmt: skip
def test_brightness_is_the_third_whatever_the_root(quality, bright):
    assert BRIGHTNESS[QUALITY_NAMES.index(quality)] == bright
    for root in (0, 7):
        words = WORDS.copy()
        words[2, 3] = TONIC + root * len(QUALITY_NAMES) + QUALITY_NAMES.index(quality)
        assert bar_attributes(Stream.of(words), 3)[0, 3] == bright


def test_the_tonic_triad_is_where_the_test_thinks_it_is():
    from affectgen.score.grid import Chord

    assert chord_index(Chord(5, "M"), tonic=5) == TONIC


def test_many_notes_at_once_count_as_the_most():
    notes = np.repeat(WORDS[3:4], 20, axis=0)
    notes[:, 4] = np.arange(30, 50)
    words = np.concatenate([WORDS[:3], notes, WORDS[-1:]])
    assert Stream.of(words).at_once[2] == MOST_AT_ONCE


def test_a_piece_without_notes_has_a_stream():
    stream = Stream.of(WORDS[[0, 1, 7, 11]])
    assert stream.bar.tolist() == [0, 0, 1, 1]
    assert stream.tempo.tolist() == stream.at_once.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("seed", range(4))
def test_attributes_agree_with_the_score(score, seed):
    piece = score(seed, 5)
    found = bar_attributes(Stream.of(encode(piece)), 5)
    for bar in range(5):
        inside = piece.start // 16 == bar
        assert found[bar, 1] == len(np.unique(piece.start[inside]))
        assert found[bar, 0] == pytest.approx(inside.sum() / found[bar, 1])
        low = np.exp(found[bar, 2])
        assert low == pytest.approx(piece.tempo[4 * bar], rel=0.026)  # tempo steps are 5 % wide
        assert found[bar, 6] * 3 == pytest.approx(piece.velocity[inside].mean(), abs=1.5)
