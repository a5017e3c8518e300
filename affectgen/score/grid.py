"""Notes on a metrical grid: sixteenths of 4/4 bars, with tempo, chords and key. What tokens are written from and to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from affectgen.score.keys import Key
from affectgen.score.notes import NoteArray, until_struck_again

BEAT = 4  # sixteenths in a beat
BAR = 16  # sixteenths in a bar; every piece is written in 4/4


@dataclass(frozen=True)
class Chord:
    """A chord symbol: root as pitch class 0-11, quality one of `affectgen.score.chords.QUALITIES`."""

    root: int
    quality: str


@dataclass(frozen=True)
class Timing:
    """When the notes of a score are played: onset and duration [N] in seconds, in the score's order."""

    onset: NDArray[np.float64]
    duration: NDArray[np.float64]


@dataclass(frozen=True)
class GridScore:
    """A piece on the sixteenth grid.

    start, length: int64 [N], sixteenths from the first bar line, length >= 1; pitch [N] 0-127; velocity [N] 1-127,
    sorted by (start, pitch). tempo: float64 [B], beats per minute of each beat, above 0, B = 4 * bars.
    chords: one per beat, None where there is none. key: tonic and mode. bars >= 1.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    tempo: NDArray[np.float64]
    chords: tuple[Chord | None, ...]
    key: Key
    bars: int

    def __len__(self) -> int:
        return len(self.start)

    def line_seconds(self) -> NDArray[np.float64]:
        """Seconds of every sixteenth from 0 to the final bar line, float64 [16 * bars + 1]."""
        steps = np.repeat(60.0 / self.tempo / BEAT, BEAT)
        return np.concatenate([[0.0], np.cumsum(steps)])

    def seconds_at(self, sixteenth: NDArray[np.int64]) -> NDArray[np.float64]:
        """Seconds of the given sixteenths; past the final bar line time goes on at the last tempo."""
        lines = self.line_seconds()
        inside = lines[np.minimum(sixteenth, len(lines) - 1)]
        beyond = np.maximum(sixteenth - (len(lines) - 1), 0) * (60.0 / self.tempo[-1] / BEAT)
        return inside + beyond

    def to_notes(self, timing: Timing | None = None) -> NoteArray:
        """The same notes in seconds, as written or as played."""
        if timing is not None:
            return NoteArray.of(timing.onset, timing.duration, self.pitch, self.velocity)
        onset = self.seconds_at(self.start)
        return NoteArray.of(onset, self.seconds_at(self.start + self.length) - onset, self.pitch, self.velocity)

    def bar_notes(self, first: int, stop: int, timing: Timing | None = None) -> NoteArray:
        """The notes that start in bars [first, stop), as written or as played, in seconds from that bar line; those
        that a performer plays before it start at 0, and those whose key is struck again end there, as in a file."""
        inside = (self.start >= BAR * first) & (self.start < BAR * stop)
        onset = self.seconds_at(self.start) if timing is None else timing.onset
        length = self.seconds_at(self.start + self.length) - onset if timing is None else timing.duration
        length = until_struck_again(onset, length, self.pitch)
        zero = float(self.seconds_at(np.array([BAR * first]))[0])
        return NoteArray.of(
            np.maximum(onset[inside] - zero, 0.0), length[inside], self.pitch[inside], self.velocity[inside]
        )

    @property
    def seconds(self) -> float:
        """Seconds from the first to the final bar line."""
        return float(self.line_seconds()[-1])

    def take_bars(self, first: int, stop: int) -> GridScore:
        """Bars [first, stop) as a piece of its own; notes ringing past the cut keep their length."""
        stop = min(stop, self.bars)
        kept = (self.start >= first * BAR) & (self.start < stop * BAR)
        beats = slice(first * BEAT, stop * BEAT)
        return replace(
            self, start=self.start[kept] - first * BAR, length=self.length[kept], pitch=self.pitch[kept],
            velocity=self.velocity[kept], tempo=self.tempo[beats], chords=self.chords[beats], bars=stop - first,
        )


def make_grid(
    notes: NDArray[np.int64], tempo: NDArray[np.float64], chords: tuple[Chord | None, ...], key: Key
) -> GridScore:
    """Build a sorted score from rows [N, 4] of (start, length, pitch, velocity).

    One note per (start, pitch) survives, the longest; lengths under one sixteenth become one. The piece ends with the
    bar in which the last note starts; tempo and chords are cut or continued to it.
    """
    bars = int(notes[:, 0].max()) // BAR + 1 if len(notes) else 1
    order = np.lexsort((-notes[:, 1], notes[:, 2], notes[:, 0]))
    rows = notes[order]
    if len(rows):
        first = np.ones(len(rows), dtype=bool)
        first[1:] = (np.diff(rows[:, 0]) != 0) | (np.diff(rows[:, 2]) != 0)
        rows = rows[first]
    beats = bars * BEAT
    held = np.concatenate([tempo, np.full(max(0, beats - len(tempo)), tempo[-1])])[:beats]
    symbols = (chords + (chords[-1:] or (None,)) * max(0, beats - len(chords)))[:beats]
    return GridScore(
        rows[:, 0], np.maximum(rows[:, 1], 1), rows[:, 2], np.clip(rows[:, 3], 1, 127), held, symbols, key, bars
    )
