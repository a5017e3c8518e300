"""What can be counted in a piece without any model: MusPy's pitch measures, velocity, density, and note F1.

Pitch range, pitch classes used and polyphony follow MusPy's definitions (Dong et al., ISMIR 2020), written anew for
notes in seconds. MusPy samples polyphony at ticks; here it is exact in time, which is the limit of ever finer ticks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from affectgen.errors import UsageError
from affectgen.score.notes import NoteArray

ONSET_TOLERANCE = 0.05  # seconds, as in MIREX note tracking
LENGTH_TOLERANCE = 0.2  # of the reference's length, and never under the onset tolerance (MIREX)


@dataclass(frozen=True)
class Measures:
    """Of one piece. pitch_range: semitones; pitch_classes: 0-12; polyphony: mean pitches sounding while any sounds;
    velocity: mean, 1-127; density: notes per second.
    """

    pitch_range: float
    pitch_classes: float
    polyphony: float
    velocity: float
    density: float


@dataclass(frozen=True)
class NoteMatch:
    """precision, recall and F1 of a piece against a reference, 0-1."""

    precision: float
    recall: float
    f1: float


def pitch_range(notes: NoteArray) -> int:
    """Highest minus lowest pitch in semitones; 0 for an empty piece."""
    return int(np.ptp(notes.pitch)) if len(notes) else 0


def pitch_classes_used(notes: NoteArray) -> int:
    """How many of the twelve pitch classes occur."""
    return len(np.unique(notes.pitch % 12))


def _sounding_seconds(notes: NoteArray) -> float:
    """Seconds in which at least one of the notes sounds."""
    if not len(notes):
        return 0.0
    stop = np.maximum.accumulate(notes.onset + notes.duration)  # notes are sorted by onset
    return float((stop[-1] - notes.onset[0]) - np.clip(notes.onset[1:] - stop[:-1], 0.0, None).sum())


def polyphony(notes: NoteArray) -> float:
    """Mean number of different pitches sounding, over the time in which any sounds; 0 for an empty piece."""
    total = _sounding_seconds(notes)
    if total <= 0:
        return 0.0
    return sum(_sounding_seconds(notes.pick(notes.pitch == pitch)) for pitch in np.unique(notes.pitch)) / total


def measure(notes: NoteArray) -> Measures:
    """All measures of one piece, over its whole length."""
    if not len(notes):
        return Measures(0.0, 0.0, 0.0, 0.0, 0.0)
    seconds = max(notes.end - float(notes.onset[0]), 1e-3)
    return Measures(
        pitch_range=float(pitch_range(notes)),
        pitch_classes=float(pitch_classes_used(notes)),
        polyphony=polyphony(notes),
        velocity=float(notes.velocity.mean()),
        density=len(notes) / seconds,
    )


def note_match(
    reference: NoteArray,
    found: NoteArray,
    onset_tolerance: float = ONSET_TOLERANCE,
    length_tolerance: float | None = None,
) -> NoteMatch:
    """How well `found` gives the notes of `reference` back: same pitch, onset within `onset_tolerance` seconds.

    With `length_tolerance` (a share of the reference's length) the length must fit as well. Every note is matched at
    most once: in time order, to the earliest unmatched one that fits. Two empty pieces match perfectly.
    """
    if not (np.isfinite(onset_tolerance) and onset_tolerance >= 0):
        raise UsageError(f"The onset tolerance is {onset_tolerance}; seconds from 0 up were expected.", "Try 0.05.")
    if not len(reference) or not len(found):
        both = float(len(reference) == len(found))
        return NoteMatch(both, both, both)
    shared = np.intersect1d(reference.pitch, found.pitch)
    hits = sum(
        _matches(
            reference.pick(reference.pitch == pitch),
            found.pick(found.pitch == pitch),
            onset_tolerance,
            length_tolerance,
        )
        for pitch in shared
    )
    return NoteMatch(hits / len(found), hits / len(reference), 2 * hits / (len(found) + len(reference)))


def _matches(reference: NoteArray, found: NoteArray, onset: float, length: float | None) -> int:
    """Notes of one pitch matched one to one."""
    fits = np.abs(reference.onset[:, None] - found.onset[None]) <= onset + 1e-9  # [reference, found]
    if length is not None:
        allowed = np.maximum(length * reference.duration, onset)[:, None]
        fits &= np.abs(reference.duration[:, None] - found.duration[None]) <= allowed + 1e-9
    free = np.ones(len(found), dtype=bool)
    hits = 0
    for row in fits:
        candidates = np.flatnonzero(row & free)
        if len(candidates):
            free[candidates[0]] = False
            hits += 1
    return hits
