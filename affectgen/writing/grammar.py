"""What may follow what in a stream of words: the masks that make every sampled piece a piece.

One `Grammar` follows one piece while it is written. It knows the number of bars and, for a proper ending, closes the
last bar on the tonic triad, held to the final bar line.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import cache, lru_cache

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
        if self.last == Family.KEY or (self.last == Family.METRICAL and self.position < 0):  # or after a bar line
            return _families(metrical=True, note=False, end=False)
        if self.last == Family.METRICAL:  # after a beat
            return _families(metrical=False, note=True, end=False)
        note = len(self.pitches) < self._most() and bool(self.notes_allowed().any())
        metrical = not (self.in_last_bar and (self.closing or self.position >= BAR - 1))
        end = self.in_last_bar and (self.closing or not self.ending)
        return _families(metrical=metrical, note=note, end=end or not (note or metrical))

    def _most(self) -> int:
        return CLOSING_NOTES if self.closing else MOST_NOTES

    def beats(self) -> Mask:
        """Which beat indices a metrical word may have, bool [18]: later in the bar, or a bar line if bars are left."""
        if self.last == Family.KEY:
            return _FIRST_BEAT
        closes = self.in_last_bar and self.ending
        return _beats(self.position, not self.in_last_bar, self.close_from if closes else None)

    def tempi(self, before: int) -> Mask:
        """Which tempo indices the next onset may have, bool [49]; 0 stays with `before`, what is in force or 0."""
        return _tempi(self.tempo, before)

    def notes_allowed(self) -> Mask:
        """Which pitch indices the next note may have, bool [101]: above the last of its onset, on the piano."""
        return _pitches(self.key, self.pitches[-1] if self.pitches else None, self.closing)

    def durations(self) -> Mask:
        """Which duration indices the next note may have, bool [21]: not past the final bar line, or to it if closing.

        A piece without an ending may ring on past its last bar, as the excerpts it stands for do.
        """
        left = (self.bars - self.bar) * BAR - self.position  # sixteenths to the final bar line
        return _durations(min(left, int(DURATIONS[-1])), self.ending, self.closing)

    def become(self, other: Grammar) -> None:
        """Take on the state of another grammar of the same piece."""
        for name, value in vars(other).items():
            setattr(self, name, copy.copy(value))

    def take(self, word: NDArray[np.int64] | list[int]) -> None:
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


# Masks are read-only, and made once for each state that they depend on.


def _fixed(mask: Mask) -> Mask:
    mask.setflags(write=False)
    return mask


@cache
def _families(*, metrical: bool, note: bool, end: bool) -> Mask:
    mask = np.zeros(SIZES["family"], dtype=bool)
    mask[[Family.METRICAL, Family.NOTE, Family.END]] = metrical, note, end
    return _fixed(mask)


_FIRST_BEAT = _fixed(np.arange(SIZES["beat"]) == BAR_LINE)


@cache
def _beats(position: int, more_bars: bool, close_from: int | None) -> Mask:
    """Beats after a position; close_from: of a last bar that is to close on the tonic, None in any other."""
    mask = np.zeros(SIZES["beat"], dtype=bool)
    mask[BAR_LINE] = more_bars
    mask[2 + position + 1 :] = True
    if close_from is not None:
        _last_bar_beats(mask, position, close_from)
    return _fixed(mask)


def _last_bar_beats(mask: Mask, position: int, close_from: int) -> None:
    """The last bar may not run past half its length, and its closing onset stands on a beat."""
    latest = max(position + 1, BAR // 2)
    mask[2 + latest + 1 :] = False
    late = np.arange(BAR) >= close_from
    off_beat = np.arange(BAR) % BEAT != 0
    onsets = mask[2:]
    if (onsets & ~(late & off_beat)).any():
        onsets[late & off_beat] = False


@lru_cache(maxsize=4096)
def _tempi(near: float | None, before: int) -> Mask:
    mask = np.ones(SIZES["tempo"], dtype=bool)
    if near is not None:
        away = np.abs(np.log(TEMPI / near))
        mask[1:] = away <= max(NEAR_TEMPO, away.min())
    mask[0] = before > 0 and mask[before]
    return _fixed(mask)


@cache
def _pitches(key: Key, last: int | None, closing: bool) -> Mask:
    pitch = np.arange(SIZES["pitch"]) - 1 + LOWEST_PITCH + key.offset
    mask = (pitch >= PIANO[0]) & (pitch <= PIANO[1])
    mask[0] = False
    if last is not None:
        mask[: last + 1] = False
    if closing:
        tones = TRIADS[key.mode] if last is not None else (0,)  # the lowest note is the tonic itself
        held = mask & np.isin((pitch - key.tonic) % 12, tones)
        if held.any() or last is not None:
            mask = held
    return _fixed(mask)


@cache
def _durations(left: int, ending: bool, closing: bool) -> Mask:
    """left: sixteenths to the final bar line, or those of the longest note where there are more."""
    mask = np.ones(SIZES["duration"], dtype=bool)
    mask[0] = False
    fits = left >= DURATIONS
    if ending:
        mask[1:] = fits
    if closing:
        mask[1:] = DURATIONS[fits].max() == DURATIONS
    return _fixed(mask)
