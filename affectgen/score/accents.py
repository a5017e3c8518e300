"""Accents: the onsets of a performance, and what each one says about its place in the bar.

A performance without a metre still shows it: beats are louder, lower, longer, thicker and change the harmony
(Temperley, The Cognition of Basic Musical Structures, 2001, ch. 2). A multinomial regression on eleven such measures,
fitted on the training clips of EMOPIA whose beats are known (`python -m affectgen.score.reference EMOPIA --fit`), gives
each onset log-odds for downbeat, other beat, off-beat eighth and off-beat sixteenth. `affectgen.score.pulse` adds them
up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.score.notes import NoteArray

JOIN_SECONDS = 0.05  # notes this close to the first of a group are one onset (a chord, slightly spread)
LOCAL_SECONDS = 2.5  # loudness, depth and length are seen against this much music to either side
CLASSES = ("downbeat", "beat", "eighth", "sixteenth")
PRIOR = (0.122, 0.331, 0.328, 0.220)  # share of each class among EMOPIA's onsets
# Rows: the eleven measures of `measure`, then the constant. Columns: CLASSES.
WEIGHTS = (
    (0.264, 0.271, -0.035, -0.500),
    (0.459, 0.200, -0.239, -0.420),
    (0.559, -0.123, -0.183, -0.252),
    (0.444, 0.030, -0.271, -0.203),
    (0.163, 0.187, 0.015, -0.365),
    (-0.161, 0.242, 0.149, -0.231),
    (0.475, 0.108, -0.118, -0.464),
    (0.545, -0.160, -0.224, -0.162),
    (0.138, 0.035, 0.004, -0.177),
    (0.159, 0.213, -0.032, -0.339),
    (0.302, 0.106, -0.093, -0.315),
    (-1.208, 0.604, 0.605, -0.001),
)


@dataclass(frozen=True)
class Onsets:
    """Groups of notes that start together.

    group: int64 [N], the group of each note; time: float64 [E], seconds, velocity-weighted mean of the group's onsets.
    """

    group: NDArray[np.int64]
    time: NDArray[np.float64]


@dataclass(frozen=True)
class Accents:
    """time: float64 [E], seconds, rising; odds: float64 [E, 4], log P(class | onset) - log P(class), by CLASSES."""

    time: NDArray[np.float64]
    odds: NDArray[np.float64]


def find_onsets(notes: NoteArray) -> Onsets:
    """Group the notes of a piece into onsets; a group spans JOIN_SECONDS at most."""
    group = np.zeros(len(notes), dtype=np.int64)
    first, count = notes.onset[0] if len(notes) else 0.0, 0
    for index, time in enumerate(notes.onset.tolist()):
        if time - first > JOIN_SECONDS:
            first, count = time, count + 1
        group[index] = count
    weight = notes.velocity.astype(np.float64)
    total = np.bincount(group, weights=weight)
    return Onsets(group, np.bincount(group, weights=weight * notes.onset) / np.maximum(total, 1e-9))


def hear_accents(notes: NoteArray) -> Accents:
    """The onsets of a piece with their log-odds for every place in the bar. `notes` must not be empty."""
    onsets = find_onsets(notes)
    table = np.array(WEIGHTS)  # [12, 4]
    logits = measure(notes, onsets) @ table[:-1] + table[-1]  # [E, 4]
    logits -= np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return Accents(onsets.time, logits - np.log(PRIOR))


def measure(notes: NoteArray, onsets: Onsets) -> NDArray[np.float64]:
    """What the regression sees of each onset, float64 [E, 11].

    Number of notes (log); loudest velocity, lowest pitch (upside down) and longest duration against their
    surroundings; rests after and before it against the local rest; change of harmony over 0.6 and over 1.5 s; whether
    it holds a bass note; rests to the next and since the last bass note.
    """
    starts = np.flatnonzero(np.diff(onsets.group, prepend=-1))
    loud = np.maximum.reduceat(notes.velocity, starts).astype(np.float64)
    low = np.minimum.reduceat(notes.pitch, starts).astype(np.float64)
    long = np.log(np.maximum.reduceat(notes.duration, starts) + 0.05)
    time = onsets.time
    rest_after = np.log(np.clip(np.append(np.diff(time), 1.0), 0.03, 3.0))
    rest_before = np.log(np.clip(np.append(1.0, np.diff(time)), 0.03, 3.0))
    near_rest = _surroundings(time, rest_after)[0]
    low_mean, low_spread = _surroundings(time, low)
    bass = low < low_mean - 0.3 * low_spread
    harmony = _harmony(notes, onsets)
    to_next, since_last = _bass_rests(time, bass)
    return np.stack([
        np.log(np.diff(np.append(starts, len(notes)))), _raised(time, loud, 3.0), (low_mean - low) / (low_spread + 3.0),
        _raised(time, long, 0.2), rest_after - near_rest, rest_before - near_rest, _change(time, harmony, 0.6),
        _change(time, harmony, 1.5), bass.astype(np.float64), to_next, since_last,
    ], axis=1)  # fmt: skip


def _surroundings(time: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Mean and standard deviation of `values` [E] within LOCAL_SECONDS of every onset."""
    first = np.searchsorted(time, time - LOCAL_SECONDS)
    stop = np.searchsorted(time, time + LOCAL_SECONDS, side="right")
    sums = np.concatenate([[0.0], np.cumsum(values)])
    squares = np.concatenate([[0.0], np.cumsum(values**2)])
    count = stop - first
    mean = (sums[stop] - sums[first]) / count
    return mean, np.sqrt(np.maximum((squares[stop] - squares[first]) / count - mean**2, 0.0))


