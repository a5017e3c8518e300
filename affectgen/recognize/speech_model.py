"""The whole ear for speech: an expert for each corpus, what their labels mean on the plane, and who is to be believed.

Corpora differ in what their labels mean: EMO-DB's are acted to be told apart, CREMA-D's are what a crowd heard, mostly
little. So each corpus has its own expert, its own anchor from labels to the plane and its own intervals, and another
such reader for worse copies of its clips (noise, telephone, rooms, lossy files). A gate weighs them by which of these a
clip sounds like (a mixture of experts: Jacobs et al. 1991).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize import speech_softmax as softmax
from affectgen.recognize.interval import Intervals
from affectgen.recognize.speech_corpus import LABELS, Table, label_points
from affectgen.recognize.speech_expert import Expert, Made, OutOfFold, Scale, Settings, balanced, fit_expert
from affectgen.recognize.speech_softmax import Softmax, shares_of

Floats = NDArray[np.float64]
GATE_PENALTY = 0.01
SMALL = 0.1  # a label nearer to an axis than this does not anchor it
GAINS = (0.5, 2.5)  # of an anchor: beyond, readings would be noise blown up, or nothing
WORN = "_worn"  # what the name of a reader of worse copies ends with
NORMAL = 1.2816  # standard deviations: half the width of an 80 % interval of a normal distribution


@dataclass(frozen=True)
class Anchor:
    """centre: float64 [2], the reading of a typical neutral clip, which becomes 0; gain: float64 [2, 2], by axis (rows)
    and side (below, above the centre), under which a typical clip of a label reads at that label's point: the
    middle one of those that are heard on the label's side of the centre.
    """

    centre: Floats
    gain: Floats

    @classmethod
    def fit(cls, readings: Floats, points: Floats, shares: Floats) -> Anchor:
        """From readings [N, 2] taken out of fold, the points [N, 2] and label distributions [N, 7] of the clips."""
        sure, label = shares.max(axis=1) == 1, shares.argmax(axis=1)
        kinds = [sure & (label == k) for k in range(len(LABELS)) if (sure & (label == k)).sum() >= 3]
        wanted = np.array([points[kind].mean(axis=0) for kind in kinds])
        neutral = sure & (label == LABELS.index("neutral"))
        centre = np.median(readings[neutral], axis=0) if neutral.any() else np.zeros(2)
        gain = np.ones((2, 2))
        for axis in range(2):
            for side, sign in enumerate((-1, 1)):
                shifted = sign * (readings[:, axis] - centre[axis])
                right = [shifted[kind & (shifted > 0)] for kind in kinds]
                used = [n for n, side_of in enumerate(right) if sign * wanted[n, axis] > SMALL and len(side_of)]
                heard = np.array([np.median(right[n]) for n in used])
                if used:
                    gain[axis, side] = sign * (heard @ wanted[used, axis]) / (heard @ heard)
        return cls(centre, np.clip(gain, *GAINS))

    def __call__(self, readings: Floats) -> Floats:
        """Readings [N, 2] on the plane's scale."""
        shifted = readings - self.centre
        return np.clip(np.where(shifted < 0, shifted * self.gain[:, 0], shifted * self.gain[:, 1]), -1.0, 1.0)


@dataclass(frozen=True)
class Reader:
    """One corpus: its expert, anchor and intervals. usual: float64 [7], how often each label is given in it: an
    expert's shares are as if all were equally frequent, and points are expected under those that are. worn: whether
    for recordings worse than the corpus's.
    """

    expert: Expert
    usual: Floats
    anchor: Anchor
    intervals: Intervals
    worn: bool = False

    @property
    def name(self) -> str:
        """Corpus and whether worn."""
        return reader_name(self.expert.corpus, self.worn)

    def points(self, shares: Floats) -> Floats:
        """Valence and arousal of label distributions [N, 7], float64 [N, 2]."""
        return self.anchor(expected(shares, self.usual))


def reader_name(corpus: str, worn: bool) -> str:
    """How a reader is called."""
    return f"{corpus}{WORN}" if worn else corpus


def expected(shares: Floats, usual: Floats) -> Floats:
    """The mean of the labels' points under shares [N, 7] weighted by how usual the labels are [7], float64 [N, 2]."""
    weighted = shares * usual
    return weighted @ label_points() / weighted.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Verdict:
    """Of N clips: shares [N, 7] over LABELS; points [N, 2]; low, high [N, 2]: ends of the 80 % intervals."""

    shares: Floats
    points: Floats
    low: Floats
    high: Floats

    @property
    def quadrants(self) -> Floats:
        """Probabilities of Q1-Q4, [N, 4]: of a normal distribution about the point, as wide as the interval."""
        from scipy.special import ndtr

        spread = np.maximum((self.high - self.low) / (2 * NORMAL), 0.02)
        pleasant, aroused = ndtr(self.points / spread).T
        quadrants = [pleasant * aroused, (1 - pleasant) * aroused, (1 - pleasant) * (1 - aroused)]
        return np.stack([*quadrants, pleasant * (1 - aroused)], axis=1)


