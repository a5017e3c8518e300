"""Chord symbols: the qualities the project writes, reading them from markers, and estimating them from notes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affectgen.score.grid import BEAT, Chord
from affectgen.score.keys import PITCH_NAMES

# Semitones above the root. The names are those of EMOPIA's and Pop1k7's markers.
QUALITIES: dict[str, tuple[int, ...]] = {
    "M": (0, 4, 7), "m": (0, 3, 7), "o": (0, 3, 6), "+": (0, 4, 8), "7": (0, 4, 7, 10), "M7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10), "o7": (0, 3, 6, 9), "/o7": (0, 3, 6, 10), "sus2": (0, 2, 7), "sus4": (0, 5, 7),
}  # fmt: skip
THIRD_WEIGHT = 0.08  # a template of four tones must explain this much more than one of three


def read_marker(text: str) -> Chord | None | str:
    """Read "D#_M7" or "A_m7_C"; None for "N_N"; the text itself if it is no chord symbol."""
    parts = text.split("_")
    if parts[0] == "N":
        return None
    if len(parts) in (2, 3) and parts[0] in PITCH_NAMES and parts[1] in QUALITIES:
        return Chord(PITCH_NAMES.index(parts[0]), parts[1])
    return text


def marker_text(chord: Chord | None) -> str:
    """The marker that `read_marker` reads back."""
    return "N_N" if chord is None else f"{PITCH_NAMES[chord.root]}_{chord.quality}"


def _templates() -> tuple[list[Chord], NDArray[np.float64]]:
    chords = [Chord(root, quality) for root in range(12) for quality in QUALITIES]
    rows = np.full((len(chords), 12), -0.4)  # tones outside the chord count against it
    for row, chord in zip(rows, chords, strict=True):
        tones = QUALITIES[chord.quality]
        row[[(chord.root + tone) % 12 for tone in tones]] = 1.0
        row[chord.root] += 0.1
        row -= THIRD_WEIGHT * (len(tones) - 3)
    return chords, rows


def estimate_chords(
    start: NDArray[np.int64], length: NDArray[np.int64], pitch: NDArray[np.int64], beats: int
) -> tuple[Chord | None, ...]:
    """A chord for every beat from the notes on the sixteenth grid, by template matching over spans of two beats.

    Templates weigh chord tones +1 and others -0.4 (after Fujishima, 1999); a span without notes has no chord.
    """
    chords, rows = _templates()
    span = 2 * BEAT
    found: list[Chord | None] = []
    for first in range(0, beats * BEAT, span):
        ringing = np.minimum(start + length, first + span) - np.maximum(start, first)
        inside = ringing > 0
        weight = np.bincount(pitch[inside] % 12, weights=ringing[inside], minlength=12).astype(np.float64)
        if weight.sum() == 0:
            found.extend([None] * 2)
            continue
        bass = int(pitch[inside].min()) % 12
        scores = rows @ (weight / weight.sum()) + 0.1 * np.array([chord.root == bass for chord in chords])
        found.extend([chords[int(scores.argmax())]] * 2)
    return tuple(found[:beats])
