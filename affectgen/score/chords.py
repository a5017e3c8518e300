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
# Tuned on EMOPIA's markers (training clips). What a template must explain beyond a plain triad's share:
FOURTH_TONE = 0.1  # for its fourth tone
RARITY = {"+": 0.09, "o": 0.06, "sus2": 0.09, "sus4": 0.1, "o7": 0.15, "/o7": 0.15, "7": 0.06}
CHANGE = 0.05  # price of a change of chord
SPAN = 2 * BEAT


def read_marker(text: str) -> Chord | str | None:
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
        row -= FOURTH_TONE * (len(tones) - 3) + RARITY.get(chord.quality, 0.0)
    return chords, rows


def estimate_chords(
    start: NDArray[np.int64], length: NDArray[np.int64], pitch: NDArray[np.int64], beats: int
) -> tuple[Chord | None, ...]:
    """A chord for every beat from the notes [N] on the sixteenth grid, by template matching over spans of two beats.

    Templates weigh chord tones +1 and others -0.4 (after Fujishima, 1999), the lowest note's pitch class speaks for
    the root, and a change of chord has a small price (Viterbi). A span without notes has no chord.
    """
    chords, rows = _templates()
    count = -(-beats // 2)
    weight, lowest = _span_weights(start, length, pitch, count)
    total = weight.sum(axis=1)
    roots = np.array([chord.root for chord in chords])
    scores = weight / np.maximum(total, 1e-9)[:, None] @ rows.T  # [S, chords]
    scores += 0.1 * (roots == lowest[:, None] % 12)
    path = _cheapest_changes(np.where(total[:, None] > 0, scores, 0.0))
    found = [chords[index] if sounding else None for index, sounding in zip(path, (total > 0).tolist(), strict=True)]
    return tuple(chord for chord in found for _ in range(2))[:beats]


def _span_weights(
    start: NDArray[np.int64], length: NDArray[np.int64], pitch: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sixteenths that each pitch class rings in each span [S, 12], and the lowest pitch ringing there [S]."""
    first = start // SPAN
    last = np.minimum((start + length - 1) // SPAN, count - 1)
    times = np.maximum(last - first + 1, 0)  # spans that each note touches
    note = np.repeat(np.arange(len(start)), times)
    span = np.arange(len(note)) - np.repeat(np.cumsum(times) - times, times) + first[note]
    ringing = np.minimum((start + length)[note], (span + 1) * SPAN) - np.maximum(start[note], span * SPAN)
    weight = np.bincount(span * 12 + pitch[note] % 12, weights=ringing, minlength=count * 12).reshape(count, 12)
    lowest = np.full(count, 127, dtype=np.int64)
    np.minimum.at(lowest, span, pitch[note])
    return weight.astype(np.float64), lowest


def _cheapest_changes(scores: NDArray[np.float64]) -> list[int]:
    """The path through scores [S, C] of the highest sum when every change costs CHANGE."""
    best = scores[0].copy()
    came: list[NDArray[np.int64]] = []
    stay = np.arange(scores.shape[1])
    for row in scores[1:]:
        top = int(best.argmax())
        came.append(np.where(best >= best[top] - CHANGE, stay, top))
        best = np.maximum(best, best[top] - CHANGE) + row
    path = [int(best.argmax())]
    for step in reversed(came):
        path.append(int(step[path[-1]]))
    return path[::-1]
