"""What the words of a piece say beyond their own fields: what is in force at each word, and each bar's attributes.

The attributes are the musical values after which the element regulariser orders the latent slices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.score.chords import QUALITIES
from affectgen.score.words import BAR_LINE, DURATIONS, NO_CHORD, TEMPI, Family, Field, bar_of_words

BAR, POSITION, TEMPO, CHORD, AT_ONCE = 8, 9, 10, 11, 12  # columns of a stream table after the eight fields
MOST_AT_ONCE = 12  # notes per onset are told apart up to this many
# Brightness of a chord: +1 for a major third, -1 for a minor one, 0 for a suspended fourth or second.
BRIGHTNESS = np.array([1.0 if 4 in tones else -1.0 if 3 in tones else 0.0 for tones in QUALITIES.values()])


@dataclass(frozen=True)
class Stream:
    """A piece's words with their context, all int64 with T rows.

    words [T, 8]; bar [T]; position [T] beat index in force (2-17, 1 on a bar line, 0 before); tempo, chord [T] indices
    in force, the first ones standing for what comes before them; at_once [T] notes of the onset that a metrical word
    opens (0 elsewhere).
    """

    words: NDArray[np.int64]
    bar: NDArray[np.int64]
    position: NDArray[np.int64]
    tempo: NDArray[np.int64]
    chord: NDArray[np.int64]
    at_once: NDArray[np.int64]

    @classmethod
    def of(cls, words: NDArray[np.int64]) -> Stream:
        """Read the context off words [T, 8]."""
        family, beat = words[:, Field.FAMILY], words[:, Field.BEAT]
        onsets = np.flatnonzero((family == Family.METRICAL) & (beat > BAR_LINE))
        notes = np.cumsum(family == Family.NOTE)
        at_once = np.zeros(len(words), dtype=np.int64)
        at_once[onsets] = np.minimum(np.diff(np.append(notes[onsets], notes[-1] if len(notes) else 0)), MOST_AT_ONCE)
        position = np.where(family == Family.METRICAL, beat, 0)
        return cls(
            words, bar_of_words(words), _carried(position), _carried(words[:, Field.TEMPO], backfill=True),
            _carried(words[:, Field.CHORD], backfill=True), at_once,
        )  # fmt: skip

    def table(self) -> NDArray[np.int64]:
        """All columns side by side, [T, 13]: the eight fields, bar, position, tempo, chord, at_once."""
        extra = np.stack([self.bar, self.position, self.tempo, self.chord, self.at_once], axis=1)
        return np.concatenate([self.words, extra], axis=1)


def _carried(values: NDArray[np.int64], backfill: bool = False) -> NDArray[np.int64]:
    """The last value above 0 at or before each row; with backfill the first one before any."""
    at = np.maximum.accumulate(np.where(values > 0, np.arange(len(values)), -1))
    carried = np.where(at >= 0, values[np.maximum(at, 0)], 0)
    if backfill and (values > 0).any():
        carried[at < 0] = values[values > 0][0]
    return carried


def bar_attributes(stream: Stream, bars: int) -> NDArray[np.float64]:
    """The musical value of each element in each bar, float64 [bars, 7], nan where a bar has none.

    In the order of ELEMENTS: notes per onset, onsets (0 in an empty bar), mean log tempo, mean chord brightness, mean
    pitch (semitones above the lowest, seen from the tonic), mean log duration, mean velocity index.
    """
    words, bar = stream.words, stream.bar
    onset = (words[:, Field.FAMILY] == Family.METRICAL) & (words[:, Field.BEAT] > BAR_LINE)
    note = words[:, Field.FAMILY] == Family.NOTE
    chords = onset & (stream.chord > NO_CHORD)
    out = np.full((bars, 7), np.nan)
    out[:, 0] = _bar_mean(bar[onset], stream.at_once[onset], bars)
    out[:, 1] = np.bincount(bar[onset], minlength=bars)[:bars]
    out[:, 2] = _bar_mean(bar[onset], np.log(TEMPI[stream.tempo[onset] - 1]), bars)
    quality = (stream.chord[chords] - NO_CHORD - 1) % len(BRIGHTNESS)
    out[:, 3] = _bar_mean(bar[chords], BRIGHTNESS[quality], bars)
    out[:, 4] = _bar_mean(bar[note], words[note, Field.PITCH], bars)
    out[:, 5] = _bar_mean(bar[note], np.log(DURATIONS[words[note, Field.DURATION] - 1]), bars)
    out[:, 6] = _bar_mean(bar[note], words[note, Field.VELOCITY], bars)
    return out


def _bar_mean(bar: NDArray[np.int64], values: NDArray[Any], bars: int) -> NDArray[np.float64]:
    """Mean of values per bar, nan where there are none."""
    count = np.bincount(bar, minlength=bars)[:bars]
    total = np.bincount(bar, weights=values.astype(np.float64), minlength=bars)[:bars]
    return np.divide(total, count, out=np.full(bars, np.nan), where=count > 0)
