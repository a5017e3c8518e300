"""Attributes of the notes' lengths (rhythmic values), of their number, and of the runs of equal lengths.

Definitions after the manual of jSymbolic 2.2 (McKay et al., ISMIR 2018), "features based on rhythm". A note's rhythmic
value is its length rounded to the nearest of twelve; quarter notes are those of `ticks`.
"""

from __future__ import annotations

import math

import numpy as np

from affectgen.score.attributes.ticks import (
    QUARTER_TICKS,
    SECOND_TICKS,
    Floats,
    Ints,
    TickNotes,
    Values,
    ratio,
    spread,
)

VALUES = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)  # quarter notes: 32nd to dotted double whole
PREVALENCES = (("very_short", 0, 2), ("short", 0, 3), ("medium", 2, 7), ("long", 6, 12), ("very_long", 9, 12))
WINDOW_QUARTERS = 8


def rhythm_attributes(notes: TickNotes) -> Values:
    """Attributes 58-87 and 94-95."""
    lengths = np.array(VALUES)
    bins = np.searchsorted((lengths[1:] + lengths[:-1]) / 2, notes.quarters)
    return _density(notes) | _value_shares(bins) | _value_moments(notes, bins) | _runs(bins)


def _density(notes: TickNotes) -> Values:
    quarters = notes.end / QUARTER_TICKS
    gaps = np.diff(notes.start[notes.first]) / SECOND_TICKS  # seconds between attacks
    return {
        "total_number_of_notes": float(len(notes)),
        "note_density_per_quarter_note": ratio(len(notes), quarters),
        "note_density_per_quarter_note_variability": _density_spread(notes),
        "duration_in_seconds": notes.end / SECOND_TICKS,
        "variability_of_time_between_attacks": spread(gaps),
    }


def _density_spread(notes: TickNotes) -> float:
    """Spread of the density over windows of eight quarter notes, one from every tick of the piece.

    The last ones reach beyond the end, where there are no notes. The count of a window changes only where a note enters
    or leaves it, so that a piece of any length costs no more than its notes.
    """
    end, width = notes.end, WINDOW_QUARTERS * QUARTER_TICKS
    if end < 2:
        return 0.0
    edges = np.clip(np.concatenate([notes.start - width + 1, notes.start + 1]), 0, end)
    order = np.argsort(edges, kind="stable")
    count = np.cumsum(np.repeat([1.0, -1.0], len(notes))[order])  # notes in the windows from an edge up to the next
    ticks = np.diff(edges[order], append=end)
    mean = float(count @ ticks) / end
    return math.sqrt(float((count - mean) ** 2 @ ticks + mean**2 * edges[order[0]]) / (end - 1)) / WINDOW_QUARTERS


def _value_shares(bins: Ints) -> Values:
    shares = np.bincount(bins, minlength=12) / max(len(bins), 1)
    found = {f"rhythmic_value_histogram_{k}": float(shares[k]) for k in range(1, 12)}
    for name, low, high in PREVALENCES:
        found[f"prevalence_of_{name}_rhythmic_values"] = float(shares[low:high].sum())
    found["most_common_rhythmic_value"] = VALUES[int(shares.argmax())] if len(bins) else 0.0
    found["prevalence_of_most_common_rhythmic_value"] = float(shares.max())
    return found


def _value_moments(notes: TickNotes, bins: Ints) -> Values:
    values = np.array(VALUES)[bins]
    return {
        "rhythmic_value_variability": spread(values),
        "rhythmic_value_kurtosis": kurtosis(values),
        "variability_of_rhythmic_value_offsets": spread(np.abs(notes.quarters - values)),
    }


def kurtosis(values: Floats) -> float:
    """Sample kurtosis, its correction added; 0 of fewer than four values or of equal ones.

    The usual estimate of the excess subtracts 3 (n - 1)^2 / ((n - 2)(n - 3)). EmoGen's threshold is met only where that
    term is added: the median over EMOPIA is then 12.6 against 12.5, without the term 9.6.
    """
    n = len(values)
    deviation = spread(values)
    if n < 4 or deviation == 0:
        return 0.0
    fourth = float((((values - values.mean()) / deviation) ** 4).sum())
    return (n * (n + 1) / (n - 1) * fourth + 3 * (n - 1) ** 2) / ((n - 2) * (n - 3))


def _runs(bins: Ints) -> Values:
    """Runs are stretches of successive notes (by onset, then pitch) of one rhythmic value."""
    edges = np.flatnonzero(np.diff(bins, prepend=-1, append=-1))
    lengths = np.diff(edges)
    of = bins[edges[:-1]] if len(bins) else bins
    medians, spreads = _run_shapes(lengths, of)
    medians, spreads = (row / row.sum() if row.any() else row for row in (medians, spreads))
    found = {"rhythmic_value_median_run_lengths_histogram_10": float(medians[10])}
    found["mean_rhythmic_value_run_length"] = float(lengths.mean()) if len(lengths) else 0.0
    found["variability_in_rhythmic_value_run_lengths"] = spread(lengths)
    for k in (1, 2, 6):
        found[f"rhythmic_value_variability_in_run_lengths_histogram_{k}"] = float(spreads[k])
    return found


def _run_shapes(lengths: Ints, of: Ints) -> tuple[Floats, Floats]:
    """Median (the upper one of two) and spread of the run lengths of each rhythmic value, float64 [12] each."""
    medians, spreads = np.zeros(12), np.zeros(12)
    for k in range(12):
        own = np.sort(lengths[of == k])
        if len(own):
            medians[k] = own[len(own) // 2]
            spreads[k] = spread(own)
    return medians, spreads
