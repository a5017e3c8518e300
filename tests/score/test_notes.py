from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.score.notes import CLIP_SECONDS, GRID_SECONDS, NoteArray, until_struck_again

ROWS = st.lists(
    st.tuples(st.floats(0, 60), st.floats(0.001, 10), st.integers(0, 127), st.integers(1, 127)), min_size=1, max_size=40
)


@given(ROWS)
def test_the_form_for_judging(rows: list[tuple[float, float, int, int]]) -> None:
    notes = NoteArray.of(*zip(*rows, strict=True)).for_judging()
    assert notes.onset[0] == 0
    assert notes.end <= CLIP_SECONDS + GRID_SECONDS + 1e-9
    assert (np.diff(notes.onset) >= 0).all()
    for values in (notes.onset, notes.duration):
        np.testing.assert_allclose(values / GRID_SECONDS, np.round(values / GRID_SECONDS), atol=1e-6)
    assert notes.duration.min() >= GRID_SECONDS - 1e-9


def test_notes_are_sorted_and_fields_must_agree() -> None:
    notes = NoteArray.of([1.0, 0.5, 0.5], [1, 1, 2], [60, 64, 62], [70, 80, 90])
    assert notes.pitch.tolist() == [62, 64, 60]
    assert notes.end == 2.5
    with pytest.raises(ValueError, match="differ in length"):
        NoteArray.of([1.0], [1.0, 2.0], [60], [70])


def test_cutting_and_moving() -> None:
    notes = NoteArray.of([1.0, 3.0, 5.0], [4.0, 1.0, 1.0], [60, 62, 64], [70, 70, 70])
    assert notes.cut(4.0).duration.tolist() == [3.0, 1.0]
    assert notes.between(2.0, 5.0).onset.tolist() == [1.0]
    assert notes.from_zero().onset.tolist() == [0.0, 2.0, 4.0]
    empty = NoteArray.of([], [], [], [])
    assert (len(empty.for_judging()), empty.end) == (0, 0.0)


def test_a_note_ends_where_its_key_is_struck_again() -> None:
    onset, pitch = np.array([2.0, 0.0, 0.0, 1.0, 2.5]), np.array([60, 60, 64, 60, 60])
    duration = np.array([0.25, 3.0, 9.0, 0.5, 4.0])
    assert until_struck_again(onset, duration, pitch).tolist() == [0.25, 1.0, 9.0, 0.5, 4.0]
    assert duration[1] == 3.0, "what was given stays"
    together = until_struck_again(np.array([5, 5]), np.array([3, 7]), np.array([60, 60]))
    assert together.tolist() == [3, 7], "of two at once neither is cut"
    assert len(until_struck_again(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))) == 0
