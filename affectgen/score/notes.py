"""Notes in seconds: what was played, without any metre. Every recogniser and measurement reads this form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Times = TypeVar("Times", NDArray[np.float64], NDArray[np.int64])  # seconds, or ticks
GRID_SECONDS = 0.05  # judging grid: hides whether a piece was quantised to sixteenths
CLIP_SECONDS = 30.0  # judging length: EMOPIA's clips are 30-40 s


def until_struck_again(onset: Times, duration: Times, pitch: NDArray[np.int64]) -> Times:
    """Durations [N] of notes that end where their key is struck again, as on a piano, in the order given.

    MIDI pairs the ends of a key's notes in no agreed way, so files hold notes that are cut like this.
    """
    order = np.lexsort((onset, pitch))
    begin, rings, key = onset[order], duration[order], pitch[order]
    again = np.flatnonzero((key[1:] == key[:-1]) & (begin[1:] > begin[:-1]))
    rings[again] = np.minimum(rings[again], begin[again + 1] - begin[again])
    found = duration.copy()
    found[order] = rings
    return found


@dataclass(frozen=True)
class NoteArray:
    """Notes of one piece, sorted by onset, then pitch.

    onset, duration: float64 [N], seconds, onset >= 0, duration > 0; pitch: int64 [N], MIDI 0-127;
    velocity: int64 [N], 1-127.
    """

    onset: NDArray[np.float64]
    duration: NDArray[np.float64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]

    @classmethod
    def of(cls, onset: object, duration: object, pitch: object, velocity: object) -> NoteArray:
        """Build from any sequences of equal length: converted, sorted by (onset, pitch)."""
        start = np.asarray(onset, dtype=np.float64).reshape(-1)
        key = np.asarray(pitch, dtype=np.int64).reshape(-1)
        order = np.lexsort((key, start))
        length = np.asarray(duration, dtype=np.float64).reshape(-1)
        force = np.asarray(velocity, dtype=np.int64).reshape(-1)
        if not len(start) == len(length) == len(key) == len(force):
            raise ValueError(f"note fields differ in length: {len(start)}, {len(length)}, {len(key)}, {len(force)}")
        return cls(start[order], length[order], key[order], force[order])

    def __len__(self) -> int:
        return len(self.onset)

    @property
    def end(self) -> float:
        """Seconds at which the last note stops; 0 for an empty piece."""
        return float((self.onset + self.duration).max()) if len(self) else 0.0

    def pick(self, chosen: NDArray[np.bool_]) -> NoteArray:
        """The notes where `chosen` [N] is true."""
        return NoteArray(self.onset[chosen], self.duration[chosen], self.pitch[chosen], self.velocity[chosen])

    def from_zero(self) -> NoteArray:
        """Shifted so that the first note starts at 0 s."""
        if not len(self):
            return self
        return NoteArray(self.onset - self.onset[0], self.duration, self.pitch, self.velocity)

    def cut(self, seconds: float = CLIP_SECONDS) -> NoteArray:
        """Notes that start before `seconds`; those that ring past it are shortened to it."""
        kept = self.pick(self.onset < seconds)
        length = np.minimum(kept.duration, seconds - kept.onset)
        return NoteArray(kept.onset, length, kept.pitch, kept.velocity)

    def between(self, start: float, stop: float) -> NoteArray:
        """Notes that start in [start, stop), moved so that `start` becomes 0 s."""
        kept = self.pick((self.onset >= start) & (self.onset < stop))
        return NoteArray(kept.onset - start, kept.duration, kept.pitch, kept.velocity)

    def on_grid(self, step: float = GRID_SECONDS) -> NoteArray:
        """Onsets and ends rounded to multiples of `step` seconds, every note at least one step long."""
        start = np.round(self.onset / step)
        stop = np.maximum(np.round((self.onset + self.duration) / step), start + 1)
        return NoteArray.of(start * step, (stop - start) * step, self.pitch, self.velocity)

    def for_judging(self) -> NoteArray:
        """The form every recogniser reads: from the first note, 30 s, on the 50 ms grid (design, section 6)."""
        return self.from_zero().cut().on_grid()
