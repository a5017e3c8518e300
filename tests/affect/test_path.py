"""Paths: parsing, reading between keyframes, lengths, round trips, inertia on a path."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.affect import Affect, AffectPath, Keyframe, parse_affect, read_json
from affectgen.errors import AffectError

COORDINATE = st.floats(-1, 1)
POINTS = st.builds(Affect, COORDINATE, COORDINATE)


@st.composite
def paths(draw: st.DrawFn, unit: str | None = None) -> AffectPath:
    chosen = unit or draw(st.sampled_from(["fraction", "seconds"]))
    latest = 1.0 if chosen == "fraction" else 900.0
    times = sorted(draw(st.lists(st.floats(0, latest), min_size=1, max_size=6, unique=True)))
    keys = tuple(Keyframe(time, draw(POINTS)) for time in times)
    return AffectPath(keys, chosen, draw(st.sampled_from(["linear", "smooth"])))  # type: ignore[arg-type]


SHARES = st.floats(0, 1)


@given(paths())
def test_text_and_json_read_back_the_same_path(path: AffectPath) -> None:
    again = AffectPath.parse(str(path))
    if len(path.keys) == 1:  # one emotion has no > or ~ to say how it moves
        assert again.keys == path.keys
        assert again.unit == path.unit
    else:
        assert again == path
        assert parse_affect(str(path)) == path
    assert AffectPath.from_json(json.loads(json.dumps(path.to_json()))) == path
    assert read_json(path.to_json()) == path


@given(paths(), SHARES)
def test_a_path_stays_between_its_neighbouring_keyframes(path: AffectPath, share: float) -> None:
    time = share * path.duration
    point = path.at(time)
    left = [key for key in path.keys if key.time <= time][-1:] or list(path.keys[:1])
    right = [key for key in path.keys if key.time > time][:1] or list(path.keys[-1:])
    ends = [left[0].affect, right[0].affect]
    assert min(e.valence for e in ends) - 1e-9 <= point.valence <= max(e.valence for e in ends) + 1e-9
    assert min(e.arousal for e in ends) - 1e-9 <= point.arousal <= max(e.arousal for e in ends) + 1e-9


@given(paths())
def test_keyframes_are_met_and_ends_held(path: AffectPath) -> None:
    assert all(path.at(key.time) == key.affect for key in path.keys)
    assert path.at(-1.0) == path.keys[0].affect
    assert path.at(path.keys[-1].time + 1) == path.keys[-1].affect


@given(paths("fraction"), st.floats(1, 2000), SHARES)
def test_scaling_to_seconds_changes_the_clock_only(path: AffectPath, seconds: float, share: float) -> None:
    scaled = path.scaled(seconds)
    assert scaled.unit == "seconds"
    assert scaled.duration == seconds
    gaps = [b.time - a.time for a, b in zip(path.keys, path.keys[1:], strict=False)]
    if min(gaps, default=1.0) > 1e-6:  # across a jump, rounding of the clock may fall on either side
        assert scaled.at_fraction(share).distance(path.at_fraction(share)) < 1e-6


@given(paths(), st.integers(1, 40))
def test_samples_are_the_centres_of_bars(path: AffectPath, bars: int) -> None:
    sampled = path.sample(bars)
    assert len(sampled) == bars
    assert sampled[0] == path.at(0.5 / bars * path.duration)
    assert sampled[-1] == path.at((bars - 0.5) / bars * path.duration)


def test_equal_parts() -> None:
    path = AffectPath.parse("sad>calm>happy")
    assert path.unit == "fraction"
    assert path.interpolation == "linear"
    assert [path.at(t) for t in (0, 0.5, 1)] == [Affect.parse(word) for word in ("sad", "calm", "happy")]
    assert path.at(0.25) == Affect.parse("sad").toward(Affect.parse("calm"), 0.5)


def test_seconds_and_percent() -> None:
    path = AffectPath.parse("sad@0 > calm@60s > happy@120")
    assert path.unit == "seconds"
    assert path.duration == 120
    assert path.at(60) == Affect.parse("calm")
    shares = AffectPath.parse("sad@0%>calm@30%>happy@80 %")
    assert shares.unit == "fraction"
    assert [key.time for key in shares.keys] == [0, 0.3, 0.8]
    assert shares.at(0.9) == Affect.parse("happy")


def test_points_and_intensities_may_be_mixed() -> None:
    path = AffectPath.parse("sad:0.5>0.7,0.2>Q4")
    expected = (Affect.parse("sad").scaled(0.5), Affect(0.7, 0.2), Affect(0.6, -0.6))
    assert tuple(key.affect for key in path.keys) == expected


def test_smooth_paths_rest_at_keyframes() -> None:
    path = AffectPath.parse("-1,-1~1,1")
    assert path.interpolation == "smooth"
    assert path.at(0.5) == Affect(0, 0)
    assert path.at(0.01).distance(Affect(-1, -1)) < 0.001 < AffectPath.parse("-1,-1>1,1").at(0.01).distance(path.at(0))


def test_a_path_in_seconds_is_read_by_the_clock_of_a_longer_piece() -> None:
    path = AffectPath.parse("sad@0>happy@30")
    assert path.sample(4, seconds=120)[1:] == (Affect.parse("happy"),) * 3
    assert path.sample(4)[3] != Affect.parse("happy")
    fractions = AffectPath.parse("sad>happy")
    assert fractions.sample(4, seconds=120) == fractions.sample(4)


def test_seconds_are_stretched_too() -> None:
    path = AffectPath.parse("sad@10>happy@20").scaled(60)
    assert [key.time for key in path.keys] == [30, 60]
    lonely = AffectPath.parse("sad@0").scaled(10)
    assert lonely.duration == 10
    assert lonely.at(5) == Affect.parse("sad")


def test_parse_affect_tells_points_from_paths() -> None:
    assert parse_affect("happy") == Affect.parse("happy")
    assert parse_affect("sad>happy") == AffectPath.parse("sad>happy")
    assert isinstance(parse_affect("sad@3"), AffectPath)
    assert read_json(Affect(0.1, 0.2).to_json()) == Affect(0.1, 0.2)


@pytest.mark.parametrize(
    "text",
    ["sad>", ">sad", "sad>>happy", "sad>happpy", "sad>calm~happy", "sad@0>calm", "sad@0>calm@50%", "sad@x>calm@5",
     "sad@>calm@5", "sad@5>calm@5", "sad@9>calm@5", "sad@-1>calm@5", "sad@nan>calm@5", "sad@0%>calm@120%",
     "sad@0%>calm@x%", "sad@0>calm@inf", "sad@nan%>calm@2%", "@3", "sad@1@2>calm@3"],
)  # fmt: skip
def test_bad_paths_are_refused_with_a_hint(text: str) -> None:
    with pytest.raises(AffectError) as caught:
        parse_affect(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"keys": []},
        {"unit": "fraction", "interpolation": "linear", "keys": []},
        {"unit": "hours", "interpolation": "linear", "keys": [[0, 0, 0]]},
        {"unit": "fraction", "interpolation": "curly", "keys": [[0, 0, 0]]},
        {"unit": "fraction", "interpolation": "linear", "keys": [[0, 0]]},
        {"unit": "fraction", "interpolation": "linear", "keys": [["a", 0, 0]]},
        {"unit": "fraction", "interpolation": "linear", "keys": [[0, 2, 0]]},
        {"unit": "fraction", "interpolation": "linear", "keys": 3},
    ],
)
def test_bad_json_is_refused(data: object) -> None:
    with pytest.raises(AffectError):
        read_json(data)


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf])
def test_a_length_must_be_positive(seconds: float) -> None:
    with pytest.raises(AffectError, match="above 0 s"):
        AffectPath.parse("sad>happy").scaled(seconds)


def test_sampling_needs_a_place() -> None:
    with pytest.raises(ValueError, match="1 place"):
        AffectPath.parse("sad>happy").sample(0)


@given(paths(), st.floats(0.01, 5), st.sampled_from([1, 2]))
def test_inertia_keeps_length_start_and_the_range_of_what_is_asked(path: AffectPath, share: float, order: int) -> None:
    if path.duration == 0:
        assert path.with_inertia(1.0, order) == path
        return
    if path.unit == "seconds" and path.duration < 1e-3:
        return  # too short a clock for 64 keyframes
    followed = path.with_inertia(share * path.duration, order)
    assert followed.duration == pytest.approx(path.duration)
    assert followed.unit == path.unit
    assert followed.at(0) == path.at(0)
    asked = [key.affect for key in path.keys]
    for key in followed.keys:
        assert min(a.valence for a in asked) - 1e-9 <= key.affect.valence <= max(a.valence for a in asked) + 1e-9
        assert min(a.arousal for a in asked) - 1e-9 <= key.affect.arousal <= max(a.arousal for a in asked) + 1e-9


@pytest.mark.parametrize("order", [1, 2])
def test_inertia_lags_and_then_arrives(order: int) -> None:
    path = AffectPath.parse("-0.8,-0.8@0>0.8,0.8@10>0.8,0.8@60")
    followed = path.with_inertia(4.0, order, count=240)
    assert followed.at(5).valence < path.at(5).valence - 0.2
    assert followed.at(60).distance(Affect(0.8, 0.8)) < 0.001


@pytest.mark.parametrize(
    "options",
    [{"order": 3}, {"time_constant": 0}, {"time_constant": math.nan}, {"order": 2, "damping": 0},
     {"order": 2, "damping": 1.5}, {"count": 0}],
)  # fmt: skip
def test_impossible_inertia_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(AffectError):
        AffectPath.parse("sad>happy").with_inertia(**{"time_constant": 0.1, **options})  # type: ignore[arg-type]
