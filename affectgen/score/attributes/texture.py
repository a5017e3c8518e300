"""Attributes of texture, the motion of voices against one another, and of dynamics.

Definitions after the manual of jSymbolic 2.2 (McKay et al., ISMIR 2018), "features based on texture" and "dynamics".
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from affectgen.score.attributes.ticks import QUARTER_TICKS, Floats, Ints, TickNotes, Values, ratio, spread

TOGETHER = QUARTER_TICKS // 4  # onsets within a sixteenth note of the first one of them make one chord


def texture_attributes(notes: TickNotes) -> Values:
    """Attributes 96-99."""
    change = np.abs(np.diff(notes.velocity))
    return {
        "relative_note_density_of_highest_line": _density_of_highest_line(notes),
        "contrary_motion": _contrary_motion(notes),
        "variation_of_dynamics": spread(notes.velocity),
        "average_note_to_note_change_in_dynamics": float(change.mean()) if len(change) else 0.0,
    }


def _density_of_highest_line(notes: TickNotes) -> float:
    """Mean pitch, rounded down, by number of notes.

    Meant is the note count of the channel with the highest mean pitch over that of all channels, which would be 1 for a
    single channel. EmoGen's threshold shows that jSymbolic 2.2 has the mean pitch in the numerator instead.
    """
    return ratio(float(np.floor(notes.pitch.mean())), len(notes)) if len(notes) else 0.0


def _contrary_motion(notes: TickNotes) -> float:
    """Share of contrary motion among the moves of pairs of voices from one chord to the next.

    The k-th pitch of a chord from below is its k-th voice. A pair moves if one of its voices does: contrary where both
    do, in opposite directions, otherwise similar or oblique. How jSymbolic finds voices in a single channel is not
    known here. Of some dozens of plain rules (voices from below, above or the outer ones; onsets up to an eighth apart
    together) this one was taken as it meets EmoGen's threshold; from 75 to 125 ticks its median changes by 10 %.
    """
    chords = _chords(notes)
    size = chords.sum(axis=1)
    most = int(size.max(initial=0))
    voices = np.argsort(~chords, axis=1, kind="stable")[:, :most]  # pitches from below, then what does not sound
    both = np.arange(most) < np.minimum(size[1:], size[:-1])[:, None]
    move = np.sign(np.diff(voices, axis=0))
    up, down, still = (_each(both & (move == way)) for way in (1, -1, 0))
    contrary, similar, oblique = (
        float(up @ down),
        float(up @ (up - 1) + down @ (down - 1)) / 2,
        float((up + down) @ still),
    )
    return ratio(contrary, contrary + similar + oblique)


def _each(mask: NDArray[np.bool_]) -> Floats:
    return mask.sum(axis=1).astype(np.float64)


def _chords(notes: TickNotes) -> NDArray[np.bool_]:
    """What sounds at each chord, bool [chords, 128]: its own notes, and those held beyond its last onset."""
    first = _chord_starts(notes)
    count = len(first)
    if not count:
        return np.zeros((0, 128), dtype=bool)
    last_onset = notes.start[np.append(first[1:], len(notes)) - 1]
    begin = np.searchsorted(first, np.arange(len(notes)), side="right") - 1
    end = np.maximum(np.searchsorted(last_onset, notes.stop, side="left"), begin + 1)  # the first chord without it
    size = (count + 1) * 128
    change = np.bincount(begin * 128 + notes.pitch, minlength=size)
    change -= np.bincount(end * 128 + notes.pitch, minlength=size)
    return np.cumsum(change.astype(np.int16).reshape(-1, 128), axis=0, dtype=np.int16)[:-1] > 0


def _chord_starts(notes: TickNotes) -> Ints:
    """Index of the first note of each chord, int64. A step a chord: where one begins depends on where the last did."""
    start = notes.start.tolist()
    found = [0] if start else []
    while found and (following := bisect_right(start, start[found[-1]] + TOGETHER, found[-1])) < len(start):
        found.append(following)
    return np.array(found, dtype=np.int64)
