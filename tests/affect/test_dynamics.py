"""Inertia: bounds, convergence, independence of the step, momentum."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.affect import Affect
from affectgen.affect.dynamics import first_order, second_order

COORDINATE = st.floats(-1, 1)
POINTS = st.builds(Affect, COORDINATE, COORDINATE)
ASKED = st.lists(POINTS, min_size=1, max_size=30)
TIMES = st.floats(0.01, 100)


@given(ASKED, TIMES, TIMES)
def test_first_order_stays_among_what_was_asked(asked: list[Affect], step: float, constant: float) -> None:
    followed = first_order(asked, step, constant)
    assert len(followed) == len(asked)
    assert followed[0] == asked[0]
    for i, point in enumerate(followed):
        seen = [earlier.valence for earlier in asked[: i + 1]]
        assert min(seen) - 1e-9 <= point.valence <= max(seen) + 1e-9


@given(ASKED, TIMES, TIMES)
def test_critical_damping_stays_among_what_was_asked(asked: list[Affect], step: float, constant: float) -> None:
    followed = second_order(asked, step, constant)
    assert len(followed) == len(asked)
    assert followed[0] == asked[0]
    for i, point in enumerate(followed):
        seen = [earlier.arousal for earlier in asked[: i + 1]]
        assert min(seen) - 1e-9 <= point.arousal <= max(seen) + 1e-9


@given(ASKED, TIMES, TIMES, st.floats(0.05, 1))
def test_momentum_never_leaves_the_plane(asked: list[Affect], step: float, constant: float, damping: float) -> None:
    followed = second_order(asked, step, constant, damping)
    assert all(abs(point.valence) <= 1 and abs(point.arousal) <= 1 for point in followed)


@given(POINTS, POINTS, st.sampled_from([0.3, 0.7, 1.0, None]))
def test_a_held_goal_is_reached(start: Affect, goal: Affect, damping: float | None) -> None:
    asked = [start] + [goal] * 400
    followed = first_order(asked, 0.2, 1.0) if damping is None else second_order(asked, 0.2, 1.0, damping)
    assert followed[-1].distance(goal) < 1e-3


def test_first_order_does_63_percent_in_a_time_constant() -> None:
    followed = first_order([Affect(-1, 0)] + [Affect(1, 0)] * 10, 0.1, 1.0)
    assert followed[10].valence == pytest.approx(1 - 2 / math.e)


@pytest.mark.parametrize("damping", [None, 1.0, 0.4])
def test_the_result_does_not_depend_on_the_step(damping: float | None) -> None:
    def end(step: float) -> Affect:
        asked = [Affect(-0.5, 0.2)] + [Affect(0.4, -0.3)] * round(2 / step)
        followed = first_order(asked, step, 0.8) if damping is None else second_order(asked, step, 0.8, damping)
        return followed[-1]

    assert end(0.5).distance(end(0.01)) < 1e-9


def test_second_order_starts_slowly_and_keeps_its_momentum() -> None:
    asked = [Affect(-0.5, 0)] + [Affect(0.5, 0)] * 8 + [Affect(-0.5, 0)] * 8
    spring, smooth = second_order(asked, 0.1, 0.5), first_order(asked, 0.1, 0.5)
    assert spring[1].valence - spring[0].valence < 0.2 * (smooth[1].valence - smooth[0].valence)
    assert spring[9].valence > spring[8].valence  # turned around, it still moves on
    assert smooth[9].valence < smooth[8].valence


def test_low_damping_swings_past_and_critical_does_not() -> None:
    asked = [Affect(0, -0.5)] + [Affect(0, 0.3)] * 100
    assert max(point.arousal for point in second_order(asked, 0.1, 1.0, damping=0.3)) > 0.4
    assert max(point.arousal for point in second_order(asked, 0.1, 1.0)) <= 0.3


def test_a_swing_stops_at_the_edge() -> None:
    asked = [Affect(-1, 0)] + [Affect(1, 0)] * 100
    followed = second_order(asked, 0.1, 1.0, damping=0.1)
    assert max(point.valence for point in followed) == 1


@pytest.mark.parametrize(("step", "constant"), [(0, 1), (1, 0), (-1, 1), (math.nan, 1), (1, math.inf)])
def test_times_must_be_positive(step: float, constant: float) -> None:
    for follow in (first_order, second_order):
        with pytest.raises(ValueError, match="positive"):
            follow([Affect(0, 0)], step, constant)


@pytest.mark.parametrize("damping", [0, -1, 1.01, math.nan])
def test_damping_has_a_range(damping: float) -> None:
    with pytest.raises(ValueError, match="damping"):
        second_order([Affect(0, 0)], 1, 1, damping)
