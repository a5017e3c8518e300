"""Whether pieces end: on the tonic chord or on a held note, with nothing cut off.

Judged on notes in seconds, because generated and real pieces have only that in common: on the last chord, that is the
notes of the last onset and those that still ring. The tonic is
that of the whole piece's Krumhansl-Schmuckler key, or the key the piece was asked to be in. Real clips are excerpts
of 30-40 s, so many of them do not end either: docs/recognisers.md gives their share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affectgen.score.harmony import key_of, pitch_class_weights
from affectgen.score.keys import Key
from affectgen.score.notes import NoteArray

CHORD_SECONDS = 0.15  # notes that start within this of the last onset belong to the last chord: rolled chords
HELD_SECONDS = 0.9  # a held note lasts this long at least ...
HELD_RATIO = 2.0  # ... and this many times the piece's median note
CUT_SECONDS = 0.06  # a note may ring past the final bar line by this: rounding and the judging grid
TONIC_SHARE = 0.75  # of the last chord's notes are tonic, third or fifth


@dataclass(frozen=True)
class Ending:
    """tonic: the last chord stands on the tonic, and is its triad; held: its longest note is held;
    cut: a note sounds past the piece's end (known only where the final bar line is).
    """

    tonic: bool
    held: bool
    cut: bool

    @property
    def closes(self) -> bool:
        """The figure's criterion: the tonic chord or a held note, and nothing cut."""
        return (self.tonic or self.held) and not self.cut


@dataclass(frozen=True)
class EndingShares:
    """Shares of pieces, 0-1."""

    closes: float
    tonic: float
    held: float
    cut: float


def ending(notes: NoteArray, end: float | None = None, key: Key | None = None) -> Ending:
    """How a piece ends. `end` is the final bar line in seconds where the piece has one; `key` where it is known.

    An empty piece has no ending: neither tonic nor held, and not cut.
    """
    if not len(notes):
        return Ending(False, False, False)
    last = float(notes.onset[-1])
    chord = notes.pick(notes.onset >= last - CHORD_SECONDS)
    release = notes.onset + notes.duration
    sounding = notes.pick((notes.onset >= last - CHORD_SECONDS) | (release > last + CUT_SECONDS))
    longest = float(chord.duration.max())
    held = longest >= max(HELD_SECONDS, HELD_RATIO * float(np.median(notes.duration)))
    return Ending(_on_tonic(notes, sounding, key), held, end is not None and bool((release > end + CUT_SECONDS).any()))


def _on_tonic(notes: NoteArray, sounding: NoteArray, key: Key | None) -> bool:
    """Whether the sounding notes are a tonic triad, or a part of it, over its root."""
    if key is None:
        fit = key_of(pitch_class_weights(notes))
        key = Key(fit.tonic, int(fit.minor))
    degrees = (sounding.pitch - key.tonic) % 12
    third = 3 if key.mode else 4
    in_triad = np.isin(degrees, (0, third, 7))
    return bool(degrees[sounding.pitch.argmin()] == 0 and in_triad.mean() >= TONIC_SHARE)


def ending_shares(endings: Sequence[Ending]) -> EndingShares:
    """Shares over a set of pieces; zeros for an empty set."""
    rows = np.array([(one.closes, one.tonic, one.held, one.cut) for one in endings], dtype=np.float64).reshape(-1, 4)
    if not len(rows):
        return EndingShares(0.0, 0.0, 0.0, 0.0)
    return EndingShares(*(float(share) for share in rows.mean(axis=0)))
