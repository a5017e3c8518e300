"""Keys, chords and intervals of scores that can be read off the page."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from affectgen.score import harmony
from affectgen.score.notes import NoteArray


def chord(*pitches: int, onset: float = 0.0, duration: float = 1.0) -> NoteArray:
    count = len(pitches)
    return NoteArray.of([onset] * count, [duration] * count, pitches, [64] * count)


def joined(*parts: NoteArray) -> NoteArray:
    fields = ("onset", "duration", "pitch", "velocity")
    return NoteArray.of(*(np.concatenate([getattr(part, field) for part in parts]) for field in fields))


C_MAJOR_SCALE = joined(*(chord(60 + p, onset=float(i)) for i, p in enumerate((0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0))))


def test_a_scale_with_its_triad_is_in_its_major_key() -> None:
    key = harmony.key_of(harmony.pitch_class_weights(C_MAJOR_SCALE))
    assert (key.tonic, key.minor) == (0, False)
    assert key.major_score > 0
    assert key.fit > 0.8


def test_a_minor_triad_scores_minor() -> None:
    key = harmony.key_of(harmony.pitch_class_weights(chord(57, 60, 64)))
    assert (key.tonic, key.minor) == (9, True)
    assert key.major_score < 0


def test_even_weights_have_no_key() -> None:
    assert harmony.key_of(np.ones(12)) == harmony.KeyFit(0, False, 0.0, 0.0)


@given(st.integers(-12, 12))
def test_transposition_moves_the_tonic_alone(steps: int) -> None:
    before = harmony.key_of(harmony.pitch_class_weights(C_MAJOR_SCALE))
    moved = NoteArray.of(
        C_MAJOR_SCALE.onset, C_MAJOR_SCALE.duration, C_MAJOR_SCALE.pitch + steps, C_MAJOR_SCALE.velocity
    )
    after = harmony.key_of(harmony.pitch_class_weights(moved))
    assert after.tonic == (before.tonic + steps) % 12
    assert after.minor == before.minor
    assert abs(after.fit - before.fit) < 1e-9
    assert abs(after.major_score - before.major_score) < 1e-9


def test_weights_are_sounding_seconds() -> None:
    weights = harmony.pitch_class_weights(joined(chord(60, duration=2.0), chord(72, onset=3.0, duration=0.5)))
    assert weights[0] == 2.5
    assert weights[1:].sum() == 0


def test_the_roll_has_a_row_for_each_step() -> None:
    roll = harmony.sounding_roll(joined(chord(60, duration=0.1), chord(62, onset=0.15, duration=0.05)))
    assert roll.shape == (4, 128)
    assert roll[:, 60].tolist() == [True, True, False, False]
    assert roll[:, 62].tolist() == [False, False, False, True]


def test_an_overlapping_repetition_of_a_key_is_down_once() -> None:
    roll = harmony.sounding_roll(joined(chord(60, duration=0.2), chord(60, onset=0.1, duration=0.2)))
    assert roll[:, 60].all()
    assert len(roll) == 6


def test_chords_are_told_apart_whatever_their_root_and_octave() -> None:
    names = list(harmony.CHORD_SHAPES)
    for name, shape in harmony.CHORD_SHAPES.items():
        piece = chord(*(43 + 12 * (i % 2) + step for i, step in enumerate(shape)))
        shares = harmony.chord_shares(harmony.pitch_class_sets(harmony.sounding_roll(piece)))
        assert shares[names.index(name)] == 1.0
        assert shares.sum() == 1.0


def test_chord_shares_leave_bare_intervals_out() -> None:
    piece = joined(chord(60, 64, 67), chord(60, 67, onset=1.0))
    shares = harmony.chord_shares(harmony.pitch_class_sets(harmony.sounding_roll(piece)))
    assert shares[0] == 1.0


def test_a_major_triad_has_a_minor_third_a_major_third_and_a_fourth() -> None:
    sets = harmony.pitch_class_sets(harmony.sounding_roll(chord(60, 64, 67)))
    np.testing.assert_allclose(harmony.interval_shares(sets), [0, 0, 1 / 3, 1 / 3, 1 / 3, 0])


def test_a_tritone_counts_once() -> None:
    sets = harmony.pitch_class_sets(harmony.sounding_roll(joined(chord(60, 66), chord(60, 61, onset=1.0))))
    np.testing.assert_allclose(harmony.interval_shares(sets), [0.5, 0, 0, 0, 0, 0.5])


def test_windows_find_the_triads_one_by_one() -> None:
    piece = joined(chord(48, 64, 67), chord(57, 60, 64, onset=1.0), chord(53, 57, 60, onset=2.0))
    assert harmony.window_triads(piece).tolist() == [0, 12 + 9, 5]


def test_windows_without_notes_are_left_out() -> None:
    piece = joined(chord(48, 64, 67), chord(48, 64, 67, onset=5.0))
    assert harmony.window_triads(piece).tolist() == [0, 0]
    assert len(harmony.window_triads(NoteArray.of([], [], [], []))) == 0
