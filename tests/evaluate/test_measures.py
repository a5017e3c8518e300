"""Pitch measures and note F1 of scores that can be counted on paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.errors import UsageError
from affectgen.evaluate.measures import measure, note_match, pitch_classes_used, pitch_range, polyphony
from affectgen.recognize.corpus import read_emopia
from affectgen.score.notes import NoteArray

EMPTY = NoteArray.of([], [], [], [])


def notes(*rows: tuple[float, float, int]) -> NoteArray:
    onset, duration, pitch = zip(*rows, strict=True)
    return NoteArray.of(onset, duration, pitch, [64] * len(rows))


CHORDS = notes((0, 2, 60), (0, 2, 64), (0, 1, 67), (3, 1, 72))


def test_pitch_measures_by_hand() -> None:
    assert pitch_range(CHORDS) == 12
    assert pitch_classes_used(CHORDS) == 3  # C twice
    assert polyphony(CHORDS) == pytest.approx((2 + 2 + 1 + 1) / 3)  # the silent second does not count
    found = measure(CHORDS)
    assert (found.pitch_range, found.pitch_classes, found.velocity) == (12.0, 3.0, 64.0)
    assert found.density == pytest.approx(4 / 4)


def test_a_key_struck_again_while_it_sounds_is_one_pitch() -> None:
    assert polyphony(notes((0, 2, 60), (1, 2, 60))) == pytest.approx(1.0)
    assert polyphony(notes((0, 4, 60), (1, 1, 60), (0, 2, 64))) == pytest.approx(6 / 4)


def test_an_empty_piece_measures_nothing() -> None:
    assert (pitch_range(EMPTY), pitch_classes_used(EMPTY), polyphony(EMPTY)) == (0, 0, 0.0)
    assert measure(EMPTY).density == 0.0


@st.composite
def pieces(draw: st.DrawFn) -> NoteArray:
    count = draw(st.integers(1, 30))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    start, length = numbers.integers(0, 200, count), numbers.integers(1, 40, count)
    return NoteArray.of(start * 0.1, length * 0.1, numbers.integers(40, 60, count), numbers.integers(1, 128, count))


@given(pieces())
@settings(max_examples=50, deadline=None)
def test_polyphony_is_what_counting_tick_by_tick_gives(piece: NoteArray) -> None:
    roll = np.zeros((300, 128), dtype=bool)
    for onset, duration, pitch in zip(piece.onset, piece.duration, piece.pitch, strict=True):
        roll[round(onset * 10) : round((onset + duration) * 10), pitch] = True
    assert polyphony(piece) == pytest.approx(roll.sum() / roll.any(axis=1).sum())


@given(pieces(), st.integers(-20, 20))
@settings(max_examples=30, deadline=None)
def test_transposition_changes_no_measure(piece: NoteArray, steps: int) -> None:
    moved = NoteArray.of(piece.onset, piece.duration, piece.pitch + steps, piece.velocity)
    before, after = measure(piece), measure(moved)
    assert after.pitch_range == before.pitch_range
    assert after.pitch_classes == before.pitch_classes
    assert after.polyphony == pytest.approx(before.polyphony)


@given(pieces())
@settings(max_examples=30, deadline=None)
def test_a_piece_matches_itself(piece: NoteArray) -> None:
    assert note_match(piece, piece, length_tolerance=0.2).f1 == 1.0


def test_note_match_by_hand() -> None:
    reference = notes((0, 1, 60), (1, 1, 62), (2, 1, 64))
    found = notes((0.04, 0.2, 60), (1.2, 1, 62), (2, 1, 65), (2, 1, 64))
    loose = note_match(reference, found)
    assert loose.precision == pytest.approx(2 / 4)
    assert loose.recall == pytest.approx(2 / 3)
    assert loose.f1 == pytest.approx(4 / 7)
    assert note_match(reference, found, length_tolerance=0.2).f1 == pytest.approx(2 / 7)  # the first is too short
    assert note_match(reference, found, onset_tolerance=0.25).f1 == pytest.approx(6 / 7)


def test_a_note_is_matched_once() -> None:
    assert note_match(notes((0, 1, 60)), notes((0, 1, 60), (0.01, 1, 60))).precision == 0.5


def test_empty_pieces_match_only_each_other() -> None:
    assert note_match(EMPTY, EMPTY).f1 == 1.0
    assert note_match(EMPTY, CHORDS).f1 == 0.0
    assert note_match(CHORDS, EMPTY).f1 == 0.0


@pytest.mark.parametrize("tolerance", [-0.1, float("nan"), float("inf")])
def test_a_tolerance_that_is_none_is_refused(tolerance: float) -> None:
    with pytest.raises(UsageError, match="onset tolerance"):
        note_match(CHORDS, CHORDS, onset_tolerance=tolerance)


def test_real_clips_have_the_known_means(real_data: Path) -> None:
    found = [measure(clip.notes) for clip in read_emopia(real_data / "emopia")[::3]]
    assert np.mean([one.pitch_range for one in found]) == pytest.approx(50.9, abs=1.5)
    assert np.mean([one.pitch_classes for one in found]) == pytest.approx(8.5, abs=0.2)
    assert np.mean([one.polyphony for one in found]) == pytest.approx(5.9, abs=0.25)
