"""The whole ear: anchors put typical clips at their labels, the gate weighs experts, intervals hold what they state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.recognize.speech_corpus import LABELS, Table, label_points
from affectgen.recognize.speech_expert import Settings
from affectgen.recognize.speech_model import Anchor, Heard, SpeechModel, Verdict, correlation, fit_model

SETTINGS = Settings(family="kernel", ridge=0.1, folds=4)
NEUTRAL, HAPPY, SAD = (LABELS.index(label) for label in ("neutral", "happiness", "sadness"))


@pytest.fixture(scope="module")
def model(voices: Callable[..., Table]) -> SpeechModel:
    return fit_model(voices(), SETTINGS)


def heard(table: Table) -> Heard:
    return Heard(table.features, [np.asarray(rows, dtype=np.float64) for rows in table.frames])


def dim(share: float, centre: tuple[float, float], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(readings, points, shares): clips of all labels, read at `share` of the way to their points and moved."""
    kind = np.tile(np.arange(len(LABELS)), 30)
    points = label_points()[kind]
    noise = 0.02 * np.random.default_rng(seed).normal(size=points.shape)
    return share * points + np.array(centre) + noise, points, np.eye(len(LABELS))[kind]


@pytest.mark.parametrize("share", [0.45, 0.7, 1.0])
def test_typical_clips_come_to_stand_at_their_labels(share: float) -> None:
    readings, points, shares = dim(share, (-0.1, 0.05))
    anchor = Anchor.fit(readings, points, shares)
    found = anchor(readings)
    for label in (NEUTRAL, HAPPY, SAD):
        typical = np.median(found[shares[:, label] == 1], axis=0)
        np.testing.assert_allclose(typical, label_points()[label], atol=0.08)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.2, 1.5), st.floats(-0.3, 0.3), st.integers(0, 100))
def test_an_anchor_is_increasing_and_keeps_inside_the_plane(share: float, centre: float, seed: int) -> None:
    anchor = Anchor.fit(*dim(share, (centre, -centre), seed))
    line = np.repeat(np.linspace(-1, 1, 41)[:, None], 2, axis=1)
    found = anchor(line)
    assert (np.diff(found, axis=0) >= 0).all()
    assert (np.abs(found) <= 1).all()
    np.testing.assert_allclose(anchor(anchor.centre[None]), 0.0, atol=1e-12)
    below = line < anchor.centre
    assert (found[below] <= 0).all()
    assert (found[~below] >= 0).all()


def test_an_anchor_never_blows_up_noise() -> None:
    readings, points, shares = dim(0.05, (0.0, 0.0))
    gain = Anchor.fit(readings, points, shares).gain
    assert (gain <= 2.5).all()


def test_unheard_clips_are_read_and_answers_are_whole(model: SpeechModel, voices: Callable[..., Table]) -> None:
    table = voices(takes=2)
    found = model.read(heard(table))
    np.testing.assert_allclose(found.shares.sum(axis=1), 1.0)
    np.testing.assert_allclose(found.quadrants.sum(axis=1), 1.0)
    assert (found.low <= found.points).all()
    assert (found.points <= found.high).all()
    assert correlation(found.points[:, 1], table.points[:, 1]) > 0.6
    assert (found.shares.argmax(axis=1) == table.shares.argmax(axis=1)).mean() > 0.6


def test_a_clip_does_not_depend_on_its_neighbours(model: SpeechModel, voices: Callable[..., Table]) -> None:
    table = voices()
    whole, first = model.read(heard(table)), model.read(heard(table.pick(np.arange(len(table)) == 7)))
    np.testing.assert_allclose(whole.points[7], first.points[0], atol=1e-10)
    np.testing.assert_allclose(whole.low[7], first.low[0], atol=1e-10)


def test_the_gate_believes_the_expert_of_the_clips_own_corpus(model: SpeechModel, voices: Callable[..., Table]) -> None:
    table = voices(seed=3)
    trust = model.trust(table.features)
    np.testing.assert_allclose(trust.sum(axis=1), 1.0)
    names = [reader.expert.corpus for reader in model.readers]
    own = np.array([names.index(clip.corpus) for clip in table.clips])
    assert (trust.argmax(axis=1) == own).mean() > 0.9


def test_one_expert_alone_can_be_asked(model: SpeechModel, voices: Callable[..., Table]) -> None:
    table = voices()
    only = model.read(heard(table), only="crema_d")
    assert not only.shares[:, LABELS.index("boredom")].any()
    assert model.read(heard(table)).shares[:, LABELS.index("boredom")].max() > 0.3


def test_a_baseline_for_all_and_one_for_each_agree(model: SpeechModel, voices: Callable[..., Table]) -> None:
    table = voices()
    same = np.zeros(len(table), dtype=np.int64)
    one = heard(table.pick(np.arange(len(table)) == 0))
    each = Heard(table.features[same], [np.asarray(table.frames[0], dtype=np.float64)] * len(table))
    first, second = model.read(heard(table), one), model.read(heard(table), each)
    np.testing.assert_allclose(first.shares, second.shares, atol=1e-10)


def test_quadrants_follow_the_point_and_its_interval() -> None:
    points = np.array([[0.6, 0.6], [-0.6, 0.6], [-0.6, -0.6], [0.6, -0.6], [0.0, 0.0]])
    sure = Verdict(np.ones((5, 7)) / 7, points, points - 0.2, points + 0.2).quadrants
    np.testing.assert_array_equal(sure[:4].argmax(axis=1), [0, 1, 2, 3])
    np.testing.assert_allclose(sure[4], 0.25)
    unsure = Verdict(np.ones((5, 7)) / 7, points, points - 1.0, points + 1.0).quadrants
    assert (unsure[:4].max(axis=1) < sure[:4].max(axis=1)).all()


def test_correlation_by_hand() -> None:
    assert correlation(np.array([1.0, 2, 3]), np.array([2.0, 4, 6])) == pytest.approx(1.0)
    assert correlation(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == pytest.approx(-1.0)
    assert correlation(np.array([1.0, 2, 3]), np.ones(3)) == 0.0


def test_worse_copies_have_a_reader_of_their_own(voices: Callable[..., Table]) -> None:
    table = voices()
    clips = tuple(replace(clip, name=f"{clip.name}~1", copy=1) for clip in table.clips)
    moved = table.features + 4.0 * (np.arange(table.features.shape[1]) == 12)
    both = Table(table.clips + clips, np.concatenate([table.features, moved]), table.frames * 2)
    made = fit_model(both, SETTINGS)
    assert [reader.name for reader in made.readers] == ["crema_d", "crema_d_worn", "emo_db", "emo_db_worn"]
    trust = made.trust(voices(seed=2).features + 4.0 * (np.arange(table.features.shape[1]) == 12))
    assert (trust[:, 1] + trust[:, 3] > 0.5).mean() > 0.9
    clean = made.read(heard(table), only="emo_db")
    np.testing.assert_allclose(clean.points, made.readers[2].points(clean.shares), atol=1e-12)


def test_scores_kept_are_read_alike(model: SpeechModel, voices: Callable[..., Table]) -> None:
    clips = heard(voices())
    kept = model.scored(clips)
    places = np.array([3, 5, 8])
    base = kept.pick(places)
    first, second = model.read(clips.pick(places), base), model.read(kept.pick(places), base)
    np.testing.assert_allclose(first.shares, second.shares, atol=1e-12)
    assert kept.scores is not None
    assert clips.pick(places).scores is None
