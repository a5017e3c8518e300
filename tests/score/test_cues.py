"""The melody and the pulse of pieces small enough to read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.score.cues import grid_steps, onset_pulse, top_line
from affectgen.score.notes import NoteArray


@st.composite
def pieces(draw: st.DrawFn, least: int = 0) -> NoteArray:
    """Notes on the judging grid, many struck together."""
    row = st.tuples(st.integers(0, 60), st.integers(1, 40), st.integers(21, 108), st.integers(1, 127))
    rows = np.array(draw(st.lists(row, min_size=least, max_size=40)), dtype=np.int64).reshape(-1, 4)
    return NoteArray.of(rows[:, 0] * 0.05, rows[:, 1] * 0.05, rows[:, 2], rows[:, 3])


def clicks(*onsets: float) -> NoteArray:
    return NoteArray.of(onsets, [0.05] * len(onsets), [60] * len(onsets), [64] * len(onsets))


def test_onsets_are_counted_in_steps_of_fifty_milliseconds() -> None:
    assert grid_steps(clicks(0.0, 0.02, 0.03, 1.0)).tolist() == [0, 0, 1, 20]


def test_the_top_line_leaves_out_what_lies_under_a_held_note() -> None:
    held = NoteArray.of([0, 0.5, 1.0, 2.0], [1.9, 0.4, 0.4, 0.5], [72, 60, 76, 60], [64] * 4)
    assert top_line(held).pitch.tolist() == [72, 76, 60]


def test_of_a_chord_the_highest_note_is_the_melody() -> None:
    chords = NoteArray.of([0, 0, 0, 1, 1], [1.0] * 5, [60, 67, 64, 48, 65], [1, 2, 3, 4, 5])
    line = top_line(chords)
    assert line.pitch.tolist() == [67, 65]
    assert line.velocity.tolist() == [2, 5]
    assert line.onset.tolist() == [0.0, 1.0]


def test_a_note_that_stops_where_the_next_begins_covers_nothing() -> None:
    meeting = NoteArray.of([0.0, 0.5], [0.5, 0.5], [72, 60], [64, 64])
    assert top_line(meeting).pitch.tolist() == [72, 60]
    longer = NoteArray.of([0.0, 0.5], [0.55, 0.5], [72, 60], [64, 64])
    assert top_line(longer).pitch.tolist() == [72]
    repeated = NoteArray.of([0.0, 0.5], [1.0, 0.5], [60, 60], [64, 64])
    assert top_line(repeated).pitch.tolist() == [60, 60], "a note of the same height hides none"


def test_no_notes_have_no_melody() -> None:
    assert len(top_line(clicks())) == 0


@given(pieces(least=1))
@settings(max_examples=60, deadline=None)
def test_a_melody_is_one_note_at_a_time_and_holds_the_highest(piece: NoteArray) -> None:
    line = top_line(piece)
    assert (np.diff(grid_steps(line)) > 0).all()
    assert line.pitch.max() == piece.pitch.max()
    assert line.onset[0] == piece.onset[0]
    rows = list(zip(grid_steps(piece), piece.duration, piece.pitch, strict=True))
    tops = {step: (step + duration / 0.05, pitch) for step, duration, pitch in rows}  # sorted: the highest comes last
    kept = set(grid_steps(line).tolist())
    for step, (_, pitch) in tops.items():
        over = [other for other, (stop, height) in tops.items() if other < step < stop - 0.5 and height > pitch]
        assert (step in kept) == (not over), "the tops of onsets hide lower ones while they sound"


@given(pieces(), st.integers(-12, 12))
@settings(max_examples=40, deadline=None)
def test_the_melody_moves_with_the_piece(piece: NoteArray, steps: int) -> None:
    moved = NoteArray.of(piece.onset, piece.duration, piece.pitch + steps, piece.velocity)
    assert top_line(moved).pitch.tolist() == (top_line(piece).pitch + steps).tolist()


@pytest.mark.parametrize("period", [0.25, 0.5, 1.0])
def test_the_pulse_of_even_clicks_is_clear(period: float) -> None:
    clarity, found, spread = onset_pulse(clicks(*np.arange(0, 40, period)))
    assert clarity > 0.8
    assert found == pytest.approx(period)
    assert spread > 0.1


def test_loose_clicks_have_a_faint_pulse() -> None:
    loose = np.sort(np.random.default_rng(1).uniform(0, 30, 60))
    assert onset_pulse(clicks(*loose))[0] < 0.5


@pytest.mark.parametrize("onsets", [(), (0.0,), (0.0, 0.5, 1.0), (0.0, 0.0, 0.0, 0.0, 0.5), (0.0, 0.05, 0.1, 0.15)])
def test_few_onsets_have_no_pulse(onsets: tuple[float, ...]) -> None:
    assert onset_pulse(clicks(*onsets)) == (0.0, 0.0, 0.0)


@given(pieces(least=8))
@settings(max_examples=40, deadline=None)
def test_the_pulse_is_an_autocorrelation(piece: NoteArray) -> None:
    """The same lag by lag: the sum of products over the sum of squares."""
    steps = grid_steps(piece)
    if len(np.unique(steps)) < 4:
        return
    counts = np.sqrt(np.bincount(steps))
    around = np.pad(counts, 1)
    smooth = (around[:-2] + 2 * around[1:-1] + around[2:]) / 4
    centred = smooth - smooth.mean()
    last = min(40, len(centred) - 1)
    expected = [centred[lag:] @ centred[:-lag] / (centred @ centred) for lag in range(4, last + 1)]
    clarity, period, spread = onset_pulse(piece)
    if not expected:
        assert (clarity, period, spread) == (0.0, 0.0, 0.0)
        return
    assert clarity == pytest.approx(max(expected), abs=1e-9)
    assert expected[round(period / 0.05) - 4] == pytest.approx(max(expected), abs=1e-9)
    assert spread == pytest.approx(np.std(expected), abs=1e-9)
