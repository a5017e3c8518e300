"""The parts of a recording that are read."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.affect.space import Affect
from affectgen.recognize.curves import MOST_READ, READ_SECONDS, Window, cuts, parts_to_read
from affectgen.recognize.reading import Reading


@given(st.floats(0.05, 40_000), st.floats(1, 600))
def test_windows_cover_everything_once(seconds: float, window: float) -> None:
    found = cuts(seconds, window)
    assert found[0][0] == 0
    assert found[-1][1] == seconds
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert all(end - start == pytest.approx(window) for start, end in found[:-1])
    assert found[-1][1] - found[-1][0] < 1.5 * window + 1e-6


def test_a_short_rest_joins_the_window_before() -> None:
    assert cuts(11.0, 5.0) == [(0.0, 5.0), (5.0, 11.0)]
    assert cuts(13.0, 5.0) == [(0.0, 5.0), (5.0, 10.0), (10.0, 13.0)]
    assert cuts(0.3, 5.0) == [(0.0, 0.3)]


@given(st.floats(0.1, 100_000))
def test_however_long_a_recording_is_ten_minutes_are_read(seconds: float) -> None:
    found = list(parts_to_read(seconds))
    assert len(found) <= MOST_READ
    assert all(0 <= start < end <= seconds + 1e-6 for start, end in found)
    assert sum(end - start for start, end in found) <= MOST_READ * READ_SECONDS + READ_SECONDS


def test_a_window_says_what_was_read_in_it() -> None:
    assert Window(0, 5, None).to_json() == {"start": 0, "end": 5}
    reading = Reading(Affect(0.5, 0.5), (1, 0, 0, 0), (0, 0), (1, 1))
    assert Window(5, 10, reading).to_json()["valence"] == 0.5
