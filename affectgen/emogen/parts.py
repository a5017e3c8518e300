"""What the first bars of a piece tell about the whole: many attributes of a few bars are not those of the piece.

After two bars most pitches are not heard yet, few pieces have had a seventh chord, and pulses are stronger than they
will be. So what a piece misses after some bars is not what it will miss; but what real pieces have in their first bars,
and how well that foretells the whole, can be measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.emogen.data import Song, cut_window
from affectgen.emogen.scale import Scale

Floats = NDArray[np.float64]
WHOLE = 16  # bars; EMOPIA's clips have about as many
PART_BARS = (2, 4, 8, 12)
MOST_WORDS = 3000  # a whole's
LEAST_PIECES = 8  # fewer tell nothing


@dataclass(frozen=True)
class Parts:
    """Of the first 2, 4, 8 and 12 bars of real pieces, in standard deviations [4, K].

    drift: how much more of an attribute they have than their wholes, mean; slope: how much of what a part has more than
    is usual the whole has too (linear regression), 0 to 1.
    """

    drift: Floats
    slope: Floats

    def whole_gap(self, gap: Floats, bars: int, of: int) -> Floats:
        """The miss to be expected of a piece of `of` bars whose first `bars` miss by `gap` [..., K]."""
        size = min(of, WHOLE)
        place = min(bars * WHOLE / size, WHOLE)  # in a short piece so many bars tell more
        usual = self._at(self.drift, bars, 0.0) - self._at(self.drift, of, 0.0)
        return self._at(self.slope, place, 1.0) * (gap - usual)

    @staticmethod
    def _at(table: Floats, bars: float, whole: float) -> Floats:
        """A table's row for some bars [K], interpolated; of a whole piece all are `whole`."""
        rows = np.concatenate([table, np.full((1, table.shape[1]), whole)])
        place = float(np.interp(bars, (*PART_BARS, WHOLE), np.arange(len(rows))))
        low = int(place)
        high = min(low + 1, len(rows) - 1)
        found: Floats = rows[low] + (place - low) * (rows[high] - rows[low])
        return found


def measure_parts(songs: Sequence[Song], scale: Scale) -> Parts:
    """From pieces of at least WHOLE bars, less two; with too few of them parts count as wholes."""
    kept = [song for song in songs if song.bars >= WHOLE - 2]
    if len(kept) < LEAST_PIECES:
        return Parts(np.zeros((len(PART_BARS), len(scale.quantiles))), np.ones((len(PART_BARS), len(scale.quantiles))))
    found = np.stack([_parts_of(song, scale) for song in kept])  # [N, 5, K]
    rows = [_compare(found[:, part], found[:, -1]) for part in range(len(PART_BARS))]
    return Parts(np.stack([drift for drift, _ in rows]), np.stack([slope for _, slope in rows]))


def _parts_of(song: Song, scale: Scale) -> Floats:
    """The attributes of a piece's parts, then of its whole, in standard deviations [5, K]."""
    window = cut_window(song, 0, MOST_WORDS)
    whole = min(window.bars, WHOLE)
    return scale.to_sd(np.stack([window.describe(0, min(bars, whole)) for bars in (*PART_BARS, whole)]))


def _compare(part: Floats, whole: Floats) -> tuple[Floats, Floats]:
    """Drift and slope of each attribute [K] from parts and wholes [N, K]."""
    drift, slope = np.zeros(part.shape[1]), np.ones(part.shape[1])
    for place, (some, every) in enumerate(zip(part.T, whole.T, strict=True)):
        both = np.isfinite(some) & np.isfinite(every)
        if both.sum() < LEAST_PIECES:
            continue
        drift[place] = (some[both] - every[both]).mean()
        spread = some[both].var()
        together = ((some[both] - some[both].mean()) * every[both]).mean()
        slope[place] = np.clip(together / spread, 0.0, 1.0) if spread > 0 else 0.0
    return drift, slope
