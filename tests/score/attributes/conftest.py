"""Scores by hand for the attributes, in quarter notes of half a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from affectgen.score.attributes.ticks import TickNotes, to_ticks
from affectgen.score.notes import NoteArray

Rows = Sequence[Sequence[float]]


def notes_of(rows: Rows) -> NoteArray:
    """Rows of (onset, length, pitch[, velocity]), times in quarter notes; velocity 64 where none is given."""
    full = [(*row, 64)[:4] for row in rows]
    onset, length, pitch, velocity = zip(*full, strict=True) if full else ((), (), (), ())
    return NoteArray.of([t / 2 for t in onset], [t / 2 for t in length], pitch, velocity)


@pytest.fixture(scope="session")
def play() -> Callable[[Rows], NoteArray]:
    return notes_of


@pytest.fixture(scope="session")
def ticks() -> Callable[[Rows], TickNotes]:
    return lambda rows: to_ticks(notes_of(rows))


@pytest.fixture(scope="session")
def line() -> Callable[[Sequence[int]], TickNotes]:
    """Pitches one after the other, a quarter note each."""
    return lambda pitches: to_ticks(notes_of([(k, 1, pitch) for k, pitch in enumerate(pitches)]))
