"""Note statistics: values worked out by hand, and what may not change them."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.recognize.features import describe, feature_names, feature_table, has_dynamics
from affectgen.score.notes import NoteArray

# two bars of quavers in thirds at one a half second, and a long last chord
FIRST = NoteArray.of(
    [0, 0, 0.5, 0.5, 1.0, 1.0, 1.5, 1.5, 1.5],
    [0.5] * 6 + [2.0] * 3,
    [60, 64, 62, 65, 64, 67, 48, 60, 64],
    [50, 70, 50, 70, 50, 70, 40, 60, 80],
)

KEY_RELATIVE = (
    [f"degree_{step}" for step in range(12)]
    + ["major_score", "minor_key", "key_fit", "pitch_class_entropy", "triads_minor", "triads_tonic", "triads_fifth"]
    + ["chord_major", "chord_minor", "dissonance", "interval_3", "interval_4"]
)


@st.composite
def pieces(draw: st.DrawFn, least: int = 0) -> NoteArray:
    count = draw(st.integers(least, 40))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    onset = numbers.integers(0, 400, count) * 0.05
    return NoteArray.of(
        onset,
        numbers.integers(1, 60, count) * 0.05,
        numbers.integers(24, 100, count),
        numbers.integers(1, 128, count),
    )


def test_values_worked_out_by_hand() -> None:
    found = describe(FIRST)
    assert found["velocity_mean"] == pytest.approx(60.0)
    assert found["velocity_p50"] == 60.0
    assert found["onsets_per_second"] == pytest.approx(4 / 3.5)
    assert found["notes_per_second"] == pytest.approx(9 / 3.5)
    assert found["notes_per_onset_mean"] == pytest.approx(9 / 4)
    assert found["gap_mean"] == pytest.approx(np.log(0.5))
    assert found["gap_sd"] == pytest.approx(0.0, abs=1e-12)
    assert found["pitch_range"] == 19
    assert found["pitch_classes_used"] == 5  # C D E F G
    assert found["register_tenor"] == pytest.approx(1 / 9)
    assert found["polyphony_mean"] == pytest.approx((1.5 * 2 + 2.0 * 3) / 3.5)
    assert found["silence"] == 0.0
    assert found["melody_share"] == pytest.approx(4 / 9)
    assert found["melody_interval_mean"] == pytest.approx((1 + 2 + 3) / 3)
    assert found["melody_rises"] == pytest.approx(2 / 3)
    assert found["minor_key"] == 0.0
    assert found["degree_0"] == pytest.approx((0.5 + 2 + 2) / 9)  # C for 4.5 of 9 note seconds


def test_names_are_unique_and_in_order() -> None:
    names = feature_names()
    assert len(set(names)) == len(names)
    assert 60 <= len(names) <= 120
    assert tuple(describe(FIRST)) == names
    table = feature_table([FIRST, FIRST.from_zero()])
    assert table.shape == (2, len(names))
    assert table[0].tolist() == list(describe(FIRST).values())
    assert feature_table([]).shape == (0, len(names))


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_the_smallest_pieces_have_finite_statistics(count: int) -> None:
    piece = FIRST.pick(np.arange(len(FIRST)) < count)
    assert np.isfinite(list(describe(piece).values())).all()


@given(pieces())
@settings(max_examples=60, deadline=None)
def test_every_piece_has_finite_statistics(piece: NoteArray) -> None:
    found = describe(piece)
    assert tuple(found) == feature_names()
    assert np.isfinite(list(found.values())).all()


@given(pieces(least=3), st.integers(-11, 11))
@settings(max_examples=40, deadline=None)
def test_transposition_leaves_everything_but_pitch_height_alone(piece: NoteArray, steps: int) -> None:
    fit = describe(piece)["key_fit"]
    moved = NoteArray.of(piece.onset, piece.duration, piece.pitch + steps, piece.velocity)
    before, after = describe(piece), describe(moved)
    loose = {name for name in before if name.startswith(("pitch_mean", "pitch_p", "register", "melody_pitch_mean"))}
    assert after["key_fit"] == pytest.approx(fit)
    by_key = {
        name for name in before if name.startswith(("degree", "triads_", "minor_key"))
    }  # a tie between keys may turn
    for name in before.keys() - loose - by_key:
        assert after[name] == pytest.approx(before[name], abs=1e-6), name


@pytest.mark.parametrize("steps", range(-6, 7))
def test_transposition_leaves_key_relative_statistics_alone(steps: int) -> None:
    before = describe(FIRST)
    after = describe(NoteArray.of(FIRST.onset, FIRST.duration, FIRST.pitch + steps, FIRST.velocity))
    for name in KEY_RELATIVE:
        assert after[name] == pytest.approx(before[name]), name


@given(pieces(least=2), st.floats(0.0, 20.0))
@settings(max_examples=30, deadline=None)
def test_silence_before_a_piece_changes_nothing(piece: NoteArray, wait: float) -> None:
    later = NoteArray.of(piece.onset + 0.05 * round(wait / 0.05), piece.duration, piece.pitch, piece.velocity)
    np.testing.assert_allclose(list(describe(later).values()), list(describe(piece).values()), atol=1e-6)


def test_music_after_thirty_seconds_changes_nothing() -> None:
    late = NoteArray.of([31.0, 33.0], [1.0, 1.0], [100, 30], [127, 1])
    both = NoteArray.of(
        *(np.r_[getattr(FIRST, f), getattr(late, f)] for f in ("onset", "duration", "pitch", "velocity"))
    )
    assert describe(both) == describe(FIRST)


def test_louder_is_louder_and_nothing_else() -> None:
    louder = NoteArray.of(FIRST.onset, FIRST.duration, FIRST.pitch, FIRST.velocity + 30)
    before, after = describe(FIRST), describe(louder)
    assert after["velocity_mean"] == pytest.approx(before["velocity_mean"] + 30)
    assert {name for name in before if after[name] != pytest.approx(before[name])} <= {
        "velocity_mean", "velocity_p10", "velocity_p50", "velocity_p90"
    }  # fmt: skip


def test_a_regular_pulse_is_clearer_than_a_random_one() -> None:
    steady = np.arange(0, 30, 0.5)
    loose = np.sort(np.random.default_rng(1).uniform(0, 30, 60))
    found = [describe(NoteArray.of(t, [0.2] * 60, [60] * 60, [64] * 60)) for t in (steady, loose)]
    assert found[0]["pulse_clarity"] > 0.8 > found[1]["pulse_clarity"]
    assert found[0]["pulse_period"] == pytest.approx(0.5)


def test_dynamics_are_known_when_velocities_differ() -> None:
    assert has_dynamics(FIRST)
    assert not has_dynamics(NoteArray.of([0, 1], [1, 1], [60, 62], [64, 64]))
    assert not has_dynamics(NoteArray.of([], [], [], []))


def test_a_dense_clip_takes_a_few_milliseconds() -> None:
    numbers = np.random.default_rng(0)
    dense = NoteArray.of(
        numbers.uniform(0, 30, 600), numbers.uniform(0.05, 2, 600), numbers.integers(30, 90, 600), [64] * 600
    )
    started = time.process_time()
    for _ in range(5):
        describe(dense)
    assert (time.process_time() - started) / 5 < 0.05  # 3 ms on a free core; wide, for a busy one
