from __future__ import annotations

import numpy as np
import pytest

from affectgen.score.attributes.ticks import (
    QUARTER_SECONDS,
    QUARTER_TICKS,
    SECOND_TICKS,
    ratio,
    share,
    spread,
    to_ticks,
)
from affectgen.score.notes import NoteArray


def test_a_quarter_note_is_half_a_second() -> None:
    assert QUARTER_TICKS == QUARTER_SECONDS * SECOND_TICKS


def test_seconds_become_ticks() -> None:
    # 1 s = 768 ticks; the second note is shorter than a tick and lasts one all the same
    notes = to_ticks(NoteArray.of([1.0, 0.5], [0.25, 0.0001], [60, 64], [1, 2]))
    assert notes.start.tolist() == [384, 768]
    assert notes.stop.tolist() == [385, 960]
    assert notes.quarters.tolist() == [1 / 384, 0.5]
    assert notes.end == 960


def test_onsets_are_numbered(ticks) -> None:
    notes = ticks([(0, 1, 64), (0, 2, 60), (1, 1, 62), (2, 1, 60), (2, 1, 67)])
    assert notes.pitch.tolist() == [60, 64, 62, 60, 67]
    assert notes.group.tolist() == [0, 0, 1, 2, 2]
    assert notes.first.tolist() == [0, 2, 3]


def test_nothing(ticks) -> None:
    notes = ticks([])
    assert (len(notes), notes.end, len(notes.first)) == (0, 0, 0)


def test_fractions_and_spreads() -> None:
    assert share(np.array([True, False, False, True])) == 0.5
    assert share(np.zeros(0, dtype=bool)) == 0.0
    assert (ratio(1, 4), ratio(1, 0)) == (0.25, 0.0)
    assert spread(np.array([1, 2, 3])) == pytest.approx(1.0)
    assert spread(np.array([7])) == 0.0
