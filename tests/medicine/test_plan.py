"""Plans of sessions: the iso principle over clips, exact lengths, files that are edited by hand."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.affect import Affect
from affectgen.errors import AffectError, AffectgenError, UsageError
from affectgen.medicine.options import PlanOptions
from affectgen.medicine.plan import UNFIT, make_plan, moods, prompt_for, read_plan


def session(**changes):
    """A quarter of an hour from anxious to calm, with changes."""
    return make_plan(PlanOptions(**{"start": "anxious", "goal": "calm", **changes}))


@given(st.floats(2, 60), st.floats(10, 60), st.floats(0, 3))
def test_clips_end_exactly_with_the_session_and_are_never_longer_than_asked(minutes, clip, overlap):
    options = PlanOptions("anxious", "calm", minutes=minutes, clip=clip, overlap=overlap, bound=None)
    assert options.clip_seconds <= clip + 1e-6
    one_fewer = (options.count - 1) * clip - (options.count - 2) * overlap
    assert one_fewer < minutes * 60 + 1e-6, "no more clips than needed"
    length = options.count * options.clip_seconds - (options.count - 1) * overlap
    assert length == pytest.approx(minutes * 60, abs=1e-6)


def test_a_session_matches_leads_in_short_steps_and_dwells():
    plan = session()
    points = [clip.affect for clip in plan.clips]
    start, goal = Affect.parse("anxious"), Affect.parse("calm")
    rest = sum(point == goal for point in points) / len(points)
    assert points[0] == points[1] == start
    assert 0.2 <= rest <= 0.35
    assert all(a.distance(b) <= 0.35 + 1e-9 for a, b in itertools.pairwise(points))
    assert plan.seconds == pytest.approx(900)
    assert [clip.start for clip in plan.clips] == sorted(clip.start for clip in plan.clips)


def test_inertia_lags_behind_the_plan_and_still_arrives():
    straight, first, second = (session(dynamics=kind).clips for kind in ("none", "first", "second"))
    middle = len(straight) // 2
    goal = Affect.parse("calm")
    for lagging in (first, second):
        assert lagging[middle].affect.distance(goal) > straight[middle].affect.distance(goal)
        assert lagging[-1].affect.distance(goal) < 0.05


def test_a_path_has_its_own_shape():
    plan = make_plan(PlanOptions(path="anxious>sad>calm", minutes=10))
    nearest = min(plan.clips, key=lambda clip: clip.affect.distance(Affect.parse("sad")))
    assert len(plan.clips) * 0.4 < nearest.number < len(plan.clips) * 0.6
    timed = make_plan(PlanOptions(path="sad@0>happy@60", minutes=4))
    assert all(clip.affect == Affect.parse("happy") for clip in timed.clips if clip.start > 60)


def test_what_cannot_be_planned_is_told():
    for changes, part in (
        ({"minutes": 0}, "--minutes"), ({"minutes": 0.5}, "no two clips"), ({"start": "nonsense"}, "nonsense"),
        ({"path": "sad>calm"}, "--path came with"), ({"goal": None}, "a start and a goal"),
        ({"overlap": 11}, "--overlap"),
        ({"dynamics": "third"}, "third"), ({"minutes": float("nan")}, "--minutes"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=part):
            session(**changes)
    with pytest.raises(AffectError, match="do not lead") as told:
        session(minutes=2)
    assert "--minutes" in told.value.hint


def test_prompts_say_what_is_asked():
    words = {name: prompt_for(Affect.parse(name), "solo piano") for name in ("happy", "calm", "sad", "angry")}
    assert "major" in words["happy"]
    assert "minor" in words["sad"]
    assert "slow" in words["calm"]
    assert "lively" in words["angry"] or "fast" in words["angry"]
    assert all(text.endswith("solo piano") for text in words.values())
    assert not prompt_for(Affect(0, 0), "").endswith(", ")


def test_a_plan_file_comes_back_and_can_be_edited():
    plan = session()
    held = plan.to_json()
    back = read_plan(json.dumps(held).encode())
    assert back.seconds == plan.seconds
    assert [clip.prompt for clip in back.clips] == [clip.prompt for clip in plan.clips]
    assert all(a.affect.distance(b.affect) < 1e-4 for a, b in zip(plan.clips, back.clips, strict=True))
    held["clips"] = [*held["clips"][:3], {"valence": -0.5, "arousal": 1}]
    edited = read_plan(json.dumps(held).encode())
    assert [clip.number for clip in edited.clips] == [1, 2, 3, 4]
    assert edited.clips[3].affect == Affect(-0.5, 1)
    assert edited.clips[3].prompt == prompt_for(Affect(-0.5, 1), "solo piano")
    assert edited.clips[3].start == pytest.approx(3 * (plan.clip_seconds - 2))


@pytest.mark.parametrize(("change", "part"), [
    ({"clips": []}, "0 clips"), ({"clips": "x"}, "no plan"), ({"plan": 2}, "no plan"), ({"overlap": None}, "overlap"),
    ({"clip_seconds": 1e9}, "clip_seconds"), ({"clips": [{"valence": 0}]}, "clip 1 has no 'arousal'"),
    ({"clips": [{"valence": 0, "arousal": 0}, {"valence": 2, "arousal": 0}]}, "clip 2"),
    ({"clips": [{"valence": "a", "arousal": 0}]}, "clip 1"), ({"clips": [3]}, "clip 1 is 3"),
    ({"clips": [{"valence": 0, "arousal": 0, "prompt": 5}]}, "prompt"), ({"overlap": True}, "overlap"),
])  # fmt: skip
def test_a_bad_row_is_named(change, part):
    held = {**session().to_json(), **change}
    with pytest.raises(AffectgenError, match=part):
        read_plan(json.dumps(held).encode())
    with pytest.raises(AffectgenError, match="no JSON"):
        read_plan(b"{")


@pytest.mark.parametrize(("minutes", "clip", "bound"), [(1.0, 10.0, 0.35), (1.0, 30.0, 0.35), (3.0, 30.0, 0.05)])
def test_the_minutes_that_a_refusal_names_do(minutes, clip, bound):
    with pytest.raises(AffectError) as told:
        make_plan(PlanOptions("anxious", "calm", minutes=minutes, clip=clip, bound=bound))
    named = float(told.value.hint.split("--minutes ")[1].split(",")[0])
    assert named > minutes
    make_plan(PlanOptions("anxious", "calm", minutes=named, clip=clip, bound=bound))


def test_a_path_begins_and_ends_where_it_says():
    clips = make_plan(PlanOptions(path="anxious>sad>calm", minutes=0.6, clip=10)).clips
    assert clips[0].affect == Affect.parse("anxious")
    assert clips[-1].affect == Affect.parse("calm")
    assert any(clip.affect.distance(Affect.parse("sad")) < 0.3 for clip in clips)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_prompts_name_moods_of_music(valence, arousal):
    words = moods(Affect(valence, arousal), 2)
    assert len(words) == 2
    assert not set(words) & set(UNFIT)
