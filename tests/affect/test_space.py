"""The plane: parsing, geometry, refusals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.affect import Affect
from affectgen.affect.space import mean
from affectgen.affect.words import words
from affectgen.errors import AffectError, UsageError

COORDINATE = st.floats(-1, 1)
POINTS = st.builds(Affect, COORDINATE, COORDINATE)


@given(POINTS)
def test_text_and_json_read_back_the_same_point(point: Affect) -> None:
    assert Affect.parse(str(point)) == point
    assert Affect.from_json(point.to_json()) == point


@given(POINTS, st.floats(0, 1))
def test_intensity_scales_toward_neutral(point: Affect, factor: float) -> None:
    less = Affect.parse(f"{point}:{factor!r}")
    assert less == point.scaled(factor)
    assert less.intensity <= point.intensity + 1e-12
    assert less.intensity == pytest.approx(factor * point.intensity)


@given(POINTS)
def test_polar_form_leads_back(point: Affect) -> None:
    back = Affect.from_polar(point.angle, point.intensity)
    assert back.distance(point) < 1e-9
    assert 0 <= point.angle < 360


@given(st.floats(-720, 720), st.floats(0, 3))
def test_polar_points_stay_inside_at_their_angle(angle: float, intensity: float) -> None:
    point = Affect.from_polar(angle, intensity)
    assert point.intensity <= intensity + 1e-9
    if intensity > 0.01:
        assert math.cos(math.radians(point.angle - angle)) == pytest.approx(1, abs=1e-9)


@given(POINTS, POINTS, POINTS)
def test_distance_is_a_metric(a: Affect, b: Affect, c: Affect) -> None:
    assert a.distance(b) == b.distance(a)
    assert a.distance(a) == 0
    assert a.distance(c) <= a.distance(b) + b.distance(c) + 1e-12


@given(POINTS, POINTS, st.floats(0, 1))
def test_on_the_way_the_distances_add_up(a: Affect, b: Affect, share: float) -> None:
    between = a.toward(b, share)
    assert a.distance(between) == pytest.approx(share * a.distance(b), abs=1e-12)
    assert a.toward(b, 0) == a


@given(st.lists(POINTS, min_size=1, max_size=6))
def test_the_mean_lies_among_its_points(points: list[Affect]) -> None:
    centre = mean(points)
    assert min(p.valence for p in points) - 1e-9 <= centre.valence <= max(p.valence for p in points) + 1e-9
    assert min(p.arousal for p in points) - 1e-9 <= centre.arousal <= max(p.arousal for p in points) + 1e-9


@pytest.mark.parametrize(
    ("text", "place"),
    [("Q1", (0.6, 0.6)), ("q2", (-0.6, 0.6)), ("Q3", (-0.6, -0.6)), ("Q4", (0.6, -0.6)), ("Q1:0.5", (0.3, 0.3))],
)
def test_quadrants_stand_for_their_middles(text: str, place: tuple[float, float]) -> None:
    point = Affect.parse(text)
    assert (point.valence, point.arousal) == pytest.approx(place)
    assert point.quadrant == text[:2].upper()


def test_words_points_and_spaces_are_read() -> None:
    happy = Affect.parse("happy")
    assert happy.quadrant == "Q1"
    assert Affect.parse(" Happiness ") == happy
    assert Affect.parse("happy : 0.5") == happy.scaled(0.5)
    assert Affect.parse("0.7, -0.2") == Affect(0.7, -0.2)
    assert Affect.parse("happy:0") == Affect(0, 0)


@pytest.mark.parametrize("name", [word.name for word in words()])
def test_each_word_is_nearest_to_itself(name: str) -> None:
    assert Affect.parse(name).nearest_words(1) == (name,)


def test_nearest_words_come_nearest_first() -> None:
    point = Affect(0.6, 0.6)
    distances = [point.distance(Affect.parse(name)) for name in point.nearest_words(10)]
    assert len(distances) == 10
    assert distances == sorted(distances)


def test_axes_angles_and_intensity() -> None:
    assert [Affect(v, a).angle for v, a in ((1, 0), (0, 1), (-1, 0), (0, -1), (0, 0))] == [0, 90, 180, 270, 0]
    assert Affect(1, 1).intensity == pytest.approx(math.sqrt(2))
    assert Affect(0, 0).quadrant == "Q1"
    assert Affect(-0.0, -0.0) == Affect(0, 0)
    assert str(Affect(-0.0, -0.0)) == "0.0,0.0"
    assert Affect(0.5, -1e-300).angle < 360


@pytest.mark.parametrize("value", [3, -1.0001, math.nan, math.inf, -math.inf, "loud", None, 10**400])
def test_what_is_no_coordinate_is_refused_and_named(value: object) -> None:
    for place in ((value, 0.0), (0.0, value)):
        with pytest.raises(AffectError, match="must be a number from -1 to 1, not"):
            Affect(*place)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["", "  ", "blissfull", "nan", "nan,0", "0,inf", "2,0", "1,2,3", "0.5", "0.5,", "0.5;0.2", "Q5", "happy:",
     "happy:2", "happy:-0.1", "happy:nan", "happy:x", "happy:0.5:0.5", "sad>calm", "sad@3"],
)  # fmt: skip
def test_bad_text_is_a_usage_error_with_a_hint(text: str) -> None:
    with pytest.raises(AffectError) as caught:
        Affect.parse(text)
    assert caught.value.hint
    assert isinstance(caught.value, UsageError)
    assert caught.value.exit_code == 2


def test_a_misspelt_word_gets_the_near_ones() -> None:
    with pytest.raises(AffectError) as caught:
        Affect.parse("blissfull")
    assert "'blissfull'" in caught.value.message
    assert "Did you mean blissful" in caught.value.hint


@pytest.mark.parametrize("data", [None, [0, 0], {"valence": 0}, {"valence": 0, "arousal": 0, "x": 0}, {"valence": "a"}])
def test_bad_json_is_refused(data: object) -> None:
    with pytest.raises(AffectError):
        Affect.from_json(data)


def test_a_point_is_frozen_and_can_be_a_key() -> None:
    with pytest.raises(AttributeError):
        Affect(0, 0).valence = 1  # type: ignore[misc]
    assert len({Affect(0.1, 0.2), Affect(0.1, 0.2), Affect(0.2, 0.1)}) == 2


def test_the_mean_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no points"):
        mean([])
