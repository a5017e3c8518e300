"""MusPy's statistics of pitch and rhythm, on the sixteenth grid (Dong et al., ISMIR 2020), written anew.

Definitions are the paper's and its package's (version 0.5). Bars and beats are the score's own, where MusPy adds one
after a note that ends on a line, so that a rest at the end counts and nothing after the end does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from affectgen.score.grid import BAR, BEAT, GridScore

Flags = NDArray[np.bool_]
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))  # major and natural minor above their tonic
MANY = 2  # a step is polyphonic with more pitches than this, as in MusPy's default


@dataclass(frozen=True)
class Statistics:
    """Of one piece; nan where there is nothing to measure.

    pitches: different ones. pitch_entropy, pitch_class_entropy: bits, over notes. scale_consistency: the largest share
    of notes that lie in one major or natural minor scale. polyphony_rate: share of steps on which more than two pitches
    sound. empty_beats: share of beats without a note. groove_consistency: 1 less the share of the sixteenths of a bar
    on which one of two neighbouring bars has an onset and the other has none (Wu and Yang, ISMIR 2020).
    """

    pitches: float
    pitch_entropy: float
    pitch_class_entropy: float
    scale_consistency: float
    polyphony_rate: float
    empty_beats: float
    groove_consistency: float


NAMES = tuple(field.name for field in fields(Statistics))


def statistics(score: GridScore) -> Statistics:
    """All of them."""
    sounding = _sounding(score)  # [steps, 128]
    return Statistics(
        pitches=float(len(np.unique(score.pitch))),
        pitch_entropy=entropy(score.pitch, 128),
        pitch_class_entropy=entropy(score.pitch % 12, 12),
        scale_consistency=scale_consistency(score.pitch),
        polyphony_rate=float((sounding.sum(axis=1) > MANY).mean()),
        empty_beats=float((~sounding.any(axis=1).reshape(-1, BEAT).any(axis=1)).mean()),
        groove_consistency=groove_consistency(score),
    )


def mean_statistics(scores: Sequence[GridScore]) -> dict[str, float]:
    """The mean of each over pieces that have it, by name; nan where none has."""
    values = [[getattr(one, name) for name in NAMES] for one in map(statistics, scores)]
    rows = np.array(values).reshape(-1, len(NAMES))
    there = np.isfinite(rows)
    kept = [rows[there[:, place], place] for place in range(len(NAMES))]
    return {name: float(held.mean()) if len(held) else math.nan for name, held in zip(NAMES, kept, strict=True)}


def entropy(values: NDArray[np.int64], kinds: int) -> float:
    """Shannon entropy in bits of how often each of `kinds` values occurs; nan for none."""
    if not len(values):
        return math.nan
    share = np.bincount(values, minlength=kinds) / len(values)
    told = share[share > 0]
    return float(-(told * np.log2(told)).sum())


def scale_consistency(pitch: NDArray[np.int64]) -> float:
    """The share of notes in the scale that holds most of them; nan for none."""
    if not len(pitch):
        return math.nan
    count = np.bincount(pitch % 12, minlength=12)
    held = [count[(np.array(scale) + tonic) % 12].sum() for scale in SCALES for tonic in range(12)]
    return float(max(held) / len(pitch))


def groove_consistency(score: GridScore) -> float:
    """How alike neighbouring bars' onsets are, 0-1; nan for one bar."""
    if score.bars < 2:
        return math.nan
    onsets: Flags = np.zeros(score.bars * BAR, dtype=bool)
    onsets[score.start[score.start < len(onsets)]] = True
    bars = onsets.reshape(score.bars, BAR)
    return 1.0 - float((bars[1:] != bars[:-1]).mean())


def _sounding(score: GridScore) -> Flags:
    """Whether each pitch sounds on each sixteenth, [16 * bars, 128]."""
    steps: Flags = np.zeros((score.bars * BAR, 128), dtype=bool)
    for start, length, pitch in zip(score.start, score.length, score.pitch, strict=True):
        steps[start : start + length, pitch] = True
    return steps
