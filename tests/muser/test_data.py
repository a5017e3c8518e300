"""Songs, windows and batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from affectgen.muser.data import (
    Song,
    Windows,
    collate,
    cut_window,
    join,
    load_songs,
    save_songs,
    whole_bars,
    whole_batches,
)
from affectgen.score.stream import Stream
from affectgen.score.words import BAR_LINE, Family, Field, decode, encode
from affectgen.writing.decoder import MOST_BARS_LEFT
from affectgen.writing.tables import cut_table


def onsets_of(table):
    return np.flatnonzero((table[:, Field.FAMILY] == Family.METRICAL) & (table[:, Field.BEAT] > BAR_LINE))


def test_a_song_holds_its_words_and_its_bars(score):
    words = encode(score(1, 5))
    made = Song.of("one", words, np.array([0.25, -1.0], dtype=np.float32), "game", True)
    assert (made.bars, made.style, made.ending) == (5, 2, True)
    assert np.array_equal(made.table[:, :8], words)
    assert made.affect.tolist() == [[0.25, -1.0]] * 5
    by_bar = np.linspace(-1, 1, 10, dtype=np.float32).reshape(5, 2)
    assert np.array_equal(Song.of("one", words, by_bar, "game", True).affect, by_bar)


@pytest.mark.parametrize("first", [0, 1, 4])
@pytest.mark.parametrize("most", [30, 10_000])
def test_a_window_is_a_piece_of_its_own(song, first, most):
    one = song(3, 8)
    window = cut_window(one, first, most)
    assert len(window.table) <= most
    np.testing.assert_array_equal(window.table, cut_table(one.table, first, most)[0])
    assert window.table[1, :2].tolist() == [Family.METRICAL, BAR_LINE]
    stop = first + int(window.table[:, 8].max()) + 1
    assert window.bars == stop - first
    np.testing.assert_array_equal(window.attributes, one.attributes[first:stop])
    np.testing.assert_array_equal(window.affect, one.affect[first:stop])
    assert window.left.tolist() == [one.bars - 1 - bar for bar in range(first, stop)]
    assert (window.style, window.ending) == (one.style, one.ending)


def test_a_whole_window_ends_as_the_song_does(song):
    one = song(2, 6)
    assert cut_window(one, 3, 10_000).table[-1, 0] == Family.END
    assert cut_window(one, 0, 20).table[-1, 0] != Family.END
    assert decode(cut_window(one, 0, 10_000).table[:, :8]).bars == 6


def test_a_window_cut_short_is_brought_to_whole_bars(song):
    one = song(2, 6)
    short = cut_window(one, 1, 40)
    whole = whole_bars(short)
    assert whole.bars == short.bars - 1 == len(whole.attributes) == len(whole.affect)
    assert np.array_equal(whole.table, short.table[short.table[:, 8] < whole.bars])
    ended = whole_bars(cut_window(one, 1, 10_000))
    assert (ended.bars, ended.table[-1, 0]) == (5, Family.NOTE)


@pytest.mark.parametrize("words", [50, 10_000])
def test_two_windows_are_joined_at_a_bar_line(song, words):
    first, second = song(0, 5, (0.5, -0.5)), song(4, 7, (-0.9, 0.9))
    head, tail = cut_window(first, 1, words), cut_window(second, 2, 10_000)
    both = join(head, tail)
    bars = whole_bars(head).bars
    assert both.bars == bars + 5
    score = decode(both.table[:, :8])
    parts = [decode(part.table[:, :8]) for part in (whole_bars(head), tail)]
    assert score.bars == both.bars
    assert np.array_equal(score.start, np.concatenate([parts[0].start, parts[1].start + 16 * bars]))
    assert np.array_equal(score.velocity, np.concatenate([part.velocity for part in parts]))
    np.testing.assert_allclose(score.tempo[4 * bars + 3 :], parts[1].tempo[3:])
    alone = Stream.of(both.table[:, :8]).table()
    onsets = onsets_of(both.table)
    assert np.array_equal(both.table[:, 8:10], alone[:, 8:10])
    assert np.array_equal(both.table[onsets, 10:12], alone[onsets, 10:12]), "what is in force goes on over the seam"
    assert both.affect[bars - 1].tolist() == [0.5, -0.5]
    np.testing.assert_allclose(both.affect[bars], [-0.9, 0.9])
    assert both.left.tolist() == list(range(both.bars - 1, -1, -1))
    assert both.table[-1, 0] == Family.END


def test_a_tempo_in_force_is_not_stated_again(song):
    one = song(6, 4)
    head, tail = cut_window(one, 0, 10_000), cut_window(one, 3, 10_000)
    seam = onsets_of(join(head, tail).table)[len(onsets_of(head.table))]
    assert join(head, tail).table[seam, Field.TEMPO] == 0
    other = cut_window(song(8, 4), 0, 10_000)
    assert join(head, other).table[seam, Field.TEMPO] == other.table[onsets_of(other.table)[0], Field.TEMPO] > 0


def test_songs_are_saved_and_read_again(tmp_path, song):
    songs = [song(0, 4), song(1, 7, (np.nan, np.nan), "pop"), song(2, 3, (0.1, 0.2), "game")]
    save_songs(tmp_path / "songs.npz", songs)
    for before, after in zip(songs, load_songs(tmp_path / "songs.npz"), strict=True):
        assert (before.name, before.style, before.ending) == (after.name, after.style, after.ending)
        assert np.array_equal(before.table, after.table)
        np.testing.assert_array_equal(before.attributes, after.attributes)
        np.testing.assert_array_equal(before.affect, after.affect)


def test_a_batch_pads_and_counts_down(song):
    short, long = song(0, 3), song(1, 40, (np.nan, 0.0), "pop")
    batch = collate([cut_window(short, 0, 10_000), cut_window(long, 4, 10_000)])
    assert batch.table.shape[:2] == (2, max(len(short.table), len(cut_window(long, 4, 10_000).table)))
    assert (batch.table[0, len(short.table) :] == 0).all()
    assert batch.bars_left[0].tolist() == [2, 1, 0] + [MOST_BARS_LEFT] * 33
    assert batch.bars_left[1].tolist() == [min(left, MOST_BARS_LEFT) for left in range(35, -1, -1)]
    assert batch.known.tolist() == [True, False]
    assert batch.affect[0, :3].tolist() == [[0.5, -0.5]] * 3
    assert (batch.affect[1] == 0).all()
    assert torch.isnan(batch.attributes[0, 3:]).all()
    np.testing.assert_array_equal(batch.attributes[1].numpy(), long.attributes[4:])
    assert batch.style.tolist() == [0, 1]
    assert batch.ending.tolist() == [0, 1]


def test_noise_moves_a_known_affect_as_a_whole_and_stays_on_the_plane(song):
    windows = [cut_window(song(0, 3, (0.9, -0.9)), 0, 100), cut_window(song(1, 3, (np.nan, np.nan)), 0, 100)]
    seen = []
    for seed in range(30):
        batch = collate(windows, 0.3, np.random.default_rng(seed))
        assert batch.affect.abs().max() <= 1
        assert (batch.affect[0] == batch.affect[0, :1]).all()
        assert (batch.affect[1] == 0).all()
        seen.append(batch.affect[0, 0].tolist())
    assert np.std(seen, axis=0).min() > 0.1


def test_windows_come_from_the_corpora_by_their_shares(song):
    songs = [song(0, 4), song(1, 30, style="pop"), song(2, 6, style="pop")]
    windows = Windows(songs, {"emopia": 0.25, "pop": 0.5, "game": 0.25}, rows=40, words=64, seed=0)
    batches = [windows.draw() for _ in range(6)]
    styles = torch.cat([batch.style for batch in batches])
    assert 0.23 < (styles == 0).float().mean() < 0.44, "a third: the share of the corpus that is missing is spread"
    assert not (styles == 2).any()
    assert {batch.table.shape[1] for batch in batches} <= set(range(30, 65))
    again = Windows(songs, {"emopia": 0.25, "pop": 0.5, "game": 0.25}, rows=40, words=64, seed=0)
    assert torch.equal(again.draw().table, batches[0].table)
    starts = {tuple(left.tolist()) for batch in batches for left in batch.bars_left[:, :1]}
    assert len(starts) > 10, "windows begin anywhere"


def test_medleys_join_songs_of_one_mode_and_style(song):
    songs = [song(seed, 4, (seed / 10, 0.5)) for seed in range(6)] + [song(7, 30, style="pop")]
    windows = Windows(songs, {"emopia": 0.7, "pop": 0.3}, rows=150, words=400, seed=0, noise=0.0, medley=0.5)
    batch = windows.draw()
    assert batch.table.shape[1] <= 400
    moves = [len(row[known].unique(dim=0)) > 1 for row, known in zip(batch.affect, batch.bars_left < 33, strict=True)]
    clips = batch.style == 0
    assert 0.12 < np.mean(moves) < 0.35, "half of the clips' rows, less those that join a song to itself"
    assert not any(move for move, clip in zip(moves, clips, strict=True) if not clip), "one pop song has one affect"
    for row, move in enumerate(moves):
        if move:
            seeds = {round(float(value) * 10) for value in batch.affect[row, :, 0].unique() if value > 0 or not row}
            assert len({seed % 2 for seed in seeds}) == 1, "songs of even seeds are major, of odd ones minor"


def test_validation_takes_every_song_once_from_its_start(song):
    songs = [song(seed, 3 + seed) for seed in range(5)]
    batches = whole_batches(songs, rows=2, words=10_000)
    assert [len(batch.table) for batch in batches] == [2, 2, 1]
    words = sum(int((batch.table[..., 0] > 0).sum()) for batch in batches)
    assert words == sum(len(one.table) for one in songs)
