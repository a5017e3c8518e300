"""Key, chords and dissonance of notes in seconds: the statistics that carry valence. No trained parts, numpy only.

Pitch classes that sound together are looked up in tables over all 4,096 pitch-class sets, so a clip takes about 1 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from affectgen.score.keys import key_scores
from affectgen.score.notes import GRID_SECONDS, NoteArray

Floats = NDArray[np.float64]

# Pitch classes above the root; each is one share of the time in which at least three pitch classes sound.
CHORD_SHAPES: dict[str, tuple[int, ...]] = {
    "major": (0, 4, 7),
    "minor": (0, 3, 7),
    "diminished": (0, 3, 6),
    "suspended": (0, 5, 7),  # as a set also the suspended second of another root
    "major_seventh": (0, 4, 7, 11),
    "dominant_seventh": (0, 4, 7, 10),
    "minor_seventh": (0, 3, 7, 10),  # as a set also the major sixth
    "added_ninth": (0, 2, 4, 7),
    "minor_ninth": (0, 2, 3, 7),
}
WINDOW_SECONDS = 1.0  # one triad is estimated for each window: about two beats


@dataclass(frozen=True)
class KeyFit:
    """A key estimate with its certainty.

    tonic: 0-11 (0 = C); minor: mode; fit: best correlation; major_score: best major key minus best minor key.
    """

    tonic: int
    minor: bool
    fit: float
    major_score: float


@cache
def _chord_table() -> NDArray[np.int64]:
    """For each pitch-class set (bit k = pitch class k sounds): 1 + index into CHORD_SHAPES, or 0. int64 [4096]."""
    table = np.zeros(4096, dtype=np.int64)
    for index, shape in enumerate(CHORD_SHAPES.values()):
        for root in range(12):
            table[sum(1 << ((root + step) % 12) for step in shape)] = index + 1
    return table


@cache
def _interval_table() -> Floats:
    """Interval-class counts (minor second ... tritone) of each pitch-class set, float64 [4096, 6]."""
    bits = (np.arange(4096)[:, None] >> np.arange(12)) & 1  # [4096, 12]
    counts = [(bits * np.roll(bits, -step, axis=1)).sum(axis=1) for step in range(1, 7)]
    table = np.stack(counts, axis=1).astype(np.float64)
    table[:, 5] /= 2  # each tritone is met from both ends
    return table


@cache
def _triads() -> Floats:
    """Unit-length triad templates, float64 [24, 12]: twelve major, then twelve minor."""
    table = np.zeros((24, 12))
    for root in range(12):
        table[root, [root, (root + 4) % 12, (root + 7) % 12]] = 1.0
        table[12 + root, [root, (root + 3) % 12, (root + 7) % 12]] = 1.0
    return table / np.sqrt(3.0)


def pitch_class_weights(notes: NoteArray) -> Floats:
    """Seconds that each pitch class sounds, float64 [12]; all zero for an empty piece."""
    return np.bincount(notes.pitch % 12, weights=notes.duration, minlength=12).astype(np.float64)


def key_of(weights: Floats) -> KeyFit:
    """Krumhansl-Schmuckler key of pitch-class weights [12]; weights that are all alike give C major with fit 0."""
    fits = key_scores(weights)  # [2, 12]
    mode, tonic = divmod(int(fits.argmax()), 12)
    return KeyFit(tonic, mode == 1, float(fits.max()), float(fits[0].max() - fits[1].max()))


def sounding_roll(notes: NoteArray, step: float = GRID_SECONDS) -> NDArray[np.bool_]:
    """Which keys are down: bool [steps, 128], one row for each `step` seconds up to the end of the piece."""
    start = np.round(notes.onset / step).astype(np.int64)
    stop = np.maximum(np.round((notes.onset + notes.duration) / step).astype(np.int64), start + 1)
    steps = int(stop.max()) if len(notes) else 0
    size = (steps + 1) * 128
    change = np.bincount(start * 128 + notes.pitch, minlength=size)
    change -= np.bincount(stop * 128 + notes.pitch, minlength=size)
    return np.cumsum(change.astype(np.int16).reshape(-1, 128), axis=0, dtype=np.int16)[:-1] > 0


def pitch_class_sets(roll: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The set of sounding pitch classes of each step as a 12-bit number, int64 [steps]."""
    padded = np.zeros((len(roll), 132), dtype=bool)
    padded[:, :128] = roll
    classes = padded.reshape(len(roll), 11, 12).any(axis=1)  # [steps, 12]
    return (classes @ (1 << np.arange(12))).astype(np.int64)


def chord_shares(sets: NDArray[np.int64]) -> Floats:
    """Share of each CHORD_SHAPES entry in the steps where at least three pitch classes sound, float64 [9]."""
    size = _interval_table()[sets].sum(axis=1)  # three pitch classes make three intervals
    kinds = _chord_table()[sets][size >= 3]
    counts = np.bincount(kinds, minlength=1 + len(CHORD_SHAPES))[1:].astype(np.float64)
    return counts / max(1, len(kinds))


def interval_shares(sets: NDArray[np.int64]) -> Floats:
    """Shares of the six interval classes among the intervals that sound together, float64 [6]; zeros if none."""
    counts = _interval_table()[sets].sum(axis=0)
    return counts / max(1.0, float(counts.sum()))


def window_triads(notes: NoteArray, tonic: int = 0, seconds: float = WINDOW_SECONDS) -> NDArray[np.int64]:
    """The best-fitting triad in each window with notes, int64 [windows]: 0-11 major, 12-23 minor.

    The root is counted from `tonic` up, so that ties fall alike in every transposition. A note counts in the window it
    starts in and in the later ones it rings into, by its seconds there.
    """
    if not len(notes):
        return np.zeros(0, dtype=np.int64)
    windows = int(np.ceil(notes.end / seconds - 1e-9))
    edges = np.arange(windows) * seconds
    stop = notes.onset + notes.duration
    inside = np.minimum(stop[None], edges[:, None] + seconds) - np.maximum(notes.onset[None], edges[:, None])
    chroma = np.clip(inside, 0.0, None) @ np.eye(12)[(notes.pitch - tonic) % 12]  # [windows, 12]
    heard = chroma[chroma.sum(axis=1) > 0]
    return np.round(heard @ _triads().T, 9).argmax(axis=1)
