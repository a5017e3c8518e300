"""Candidates of one piece at a bar line: which of them all go on from, and what they are asked for from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affectgen.emogen.compose import Verdict
from affectgen.emogen.options import EmogenOptions
from affectgen.emogen.scale import FARTHEST
from affectgen.emogen.targets import LENGTHY
from affectgen.emogen.vector import NAMES
from affectgen.writing.pieces import Words, score_of

if TYPE_CHECKING:
    from affectgen.emogen.generate import Generator

Floats = NDArray[np.float64]
MOST_STEERED = 1.5  # standard deviations by which targets are moved for what a piece will miss without, at most


@dataclass(frozen=True)
class Chooser:
    """Chooses among candidates of one piece that are written up to some bar line: the one whose attributes, so far,
    miss the targets least.

    attempt: which of the options of a call it is, and which try; bars: how many will be composed; before: how many of a
    piece that is gone on from the words begin with."""

    attempt: tuple[int, int, int]
    bars: int
    before: int
    option: EmogenOptions
    generator: Generator = field(compare=False)

    def __call__(self, bars: int, written: Sequence[Words]) -> Verdict:
        """The best of some candidates that have `bars` bars, those of a piece that is gone on from included."""
        targets = self.generator.targets(self.option, self.bars)
        edges = [edge for edge in targets.edges if edge < bars - self.before] + [bars - self.before]
        sd, expected = (each[: len(edges) - 1].copy() for each in (targets.sd, targets.expected))
        sd[:, list(LENGTHY)] = expected[:, list(LENGTHY)] = np.nan
        so_far = replace(targets, sd=sd, expected=expected, edges=tuple(edges))
        scores = [score_of(words, bars, ending=False) for words in written]
        whole = self.bars if len(targets.sd) == 1 else None  # the segments of a path are not the beginning of anything
        best, achieved = self.generator.choose(self.option, scores, so_far, whole)
        steered = np.full((self.before + self.bars, len(NAMES)), np.nan)
        steered[self.before :] = steer(targets.by_bar, self.generator.miss(so_far, achieved))
        return Verdict(best, steered)


def steer(by_bar: Floats, gap: Floats) -> Floats:
    """Targets [bars, K] for the rest of a piece that misses its own by `gap` [segments, K]: what it has too much of is
    asked for less, and the other way round."""
    known = np.isfinite(gap)
    mean = np.where(known, gap, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    moved: Floats = np.clip(by_bar - np.clip(mean, -MOST_STEERED, MOST_STEERED), -FARTHEST, FARTHEST)
    return moved
