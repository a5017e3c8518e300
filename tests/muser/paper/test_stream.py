import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from affectgen.muser.data import Windows, collate, cut_window
from affectgen.muser.paper.config import UNKNOWN
from affectgen.muser.paper.stream import Clips, paper_batch, playable, quadrant_of, score_of, words_of
from affectgen.score.grid import Chord, make_grid
from affectgen.score.keys import Key
from affectgen.score.words import ELEMENTS, SIZES, Family, decode

NOTE, METRICAL, END = int(Family.NOTE), int(Family.METRICAL), int(Family.END)
ANY_WORD = st.tuples(*(st.integers(0, SIZES[name] - 1) for name in ELEMENTS))


def piece(key, pitches=(50, 64, 67, 83)):
    rows = np.array([[4 * n, 4, pitch, 60] for n, pitch in enumerate(pitches)])
    return make_grid(rows, np.full(4, 120.0), (Chord(key.tonic, "M"),) * 4, key)


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("mode", [0, 1])
def test_words_do_not_depend_on_the_key_that_a_piece_is_said_to_be_in(tonic, mode):
    def one(key):
        rows = np.array([[0, 4, 50, 60], [4, 4, 64, 60]])
        return words_of(make_grid(rows, np.full(4, 120.0), (Chord(7, "m"),) * 4, key))

    assert (one(Key(tonic, mode)) == one(Key(0, 0))).all()


@pytest.mark.parametrize("tonic", range(12))
def test_words_play_the_notes_and_chords_they_were_written_from(tonic):
    score = piece(Key(tonic, 0))
    back = decode(playable(words_of(score)))
    assert back.pitch.tolist() == score.pitch.tolist()
    assert back.start.tolist() == score.start.tolist()
    assert back.chords == score.chords


def test_pitches_beyond_the_vocabulary_move_by_octaves():
    words = words_of(piece(Key(6, 0), pitches=(24, 108, 107, 21)))
    assert 1 <= words[words[:, 0] == NOTE, 4].min() <= words[:, 4].max() < SIZES["pitch"]
    assert decode(playable(words)).pitch.tolist() == [24, 108, 107, 21]


@pytest.mark.parametrize("quadrant", range(4))
def test_points_fall_into_quadrants(quadrant):
    point = [(0.6, 0.6), (-0.1, 0.6), (-0.6, -0.6), (0.1, -0.9)][quadrant]
    assert quadrant_of(np.array([point, point])) == quadrant


def test_music_without_a_label_has_no_quadrant():
    assert quadrant_of(np.array([[0.5, np.nan]])) == UNKNOWN


def test_a_batch_is_padded_and_knows_its_quadrants(songs):
    batch = paper_batch(collate([cut_window(song, 0, 97) for song in songs]))
    assert batch.quadrant.tolist() == [0, 1, 2, 3] * 2
    lengths = [len(song.table) - 1 for song in songs]
    assert batch.inside.sum(1).tolist() == lengths
    assert batch.words.shape == (8, max(lengths), 7)
    assert (batch.words[~batch.inside] == 0).all()


def test_clips_come_once_an_epoch_and_whole(songs):
    clips = Clips(songs, 2, 97, seed=0)
    seen = torch.cat([clips.draw().quadrant for _ in range(4 * 8)])
    assert torch.bincount(seen, minlength=5).tolist() == [16, 16, 16, 16, 0]


def test_augmented_clips_are_transposed(songs):
    windows = Windows(songs, {"emopia": 1.0}, 8, 97, seed=0, noise=0.0)
    first = {paper_batch(windows.draw()).words[0, 2, 4].item() for _ in range(12)}
    assert len(first) > 3


def test_nonsense_is_left_out():
    words = np.array([
        [NOTE, 0, 0, 0, 40, 4, 20],  # before the first bar
        [METRICAL, 1, 0, 0, 0, 0, 0],
        [NOTE, 0, 0, 0, 41, 4, 20],  # before the first beat
        [METRICAL, 0, 0, 0, 0, 0, 0],  # no beat
        [METRICAL, 6, 20, 2, 33, 3, 3],  # with fields that do not apply
        [NOTE, 5, 5, 5, 42, 4, 20],
        [NOTE, 0, 0, 0, 0, 4, 20],  # no pitch
        [NOTE, 0, 0, 0, 43, 0, 20],  # no duration
        [int(Family.KEY), 0, 0, 0, 0, 0, 0],
        [METRICAL, 4, 0, 0, 0, 0, 0],  # back in time: played there
        [NOTE, 0, 0, 0, 44, 4, 20],
        [END, 0, 0, 0, 0, 0, 0],
        [NOTE, 0, 0, 0, 45, 4, 20],  # after the end
    ])  # fmt: skip
    score = score_of(words)
    assert score.start.tolist() == [2, 4]
    assert (score.pitch - 14).tolist() == [44, 42]
    assert score.bars == 1


def test_a_beat_before_the_first_bar_opens_it():
    words = np.array([[METRICAL, 2, 0, 0, 0, 0, 0], [NOTE, 0, 0, 0, 40, 4, 20], [METRICAL, 1, 0, 0, 0, 0, 0]])
    score = score_of(words)
    assert score.start.tolist() == [0]
    assert score.bars == 2


@given(st.lists(ANY_WORD, max_size=30))
def test_any_stream_can_be_played(rows):
    score = score_of(np.array(rows, dtype=np.int64).reshape(-1, 7))
    assert score.bars >= 1
    assert len(score) <= sum(row[0] == NOTE for row in rows)
    assert (score.velocity > 0).all()
