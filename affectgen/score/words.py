"""Compound words: a piece on the grid as rows of eight fields, and back.

A row is one word of the compound-word stream (Hsiao et al., AAAI 2021) with MusER's seven elements and a key event:
family, beat, tempo, chord, pitch, duration, velocity, key. A stream reads

    KEY (BAR (BEAT NOTE+)*)+ END

Pitch and chord roots are written relative to the key's tonic (EMO-Disentanger's functional view), so one key event
carries the transposition. In every field 0 means "does not apply" (or, for tempo and chord in a metrical word, "as
before"); the other indices are in the order of the musical value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from affectgen.score.chords import QUALITIES
from affectgen.score.grid import BAR, BEAT, Chord, GridScore, make_grid
from affectgen.score.keys import Key

ELEMENTS = ("family", "beat", "tempo", "chord", "pitch", "duration", "velocity")  # in the order they are decided
FIELDS = (*ELEMENTS, "key")


class Family(IntEnum):
    """What a word is; PAD fills a batch."""

    PAD = 0
    END = 1
    KEY = 2
    METRICAL = 3
    NOTE = 4


class Field(IntEnum):
    """Column of each field in a row of words."""

    FAMILY = 0
    BEAT = 1
    TEMPO = 2
    CHORD = 3
    PITCH = 4
    DURATION = 5
    VELOCITY = 6
    KEY = 7


BAR_LINE = 1  # beat index of the bar word; positions 0-15 are 2-17
TEMPI = np.geomspace(24.0, 240.0, 48)  # steps of 5 %, about the just noticeable difference of tempo
NO_CHORD = 1
QUALITY_NAMES = tuple(QUALITIES)
LOWEST_PITCH = 15  # A0 seen from the farthest key, seven semitones below
HIGHEST_PITCH = 114
DURATIONS = np.array([*range(1, 17), 20, 24, 28, 32])  # sixteenths
VELOCITY_STEP = 3
FIRST_VELOCITY = 3
SIZES = {
    "family": 5,
    "beat": BAR + 2,
    "tempo": len(TEMPI) + 1,
    "chord": NO_CHORD + 12 * len(QUALITY_NAMES) + 1,
    "pitch": HIGHEST_PITCH - LOWEST_PITCH + 2,
    "duration": len(DURATIONS) + 1,
    "velocity": 43,
    "key": 25,
}


@dataclass(frozen=True)
class WordError(ValueError):
    """A stream of words that no piece can be read from."""

    reason: str

    def __str__(self) -> str:
        return self.reason


def tempo_index(tempo: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index 1-48 of the nearest tempo on a logarithmic scale, for beats per minute of any value above 0."""
    steps = np.log(np.asarray(tempo) / TEMPI[0]) / np.log(TEMPI[1] / TEMPI[0])
    return np.clip(np.round(steps), 0, len(TEMPI) - 1).astype(np.int64) + 1


def chord_index(chord: Chord | None, tonic: int) -> int:
    """Index of a chord seen from the tonic: 1 for none, then by root above the tonic and by quality."""
    if chord is None:
        return NO_CHORD
    return NO_CHORD + 1 + (chord.root - tonic) % 12 * len(QUALITY_NAMES) + QUALITY_NAMES.index(chord.quality)


def chord_of(index: int, tonic: int) -> Chord | None:
    """The chord of an index >= 1 under a tonic."""
    if index == NO_CHORD:
        return None
    root, quality = divmod(index - NO_CHORD - 1, len(QUALITY_NAMES))
    return Chord((root + tonic) % 12, QUALITY_NAMES[quality])


