"""A performance and its quantised copy side by side: which played note is which written one.

EMOPIA's beat files were made from its raw ones by quantising; on the way velocities were floored at 40 and durations
cut at a bar. The written notes get back what was played, and the deviations from the grid can be learned.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affectgen.score.grid import BEAT, GridScore
from affectgen.score.notes import NoteArray

FAR = 0.25  # seconds: a pair farther than this from the common time map is no pair
NEAR = 0.15
LONGEST = 32  # sixteenths


def match_notes(score: GridScore, played: NoteArray) -> NDArray[np.int64]:
    """For each written note the index of the played one, int64 [N], -1 where there is none.

    Pitches with as many notes on either side are paired in order; they give a time map, by which the rest is paired.
    """
    found = np.full(len(score), -1, dtype=np.int64)
    for pitch in np.unique(score.pitch):
        written, sounded = np.flatnonzero(score.pitch == pitch), np.flatnonzero(played.pitch == pitch)
        if len(written) == len(sounded):
            found[written] = sounded
    lines = time_map(score, played, found)
    if lines is None:
        return np.full(len(score), -1, dtype=np.int64)
    expected = np.interp(score.start, np.arange(len(lines)), lines)
    paired = found >= 0
    off = np.abs(played.onset[found[paired]] - expected[paired]) > FAR
    found[np.flatnonzero(paired)[off]] = -1
    free = np.ones(len(played), dtype=bool)
    free[found[found >= 0]] = False
    for note in np.flatnonzero(found < 0):
        near = free & (played.pitch == score.pitch[note]) & (np.abs(played.onset - expected[note]) < NEAR)
        if near.any():
            index = int(np.flatnonzero(near)[np.abs(played.onset[near] - expected[note]).argmin()])
            found[note], free[index] = index, False
    return found


def time_map(
    score: GridScore, played: NoteArray, found: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Seconds in the performance of every sixteenth [16 * bars + 1], from the median of matched onsets; None if few."""
    paired = found >= 0
    if paired.sum() < 4:
        return None
    places = np.unique(score.start[paired])
    onsets = played.onset[found[paired]]
    seconds = np.array([np.median(onsets[score.start[paired] == place]) for place in places])
    grid = score.line_seconds()[np.minimum(places, 16 * score.bars)]
    drift = seconds - grid  # the file's own tempo map, corrected by a running median of what was played
    smooth = np.array([np.median(drift[max(0, i - 4) : i + 5]) for i in range(len(drift))])
    lines = score.line_seconds()
    return lines + np.interp(np.arange(len(lines)), places, smooth)


def as_played(score: GridScore, played: NoteArray) -> GridScore:
    """The written piece with the velocities and lengths that were played, where a written note has its played one."""
    found = match_notes(score, played)
    paired = np.flatnonzero(found >= 0)
    if not len(paired):
        return score
    velocity, length = score.velocity.copy(), score.length.copy()
    velocity[paired] = played.velocity[found[paired]]
    beat = np.minimum(score.start[paired] // BEAT, len(score.tempo) - 1)
    sixteenths = played.duration[found[paired]] * score.tempo[beat] * BEAT / 60
    length[paired] = np.clip(np.round(sixteenths), 1, LONGEST).astype(np.int64)
    return replace(score, velocity=velocity, length=length)
