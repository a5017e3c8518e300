"""The time base of the attributes: a quarter note is 0.5 s (nominal 120 BPM, as in EMOPIA's raw files), 384 ticks.

EmoGen's thresholds come from files whose tempo is a dummy, so their "quarter notes" are half seconds. The same holds
here for every corpus, whatever its own tempo: an attribute in quarter notes is one in seconds, times 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.score.notes import NoteArray

QUARTER_SECONDS = 0.5
QUARTER_TICKS = 384  # resolution of EMOPIA's files
SECOND_TICKS = 768

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Values = dict[str, float]


@dataclass(frozen=True)
class TickNotes:
    """Notes of a piece on the time base, sorted by onset, then pitch.

    start, stop: int64 [N], ticks, stop > start; pitch: int64 [N], MIDI 0-127; velocity: int64 [N], 1-127;
    group: int64 [N], which onset of the piece a note belongs to, counted from 0; first: int64 [onsets], the index of
    the first note of each.
    """

    start: Ints
    stop: Ints
    pitch: Ints
    velocity: Ints
    group: Ints
    first: Ints

    def __len__(self) -> int:
        return len(self.start)

    @property
    def end(self) -> int:
        """Ticks from 0 to where the last note stops; 0 for an empty piece."""
        return int(self.stop.max()) if len(self) else 0

    @property
    def quarters(self) -> Floats:
        """Lengths of the notes in quarter notes, float64 [N]."""
        return (self.stop - self.start) / QUARTER_TICKS


def to_ticks(notes: NoteArray) -> TickNotes:
    """Round onsets and ends to ticks; every note lasts a tick at least."""
    start = np.round(notes.onset * SECOND_TICKS).astype(np.int64)
    stop = np.round((notes.onset + notes.duration) * SECOND_TICKS).astype(np.int64)
    order = np.lexsort((notes.velocity, stop, notes.pitch, start))  # all fields, so that the order given is no matter
    start, stop = start[order], np.maximum(stop, start + 1)[order]
    fresh = np.diff(start, prepend=-1) > 0
    first = np.flatnonzero(fresh)
    return TickNotes(start, stop, notes.pitch[order], notes.velocity[order], np.cumsum(fresh) - 1, first)


def share(mask: NDArray[np.bool_]) -> float:
    """How many are true, as a fraction; 0 of none."""
    return float(np.count_nonzero(mask)) / len(mask) if len(mask) else 0.0


def ratio(part: float, whole: float) -> float:
    """part / whole, and 0 where the whole is 0, as EmoGen has it."""
    return float(part) / float(whole) if whole else 0.0


def spread(values: Floats | Ints) -> float:
    """Standard deviation of a sample (n - 1); 0 of fewer than two values."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