def pitch_index(pitch: NDArray[np.int64], key: Key) -> NDArray[np.int64]:
    """Index 1-100 of pitches written as if the tonic were C; pitches out of range move by octaves into it."""
    low = np.asarray(pitch) - key.offset
    low = np.where(low < LOWEST_PITCH, low + 12 * -(-(LOWEST_PITCH - low) // 12), low)
    low = np.where(low > HIGHEST_PITCH, low - 12 * -(-(low - HIGHEST_PITCH) // 12), low)
    return low - LOWEST_PITCH + 1


def duration_index(length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index 1-20 of the longest written duration that is not longer; lengths under one sixteenth give 1."""
    return np.maximum(np.searchsorted(DURATIONS, np.asarray(length), side="right"), 1)


def velocity_index(velocity: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index 1-42 of the nearest of the velocities 3, 6, ... 126."""
    return np.clip(np.round(np.asarray(velocity) / VELOCITY_STEP), 1, SIZES["velocity"] - 1).astype(np.int64)


def key_index(key: Key) -> int:
    """Index 1-24 of a key: majors by tonic, then minors."""
    return 1 + key.mode * 12 + key.tonic


def key_of(index: int) -> Key:
    """The key of an index 1-24."""
    mode, tonic = divmod(index - 1, 12)
    return Key(tonic, mode)


def encode(score: GridScore) -> NDArray[np.int64]:
    """Write a piece as words, int64 [T, 8]. Notes within an onset are in order of rising pitch."""
    tonic = score.key.tonic
    tempo = tempo_index(score.tempo)
    chords = [chord_index(chord, tonic) for chord in score.chords]
    fields = np.stack(
        [pitch_index(score.pitch, score.key), duration_index(score.length), velocity_index(score.velocity)], axis=1
    )
    rows: list[tuple[int, ...]] = [(Family.KEY, 0, 0, 0, 0, 0, 0, key_index(score.key))]
    bar, onset, last_tempo, last_chord = -1, -1, 0, 0
    for start, (pitch, duration, velocity) in zip(score.start.tolist(), fields.tolist(), strict=True):
        while bar < start // BAR:
            bar += 1
            rows.append((Family.METRICAL, BAR_LINE, 0, 0, 0, 0, 0, 0))
        if start != onset:
            now, chord = int(tempo[start // BEAT]), chords[start // BEAT]
            rows.append((
                Family.METRICAL, start % BAR + 2, now if now != last_tempo else 0, chord if chord != last_chord else 0,
                0, 0, 0, 0,
            ))  # fmt: skip
            onset, last_tempo, last_chord = start, now, chord
        rows.append((Family.NOTE, 0, 0, 0, pitch, duration, velocity, 0))
    rows.extend([(Family.METRICAL, BAR_LINE, 0, 0, 0, 0, 0, 0)] * (score.bars - 1 - bar))
    rows.append((Family.END, 0, 0, 0, 0, 0, 0, 0))
    return np.array(rows, dtype=np.int64)


def decode(words: NDArray[np.int64]) -> GridScore:
    """Read a piece from words [T, 8], up to END or the last row.

    A tempo or chord holds from its beat until the next one; the first tempo holds from the start.
    Raises WordError where a note comes before its beat, a beat before its bar, or a field is out of range.
    """
    _check(words)
    key = Key(0, 0)
    bar, onset = -1, -1
    notes: list[tuple[int, int, int, int]] = []
    tempi: list[tuple[int, float]] = []
    chords: list[tuple[int, Chord | None]] = []
    for family, beat, tempo, chord, pitch, duration, velocity, key_word in words.tolist():
        if family == Family.END:
            break
        if family == Family.KEY:
            key = key_of(key_word)
        elif family == Family.METRICAL and beat == BAR_LINE:
            bar, onset = bar + 1, -1
        elif family == Family.METRICAL:
            if bar < 0:
                raise WordError("a beat stands before the first bar")
            onset = bar * BAR + beat - 2
            if tempo:
                tempi.append((onset // BEAT, float(TEMPI[tempo - 1])))
            if chord:
                chords.append((onset // BEAT, chord_of(chord, key.tonic)))
        elif family == Family.NOTE:
            if onset < 0:
                raise WordError("a note stands before its beat")
            low = pitch - 1 + LOWEST_PITCH + key.offset
            notes.append((onset, int(DURATIONS[duration - 1]), min(max(low, 0), 127), velocity * VELOCITY_STEP))
    return _with_bars(notes, tempi, chords, key, max(bar + 1, 1))


def _check(words: NDArray[np.int64]) -> None:
    """Refuse fields that are out of range or missing where the family needs them."""
    for column, field in enumerate(FIELDS):
        values = words[:, column]
        if len(values) and not 0 <= values.min() <= values.max() < SIZES[field]:
            raise WordError(f"{field} runs from {values.min()} to {values.max()}; expected 0 to {SIZES[field] - 1}")
    notes = words[words[:, Field.FAMILY] == Family.NOTE]
    if (notes[:, [Field.PITCH, Field.DURATION, Field.VELOCITY]] == 0).any():
        raise WordError("a note lacks its pitch, duration or velocity")
    if (words[words[:, Field.FAMILY] == Family.METRICAL][:, Field.BEAT] == 0).any():
        raise WordError("a metrical word lacks its beat")


def _with_bars(
    notes: list[tuple[int, int, int, int]], tempi: list[tuple[int, float]],
    chords: list[tuple[int, Chord | None]], key: Key, bars: int,
) -> GridScore:  # fmt: skip
    """Spread tempo and chord events over the beats and build the piece, empty bars at the end included."""
    tempo = np.full(bars * BEAT, tempi[0][1] if tempi else 120.0)
    for beat, value in tempi:
        tempo[beat:] = value
    symbols: list[Chord | None] = [None] * (bars * BEAT)
    for beat, symbol in chords:
        symbols[beat:] = [symbol] * (len(symbols) - beat)
    score = make_grid(np.array(notes, dtype=np.int64).reshape(-1, 4), tempo, tuple(symbols), key)
    if score.bars == bars:
        return score
    return GridScore(
        score.start, score.length, score.pitch, score.velocity, tempo, tuple(symbols), key, bars
    )


def bar_of_words(words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bar of each word, int64 [T]; the key event belongs to bar 0."""
    lines = (words[:, Field.FAMILY] == Family.METRICAL) & (words[:, Field.BEAT] == BAR_LINE)
    return np.maximum(np.cumsum(lines) - 1, 0)
