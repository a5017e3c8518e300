"""Attributes of the melodic intervals: the steps from each note to the next.

jSymbolic takes a channel for a voice. On a piano's one channel the "melody" thus runs through all notes in order of
onset and pitch; two notes struck together form no melodic interval. (jSymbolic seems to take such notes in the order of
the file, which a set of notes does not have; the medians over EMOPIA hardly differ.)

Definitions after the manual of jSymbolic 2.2 (McKay et al., ISMIR 2018), "features based on melodic intervals".
"""

from __future__ import annotations

import numpy as np

from affectgen.score.attributes.ticks import Floats, Ints, TickNotes, Values, ratio

BINS = (0, 2, 4, 12, 16, 36, 43, 48)  # of the melodic interval histogram, semitones
ARPEGGIO = (0, 3, 4, 7, 10, 11, 12, 15, 16)  # semitones between tones of a chord
SIXTHS = (8, 9)
EMBELLISHED = 3  # times as long as an embellishment are the notes around it
MEMORY = 16  # onsets within which a pitch must return to be counted


def melody_attributes(notes: TickNotes) -> Values:
    """Attributes 16-29."""
    steps = _intervals(notes)
    counts = np.bincount(np.abs(steps), minlength=128)
    total = len(steps)
    found = {f"melodic_interval_histogram_{size}": ratio(counts[size], total) for size in BINS}
    found["prevalence_of_most_common_melodic_interval"] = ratio(counts.max(), total)
    found["amount_of_arpeggiation"] = ratio(counts[list(ARPEGGIO)].sum(), total)
    found["melodic_sixths"] = ratio(counts[list(SIXTHS)].sum(), total)
    found["melodic_embellishments"] = _embellishments(notes)
    found["average_length_of_melodic_arcs"] = _arc_length(np.diff(notes.pitch))
    found["melodic_pitch_variety"] = _variety(notes)
    return found


def _intervals(notes: TickNotes) -> Ints:
    """Semitones from each note to the next one, int64, without pairs of one onset."""
    return np.diff(notes.pitch)[np.diff(notes.group) > 0]


def _embellishments(notes: TickNotes) -> float:
    """Share of notes that have a note three times as long, or longer, both at the onset before and the one after."""
    if len(notes.first) < 3:
        return 0.0
    length = notes.stop - notes.start
    longest = np.maximum.reduceat(length, notes.first)  # [onsets]
    around = np.minimum(longest[:-2], longest[2:])
    inner = (notes.group > 0) & (notes.group < len(longest) - 1)
    return float(np.count_nonzero(around[notes.group[inner] - 1] >= EMBELLISHED * length[inner])) / len(notes)


def _arc_length(steps: Ints) -> float:
    """Mean number of intervals from a peak or trough of the line to the next one; repeated notes prolong an arc.

    Here the line also passes through notes struck together: that meets EmoGen's threshold, and this bit of the two
    clips whose bits are nearly those of Q1 and Q3.
    """
    signs = np.sign(steps)
    signs = signs[signs != 0]
    return len(steps) / (1 + np.count_nonzero(np.diff(signs))) if len(signs) else 0.0


def _variety(notes: TickNotes) -> float:
    """Mean number of onsets until a pitch comes again, over the notes whose pitch does so within 16 onsets."""
    order = np.argsort(notes.pitch, kind="stable")
    same = np.diff(notes.pitch[order]) == 0
    wait: Floats = np.diff(notes.group[order])[same].astype(np.float64)
    wait = wait[(wait > 0) & (wait <= MEMORY)]
    return float(wait.mean()) if len(wait) else 0.0
