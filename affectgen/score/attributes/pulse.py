"""Attributes of the beat histogram: how much of the rhythm repeats at each tempo from 40 to 200 beats a minute.

The histogram is the autocorrelation of the onsets, each weighted with its velocity; lags within half a beat a minute
of a bin are summed. Definitions after the manual of jSymbolic 2.2 and McKay's thesis (2004), "beat histogram".
"""

from __future__ import annotations

import numpy as np

from affectgen.score.attributes.ticks import SECOND_TICKS, Floats, Ints, TickNotes, Values, ratio

SLOWEST, FASTEST = 40, 200  # beats a minute, the first and the last bin
BIN = 32  # the bin that is an attribute by itself: 72 beats a minute
RELATIVE = 0.3  # of the highest peak: peaks as high as this are counted, and measured for their width


def pulse_attributes(notes: TickNotes) -> Values:
    """Attributes 88-93."""
    histogram = beat_histogram(notes)
    peaks = find_peaks(histogram)
    strong = peaks[histogram[peaks] >= RELATIVE * histogram.max()]
    order = peaks[np.argsort(-histogram[peaks], kind="stable")]
    strengths = histogram[order]
    pair = order[:2] + SLOWEST
    end = "_tempo_standardized"
    return {
        f"beat_histogram{end}_{BIN}": float(histogram[BIN]),
        f"number_of_relatively_strong_rhythmic_pulses{end}": float(len(strong)),
        f"harmonicity_of_two_strongest_rhythmic_pulses{end}": ratio(pair.max(), pair.min()) if len(pair) == 2 else 0.0,
        f"strength_of_strongest_rhythmic_pulse{end}": float(strengths[0]) if len(order) else 0.0,
        f"strength_of_second_strongest_rhythmic_pulse{end}": float(strengths[1]) if len(order) > 1 else 0.0,
        f"rhythmic_looseness{end}": _looseness(histogram, strong),
    }


def beat_histogram(notes: TickNotes) -> Floats:
    """float64 [161], sums to 1, or is 0 if no two onsets are 0.3-1.5 s apart."""
    times = notes.start[notes.first]
    force = np.add.reduceat(notes.velocity, notes.first).astype(np.float64) if len(notes) else np.zeros(0)
    edges = 60 * SECOND_TICKS / (np.arange(SLOWEST, FASTEST + 2) - 0.5)  # ticks, falling
    low = np.searchsorted(times, times + edges[-1], side="left")
    high = np.searchsorted(times, times + edges[0], side="left")
    count = high - low
    early = np.repeat(np.arange(len(times)), count)
    late = np.arange(int(count.sum())) + np.repeat(low - np.cumsum(count) + count, count)
    bins = len(edges) - 1 - np.searchsorted(edges[::-1], times[late] - times[early], side="right")
    histogram = np.bincount(bins, force[early] * force[late], minlength=len(edges) - 1).astype(np.float64)
    return histogram / max(float(histogram.sum()), 1.0)  # velocities are whole numbers: the sum is 0 or 1 at least


def find_peaks(histogram: Floats) -> Ints:
    """Bins higher than both neighbours, int64, rising; beyond the ends of the histogram lies 0."""
    padded = np.concatenate([[0.0], histogram, [0.0]])
    return np.flatnonzero((histogram > padded[:-2]) & (histogram > padded[2:]))


def _looseness(histogram: Floats, peaks: Ints) -> float:
    """Mean width of the peaks in beats a minute, from the first to the last bin as high as 30 % of the peak."""
    widths = np.zeros(len(peaks))
    for k, peak in enumerate(peaks):
        below = np.flatnonzero(histogram < RELATIVE * histogram[peak])
        place = np.searchsorted(below, peak)
        left = below[place - 1] if place > 0 else -1
        right = below[place] if place < len(below) else len(histogram)
        widths[k] = right - left - 2
    return float(widths.mean()) if len(widths) else 0.0
