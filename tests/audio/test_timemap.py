"""The map of time: monotone, undone by its inverse, as long as its factors say; changes that are none are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.timemap import HOP, Change, frame_count, origins, placed
from affectgen.errors import AudioError


def stretched(times: list[float]) -> Change:
    count = len(times)
    return Change(np.ones(count), np.array(times), np.zeros(count))


TIMES = st.lists(st.floats(0.1, 10), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(TIMES, st.lists(st.floats(-0.2, 1.0), min_size=2, max_size=20))
def test_time_goes_on_and_back(times: list[float], moments: list[float]) -> None:
    change, at = stretched(times), np.sort(np.array(moments))
    there = placed(at, change)
    steps, given = np.diff(there), np.diff(at)
    assert (steps >= 0.0999 * given - 1e-12).all()
    assert (steps <= 10.001 * given + 1e-12).all()
    assert np.abs(origins(there, change) - at).max() < 1e-9


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 10), st.integers(1, 50), st.floats(0, 2))
def test_an_even_factor_is_that_factor_everywhere(factor: float, count: int, moment: float) -> None:
    assert float(placed(np.array(moment), Change.even(count, time=factor))) == pytest.approx(factor * moment)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.4, 2.5), st.floats(0.4, 2.5), st.floats(0, 1))
def test_factors_after_each_other_multiply(one: float, other: float, moment: float) -> None:
    first, second = Change.even(30, time=one), Change.even(200, time=other)
    both = Change.even(30, time=one * other)
    assert placed(placed(np.array(moment), first), second) == pytest.approx(placed(np.array(moment), both))


def test_a_frame_holds_from_half_a_hop_before_it_to_half_a_hop_after() -> None:
    change = stretched([1.0, 1.0, 3.0, 1.0])
    at = placed(np.array([0.0, 1.5, 2.5, 3.0, 9.0]) * HOP, change)
    assert np.allclose(at, np.array([0.0, 1.5, 4.5, 5.0, 11.0]) * HOP)


@pytest.mark.parametrize(
    ("samples", "rate", "count"), [(0, 8000, 1), (79, 8000, 1), (80, 8000, 2), (44100, 44100, 101)]
)
def test_frames_stand_each_hop_up_to_the_end(samples: int, rate: int, count: int) -> None:
    assert frame_count(samples, rate) == count


@pytest.mark.parametrize(
    ("pitch", "time", "gain"),
    [
        ([1.0], [1.0, 1.0], [0.0, 0.0]),
        ([], [], []),
        ([0.0], [1.0], [0.0]),
        ([1.0], [float("nan")], [0.0]),
        ([1.0], [1.0], [float("inf")]),
        ([6.0], [1.0], [0.0]),
        ([1.0], [0.01], [0.0]),
    ],
)
def test_what_is_no_change_is_refused(pitch: list[float], time: list[float], gain: list[float]) -> None:
    with pytest.raises(AudioError) as caught:
        Change(np.array(pitch), np.array(time), np.array(gain))
    assert caught.value.hint
