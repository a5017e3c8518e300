"""What is measured of sessions: paths by known readings, seams of sounds whose seams are known."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.evaluate.medicine import Settings, _figures, _measured, seams
from affectgen.medicine.clips import Made
from affectgen.medicine.options import PlanOptions
from affectgen.medicine.plan import make_plan
from affectgen.medicine.session import grid_of

RATE = 44_100
PLAN = make_plan(PlanOptions("anxious", "calm", minutes=1, clip=16, bound=2))


def plucked(plan, step=0.0, click=False):
    """Four plucks a second, the second half of the session `step` dB louder; with a click in the middle of seam 2."""
    frames = round(plan.seconds * RATE)
    chance = np.random.default_rng(3)
    sound = np.zeros(frames, dtype=np.float32)
    for start in range(0, frames - RATE, RATE // 4):
        time = np.arange(RATE // 2) / RATE
        pitch = 440 * 2 ** ((chance.integers(48, 72) - 69) / 12)
        sound[start : start + RATE // 2] += 0.2 * np.exp(-6 * time) * np.sin(2 * np.pi * pitch * time)
    grid = grid_of(plan, RATE)
    middle = grid.starts[2] + grid.overlap // 2
    sound[middle:] *= 10 ** (step / 20)
    if click:
        sound[middle : middle + 40] += 0.9
    return sound[:, None].repeat(2, axis=1)


def test_seams_like_any_other_place_do_not_stand_out():
    steps, ranks = seams(plucked(PLAN), PLAN, RATE)
    assert len(steps) == len(ranks) == len(PLAN.clips) - 1
    assert steps.max() < 1.0
    assert ranks.max() < 0.99
    assert 0.2 < ranks.mean() < 0.8


def test_a_click_stands_out_at_its_seam_only():
    _, ranks = seams(plucked(PLAN, click=True), PLAN, RATE)
    assert ranks[1] == 1
    assert max(np.delete(ranks, 1)) < 0.99


def test_a_jump_of_loudness_is_measured_at_its_seam():
    steps, _ = seams(plucked(PLAN, step=4.0), PLAN, RATE)
    assert steps[1] == pytest.approx(4.0, abs=0.6)
    assert max(np.delete(steps, 1)) < 1.0


def measured(readings):
    made = [Made(n, {"judge": {"valence": v, "arousal": a}}, {}) for n, (v, a) in enumerate(readings, start=1)]
    return _measured(PLAN, made, plucked(PLAN), RATE)


def test_a_session_heard_as_it_was_asked_is_perfect():
    asked = [(clip.affect.valence, clip.affect.arousal) for clip in PLAN.clips]
    figures = {figure.name: figure.value for figure in _figures([measured(asked)])}
    assert figures["path: arousal, correlation of asked and judged"] == pytest.approx(1.0)
    assert figures["path: valence, correlation of asked and judged"] == pytest.approx(1.0)
    assert figures["clips nearer their own target than the start"] == 1.0
    assert figures["sessions of exactly the length asked"] == 1.0


def test_a_session_that_stays_at_its_start_goes_nowhere():
    start = PLAN.clips[0].affect
    found = measured([(start.valence, start.arousal)] * len(PLAN.clips))
    assert not found.nearer.any()
    assert len(found.nearer) == sum(clip.affect != start for clip in PLAN.clips)


def test_a_session_that_is_too_short_is_not_exact():
    made = [Made(n, {"judge": {"valence": 0.0, "arousal": 0.0}}, {}) for n in range(1, len(PLAN.clips) + 1)]
    assert not _measured(PLAN, made, plucked(PLAN)[:-1], RATE).exact


def test_the_settings_are_those_of_the_bars():
    assert (Settings().pairs, Settings().minutes) == (20, 6.0)
