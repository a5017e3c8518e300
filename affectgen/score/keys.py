"""Keys: Krumhansl-Schmuckler estimation from pitch-class weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import UsageError

# Probe-tone profiles, C as tonic (Krumhansl, Cognitive Foundations of Musical Pitch, 1990).
MAJOR_PROFILE = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR_PROFILE = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLATS = {"DB": 1, "EB": 3, "GB": 6, "AB": 8, "BB": 10}
MODES = ("major", "minor")


@dataclass(frozen=True)
class Key:
    """A tonic as pitch class 0-11 and a mode, 0 for major and 1 for minor."""

    tonic: int
    mode: int

    def __str__(self) -> str:
        return f"{PITCH_NAMES[self.tonic]} {MODES[self.mode]}"

    @property
    def offset(self) -> int:
        """Semitones from the nearest C up to the tonic, -5..6: subtracting it writes a piece in C."""
        return self.tonic if self.tonic <= 6 else self.tonic - 12

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read "C", "F# minor", "Bb major", "am"; no mode means major, a final m minor. UsageError otherwise."""
        words = text.strip().split()
        name = words[0] if words else ""
        mode = words[1].lower() if len(words) > 1 else "major"
        if len(words) == 1 and len(name) > 1 and name.endswith("m"):
            name, mode = name[:-1], "minor"
        tonic = FLATS.get(name.upper(), PITCH_NAMES.index(name.upper()) if name.upper() in PITCH_NAMES else -1)
        if tonic < 0 or mode not in MODES or len(words) > 2:
            raise UsageError(f"{text!r} is no key.", "Write a tonic and a mode, as in 'F# minor' or 'Bb major'.")
        return cls(tonic, MODES.index(mode))


def key_scores(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of pitch-class weights [12] with every key, [2, 12] as (mode, tonic); zeros for a flat histogram."""
    spread = weights - weights.mean()
    size = np.sqrt((spread**2).sum())
    scores = np.zeros((2, 12))
    if size < 1e-12:
        return scores
    for mode, (profiles, length) in enumerate(_profiles()):
        for tonic, profile in enumerate(profiles):
            scores[mode, tonic] = spread @ profile / size / length
    return scores


@cache
def _profiles() -> list[tuple[list[NDArray[np.float64]], np.float64]]:
    """For both modes the centred profile of every tonic, and its length."""
    centred = [profile - profile.mean() for profile in (MAJOR_PROFILE, MINOR_PROFILE)]
    return [([np.roll(one, tonic) for tonic in range(12)], np.sqrt((one**2).sum())) for one in centred]


def estimate_key(pitch: NDArray[np.int64], weight: NDArray[np.float64]) -> Key:
    """The key whose profile fits best the pitches [N] weighted by `weight` [N] (durations, say)."""
    scores = key_scores(np.bincount(pitch % 12, weights=weight, minlength=12).astype(np.float64))
    mode, tonic = np.unravel_index(int(scores.argmax()), scores.shape)
    return Key(int(tonic), int(mode))