def _raised(time: NDArray[np.float64], values: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """How far `values` [E] stand above their surroundings, in local standard deviations plus `floor`."""
    mean, spread = _surroundings(time, values)
    return (values - mean) / (spread + floor)


def _harmony(notes: NoteArray, onsets: Onsets) -> NDArray[np.float64]:
    """Running sum of pitch-class weight before each onset, [E + 1, 12]: velocity times the root of the duration."""
    weight = notes.velocity * np.sqrt(np.clip(notes.duration, 0.05, 2.0))
    count = len(onsets.time)
    flat = np.bincount(onsets.group * 12 + notes.pitch % 12, weights=weight, minlength=count * 12)
    return np.concatenate([np.zeros((1, 12)), np.cumsum(flat.reshape(count, 12), axis=0)])


def _change(time: NDArray[np.float64], harmony: NDArray[np.float64], span: float) -> NDArray[np.float64]:
    """Cosine distance [E] of the pitch classes in the `span` seconds before each onset and from it on."""
    here = np.arange(len(time))
    before = harmony[here] - harmony[np.searchsorted(time, time - span)]
    after = harmony[np.searchsorted(time, time + span)] - harmony[here]
    size = np.sqrt((before**2).sum(axis=1) * (after**2).sum(axis=1))
    return np.where(size > 0, 1.0 - (before * after).sum(axis=1) / np.maximum(size, 1e-9), 1.0)


def _bass_rests(time: NDArray[np.float64], bass: NDArray[np.bool_]) -> tuple[NDArray[np.float64], ...]:
    """Log seconds from each onset to the next bass onset and since the last; 2 s where there is none."""
    where = time[bass]
    at = np.cumsum(bass)  # bass onsets up to and with this one
    padded = np.concatenate([[-np.inf], where, [np.inf]])
    to_next = padded[at + 1] - time
    since_last = time - padded[at - bass]
    floor, ceiling = 0.05, 3.0
    return tuple(
        np.log(np.clip(np.where(np.isfinite(rest), rest, 2.0), floor, ceiling)) for rest in (to_next, since_last)
    )
