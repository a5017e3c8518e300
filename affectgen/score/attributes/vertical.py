"""Attributes of what sounds together: intervals between pairs of pitches, and chords, weighted by how long they sound.

A sweep over all onsets and ends: between two of them nothing changes, so a stretch counts with its length in ticks.
Definitions after the manual of jSymbolic 2.2 (McKay et al., ISMIR 2018), "features based on chords and vertical
intervals".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from affectgen.score.attributes.ticks import QUARTER_TICKS, Floats, Ints, TickNotes, Values, ratio

BINS = (1, 7, 9, 13, 16, 22, 31, 34, 36, 38, 39, 40, 43, 44, 48, 51)  # of the vertical interval histogram, semitones
PERFECT = (0, 5, 7)  # semitones within the octave
DISSONANT = (1, 2, 6, 10, 11)
MINOR, MAJOR = (0, 3, 7), (0, 4, 7)
MINOR_SEVENTH, DOMINANT_SEVENTH, MAJOR_SEVENTH = (0, 3, 7, 10), (0, 4, 7, 10), (0, 4, 7, 11)


@dataclass(frozen=True)
class Stretches:
    """Stretches of time in which the same notes sound.

    length: float64 [S], ticks; attacked: bool [S], whether notes start with the stretch; sounding: bool [S, 128];
    force: float64 [S, 128], velocity of each sounding pitch (of a pitch struck again before it ended, of all its notes
    together).
    """

    length: Floats
    attacked: NDArray[np.bool_]
    sounding: NDArray[np.bool_]
    force: Floats


def vertical_attributes(notes: TickNotes) -> Values:
    """Attributes 30-57."""
    found = find_stretches(notes)
    return _intervals(found) | _chords(found)


def find_stretches(notes: TickNotes) -> Stretches:
    """The stretches of a piece from its first onset to its last end, in order; silence among them has no pitches."""
    times = np.unique(np.concatenate([notes.start, notes.stop]))
    if not len(times):
        return Stretches(np.zeros(0), np.zeros(0, dtype=bool), np.zeros((0, 128), dtype=bool), np.zeros((0, 128)))
    first = np.searchsorted(times, notes.start)
    begin = first * 128 + notes.pitch
    end = np.searchsorted(times, notes.stop) * 128 + notes.pitch
    force = notes.velocity.astype(np.float64)  # whole numbers: sums and differences are exact
    size = len(times) * 128
    change = np.bincount(begin, force, minlength=size) - np.bincount(end, force, minlength=size)
    held = np.cumsum(change.reshape(-1, 128), axis=0)[:-1]
    attacked = np.bincount(first, minlength=len(times))[:-1] > 0
    return Stretches(np.diff(times).astype(np.float64), attacked, held > 0, held)


def interval_weights(found: Stretches) -> Floats:
    """How much two pitches a number of semitones apart sound together, float64 [128]; [0] is 0.

    A pair counts with the ticks that it sounds times the mean velocity of its two notes. Without the velocities ten
    of the sixteen intervals miss EmoGen's thresholds over EMOPIA by more than 3 %, with them six.
    """
    heard = np.flatnonzero(found.sounding.any(axis=0))  # of 128 pitches a piece has some dozens
    plain = found.sounding[:, heard].astype(np.float64)
    pairs = (found.force[:, heard] * found.length[:, None]).T @ plain  # [P, P]; plus its transpose, both velocities
    size = np.abs(np.subtract.outer(heard, heard))
    weights = np.bincount(size.ravel(), weights=pairs.ravel(), minlength=128) / 2
    weights[0] = 0.0
    return weights


def _intervals(found: Stretches) -> Values:
    weights = interval_weights(found)
    total = float(weights.sum())
    wrapped = np.bincount(np.arange(128) % 12, weights=weights)
    values = {f"vertical_interval_histogram_{size}": ratio(weights[size], total) for size in BINS}
    values["wrapped_vertical_interval_histogram_0"] = ratio(wrapped[0], total)
    values["wrapped_vertical_interval_histogram_9"] = ratio(wrapped[9], total)
    values["prevalence_of_most_common_vertical_interval"] = ratio(wrapped.max(), total)
    values["perfect_vertical_intervals"] = ratio(wrapped[list(PERFECT)].sum(), total)
    harsh = float(wrapped[list(DISSONANT)].sum())
    values["vertical_dissonance_ratio"] = ratio(harsh, total - harsh)
    return values


def _chords(found: Stretches) -> Values:
    voices = found.sounding.sum(axis=1)
    sets = class_sets(found.sounding)
    size = np.bitwise_count(sets)
    chordal = size >= 2
    total = float(found.length[chordal].sum())

    def part(shape: tuple[int, ...]) -> float:
        return float(found.length[np.isin(sets, rotations(shape))].sum())

    minor, major, minor_seventh = part(MINOR), part(MAJOR), part(MINOR_SEVENTH)
    sevenths = minor_seventh + part(DOMINANT_SEVENTH) + part(MAJOR_SEVENTH)
    return {
        "chord_type_histogram_1": ratio(minor, total),
        "chord_type_histogram_2": ratio(major, total),
        "chord_type_histogram_6": ratio(minor_seventh, total),
        "average_number_of_simultaneous_pitches": ratio((voices * found.length).sum(), found.length[voices > 0].sum()),
        "chord_duration": _chord_duration(found, size),
        "seventh_chords": ratio(sevenths, total),
        "minor_major_triad_ratio": ratio(minor, major),
    }


def _chord_duration(found: Stretches, size: Ints) -> float:
    """Mean length in quarter notes of chords of three or four pitch classes, each lasting until the next attack.

    jSymbolic's own rule for where a chord ends is not known here. Of some dozens of plain rules this one was taken as
    it meets EmoGen's threshold of 0.32; with a chord for each set of pitch classes the median over EMOPIA is 0.46, for
    each set of pitches 0.20.
    """
    chordal = (size == 3) | (size == 4)
    entered = chordal & ~np.concatenate([[False], chordal[:-1]])
    starts = float(np.count_nonzero(chordal & (found.attacked | entered)))
    return ratio(float(found.length[chordal].sum()) / QUARTER_TICKS, starts)


def class_sets(sounding: NDArray[np.bool_]) -> Ints:
    """Sets of pitch classes as int64 [S], bit k for class k, of pitches bool [S, 128]."""
    padded = np.pad(sounding, ((0, 0), (0, 4))).reshape(-1, 11, 12).any(axis=1)
    return padded @ (1 << np.arange(12))


@cache
def rotations(shape: tuple[int, ...]) -> Ints:
    """The twelve transpositions of a chord as sets, int64 [12]; `shape` in semitones above the root."""
    return (1 << (np.arange(12)[:, None] + np.array(shape)) % 12).sum(axis=1)
