"""The parts of the recogniser of MIDI: rows, gate, the two experts, and the scale that joins them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.recognize import midi_labelled, midi_rated, mlp, trees
from affectgen.recognize.features import feature_table
from affectgen.recognize.midi_gate import Gate
from affectgen.recognize.midi_labelled import LabelledExpert, points_of, shares_of
from affectgen.recognize.midi_rated import RatedExpert
from affectgen.recognize.midi_rows import WHOLE, Rows, rows_of, writing
from affectgen.recognize.midi_scale import Opinions, Scale, label_points
from affectgen.score.notes import NoteArray

SMALL = midi_labelled.Settings(mlp.Settings(members=2, hidden=8, steps=80, batch=64), trees.Settings(10, forests=1))


def piece(number: int, quadrant: int, force: int | None = None) -> NoteArray:
    """Loud and fast where aroused, major where pleasant."""
    numbers = np.random.default_rng(number)
    onset = np.arange(0, 20, 0.2 if quadrant < 2 else 0.7) + numbers.uniform(0, 0.02)
    pitch = numbers.choice([60, 64 if quadrant in (0, 3) else 63, 67, 72], len(onset))
    played = np.clip((100 if quadrant < 2 else 45) + numbers.integers(-8, 9, len(onset)), 1, 127)
    return NoteArray.of(onset, np.full(len(onset), 0.4), pitch, played if force is None else np.full(len(onset), force))


@pytest.fixture(scope="module")
def rows() -> Rows:
    """48 pieces, Q1, Q2, Q3, Q4, Q1 and so on."""
    return rows_of([piece(number, number % 4) for number in range(48)])


QUADRANT = np.arange(48) % 4


def test_rows_hold_wholes_first_and_then_their_parts(rows: Rows) -> None:
    assert len(rows) == 48
    assert rows.owner[:48].tolist() == list(range(48))
    assert set(rows.owner[48:]) == set(range(48))
    np.testing.assert_array_equal(rows.whole[5], feature_table([piece(5, 1)])[0])


def test_picked_rows_are_those_of_the_picked_pieces(rows: Rows) -> None:
    chosen = np.isin(np.arange(48), (3, 7, 8))
    some, alone = rows.pick(chosen), rows_of([piece(number, number % 4) for number in (3, 7, 8)])
    np.testing.assert_array_equal(some.statistics, alone.statistics)
    np.testing.assert_array_equal(some.owner, alone.owner)
    np.testing.assert_array_equal(some.attributes, alone.attributes)


def test_the_mean_over_parts_by_hand() -> None:
    rows = Rows(np.zeros((4, 1)), np.array([0, 1, 1, 1]), np.ones(2, bool), np.zeros((2, 1)), np.zeros((2, 3)))
    found = rows.mean(np.array([[5.0], [1.0], [3.0], [4.0]]))
    np.testing.assert_allclose(found, [[5.0], [(WHOLE * 1.0 + 3.0 + 4.0) / (WHOLE + 2)]])


def test_how_notes_were_entered_by_hand() -> None:
    onset = [0.0, 0.0, 1.0, 1.01, 2.0, 2.0, 40.0]  # two chords at once, one spread; the last note is not heard
    found = writing(NoteArray.of(onset, [0.5] * 7, [60, 64, 60, 64, 60, 64, 60], [50, 50, 50, 60, 60, 60, 99]))
    np.testing.assert_allclose(found, (2 / 3, 2 / 6, 3 / 5))
    assert writing(NoteArray.of([], [], [], [])) == (0.5, 0.0, 0.0)


def test_no_pieces_give_no_rows() -> None:
    assert rows_of([]).statistics.shape[0] == len(rows_of([])) == 0


@given(st.lists(st.floats(-8, 8), min_size=6, max_size=6))
def test_shares_are_probabilities_and_agree_with_their_point(values: list[float]) -> None:
    shares = shares_of(np.array([values]))
    assert shares.sum() == pytest.approx(1.0)
    assert (shares >= 0).all()
    valence, arousal = points_of(shares)[0]
    assert valence == pytest.approx(shares[0, 0] + shares[0, 3] - shares[0, 1] - shares[0, 2])
    assert arousal == pytest.approx(shares[0, :2].sum() - shares[0, 2:].sum())


def test_votes_for_quadrants_and_for_sides_count_the_same() -> None:
    sure = np.log(np.array([0.7, 0.1, 0.1, 0.1]))
    odds = np.log(4.0)  # .8 on each axis: .64, .16, .04, .16
    found = shares_of(np.array([[odds, odds, *sure]]))[0]
    wanted = np.sqrt(np.array([0.7 * 0.64, 0.1 * 0.16, 0.1 * 0.04, 0.1 * 0.16]))
    np.testing.assert_allclose(found, wanted / wanted.sum())


def test_the_labelled_expert_tells_plain_quadrants_it_has_not_heard(rows: Rows) -> None:
    expert = LabelledExpert.fit(rows, QUADRANT, SMALL)
    unheard = rows_of([piece(number, number % 4) for number in range(100, 120)])
    assert (expert.quadrants(unheard).argmax(axis=1) == np.arange(20) % 4).mean() > 0.9


def test_trees_have_no_vote_where_velocities_say_nothing(rows: Rows) -> None:
    expert = LabelledExpert.fit(rows, QUADRANT, SMALL)
    loud, soft = rows_of([piece(7, 0, 120)]), rows_of([piece(7, 0, 20)])
    np.testing.assert_allclose(expert.quadrants(loud), expert.quadrants(soft))
    deaf = LabelledExpert(expert.perceptrons, {})  # it has no trees to ask
    np.testing.assert_allclose(expert.quadrants(loud), deaf.quadrants(loud))
    with pytest.raises(KeyError):
        deaf.quadrants(rows)


def test_the_rated_expert_learns_ratings_and_weighs_pieces_alike(rows: Rows) -> None:
    sides = points_of(np.eye(4)[QUADRANT]) * 0.3
    expert = RatedExpert.fit(rows, sides, np.arange(48).astype(str), midi_rated.Settings())
    unheard = expert.ratings(rows_of([piece(number, number % 4) for number in range(100, 120)]))
    assert np.corrcoef(unheard[:, 1], sides[:20, 1])[0, 1] > 0.95
    assert np.corrcoef(unheard[:, 0], sides[:20, 0])[0, 1] > 0.9
    songs = np.where(QUADRANT == 0, "one", np.arange(48).astype(str))  # all of Q1 are windows of one piece
    assert RatedExpert.fit(rows, sides, songs, midi_rated.Settings()).start[0] < expert.start[0] - 0.05


def test_the_gate_tells_kinds_apart_and_a_larger_penalty_makes_it_less_sure(rows: Rows) -> None:
    rated = QUADRANT < 2
    sure, unsure = Gate.fit(rows, rated, 1e-3)(rows), Gate.fit(rows, rated, 10.0)(rows)
    assert ((sure > 0.5) == rated).all()
    assert np.abs(sure - rated).max() < 0.1
    assert np.abs(unsure - 0.5).max() < np.abs(sure - 0.5).min()


def opinions(count: int, seed: int = 0) -> tuple[Opinions, np.ndarray, np.ndarray]:
    """Opinions that are right with noise, quadrants (-1 for the rated second half) and wanted points."""
    numbers = np.random.default_rng(seed)
    quadrant = numbers.integers(0, 4, count)
    rating = numbers.uniform(-0.35, 0.35, (count, 2))
    votes = np.hstack([np.zeros((count, 2)), 2.0 * np.eye(4)[quadrant] + numbers.normal(size=(count, 4))])
    rated = np.arange(count) >= count // 2
    quadrant[rated] = -1
    heard = 0.6 * rating + numbers.normal(0, 0.08, (count, 2))
    return Opinions(shares_of(votes), heard, rated.astype(float)), quadrant, label_points(quadrant, rating)


def test_intervals_hold_four_in_five_unseen_labels_of_each_kind() -> None:
    scale = Scale.fit(*opinions(2000))
    unseen, quadrant, wanted = opinions(2000, 1)
    heard = scale(unseen)
    inside = (wanted >= heard.low) & (wanted <= heard.high)
    for chosen in (quadrant >= 0, quadrant < 0):
        np.testing.assert_allclose(inside[chosen].mean(axis=0), 0.8, atol=0.05)


def test_both_experts_speak_on_one_scale() -> None:
    scale = Scale.fit(*opinions(2000))
    unseen, quadrant, wanted = opinions(2000, 1)
    points = scale(unseen).points
    for chosen in (quadrant >= 0, quadrant < 0):
        found, given_ = (np.sqrt((values[chosen] ** 2).mean()) for values in (points, wanted))
        assert found == pytest.approx(given_, rel=0.15)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_gate_weighs_the_experts(share: float) -> None:
    scale = Scale.fit(*opinions(400))
    unseen, *_ = opinions(40, 2)
    ends = [scale(replace(unseen, rated=np.full(40, side))) for side in (0.0, 1.0)]
    mixed = scale(replace(unseen, rated=np.full(40, share)))
    for name in ("points", "quadrants", "low", "high"):
        first, second = (getattr(end, name) for end in ends)
        inner = (np.abs(first) < 1).all(axis=1) & (np.abs(second) < 1).all(axis=1)  # ends that the plane does not cut
        assert inner.sum() > 5
        np.testing.assert_allclose(getattr(mixed, name)[inner], ((1 - share) * first + share * second)[inner])
    assert (mixed.low <= mixed.points + 1e-12).all()
    assert (mixed.points <= mixed.high + 1e-12).all()
    np.testing.assert_allclose(mixed.quadrants.sum(axis=1), 1.0)


def test_a_scale_survives_its_json() -> None:
    scale = Scale.fit(*opinions(400))
    unseen, *_ = opinions(40, 2)
    again = Scale.of_json(scale.to_json())(unseen)
    np.testing.assert_array_equal(again.points, scale(unseen).points)
    np.testing.assert_array_equal(again.high, scale(unseen).high)


def test_label_points_by_hand() -> None:
    found = label_points(np.array([1, -1, -1]), np.array([[0.0, 0.0], [0.1, -0.2], [0.9, 0.0]]))
    np.testing.assert_allclose(found, [[-0.6, 0.6], [0.26, -0.52], [1.0, 0.0]])
