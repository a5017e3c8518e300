"""Songs with a performance, windows that are told their own attributes, and batches."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from affectgen.emogen.config import STYLES
from affectgen.emogen.data import (
    LEAST_NOTES,
    Song,
    Windows,
    collate,
    cut_window,
    describe_bars,
    load_songs,
    play,
    save_songs,
    segment_edges,
    whole_batches,
)
from affectgen.emogen.masks import MaskRates
from affectgen.emogen.vector import CORE_NAMES, NAMES, describe
from affectgen.score.expression import LEAST_SECONDS, WITHIN
from affectgen.score.grid import Timing
from affectgen.score.notes import NoteArray, until_struck_again
from affectgen.score.words import BAR_LINE, Family, Field, decode, encode
from affectgen.writing.decoder import MOST_BARS_LEFT

ALL = 10_000
SHARE = {"emopia": 0.5, "pop1k7": 0.5}
EVERYTHING = MaskRates(0, 1, 0, 0)


def at_random(scale, songs, seed=0, rows=10, words=120, rates=EVERYTHING, share=None):
    return Windows(songs, scale, share if share is not None else SHARE, rows, words, seed, rates)


@pytest.fixture(scope="module")
def pool(song):
    return [song(0, 5), song(1, 30), song(2, 20, "pop1k7"), song(3, 6, "pop1k7")]


def test_a_song_holds_its_words_and_how_they_are_played(score):
    words = encode(score(1, 5))
    note = words[:, 0] == Family.NOTE
    played = np.stack([np.linspace(-0.02, 0.02, note.sum()), np.linspace(0.5, 1.5, note.sum())], axis=1)
    made = Song.of("one", words, "pop909", True, played)
    assert (made.name, made.bars, made.style, made.ending) == ("one", 5, STYLES.index("pop909"), True)
    np.testing.assert_array_equal(made.table[:, :8], words)
    np.testing.assert_allclose(made.shift[note], played[:, 0], atol=1e-7)
    np.testing.assert_allclose(made.ratio[note], played[:, 1], atol=1e-6)
    assert not made.shift[~note].any()
    assert not made.ratio[~note].any()


def test_songs_are_saved_and_read_again(tmp_path, song):
    songs = [song(0, 4), song(1, 7, "pop1k7"), song(2, 3, "pop909")]
    save_songs(tmp_path / "songs.npz", songs)
    for before, after in zip(songs, load_songs(tmp_path / "songs.npz"), strict=True):
        assert (before.name, before.style, before.ending, before.bars) == (
            after.name, after.style, after.ending, after.bars
        )  # fmt: skip
        np.testing.assert_array_equal(before.table, after.table)
        assert after.shift.dtype == after.ratio.dtype == np.float32
        np.testing.assert_allclose(after.shift, before.shift, atol=1e-4, err_msg="half precision: a tenth of a ms")
        np.testing.assert_allclose(after.ratio, before.ratio, atol=1e-3)


@pytest.mark.parametrize("first", [0, 1, 4])
@pytest.mark.parametrize("most", [30, ALL])
def test_a_window_is_a_piece_of_its_own(song, first, most):
    one = song(3, 8)
    window = cut_window(one, first, most)
    assert len(window.table) <= most
    assert window.table[0, 0] == Family.KEY
    assert window.table[1, :2].tolist() == [Family.METRICAL, BAR_LINE]
    stop = first + int(window.table[:, 8].max()) + 1
    assert window.bars == window.score.bars == stop - first
    assert (window.bars == 8 - first) == (most == ALL)
    assert window.left.tolist() == [8 - 1 - bar for bar in range(first, stop)]
    assert (window.style, window.ending) == (one.style, one.ending)


def test_bars_left_are_told_apart_up_to_a_number(song):
    left = cut_window(song(0, MOST_BARS_LEFT + 10), 2, ALL).left
    assert left.max() == left[0] == MOST_BARS_LEFT
    assert left[-3:].tolist() == [2, 1, 0]


@pytest.mark.parametrize("first", [0, 3])
def test_a_window_is_played_as_its_song(song, first):
    one = song(5, 7)
    window = cut_window(one, first, ALL)
    rows = (one.table[:, 0] == Family.NOTE) & (one.table[:, 8] >= first)
    written = window.score.seconds_at(window.score.start)
    shift = one.shift[rows].astype(float)
    early = written + shift < 0  # nothing sounds before the piece
    np.testing.assert_allclose((window.played.onset - written)[~early], shift[~early], atol=1e-6)
    assert (window.played.onset[early] == 0).all()
    free = window.score.start + window.score.length <= window.score.start.max() - 16  # far from where it is damped
    length = window.score.seconds_at(window.score.start + window.score.length) - written
    assert free.sum() > 10
    np.testing.assert_allclose((window.played.duration / length)[free], one.ratio[rows][free], rtol=1e-5)


def test_a_window_may_be_augmented(song):
    one = song(5, 7)
    plain = cut_window(one, 0, ALL)
    drawn = [cut_window(one, 0, ALL, np.random.default_rng(seed)) for seed in range(12)]
    assert len({window.score.key.tonic for window in drawn}) > 3
    assert {window.score.key.mode for window in drawn} == {plain.score.key.mode}
    assert len({float(window.score.tempo[0]) for window in drawn}) > 2
    assert len({int(window.score.velocity.sum()) for window in drawn}) > 1
    place = NAMES.index("velocity_mean")
    louder = [window.describe(0, 7)[place] for window in drawn]
    np.testing.assert_allclose(louder, [window.score.velocity.mean() for window in drawn], err_msg="measured anew")


@given(st.data())
def test_what_is_played_stays_near_what_is_written(score, data):
    one = score(data.draw(st.integers(0, 5)), 3)
    seed, wide = data.draw(st.integers(0, 100)), data.draw(st.floats(0, 2))
    rng = np.random.default_rng(seed)
    played = play(one, rng.normal(0, wide, len(one)), rng.uniform(0, 3, len(one)))
    written = one.to_notes()
    sixteenth = 15 / one.tempo[one.start // 4]
    assert (np.abs(played.onset - written.onset) <= WITHIN * sixteenth + 1e-9).all()
    assert (played.onset >= 0).all()
    assert (played.duration > 0).all()
    end = played.onset + played.duration
    assert (end <= np.maximum(one.seconds, played.onset + LEAST_SECONDS) + 1e-9).all(), "not past the final bar line"
    as_written = play(one, np.zeros(len(one)), np.ones(len(one)))
    np.testing.assert_allclose(as_written.onset, written.onset)


def test_notes_that_were_lost_are_played_as_written(score):
    one = score(0, 3)
    played = play(one, np.full(len(one) + 1, 0.01), np.ones(len(one) + 1))
    np.testing.assert_array_equal(played.onset, one.to_notes().onset)
    np.testing.assert_array_equal(played.duration, one.to_notes().duration)


@pytest.mark.parametrize(("first", "stop"), [(0, 6), (0, 2), (2, 5), (4, 6)])
def test_bars_are_described_as_the_notes_that_start_in_them(score, first, stop):
    one = score(4, 6, dense=True)
    played = Timing(one.to_notes().onset + 0.012, 0.8 * one.to_notes().duration)
    lines = one.line_seconds()
    inside = (one.start >= 16 * first) & (one.start < 16 * stop)
    rings = until_struck_again(played.onset, played.duration, one.pitch)
    notes = NoteArray.of(
        played.onset[inside] - lines[16 * first], rings[inside], one.pitch[inside], one.velocity[inside]
    )
    assert len(notes) >= LEAST_NOTES
    expected = describe(notes, float(np.median(one.tempo[4 * first : 4 * stop])))
    np.testing.assert_allclose(describe_bars(one, played, first, stop), expected)
    core = describe_bars(one, played, first, stop, core_only=True)
    np.testing.assert_allclose(core[: len(CORE_NAMES)], expected[: len(CORE_NAMES)])
    assert np.isnan(core[len(CORE_NAMES) :]).all()


def test_a_few_notes_tell_nothing(score):
    one = score(4, 3)
    few = [dataclasses.replace(one, start=one.start[:n], length=one.length[:n], pitch=one.pitch[:n],
                               velocity=one.velocity[:n]) for n in (LEAST_NOTES - 1, LEAST_NOTES)]  # fmt: skip
    less, enough = (describe_bars(short, Timing(short.to_notes().onset, short.to_notes().duration), 0, 3)
                    for short in few)  # fmt: skip
    assert less.shape == enough.shape == (len(NAMES),)
    assert np.isnan(less).all()
    assert np.isfinite(enough).all()


@given(st.integers(1, 90), st.integers(0, 1000))
def test_segments_cover_every_bar_once(bars, seed):
    edges = segment_edges(bars, np.random.default_rng(seed))
    assert (edges[0], edges[-1]) == (0, bars)
    sizes = np.diff(edges)
    assert (sizes > 0).all()
    if len(sizes) > 1:
        size = sizes[0]
        assert size in (2, 4, 8)
        assert (sizes[:-1] == size).all()
        assert size // 2 < sizes[-1] <= size + size // 2, "the last one takes in a rest that is too short for its own"


def test_half_of_the_windows_are_whole():
    rng = np.random.default_rng(0)
    whole = [len(segment_edges(32, rng)) == 2 for _ in range(2000)]
    assert np.mean(whole) == pytest.approx(0.5, abs=0.04)
    assert all(segment_edges(3, rng) == [0, 3] for _ in range(20))


def test_a_window_in_parts_is_told_of_each_part(scale, song, monkeypatch):
    window, windows = cut_window(song(2, 10), 0, ALL), at_random(scale, [song(2, 10)])
    monkeypatch.setattr("affectgen.emogen.data.segment_edges", lambda bars, rng: [0, 4, 8, 10])
    told = windows.targets(window)
    assert told.shape == (10, len(NAMES))
    core = len(CORE_NAMES)
    for first, stop in ((0, 4), (4, 8), (8, 10)):
        expected = scale.to_sd(window.describe(first, stop))[:core]
        np.testing.assert_allclose(told[first:stop, :core], np.tile(expected, (stop - first, 1)))
    assert not np.allclose(told[0, :core], told[4, :core])
    assert np.isnan(told[:, core:]).all()
    monkeypatch.setattr("affectgen.emogen.data.segment_edges", lambda bars, rng: [0, 10])
    np.testing.assert_allclose(windows.targets(window), np.tile(scale.to_sd(window.describe(0, 10)), (10, 1)))


def same(one, other):
    return all(
        torch.equal(torch.nan_to_num(getattr(one, name).double(), 99.0),
                    torch.nan_to_num(getattr(other, name).double(), 99.0))
        if getattr(one, name).shape == getattr(other, name).shape else False
        for name in ("table", "targets", "bars_left", "style", "ending")
    )  # fmt: skip


def test_a_seed_is_a_stream_of_windows(scale, pool):
    first, again, other = (at_random(scale, pool, seed, rates=None) for seed in ((1, 2), (1, 2), (1, 3)))
    for _ in range(3):
        ours = first.draw()
        assert same(ours, again.draw())
        assert not same(ours, other.draw())


def test_windows_are_told_by_default_rates(scale, pool):
    windows = Windows(pool, scale, SHARE, 40, 60, 0)
    batches = [windows.draw() for _ in range(3)]
    told = torch.cat([torch.isfinite(batch.targets[:, 0]).any(dim=1) for batch in batches])
    assert 0.02 < 1 - told.float().mean() < 0.25, "one in ten is told nothing"


def test_some_batches_have_fewer_and_longer_windows(scale, pool):
    windows = at_random(scale, pool, rows=2, words=60)
    sizes = [windows.draw().table.shape[:2] for _ in range(50)]
    assert {rows for rows, _ in sizes} == {2, 1}
    assert all(steps <= (60 if rows == 2 else 120) for rows, steps in sizes)
    assert max(steps for rows, steps in sizes if rows == 1) > 60
    assert 0.05 < np.mean([rows == 1 for rows, _ in sizes]) < 0.4
    lone = at_random(scale, pool, rows=1, words=60)
    assert all(lone.draw().table.shape[0] == 1 for _ in range(12))


def test_longer_windows_are_cut_from_songs_that_are_long_enough(scale, song):
    short, long = [song(seed, 3) for seed in range(8)], song(9, 12)
    assert max(len(one.table) for one in short) <= 80 < len(long.table)
    windows = at_random(scale, [*short, long], share={"emopia": 1.0})
    any_song, long_song = ([windows._cut("emopia", 160, least).bars > 3 for _ in range(40)] for least in (0, 80))
    assert np.mean(any_song) < 0.6
    assert np.mean(long_song) > 0.8


def test_windows_come_from_the_corpora_by_their_shares(scale, pool):
    share = {"emopia": 0.25, "pop1k7": 0.5, "pop909": 0.25}
    windows = at_random(scale, pool, rows=40, words=40, share=share)
    batches = [windows.draw() for _ in range(4)]
    styles = torch.cat([batch.style for batch in batches])
    assert 0.23 < (styles == 0).float().mean() < 0.44, "a third: the share of the corpus that is missing is spread"
    assert not (styles == 2).any()
    endings = torch.cat([batch.ending for batch in batches])
    assert torch.equal(endings, (styles == 1).long())
    starts = {int(left) for batch in batches for left in batch.bars_left[:, 0]}
    assert len(starts) > 10, "windows begin anywhere"


def test_a_batch_pads_and_counts_down(song):
    short, long = cut_window(song(0, 3), 0, ALL), cut_window(song(1, 40, "pop1k7"), 4, ALL)
    targets = [np.full((3, len(NAMES)), 0.5), np.arange(36.0)[:, None] + np.zeros(len(NAMES))]
    batch = collate([short, long], targets)
    assert batch.table.shape == (2, len(long.table), 13)
    np.testing.assert_array_equal(batch.table[0, : len(short.table)], short.table)
    assert (batch.table[0, len(short.table) :] == 0).all()
    assert batch.targets.dtype == torch.float32
    assert (batch.targets[0, :3] == 0.5).all()
    assert torch.isnan(batch.targets[0, 3:]).all()
    assert batch.targets[1, :, 7].tolist() == list(range(36))
    assert batch.bars_left[0].tolist() == [2, 1, 0] + [MOST_BARS_LEFT] * 33
    assert batch.bars_left[1].tolist() == [min(left, MOST_BARS_LEFT) for left in range(35, -1, -1)]
    assert (batch.style.tolist(), batch.ending.tolist()) == ([0, 1], [0, 1])
    moved = batch.to(torch.device("cpu"))
    assert same(moved, batch)


def test_validation_takes_every_song_once_told_all_and_told_nothing(scale, song):
    songs = [song(seed, bars) for seed, bars in enumerate((7, 3, 5, 4, 6))]
    batches = whole_batches(songs, scale, rows=2, words=ALL)
    assert [len(told.table) for told, _ in batches] == [2, 2, 1]
    words = [int((row[:, 0] > 0).sum()) for told, _ in batches for row in told.table]
    assert sorted(words) == words == sorted(len(one.table) for one in songs)
    for told, nothing in batches:
        assert torch.equal(told.table, nothing.table)
        assert torch.equal(told.bars_left, nothing.bars_left)
        assert torch.isnan(nothing.targets).all()
    longest = max(songs, key=lambda one: len(one.table))
    window = cut_window(longest, 0, ALL)
    expected = scale.to_sd(window.describe(0, window.bars))
    last = batches[-1][0].targets[0, : window.bars]
    np.testing.assert_allclose(last.numpy(), np.tile(expected, (window.bars, 1)), rtol=1e-5)
    short = whole_batches(songs, scale, rows=5, words=40)
    assert short[0][0].table.shape[1] == 40


def test_a_window_reads_back_as_the_same_notes(song):
    one = song(6, 5)
    window = cut_window(one, 0, ALL)
    score = decode(one.table[:, :8].astype(np.int64))
    for name in ("start", "length", "pitch", "velocity", "tempo"):
        np.testing.assert_array_equal(getattr(window.score, name), getattr(score, name))
    assert (window.table[:, Field.KEY] == one.table[:, Field.KEY]).all()
