"""Cues that several measurements of notes in seconds share: the melody, and how clear a pulse is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affectgen.score.notes import GRID_SECONDS, NoteArray


def grid_steps(notes: NoteArray) -> NDArray[np.int64]:
    """Onsets in steps of the judging grid, int64 [N]."""
    return np.round(notes.onset / GRID_SECONDS).astype(np.int64)


def top_line(notes: NoteArray) -> NoteArray:
    """The melody by the skyline rule: the highest note of each onset, unless a higher one of an earlier onset's highest
    still sounds there."""
    if not len(notes):
        return notes
    last = np.flatnonzero(np.diff(grid_steps(notes), append=np.iinfo(np.int64).max) > 0)  # the highest of each onset
    line = NoteArray(notes.onset[last], notes.duration[last], notes.pitch[last], notes.velocity[last])
    stop = line.onset + line.duration - GRID_SECONDS / 2
    earlier = np.tri(len(line), k=-1, dtype=bool)  # [i, j]: note j starts before note i
    covered = earlier & (stop[None] > line.onset[:, None]) & (line.pitch[None] > line.pitch[:, None])
    uncovered: NDArray[np.bool_] = np.asarray(~covered.any(axis=1))
    return line.pick(uncovered)


def onset_pulse(notes: NoteArray) -> tuple[float, float, float]:
    """How clear a pulse is (highest autocorrelation of the onset counts at lags of 0.2-2 s), its period in seconds, and
    the spread of the autocorrelation; zeros for fewer than four onsets."""
    steps = grid_steps(notes)
    if len(np.unique(steps)) < 4:
        return 0.0, 0.0, 0.0
    counts = np.sqrt(np.bincount(steps).astype(np.float64))
    smooth = np.convolve(counts, (0.25, 0.5, 0.25), mode="same")  # a performer is off the grid by a step
    centred = smooth - smooth.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    lags = np.fft.irfft(power)[: len(centred)]
    chosen = lags[4:41] / max(float(lags[0]), 1e-9)
    if not len(chosen):
        return 0.0, 0.0, 0.0
    period = float((4 + chosen.argmax()) * GRID_SECONDS)
    return float(chosen.max()), period, float(chosen.std())
