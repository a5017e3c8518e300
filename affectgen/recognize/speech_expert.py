"""One corpus's ear: how its listeners would label a clip, from statistics of the voice and from Fisher vectors.

Two softmax regressions vote, one on the statistics, one on the Fisher vectors. With a neutral recording of the same
speaker, a third one weighs the scores of the clip against those of that recording, which tell how far this
speaker's voice alone leans towards an emotion. Fitted out of fold by speaker. `kernel` is the judge's family: a
Gaussian kernel over the statistics in place of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize import speech_softmax as softmax
from affectgen.recognize.speech_corpus import HEARD, LABELS, Table, baselines
from affectgen.recognize.speech_fisher import Mixture
from affectgen.recognize.speech_softmax import Softmax, shares_of

Floats = NDArray[np.float64]
Frames = NDArray[np.floating[Any]]
FAR_OUT = 4.0  # standard deviations: further is no more
LEAST_SHARE = 0.02
MANY, MANY_FOLDS = 15, 3  # from so many speakers on, or of worse copies, so many folds do
FEW = 6  # from fewer speakers, nothing is learnt of how speakers differ: a baseline is not used


@dataclass(frozen=True)
class Settings:
    """family: "linear" or "kernel"; penalty: of the regressions; gaussians: of the mixture, the
    best of these out of fold, or the first for a corpus of many speakers; width: of the kernel, in
    standard deviations per statistic; ridge: of the kernel's fit; beside: penalty of the regression with a baseline;
    pairs: baselines drawn a clip; folds: by speaker; seed.
    """

    family: str = "linear"
    penalty: float = 0.1
    gaussians: tuple[int, ...] = (16, 32)
    width: float = 1.0
    ridge: float = 0.3
    beside: float = 0.01
    pairs: int = 8
    folds: int = 10
    seed: int = 0


@dataclass(frozen=True)
class Scale:
    """mean, scale: float64 [F]."""

    mean: Floats
    scale: Floats

    @classmethod
    def of(cls, rows: Floats) -> Scale:
        """Of rows [N, F]; nan is left out."""
        return cls(np.nanmean(rows, axis=0), np.nanstd(rows, axis=0) + 1e-9)

    def __call__(self, rows: Floats) -> Floats:
        """Standardised rows; what is not known is at the mean."""
        return np.clip(np.nan_to_num((rows - self.mean) / self.scale), -FAR_OUT, FAR_OUT)


@dataclass(frozen=True)
class Linear:
    """Softmax regressions on statistics and on Fisher vectors: two blocks of scores."""

    scale: Scale
    voice: Softmax
    mixture: Mixture
    fisher_scale: Scale
    fisher: Softmax

    @classmethod
    def fit(cls, table: Table, weight: Floats, settings: Settings) -> Linear:
        """Fit on the clips of one corpus."""
        shares, answers = table.shares, table.answers
        scale = Scale.of(table.features)
        voice = softmax.fit(scale(table.features), shares, answers, weight, settings.penalty)
        mixture = Mixture.fit(table.frames, settings.gaussians[0], settings.seed)
        vectors = mixture.vectors(table.frames)
        fisher_scale = Scale.of(vectors)
        fisher = softmax.fit(fisher_scale(vectors), shares, answers, weight, settings.penalty)
        return cls(scale, voice, mixture, fisher_scale, fisher)

    def scores(self, features: Floats, frames: Sequence[Frames]) -> Floats:
        """[N, 14]."""
        vectors = self.fisher_scale(self.mixture.vectors(frames))
        return np.concatenate([self.voice.scores(self.scale(features)), self.fisher.scores(vectors)], axis=1)


@dataclass(frozen=True)
class Kernel:
    """Kernel ridge regression on the shares: support: float64 [S, F], standardised; dual: [S, 7]; width; start: [7]."""

    scale: Scale
    support: Floats
    dual: Floats
    width: Floats
    start: Floats

    @classmethod
    def fit(cls, table: Table, weight: Floats, settings: Settings) -> Kernel:
        """Fit on the clips of one corpus."""
        scale = Scale.of(table.features)
        rows = scale(table.features).astype(np.float16).astype(np.float64)  # as they are stored
        width = np.array(settings.width)
        start = (weight[:, None] * table.shares).sum(axis=0) / weight.sum()
        gram = _gauss(rows, rows, float(width))
        strength = settings.ridge * weight.mean() / np.maximum(weight, 1e-12)
        dual = np.linalg.solve(gram + np.diag(strength), table.shares - start)
        return cls(scale, rows, dual, width, start)

    def scores(self, features: Floats, frames: Sequence[Frames]) -> Floats:
        """[N, 7]; frames are not read."""
        shares = _gauss(self.scale(features), self.support, float(self.width)) @ self.dual + self.start
        return np.log(np.maximum(shares, LEAST_SHARE))


def _gauss(rows: Floats, others: Floats, width: float) -> Floats:
    """exp(-|a - b|^2 / (2 F width^2)), [N, S]."""
    square = (rows**2).sum(axis=1)[:, None] - 2 * rows @ others.T + (others**2).sum(axis=1)
    return np.exp(-np.maximum(square, 0.0) / (2 * rows.shape[1] * width**2))


Made = dict[tuple[str, ...], Linear | Kernel]  # scorers of folds by whom they heard and how


@dataclass(frozen=True)
class Expert:
    """corpus: whose listeners; scorer: gives blocks of scores; beside: regression on the scores of clip and baseline;
    beside_scale: of its inputs; beside_share: how much it counts, 0 to 1, an array without axes.
    """

    corpus: str
    scorer: Linear | Kernel
    beside_scale: Scale
    beside: Softmax
    beside_share: Floats

    @property
    def closed(self) -> Floats:
        """What is added to scores so that labels that were not offered get no share, [7]."""
        return np.array([0.0 if label in HEARD[self.corpus] else softmax.FAR for label in LABELS])

    def shares(self, scores: Floats, baseline: Floats | None = None) -> Floats:
        """How listeners would divide, [N, 7], for centred scores [N, S]; baseline: those of the speaker's neutral
        recording, [N, S] or [S].
        """
        blocks = scores.reshape(len(scores), -1, len(LABELS))
        alone = shares_of(blocks + self.closed).mean(axis=1)
        if baseline is None:
            return alone
        rows = np.concatenate([scores, np.broadcast_to(baseline, scores.shape)], axis=1)
        beside = shares_of(self.beside.scores(self.beside_scale(rows)) + self.closed)
        return (1 - self.beside_share) * alone + self.beside_share * beside

    def scores(self, features: Floats, frames: Sequence[Frames]) -> Floats:
        """Scores of clips, each block with mean 0 over the labels that were offered, [N, S]."""
        return centred(self.scorer.scores(features, frames), self.closed == 0)


@dataclass(frozen=True)
class OutOfFold:
    """Scores [N, S] and shares [N, 7] of training clips, each by a scorer that has not heard the speaker."""

    scores: Floats
    shares: Floats


def centred(scores: Floats, offered: NDArray[np.bool_]) -> Floats:
    """Scores with the mean over the labels offered taken from each block; 0 for the others."""
    blocks = scores.reshape(len(scores), -1, len(LABELS))
    blocks = np.where(offered, blocks - blocks[:, :, offered].mean(axis=2, keepdims=True), 0.0)
    return blocks.reshape(len(scores), -1)


def balanced(shares: Floats) -> Floats:
    """Row weights under which every label counts the same, float64 [N]."""
    total = shares.sum(axis=0)
    return shares @ np.where(total > 0, 1 / np.maximum(total, 1e-9), 0.0)


def fit_expert(table: Table, settings: Settings, made: Made | None = None) -> tuple[Expert, OutOfFold]:
    """An expert for the one corpus that the table holds, and what it says of its own clips out of fold by speaker.

    made: scorers of folds are kept there and taken from there, which saves time where speakers are left out in turn;
    all tables and settings that share it must be of one corpus's clips and one seed.
    """
    corpus = table.clips[0].corpus
    offered = np.array([label in HEARD[corpus] for label in LABELS])
    weight = balanced(table.shares)
    speakers = table.array("speaker")
    count = len(np.unique(speakers))
    many = count > MANY or table.clips[0].copy > 0
    parts = speaker_folds(speakers, MANY_FOLDS if many else settings.folds)
    sizes = settings.gaussians[:1] if many or settings.family == "kernel" else settings.gaussians
    tried = [replace(settings, gaussians=(size,)) for size in sizes]
    scores = [_out_of_fold(table, parts, offered, one, {} if made is None else made) for one in tried]
    best = int(np.argmin([_loss(found, table.shares, offered, weight) for found in scores]))
    settings, unseen = tried[best], scores[best]
    scale, beside = _fit_beside(table, unseen, weight, settings)
    share = np.array(0.5 if count >= FEW else 0.0)
    expert = Expert(corpus, scorer_of(table, weight, settings), scale, beside, share)
    return expert, OutOfFold(unseen, expert.shares(unseen))


def scorer_of(table: Table, weight: Floats, settings: Settings) -> Linear | Kernel:
    """A scorer of the family that the settings name."""
    return Kernel.fit(table, weight, settings) if settings.family == "kernel" else Linear.fit(table, weight, settings)


def _out_of_fold(
    table: Table, parts: NDArray[np.int64], offered: NDArray[np.bool_], settings: Settings, made: Made
) -> Floats:
    """Centred scores of each clip by a scorer fitted on the other parts, [N, S]."""
    folds = np.unique(parts)
    found: list[Floats] = []
    for fold in folds:
        rest, held = table.pick(parts != fold), table.pick(parts == fold)
        key = (*np.unique(rest.array("speaker")).tolist(), str(rest.clips[0].copy > 0), str(settings.gaussians))
        if key not in made:
            made[key] = scorer_of(rest, balanced(rest.shares), settings)
        scorer = made[key]
        found.append(centred(scorer.scores(held.features, held.frames), offered))
    scores = np.empty((len(table), found[0].shape[1]))
    for fold, rows in zip(folds, found, strict=True):
        scores[parts == fold] = rows
    return scores


def _loss(scores: Floats, shares: Floats, offered: NDArray[np.bool_], weight: Floats) -> float:
    """The weighted cross-entropy of the mean of the blocks."""
    blocks = scores.reshape(len(scores), -1, len(LABELS)) + np.where(offered, 0.0, softmax.FAR)
    found = shares_of(blocks).mean(axis=1)
    return -float((weight[:, None] * shares * np.log(np.maximum(found, 1e-12))).sum() / weight.sum())


def speaker_folds(speakers: NDArray[np.str_], folds: int) -> NDArray[np.int64]:
    """The fold of each clip, [N]: speakers dealt out in order of their names."""
    names = np.unique(speakers)
    return np.searchsorted(names, speakers) % min(folds, len(names))


def _fit_beside(table: Table, scores: Floats, weight: Floats, settings: Settings) -> tuple[Scale, Softmax]:
    """The regression on a clip's scores and those of a neutral clip of its speaker, drawn `pairs` times a clip."""
    chance = np.random.default_rng(settings.seed)
    neutral, rows, places = baselines(table), [], []
    takes = np.unique([str(clip.file) for clip in table.clips], return_inverse=True)[1]  # copies of one clip are one
    for place, clip in enumerate(table.clips):
        own = neutral[clip.speaker]
        others = own[takes[own] != takes[place]]
        for other in chance.choice(others, settings.pairs) if len(others) else ():
            rows.append(np.concatenate([scores[place], scores[other]]))
            places.append(place)
    inputs = np.stack(rows)
    scale = Scale.of(inputs)
    target = table.shares[places], table.answers[places], weight[places]
    return scale, softmax.fit(scale(inputs), *target, settings.beside)
