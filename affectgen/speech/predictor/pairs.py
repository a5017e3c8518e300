"""Pairs to learn from: a speaker's neutral take of a sentence and another take of it, and what exemplars show.

CREMA-D's actors say each of twelve sentences in each emotion. What a take is asked to teach is what its listeners
heard, not what its actor was told; a take counts the more, the more surely it was heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.speech_corpus import LABELS, Clip
from affectgen.speech.predictor.phones import CLASSES, COLUMNS, LENGTH, LEVEL, Take, class_of, differences
from affectgen.speech.split import part_of

Floats = NDArray[np.float64]

LEAST_WEIGHT = 0.25  # of a take whose listeners did not hear what was acted
NEUTRAL = LABELS.index("neutral")


@dataclass(frozen=True)
class Pair:
    """source: the neutral take; delta: float64 [P, 13], what the other take changes, nan where not known; shares [7]
    over LABELS and point [2]: how that one was heard; weight; speaker, name: whose and which clip; clip: its take.
    """

    name: str
    speaker: str
    source: Take
    take: Take
    delta: Floats
    shares: Floats
    point: Floats
    weight: float


@dataclass(frozen=True)
class Usual:
    """How a speaker sounds when neutral. rows: float64 [4, 13], the means of COLUMNS over phones of each of CLASSES;
    level: the median pitch in semitones above 27.5 Hz.
    """

    rows: Floats
    level: float

    @classmethod
    def of(cls, takes: Sequence[Take]) -> Usual:
        """From neutral takes of one speaker; what none of them has is nan."""
        values = np.concatenate([take.values for take in takes])
        kinds = np.concatenate([class_of(take.names) for take in takes])
        rows = np.full((len(CLASSES), len(COLUMNS)), np.nan)
        for kind in range(len(CLASSES)):
            mine = values[kinds == kind]
            known = np.isfinite(mine)
            some = known.any(axis=0)
            rows[kind, some] = np.where(known, mine, 0.0).sum(axis=0)[some] / known.sum(axis=0)[some]
        level = values[:, LEVEL]
        middle = float(np.median(level[np.isfinite(level)])) if np.isfinite(level).any() else float("nan")
        rows[:, LEVEL] = middle
        return cls(rows, middle)

    def relative(self, take: Take) -> Floats:
        """What a take's phones are beside the usual ones of their class, float64 [P, 13], nan where not known."""
        return np.asarray(take.values - self.rows[class_of(take.names)], dtype=np.float64)


@dataclass(frozen=True)
class Exemplar:
    """A take to learn from: names [P] of its phones; values: float64 [P, 13], relative to its speaker's usual ones;
    shares [7], point [2]: how it was heard; speaker, name: whose and which clip.
    """

    name: str
    speaker: str
    names: tuple[str, ...]
    values: Floats
    shares: Floats
    point: Floats


def make_pairs(clips: Sequence[Clip], takes: Mapping[str, Take], part: str) -> list[Pair]:
    """All pairs of a part ("training", "development", "test") that there are takes for; a neutral take with itself,
    which teaches that neutral changes nothing, counts as one of them.
    """
    mine = [clip for clip in clips if clip.name in takes and part_of(clip.speaker) == part]
    source = {sentence_of(clip): takes[clip.name] for clip in mine if clip.acted == "neutral"}
    found = []
    for clip in mine:
        neutral, take = source.get(sentence_of(clip)), takes[clip.name]
        if neutral is None or not np.isfinite(take.middle) or not np.isfinite(neutral.middle):
            continue
        delta = differences(neutral, take)
        if np.isfinite(delta[:, LENGTH]).mean() < 0.5:
            continue
        if clip.acted == "neutral":
            shares, point, weight = np.eye(len(LABELS))[NEUTRAL], np.zeros(2), 0.5
        else:
            shares, point = clip.shares, clip.point
            weight = max(LEAST_WEIGHT, float(shares[LABELS.index(clip.acted)]))
        found.append(Pair(clip.name, clip.speaker, neutral, take, delta, shares, point, weight))
    return found


def make_exemplars(clips: Sequence[Clip], takes: Mapping[str, Take]) -> list[Exemplar]:
    """The training speakers' takes as exemplars."""
    mine = [clip for clip in clips if clip.name in takes and part_of(clip.speaker) == "training"]
    usual = usual_of(mine, takes)
    return [
        Exemplar(
            clip.name, clip.speaker, takes[clip.name].names, usual[clip.speaker].relative(takes[clip.name]),
            clip.shares, clip.point,
        )
        for clip in mine
        if clip.speaker in usual and np.isfinite(takes[clip.name].middle)
    ]  # fmt: skip


def usual_of(clips: Sequence[Clip], takes: Mapping[str, Take]) -> dict[str, Usual]:
    """Of each speaker with a neutral take."""
    found: dict[str, list[Take]] = {}
    for clip in clips:
        if clip.acted == "neutral" and clip.name in takes:
            found.setdefault(clip.speaker, []).append(takes[clip.name])
    return {speaker: Usual.of(mine) for speaker, mine in found.items()}


def sentence_of(clip: Clip) -> tuple[str, str]:
    """(speaker, the sentence's code) of a clip of CREMA-D: "1001_DFA_ANG_XX.ogg" is of the sentence DFA."""
    return clip.speaker, clip.file.name.split("_")[1]
