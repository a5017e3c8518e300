"""Iso-principle plans: start matched, steps bounded, goal dwelt on, whichever the route."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from affectgen.affect import Affect, iso
from affectgen.errors import AffectError

COORDINATE = st.floats(-1, 1)
POINTS = st.builds(Affect, COORDINATE, COORDINATE)
ROUTES = st.sampled_from(["plane", "circle"])
PLANS = st.fixed_dictionaries(
    {
        "start": POINTS,
        "goal": POINTS,
        "steps": st.integers(2, 60),
        "dwell": st.floats(0, 0.6),
        "match": st.floats(0, 0.3),
        "bound": st.floats(0.05, 1.0),
        "route": ROUTES,
    }
)


@given(PLANS)
def test_no_step_is_longer_than_the_bound_and_the_goal_is_dwelt_on(plan: dict) -> None:  # type: ignore[type-arg]
    try:
        path = iso(**plan)
    except AffectError:
        assume(False)
    stages = path.sample(plan["steps"])
    assert all(a.distance(b) <= plan["bound"] + 1e-6 for a, b in itertools.pairwise(stages))
    assert stages[0].distance(plan["start"]) < 1e-9
    assert stages[-1].distance(plan["goal"]) < 1e-9
    for share in (0.0, 0.3, 0.7, 1.0):
        assert path.at(1 - share * plan["dwell"]).distance(plan["goal"]) < 1e-6
        assert path.at(share * plan["match"]).distance(plan["start"]) < 1e-6


@given(PLANS, st.floats(0, 1))
def test_any_two_moments_a_stage_apart_keep_the_bound(plan: dict, moment: float) -> None:  # type: ignore[type-arg]
    try:
        path = iso(**plan)
    except AffectError:
        assume(False)
    stage = 1 / plan["steps"]
    at = moment * (1 - stage)
    assert path.at(at).distance(path.at(at + stage)) <= plan["bound"] + 1e-6


@given(PLANS)
def test_when_the_steps_do_not_suffice_the_hint_names_the_fewest_that_do(plan: dict) -> None:  # type: ignore[type-arg]
    try:
        iso(**plan)
    except AffectError as error:
        assume("at least" in error.hint)
        enough = int(error.hint.split("at least ")[1].split()[0])
        assert enough > plan["steps"]
        assert len(iso(**{**plan, "steps": enough}).sample(enough)) == enough
        with pytest.raises(AffectError):
            iso(**{**plan, "steps": enough - 1})


@given(POINTS, POINTS)
def test_straight_moves_are_equal(start: Affect, goal: Affect) -> None:
    stages = iso(start, goal, steps=20, bound=None, dwell=0.2, match=0.0).sample(20)
    moves = [a.distance(b) for a, b in itertools.pairwise(stages)]
    moving = [move for move in moves if move > 1e-9]
    assert sum(moves) == pytest.approx(start.distance(goal), abs=1e-9)
    assert not moving or max(moving) - min(moving) < 1e-9


def test_the_circle_goes_around_neutral_the_shorter_way() -> None:
    angry, calm = Affect.from_polar(130, 0.8), Affect.from_polar(320, 0.8)
    around = iso(angry, calm, steps=16, bound=None, route="circle").sample(16)
    assert min(point.intensity for point in around) > 0.79
    assert any(20 < point.angle < 80 for point in around)  # 170 degrees over excitement, not 190 over sadness
    assert not any(135 < point.angle < 315 for point in around)
    straight = iso(angry, calm, steps=16, bound=None, route="plane").sample(16)
    assert min(point.intensity for point in straight) < 0.2


@pytest.mark.parametrize("route", ["plane", "circle"])
def test_from_neutral_both_routes_go_straight(route: str) -> None:
    stages = iso(Affect(0, 0), Affect(0.6, 0.3), steps=8, route=route).sample(8)  # type: ignore[arg-type]
    assert all(abs(point.arousal - point.valence / 2) < 1e-12 for point in stages)


def test_a_goal_already_reached_is_kept() -> None:
    assert set(iso(Affect(0.3, -0.3), Affect(0.3, -0.3), steps=6).sample(60)) == {Affect(0.3, -0.3)}


def test_a_plan_becomes_a_session_in_seconds() -> None:
    session = iso(Affect.parse("anxious"), Affect.parse("calm"), steps=30).scaled(900)
    assert session.duration == 900
    assert session.at(900) == Affect.parse("calm")
    assert session.at(900 * 0.76) == Affect.parse("calm")
    assert session.at(0) == Affect.parse("anxious")
    assert max(a.distance(b) for a, b in zip(session.sample(30), session.sample(30)[1:], strict=False)) <= 0.35


@pytest.mark.parametrize(
    "options",
    [{"steps": 1}, {"steps": 0}, {"steps": 10**6}, {"dwell": 1.0}, {"dwell": -0.1}, {"dwell": math.nan},
     {"dwell": 0.7, "match": 0.4}, {"bound": 0}, {"bound": math.nan}, {"route": "moon"}, {"bound": 1e-6}],
)  # fmt: skip
def test_impossible_plans_are_refused_with_a_hint(options: dict[str, object]) -> None:
    with pytest.raises(AffectError) as caught:
        iso(Affect.parse("sad"), Affect.parse("happy"), **options)  # type: ignore[arg-type]
    assert caught.value.hint
