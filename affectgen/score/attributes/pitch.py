"""Attributes of the pitches alone: which ones occur, how often, and in which register.

Definitions after the manual of jSymbolic 2.2 (McKay et al., ISMIR 2018), "features based on pitch statistics".
"""

from __future__ import annotations

import numpy as np

from affectgen.score.attributes.ticks import TickNotes, Values, ratio, share, spread

CLASS_BINS = (2, 3, 4, 5, 8, 9)  # of the pitch class histogram, semitones above the commonest class
BASS_TOP, MIDDLE_TOP = 54, 72  # MIDI pitches, inclusive


def pitch_attributes(notes: TickNotes) -> Values:
    """Attributes 0-15; notes count one each, however long they are."""
    return _classes(notes) | _registers(notes) | _moments(notes)


def _classes(notes: TickNotes) -> Values:
    """Shares of pitch classes, the commonest one being class 0 (the higher of two equally common ones)."""
    counts = np.bincount(notes.pitch % 12, minlength=12)
    rotated = np.roll(counts, int(counts[::-1].argmax()) - 11) / max(len(notes), 1)
    return {f"pitch_class_histogram_{step}": float(rotated[step]) for step in CLASS_BINS}


def _registers(notes: TickNotes) -> Values:
    pitch = notes.pitch
    return {
        "number_of_pitches": float(np.count_nonzero(np.bincount(pitch, minlength=128))),
        "range": float(np.ptp(pitch)) if len(notes) else 0.0,
        "importance_of_bass_register": share(pitch <= BASS_TOP),
        "importance_of_middle_register": share((pitch > BASS_TOP) & (pitch <= MIDDLE_TOP)),
        "importance_of_high_register": share(pitch > MIDDLE_TOP),
    }


def _moments(notes: TickNotes) -> Values:
    """Mean, mode, spread and skewness.

    As in jSymbolic the mean is a whole number of semitones, rounded down, and the median that the skewness (Pearson's
    second coefficient) refers to is the upper one of two: with the mean of both it is 8 % off EmoGen's threshold.
    """
    pitch = notes.pitch if len(notes) else np.zeros(1, dtype=np.int64)
    mean, deviation = float(pitch.mean()), spread(pitch)
    median = float(np.sort(pitch)[len(pitch) // 2])
    return {
        "mean_pitch": float(np.floor(mean)),
        "mean_pitch_class": float((pitch % 12).mean()),
        "most_common_pitch": float(np.bincount(pitch).argmax()),
        "pitch_variability": deviation,
        "pitch_skewness": ratio(3 * (mean - median), deviation),
    }
