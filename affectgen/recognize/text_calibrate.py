"""From a fitted model to a reader: honest label shares, the anchor, the intervals; all from texts it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.labels import go_emotions
from affectgen.recognize.interval import Intervals
from affectgen.recognize.text import Model, TextRecogniser, stretch
from affectgen.recognize.text_anchor import Anchor
from affectgen.recognize.text_corpus import LABELS, read_emobank, read_goemotions
from affectgen.recognize.text_features import Sentence, Table

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
TEMPERATURES = np.geomspace(0.4, 3.0, 60)


@dataclass(frozen=True)
class Material:
    """Sentences of EmoBank, then comments of GoEmotions, N in all; nan where a row has no labels [N, 28], no points
    [N, 2] or no ratings [N, 3].
    """

    texts: list[str]
    sentences: list[Sentence]
    labels: Floats
    points: Floats
    ratings: Floats

    @classmethod
    def read(cls, data: Path, splits: Sequence[str], table: Table) -> Material:
        """These splits of both corpora, each text as one sentence."""
        banks, comments = [read_emobank(data, s) for s in splits], [read_goemotions(data, s) for s in splits]
        texts = [text for bank in banks for text in bank.texts]
        texts += [text for part in comments for text in part.texts]
        rated, commented = sum(len(bank.texts) for bank in banks), sum(len(part.texts) for part in comments)
        return cls(
            texts,
            [table.sentence(text.replace("’", "'")) for text in texts],
            np.concatenate([np.full((rated, len(LABELS)), np.nan), *(part.labels for part in comments)]),
            np.concatenate([np.full((rated, 2), np.nan), *(part.points for part in comments)]),
            np.concatenate([*(bank.ratings for bank in banks), np.full((commented, 3), np.nan)]),
        )

    @property
    def is_rated(self) -> Bools:
        """Which rows are EmoBank's [N]."""
        return np.isfinite(self.ratings[:, 0])

    @property
    def rated(self) -> tuple[list[Sentence], Floats]:
        """EmoBank's sentences and ratings."""
        return self._of(self.is_rated), self.ratings[self.is_rated]

    @property
    def commented(self) -> tuple[list[Sentence], Floats]:
        """GoEmotions's comments and label shares."""
        return self._of(~self.is_rated), self.labels[~self.is_rated]

    def every(self, nth: int, first: int = 0) -> Bools:
        """Every nth row, from the row `first`, [N]."""
        return np.arange(len(self.texts)) % nth == first

    def pick(self, chosen: Bools) -> Material:
        """The rows where `chosen` [N] is true."""
        texts = [text for text, yes in zip(self.texts, chosen, strict=True) if yes]
        return Material(texts, self._of(chosen), self.labels[chosen], self.points[chosen], self.ratings[chosen])

    def _of(self, chosen: Bools) -> list[Sentence]:
        return [sentence for sentence, yes in zip(self.sentences, chosen, strict=True) if yes]


def out_of_fold(material: Material, fit: Callable[[Material], Model], folds: int) -> tuple[Floats, Floats]:
    """Each row's scores by a model fitted without it: log label shares [N, 28], ratings [N, 3]."""
    logits, ratings = np.empty((len(material.texts), len(LABELS))), np.empty((len(material.texts), 3))
    for fold in range(folds):
        left = material.every(folds, fold)
        logits[left], ratings[left] = fit(material.pick(~left)).scores(material.pick(left).sentences)
    return logits, ratings


def assemble(
    table: Table, model: Model, unseen: Material, scores: tuple[Floats, Floats], ease: float | None = None
) -> TextRecogniser:
    """The reader, from the scores of texts that the model has not seen: log label shares [N, 28] and ratings [N, 3].

    ease: of the intervals, see `TextRecogniser`.
    """
    logits, ratings = scores
    commented = ~unseen.is_rated
    labels = unseen.labels[commented]
    words = np.array([(point.valence, point.arousal) for point in (go_emotions([label]) for label in LABELS)])
    anchor = Anchor.fit(ratings[commented, :2], labels, words, LABELS.index("neutral"))
    wanted = np.where(commented[:, None], unseen.points, anchor(unseen.ratings[:, :2]))
    weight = np.where(commented, 1 / commented.sum(), 1 / max(1, int((~commented).sum())))  # both corpora weigh alike
    temperature = _temperature(logits[commented], labels)
    raised = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    points, wider = anchor(ratings[:, :2]), stretch(raised / raised.sum(axis=1, keepdims=True), ease)
    intervals = Intervals.fit(points, points + (wanted - points) / wider, weight)
    return TextRecogniser(table, model, temperature, labels.mean(axis=0), anchor, intervals, {}, ease)


def _temperature(logits: Floats, labels: Floats) -> float:
    """What to divide logits [N, 28] by so that label shares [N, 28] are likeliest (Guo et al., ICML 2017)."""
    losses = []
    for temperature in TEMPERATURES:
        heat = logits / temperature
        heat = heat - heat.max(axis=1, keepdims=True)
        heat = heat - np.log(np.exp(heat).sum(axis=1, keepdims=True))
        losses.append(-(labels * heat).sum())
    return float(TEMPERATURES[int(np.argmin(losses))])
