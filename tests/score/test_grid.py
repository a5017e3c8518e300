from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.score.grid import GridScore, make_grid
from affectgen.score.keys import Key


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
