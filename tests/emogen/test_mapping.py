"""From a point of the plane to attributes: the kernel's mean and spread, what is open, draws, the linear reading, and
the published mapping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.affect import Affect
from affectgen.emogen.mapping import (
    MAJORITY,
    NOISE,
    OPEN,
    RIDGE,
    SHIFTED,
    SHRINK,
    TOLD,
    WIDTH,
    EmotionMap,
    ScaledMap,
    quadrant_index,
)
from affectgen.emogen.scale import FARTHEST
from affectgen.emogen.vector import FIRST_EMOGEN, NAMES
from affectgen.score.attributes import ATTRIBUTES

MISSING = NAMES.index("contrary_motion")
LOUD, MODE = NAMES.index("velocity_mean"), NAMES.index("key_mode")
HAPPY = Affect(0.7, 0.5)
POINTS = st.builds(Affect, st.floats(-1, 1), st.floats(-1, 1))


@pytest.fixture(scope="module")
def scaled(emotions, scale):
    return emotions.on(scale)


def rng(seed=0):
    return np.random.default_rng(seed)


def small(columns, points):
    """A map of some attributes with nothing missing."""
    sd = np.stack([np.asarray(column, dtype=float) for column in columns], axis=1)
    missing = np.zeros(sd.shape[1], dtype=bool)
    above = np.zeros((len(sd), max(sd.shape[1] - FIRST_EMOGEN, 0)), dtype=bool)
    thresholds = np.zeros(above.shape[1])
    return ScaledMap(sd, missing, np.asarray(points, dtype=float), np.zeros(len(sd), int), above, thresholds)


def test_a_map_on_a_scale_fills_gaps_and_knows_what_is_missing(emotions, scale, scaled):
    assert scaled.sd.shape == emotions.values.shape
    assert np.isfinite(scaled.sd).all()
    assert [NAMES[place] for place in np.flatnonzero(scaled.missing)] == ["contrary_motion"]
    assert scaled.sd[0, NAMES.index("range")] == 0, "a clip without a value stands in the middle"
    expected = scale.to_sd(emotions.values)
    there = np.isfinite(expected)
    np.testing.assert_array_equal(scaled.sd[there], expected[there])


def test_clips_count_by_a_gaussian_on_the_plane():
    points = [(0, 0), (0.3, 0), (0, -0.6), (0.9, 0.9)]
    one = small([[1, 2, 3, 4], [0, 0, 1, 1]], points)
    found = one.at(Affect(0.0, 0.0))
    weight = np.exp(-np.array([0, 0.09, 0.36, 1.62]) / (2 * WIDTH**2))
    weight /= weight.sum()
    np.testing.assert_allclose(found.weight, weight)
    mean = weight @ np.array([1.0, 2, 3, 4])
    assert found.mean[0] == pytest.approx(mean)
    assert found.spread[0] == pytest.approx(np.sqrt(weight @ (np.array([1.0, 2, 3, 4]) - mean) ** 2))
    assert found.mean[1] == pytest.approx(weight[2:].sum())


@given(POINTS)
def test_a_mean_lies_among_the_clips(scaled, affect):
    found = scaled.at(affect)
    assert found.weight.sum() == pytest.approx(1)
    assert (found.weight >= 0).all()
    assert (found.mean <= scaled.sd.max(axis=0) + 1e-9).all()
    assert (found.mean >= scaled.sd.min(axis=0) - 1e-9).all()
    assert (found.spread >= 0).all()


def test_the_nearest_clip_counts_however_far_it_is():
    one = small([[1.0, 2.0]], [(1, 1), (1, 0.99)])
    found = one.at(Affect(-1.0, -1.0))
    assert np.isfinite(found.mean).all()
    assert found.weight.sum() == pytest.approx(1)
    assert found.weight[1] > found.weight[0]


def test_what_follows_the_emotion_is_asked_for_and_the_rest_is_open():
    generator, points = rng(), rng(1).uniform(-0.9, 0.9, (400, 2))
    follows = 2 * points[:, 1] + generator.normal(0, 0.3, 400)
    chance = generator.normal(size=400)
    tight = np.where(np.hypot(*(points - 0.5).T) < 0.4, 0.1 * chance, chance)  # the same mean, and sure of it
    found = small([follows, chance, tight], points).at(Affect(0.5, 0.5))
    assert found.open.tolist() == [False, True, False]
    assert found.spread[1] > OPEN * chance.std()
    assert found.spread[2] < OPEN * tight.std()
    wide = np.where(points[:, 1] > 0, 1.0, -1.0) * 0.5 + generator.normal(0, 2, 400)
    shifted = small([wide], points)
    loud = shifted.at(Affect(0.5, 0.5))
    moved = abs(loud.mean[0] - shifted.sd[:, 0].mean()) >= SHIFTED * shifted.sd[:, 0].std()
    assert loud.open[0] == (not moved and loud.spread[0] > OPEN * shifted.sd[:, 0].std())


def test_arousal_is_loud_and_valence_is_major(scaled):
    loud, soft = scaled.at(Affect(0.0, 0.8)), scaled.at(Affect(0.0, -0.8))
    assert not loud.open[LOUD]
    assert not soft.open[LOUD]
    assert loud.mean[LOUD] > 0.5 > -0.5 > soft.mean[LOUD]
    assert scaled.at(Affect(0.8, 0.0)).mean[MODE] > 0.5 > -0.5 > scaled.at(Affect(-0.8, 0.0)).mean[MODE]
    half = scaled.at(Affect(0.0, 0.4)).mean[LOUD]
    assert soft.mean[LOUD] < half < loud.mean[LOUD], "degrees of an emotion are degrees of its attributes"


def test_a_draw_is_a_neighbour_moved_some_way_to_the_mean(scaled, monkeypatch):
    monkeypatch.setattr(ScaledMap, "telling", lambda self, sd, affect, tendency: sd)
    tendency = scaled.at(HAPPY)
    asked = ~tendency.open
    drawn = []
    for seed in range(200):
        target = scaled.draw(HAPPY, rng(seed))
        neighbour = (target - SHRINK * tendency.mean) / (1 - SHRINK)
        away = np.abs(scaled.sd[:, asked] - neighbour[asked]).max(axis=1)
        assert away.min() < 1e-9, "it is one clip, in all of its attributes"
        drawn.append(int(away.argmin()))
    near = np.hypot(*(scaled.points[drawn] - [HAPPY.valence, HAPPY.arousal]).T)
    everywhere = np.hypot(*(scaled.points - [HAPPY.valence, HAPPY.arousal]).T)
    assert near.mean() < 0.5 * everywhere.mean()
    assert near.max() < 4 * WIDTH
    assert len(set(drawn)) > 5


@given(POINTS, st.integers(0, 50))
def test_only_of_what_is_missing_nothing_is_expected(scaled, affect, seed):
    target = scaled.draw(affect, rng(seed))
    assert np.flatnonzero(np.isnan(target)).tolist() == [MISSING]
    assert scaled.at(affect).open[MISSING]
    assert (np.abs(target[np.isfinite(target)]) <= FARTHEST).all()


def test_a_seed_is_a_target(scaled):
    first, again, other = (scaled.draw(HAPPY, rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    there = np.isfinite(first)
    assert not np.allclose(first[there], other[there])


def test_the_reading_is_a_ridge_regression(scaled):
    attributes = scaled.sd - scaled.sd.mean(axis=0)
    points = scaled.points - scaled.points.mean(axis=0)
    rows = np.concatenate([attributes, np.sqrt(RIDGE) * np.eye(len(NAMES))])
    wanted = np.concatenate([points, np.zeros((len(NAMES), 2))])
    expected = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    np.testing.assert_allclose(scaled.reading, expected, atol=1e-8)
    np.testing.assert_allclose(scaled.read(scaled.sd.mean(axis=0)), scaled.points.mean(axis=0), atol=1e-9)
    found = scaled.read(scaled.sd)
    assert found.shape == scaled.points.shape
    for axis in (0, 1):
        assert np.corrcoef(found[:, axis], scaled.points[:, axis])[0, 1] > 0.9
    assert np.abs(scaled.reading[LOUD, 1]) > np.abs(scaled.reading[LOUD, 0])


def test_leaning_moves_the_reading_by_one(scaled):
    np.testing.assert_allclose(scaled.leaning @ scaled.reading, np.eye(2), atol=1e-9)
    assert scaled.leaning[1, LOUD] > 0
    assert scaled.leaning[0, MODE] > 0


@pytest.mark.parametrize("affect", [HAPPY, Affect(-0.5, 0.4), Affect(0.0, 0.0)])
def test_a_target_tells_half_of_what_is_missing_to_the_point(scaled, affect):
    tendency = scaled.at(affect)
    usual, point = scaled.read(tendency.mean), np.array([affect.valence, affect.arousal])
    for start in (tendency.mean, np.zeros(len(NAMES))):
        told = scaled.telling(start, affect, tendency)
        assert (np.abs(told) < FARTHEST).all(), "nothing was clipped, so the reading is exact"
        np.testing.assert_allclose(scaled.read(told), usual + TOLD * (point - usual), atol=1e-9)
    far = scaled.telling(np.full(len(NAMES), 9.0), affect, tendency)
    assert np.abs(far).max() == FARTHEST


def test_the_hundred_are_asked_for_where_most_clips_are_on_one_side_of_the_threshold():
    """Ten clips at one point: nine, seven, six or three of them lie above the threshold of an attribute."""
    counts = (9, 7, 6, 3)
    sd = np.zeros((10, FIRST_EMOGEN + len(counts)))
    above = np.zeros((10, len(counts)), dtype=bool)
    for place, count in enumerate(counts):
        above[:count, place] = True
        sd[:, FIRST_EMOGEN + place] = 1.0  # no spread: by their spread all of them would be asked for
    missing, quadrant, thresholds = np.zeros(sd.shape[1], dtype=bool), np.zeros(10, dtype=int), np.zeros(len(counts))
    one = ScaledMap(sd, missing, np.zeros((10, 2)), quadrant, above, thresholds)
    found = one.at(HAPPY).open
    assert found[FIRST_EMOGEN:].tolist() == [max(count, 10 - count) / 10 < MAJORITY for count in counts]
    assert found[FIRST_EMOGEN:].tolist() == [False, False, True, False]


def test_a_map_knows_which_values_are_above_their_thresholds(emotions, scale, scaled):
    thresholds = np.array([one.threshold for one in ATTRIBUTES])
    core = np.full(FIRST_EMOGEN, np.nan)
    scaled_thresholds = scale.to_sd(np.concatenate([core, thresholds]))[FIRST_EMOGEN:]
    assert scaled.above.shape == (len(emotions.clips), 100)
    np.testing.assert_allclose(scaled.thresholds, scaled_thresholds)
    np.testing.assert_array_equal(scaled.above, np.nan_to_num(emotions.values[:, FIRST_EMOGEN:], nan=-9e9) > thresholds)


def test_the_published_mapping_is_the_bits_of_the_clip_in_the_middle_of_its_quadrant(scaled):
    for quadrant in range(4):
        own = np.flatnonzero(scaled.quadrant == quadrant)
        hundred = scaled.sd[own][:, FIRST_EMOGEN:]
        nearest = own[int(np.linalg.norm(hundred - hundred.mean(axis=0), axis=1).argmin())]
        target = scaled.paper(quadrant)
        assert np.isnan(target[:FIRST_EMOGEN]).all(), "it knows no core attributes"
        for place, name in enumerate(NAMES[FIRST_EMOGEN:]):
            if name == "contrary_motion":
                assert np.isnan(target[FIRST_EMOGEN + place])
                continue
            side = scaled.above[:, place] == scaled.above[nearest, place]
            assert target[FIRST_EMOGEN + place] == np.median(scaled.sd[side, FIRST_EMOGEN + place]), name
    assert not np.array_equal(scaled.paper(0), scaled.paper(1), equal_nan=True)


def test_core_attributes_do_not_choose_the_published_clip():
    sd = np.zeros((3, len(NAMES)))
    sd[:, FIRST_EMOGEN] = [0.0, 0.9, 2.0]  # the second is nearest their mean
    sd[1, :FIRST_EMOGEN] = 9.0
    above = np.zeros((3, 100), dtype=bool)
    above[1, 0] = True
    missing, quadrant, thresholds = np.zeros(len(NAMES), dtype=bool), np.zeros(3, dtype=int), np.zeros(100)
    one = ScaledMap(sd, missing, np.zeros((3, 2)), quadrant, above, thresholds)
    assert one.paper(0)[FIRST_EMOGEN] == 0.9


def test_quadrants_are_counted_from_happy():
    corners = [Affect(0.5, 0.5), Affect(-0.5, 0.5), Affect(-0.5, -0.5), Affect(0.5, -0.5)]
    assert [quadrant_index(corner) for corner in corners] == [0, 1, 2, 3]


@pytest.mark.parametrize("clips", [1, 2, 30])
def test_a_map_of_one_side_of_the_plane_still_draws(scale, clips):
    """A corpus of one's own may hold clips of one arousal only, or a single one: nothing tells the other axis."""
    rows = rng(5).normal(size=(clips, len(NAMES))).clip(-2, 2)
    points = np.stack([np.linspace(-0.6, 0.6, clips), np.full(clips, 0.6)], axis=1)
    one = EmotionMap(scale.to_natural(rows), points, np.zeros(clips, dtype=int), tuple("x" * clips)).on(scale)
    for affect in (HAPPY, Affect(-0.5, -0.5)):
        assert np.isfinite(one.draw(affect, rng())).all()


def test_attributes_follow_one_that_is_set():
    """The second goes with the first, the third does not: by the ratio of covariance to variance."""
    first = np.array([-1.0, 1.0, -1.0, 1.0])
    scaled = small([first, first, [1.0, 1.0, -1.0, -1.0]], [(0, 0)] * 4)
    ratio = (4 / 3) / (4 / 3 + NOISE)
    moved = scaled.following(np.array([[0.2, 0.1, 0.3], [0.2, np.nan, 0.3]]), [0], np.array([1.2]))
    np.testing.assert_allclose(moved[0], [1.2, 0.1 + ratio, 0.3])
    np.testing.assert_allclose(moved[1], [1.2, np.nan, 0.3])
    assert scaled.following(np.full((1, 3), np.nan), [2], np.array([-2.0]))[0].tolist()[2] == -2.0
