"""What may follow what in a stream of words: the masks that make every sampled piece a piece.

One `Grammar` follows one piece while it is written. It knows the number of bars and, for a proper ending, closes the
last bar on the tonic triad, held to the final bar line.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from affectgen.score.grid import BAR, BEAT
from affectgen.score.keys import Key
from affectgen.score.words import BAR_LINE, DURATIONS, LOWEST_PITCH, SIZES, TEMPI, Family

MOST_NOTES = 10  # in one onset: two hands
PIANO = (21, 108)
TRIADS = ((0, 4, 7), (0, 3, 7))  # semitones above the tonic, by mode
CLOSING_NOTES = 5
NEAR_TEMPO = 0.08  # how far a tempo is from one that it keeps near at most, as a logarithm
Mask = NDArray[np.bool_]


@dataclass
class Grammar:
    """State of one piece. bars: how many it will have; key: its key; ending: whether to close on the tonic.

    close_from: the first position (0-15) of the last bar at which an onset becomes the closing one. tempo: what its
    tempi keep near, in beats a minute, None for any.
    """

    bars: int
    key: Key
    ending: bool = True
    close_from: int = 0
    tempo: float | None = None
    bar: int = -1
    position: int = -1
    last: Family = Family.KEY
    pitches: list[int] = field(default_factory=list)
    closing: bool = False

    @property
    def in_last_bar(self) -> bool:
        return self.bar >= self.bars - 1

    def families(self) -> Mask:
        """Which families the next word may have, bool [5]."""
        mask = np.zeros(SIZES["family"], dtype=bool)
        if self.last == Family.KEY or (self.last == Family.METRICAL and self.position < 0):  # or after a bar line
            mask[Family.METRICAL] = True
        elif self.last == Family.METRICAL:  # after a beat
            mask[Family.NOTE] = True
        else:
            mask[Family.NOTE] = self._room_above() and len(self.pitches) < self._most()
            mask[Family.METRICAL] = not (self.in_last_bar and (self.closing or self.position >= BAR - 1))
            mask[Family.END] = self.in_last_bar and (self.closing or not self.ending)
            if not mask.any():
                mask[Family.END] = True
        return mask

    def _most(self) -> int:
        return CLOSING_NOTES if self.closing else MOST_NOTES

    def _room_above(self) -> bool:
        return bool(self.notes_allowed().any())

    def beats(self) -> Mask:
        """Which beat indices a metrical word may have, bool [18]: later in the bar, or a bar line if bars are left."""
        mask = np.zeros(SIZES["beat"], dtype=bool)
        if self.last == Family.KEY:
            mask[BAR_LINE] = True
            return mask
        mask[BAR_LINE] = not self.in_last_bar
        mask[2 + self.position + 1 :] = True
        if self.in_last_bar and self.ending:
            self._last_bar_beats(mask)
        return mask

    def _last_bar_beats(self, mask: Mask) -> None:
        """The last bar may not run past half its length, and its closing onset stands on a beat."""
        latest = max(self.position + 1, BAR // 2)
        mask[2 + latest + 1 :] = False
        late = np.arange(BAR) >= self.close_from
        off_beat = np.arange(BAR) % BEAT != 0
        onsets = mask[2:]
        if (onsets & ~(late & off_beat)).any():
            onsets[late & off_beat] = False

    def tempi(self, before: int) -> Mask:
        """Which tempo indices the next onset may have, bool [49]; 0 stays with `before`, what is in force or 0."""
        mask = np.ones(SIZES["tempo"], dtype=bool)
        if self.tempo is not None:
            away = np.abs(np.log(TEMPI / self.tempo))
            mask[1:] = away <= max(NEAR_TEMPO, away.min())
        mask[0] = before > 0 and mask[before]
        return mask

    def notes_allowed(self) -> Mask:
        """Which pitch indices the next note may have, bool [101]: above the last of its onset, on the piano."""
        pitch = np.arange(SIZES["pitch"]) - 1 + LOWEST_PITCH + self.key.offset
        mask = (pitch >= PIANO[0]) & (pitch <= PIANO[1])
        mask[0] = False
        if self.pitches:
            mask[: self.pitches[-1] + 1] = False
        if self.closing:
            tones = TRIADS[self.key.mode] if self.pitches else (0,)  # the lowest note is the tonic itself
            degree = (pitch - self.key.tonic) % 12
            held = mask & np.isin(degree, tones)
            return held if held.any() or self.pitches else mask
        return mask

    def durations(self) -> Mask:
        """Which duration indices the next note may have, bool [21]: not past the final bar line, or to it if closing.

        A piece without an ending may ring on past its last bar, as the excerpts it stands for do.
        """
        left = (self.bars - self.bar) * BAR - self.position  # sixteenths to the final bar line
        mask = np.ones(SIZES["duration"], dtype=bool)
        mask[0] = False
        fits = left >= DURATIONS
        if self.ending:
            mask[1:] = fits
        if self.closing:
            longest = DURATIONS[fits].max()
            mask[1:] = longest == DURATIONS
        return mask

    def take(self, word: NDArray[np.int64]) -> None:
        """Go on past a word [8]."""
        family, beat, pitch = int(word[0]), int(word[1]), int(word[4])
        self.last = Family(family)
        if family == Family.METRICAL and beat == BAR_LINE:
            self.bar, self.position, self.pitches = self.bar + 1, -1, []
        elif family == Family.METRICAL:
            self.position, self.pitches = beat - 2, []
            if self.in_last_bar and self.ending:
                self.closing = self.position >= min(self.close_from, BAR // 2)
        elif family == Family.NOTE:
            self.pitches.append(pitch)
