from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.score.grid import GridScore, Timing, make_grid
from affectgen.score.keys import Key
from affectgen.score.midi import read_notes, write_midi
from affectgen.score.notes import until_struck_again


@given(st.data())
def test_what_a_grid_score_promises(scores: st.SearchStrategy[GridScore], data: st.DataObject) -> None:
    score = data.draw(scores)
    order = list(zip(score.start.tolist(), score.pitch.tolist(), strict=True))
    assert order == sorted(set(order))
    assert (score.length >= 1).all()
    assert len(score.tempo) == len(score.chords) == 4 * score.bars
    assert (score.bars - 1) * 16 <= score.start.max() < score.bars * 16
    assert score.seconds == pytest.approx((60 / score.tempo).sum())
    notes = score.to_notes()
    assert (notes.duration > 0).all()
    assert len(notes) == len(score)


@given(st.data(), st.integers(1, 5))
def test_bars_taken_apart_hold_all_notes(
    scores: st.SearchStrategy[GridScore], data: st.DataObject, cut: int
) -> None:
    score = data.draw(scores)
    cut = min(cut, score.bars)
    front, back = score.take_bars(0, cut), score.take_bars(cut, score.bars)
    assert len(front) + len(back) == len(score)
    assert (front.bars, back.bars) == (cut, score.bars - cut)
    np.testing.assert_array_equal(np.concatenate([front.start, back.start + cut * 16]), score.start)


def test_the_longest_of_equal_notes_survives() -> None:
    score = make_grid(np.array([[4, 2, 60, 70], [4, 6, 60, 50], [0, 0, 64, 200]]), np.array([100.0]), (), Key(0, 0))
    assert score.start.tolist() == [0, 4]
    assert score.length.tolist() == [1, 6]
    assert score.velocity.tolist() == [127, 50]
    assert score.tempo.tolist() == [100.0] * 4
    assert score.chords == (None,) * 4


def test_notes_past_the_last_bar_line_go_on_at_the_last_tempo() -> None:
    score = make_grid(np.array([[12, 20, 60, 70]]), np.array([120.0, 120.0, 120.0, 60.0]), (), Key(0, 0))
    assert score.to_notes().onset.tolist() == [1.5]
    assert score.to_notes().duration.tolist() == [5.0]


@given(st.data(), st.integers(0, 6), st.integers(1, 4))
def test_notes_of_some_bars_are_those_of_the_bars_cut_out(
    scores: st.SearchStrategy[GridScore], data: st.DataObject, first: int, count: int
) -> None:
    score = data.draw(scores)
    first = min(first, score.bars - 1)
    found, cut = score.bar_notes(first, first + count), score.take_bars(first, first + count).to_notes()
    np.testing.assert_allclose(found.onset, cut.onset, atol=1e-6)
    assert found.pitch.tolist() == cut.pitch.tolist()
    assert found.velocity.tolist() == cut.velocity.tolist()
    assert (found.duration > 0).all()


@given(st.data(), st.integers(1, 5))
def test_notes_of_all_bars_are_those_of_the_piece(
    scores: st.SearchStrategy[GridScore], data: st.DataObject, late: int
) -> None:
    score = data.draw(scores)
    whole = score.to_notes()
    timing = Timing(whole.onset + late / 100, whole.duration / 2)
    for played in (None, timing):
        found, expected = score.bar_notes(0, score.bars, played), score.to_notes(played)
        np.testing.assert_allclose(found.onset, expected.onset)
        cut = until_struck_again(expected.onset, expected.duration, expected.pitch)
        np.testing.assert_allclose(found.duration, cut, rtol=1e-6, atol=1e-9)
        assert sum(len(score.bar_notes(bar, bar + 1, played)) for bar in range(score.bars)) == len(score)


@given(st.data())
def test_notes_of_all_bars_last_as_long_as_in_the_file(
    scores: st.SearchStrategy[GridScore], data: st.DataObject
) -> None:
    score = data.draw(scores)
    found, heard = score.bar_notes(0, score.bars), read_notes(write_midi(score))
    assert found.pitch.tolist() == heard.pitch.tolist()
    np.testing.assert_allclose(found.duration, heard.duration, atol=0.01)  # a tick of the slowest tempo


def two_bars() -> GridScore:
    """At 120, then at 60 beats a minute: bars of two and of four seconds; the second note rings over the bar line."""
    rows = np.array([[0, 4, 60, 70], [12, 8, 62, 71], [16, 4, 64, 72], [24, 16, 65, 73]])
    return make_grid(rows, np.array([120.0] * 4 + [60.0] * 4), (), Key(0, 0))


def test_bars_in_seconds_as_written() -> None:
    first, second = two_bars().bar_notes(0, 1), two_bars().bar_notes(1, 2)
    assert first.pitch.tolist() == [60, 62]
    assert first.onset.tolist() == [0.0, 1.5]
    assert first.duration.tolist() == [0.5, 1.5], "half a second of its own bar and one of the slower next"
    assert second.onset.tolist() == [0.0, 2.0]
    assert second.duration.tolist() == [1.0, 4.0]
    assert second.velocity.tolist() == [72, 73]
    assert len(two_bars().bar_notes(2, 3)) == 0


def test_notes_played_before_their_bar_line_start_at_nought() -> None:
    timing = Timing(np.array([0.1, 1.4, 1.95, 4.25]), np.array([0.3, 0.4, 0.5, 0.6]))
    first, second = two_bars().bar_notes(0, 1, timing), two_bars().bar_notes(1, 2, timing)
    assert first.onset.tolist() == [0.1, 1.4]
    assert first.duration.tolist() == [0.3, 0.4]
    assert second.onset.tolist() == [0.0, 2.25], "written in the second bar, heard in it"
    assert second.duration.tolist() == [0.5, 0.6]