@dataclass(frozen=True)
class Heard:
    """What is read of N clips: features [N, F]; frames: of each, [T, 38]; scores: by each reader of one model, [N, S],
    where they are known (`SpeechModel.scored`).
    """

    features: Floats
    frames: Sequence[Floats]
    scores: tuple[Floats, ...] | None = None

    def pick(self, places: NDArray[np.int64]) -> Heard:
        """The clips at places [M]."""
        scores = None if self.scores is None else tuple(rows[places] for rows in self.scores)
        return Heard(self.features[places], [self.frames[n] for n in places], scores)


@dataclass(frozen=True)
class SpeechModel:
    """readers: one a corpus, and one for it in worse copies; gate_scale, gate: which of them a clip sounds like."""

    readers: tuple[Reader, ...]
    gate_scale: Scale
    gate: Softmax

    def read(self, heard: Heard, baseline: Heard | None = None, only: str | None = None) -> Verdict:
        """What N clips tell; baseline: neutral recordings of the speaker, one for all or (N of them) one for each;
        only: the corpus whose expert, for clips as recorded, alone is asked.
        """
        beside = [None] * len(self.readers) if baseline is None else self._scores(baseline)
        parts = [_part(*one) for one in zip(self.readers, self._scores(heard), beside, strict=True)]
        trust = self.trust(heard.features)
        if only is not None:
            trust = np.tile([float(reader.name == only) for reader in self.readers], (len(trust), 1))

        def over(values: list[Floats]) -> Floats:
            return np.einsum("nc,cnk->nk", trust, np.stack(values))

        shares, points = over([part.shares for part in parts]), over([part.points for part in parts])
        low, high = over([part.low for part in parts]), over([part.high for part in parts])
        return Verdict(shares, points, low, high)

    def trust(self, features: Floats) -> Floats:
        """How far each reader is believed, [N, C], summing to 1."""
        return shares_of(self.gate.scores(self.gate_scale(features)))

    def scored(self, heard: Heard) -> Heard:
        """The same with the readers' scores, which take the time: for clips that are read more than once."""
        return Heard(heard.features, heard.frames, self._scores(heard))

    def _scores(self, heard: Heard) -> tuple[Floats, ...]:
        """Of each reader, [N, S]."""
        if heard.scores is not None:
            return heard.scores
        return tuple(reader.expert.scores(heard.features, heard.frames) for reader in self.readers)


def _part(reader: Reader, scores: Floats, beside: Floats | None) -> Verdict:
    """What one reader says of clips by its scores [N, S], and those of baselines: as many, or of one speaker."""
    if beside is not None and len(beside) != len(scores):
        beside = beside.mean(axis=0)
    shares = reader.expert.shares(scores, beside)
    points = reader.points(shares)
    return Verdict(shares, points, *reader.intervals(points))


def reader_of(table: Table, expert: Expert, unseen: OutOfFold) -> Reader:
    """Anchor and intervals of an expert, from what it says of its corpus's clips out of fold."""
    usual = table.shares.mean(axis=0)
    bare = expected(unseen.shares, usual)
    anchor = Anchor.fit(bare, table.points, table.shares)
    worn = table.clips[0].copy > 0
    return Reader(expert, usual, anchor, Intervals.fit(anchor(bare), table.points), worn)


def fit_reader(table: Table, settings: Settings, made: Made | None = None) -> Reader:
    """The reader of the one corpus that the table holds, of clips as recorded or of worse copies."""
    return reader_of(table, *fit_expert(table, settings, made))


def fit_model(
    table: Table, settings: Settings, ready: Sequence[Reader] = (), made: Made | None = None
) -> SpeechModel:
    """Fit on a table; the readers in `ready` are taken in place of their namesakes; made: see `fit_expert`."""
    own = np.array([reader_name(clip.corpus, clip.copy > 0) for clip in table.clips])
    known = {reader.name: reader for reader in ready}
    names = np.unique(own).tolist()
    readers = tuple(
        known[name] if name in known else fit_reader(table.pick(own == name), settings, made) for name in names
    )
    scale = Scale.of(table.features)
    target = np.array([[float(name == other) for other in names] for name in own])
    answers = np.ones(target.shape, dtype=bool)
    gate = softmax.fit(scale(table.features), target, answers, balanced(target), GATE_PENALTY)
    return SpeechModel(readers, scale, gate)


def correlation(first: Floats, second: Floats) -> float:
    """Pearson's correlation of two series; 0 where one does not vary."""
    spread = float(first.std() * second.std())
    if spread < 1e-12:
        return 0.0
    return float(((first - first.mean()) * (second - second.mean())).mean() / sqrt(spread**2))
