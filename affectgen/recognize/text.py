"""The emotion of English text: valence, arousal, dominance and GoEmotions' 28 labels, read in numpy.

Three of one interface (design, section 6): the recogniser behind `affectgen rate --text`, the guide that may steer, the
judge that measures. A text is read sentence by sentence (by the recogniser: in passages of up to 64 words) and the mean
is taken. What is not English (few known words) is not guessed at: the less of it is known, the nearer to neutral the
reading and the wider its intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from affectgen.affect.labels import LABELS_VERSION
from affectgen.errors import CheckpointError
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.recognize import text_linear
from affectgen.recognize.interval import Intervals
from affectgen.recognize.reading import Reading, readings
from affectgen.recognize.text_anchor import Anchor
from affectgen.recognize.text_blend import TextBlend
from affectgen.recognize.text_corpus import LABELS
from affectgen.recognize.text_deep import TextDeep
from affectgen.recognize.text_features import Sentence, Table, passages_of, sentences_of
from affectgen.recognize.text_net import TextNet
from affectgen.recognize.text_transformer import PREFIX

Floats = NDArray[np.float64]
RECOGNISER, GUIDE, JUDGE = "text-recogniser", "text-guide", "text-judge"
FEW, ENOUGH = 0.45, 0.75  # shares of known words: at the first nothing is believed, from the second on everything
NORMAL_80 = 1.2816  # half the 80 % interval of a normal distribution, in standard deviations


class Model(Protocol):
    """Log label shares [N, 28] and ratings [N, 3] of sentences."""

    def scores(self, sentences: Sequence[Sentence]) -> tuple[Floats, Floats]: ...

    def arrays(self) -> dict[str, NDArray[Any]]: ...


@dataclass(frozen=True)
class Scores:
    """Of texts: shares, float64 [N, 28], calibrated; ratings, [N, 3] on EmoBank's scale; known, [N], share of words."""

    shares: Floats
    ratings: Floats
    known: Floats


@dataclass(frozen=True)
class TextRecogniser:
    """table: of words; model: what reads them; temperature: that makes label shares honest; prior: float64 [28], label
    shares of comments at large; anchor, intervals: to the plane and about its points; figures: on unseen texts; ease:
    if given, an interval is as many times wider as this and the share of labels other than neutral make together.
    """

    table: Table
    model: Model
    temperature: float
    prior: Floats
    anchor: Anchor
    intervals: Intervals
    figures: dict[str, float]
    ease: float | None = None

    def score(self, texts: Sequence[str]) -> Scores:
        """What the model says of texts before anchoring. AffectgenError where one is empty."""
        cut = passages_of if isinstance(self.model, TextDeep) else sentences_of  # as the model's texts were in training
        rows = [[self.table.sentence(piece) for piece in cut(text)] for text in texts]
        shares, ratings = np.empty((len(rows), len(LABELS))), np.empty((len(rows), 3))
        for row, sentences in enumerate(rows):
            logits, rated = self.model.scores(sentences)
            heat = logits / self.temperature
            raised = np.exp(heat - heat.max(axis=1, keepdims=True))
            shares[row] = (raised / raised.sum(axis=1, keepdims=True)).mean(axis=0)
            ratings[row] = rated.mean(axis=0)
        return Scores(shares, ratings, np.array([self.table.known(sentences) for sentences in rows]))

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """A reading for each text, in their order. AffectgenError where one is empty or only spaces."""
        scores = self.score(texts)
        if not len(scores.known):
            return []
        trust = np.clip((scores.known - FEW) / (ENOUGH - FEW), 0.0, 1.0)[:, None]
        points = self.anchor(scores.ratings[:, :2])
        half = self.intervals.halves(points) * stretch(scores.shares, self.ease)
        low, high = np.clip(points - half, -1.0, 1.0), np.clip(points + half, -1.0, 1.0)
        spread = np.maximum((high - low) / (2 * NORMAL_80), 1e-6)
        quadrants = trust * quadrant_shares(points, spread) + (1 - trust) * 0.25
        shares = trust * scores.shares + (1 - trust) * self.prior
        dominance = trust[:, 0] * scores.ratings[:, 2].clip(-1, 1)
        ends = (trust * low - (1 - trust), trust * high + (1 - trust))
        found = readings(*(rows.tolist() for rows in (trust * points, quadrants, *ends)))
        return [
            replace(reading, labels=dict(zip(LABELS, row.tolist(), strict=True)), dominance=float(third))
            for reading, row, third in zip(found, shares, dominance, strict=True)
        ]


def stretch(shares: Floats, ease: float | None) -> Floats:
    """How many times wider than elsewhere the intervals of texts with label shares [N, 28] are, [N, 1]."""
    return np.ones((len(shares), 1)) if ease is None else ease + 1 - shares[:, [LABELS.index("neutral")]]


def quadrant_shares(points: Floats, spread: Floats) -> Floats:
    """Probabilities of Q1-Q4 [N, 4] where the truth lies normally about points [N, 2] with these spreads [N, 2]."""
    up = ndtr(points / spread)
    pleasant, lively = up[:, 0], up[:, 1]
    return np.stack(
        [pleasant * lively, (1 - pleasant) * lively, (1 - pleasant) * (1 - lively), pleasant * (1 - lively)], axis=1
    )


def load_text_recogniser(name: str | Path = RECOGNISER) -> TextRecogniser:
    """The shipped recogniser, or the one in the folder `name`. CheckpointError if it is missing or damaged."""
    return _load(name, "recogniser")


def load_text_guide(name: str | Path = GUIDE) -> TextRecogniser:
    """The shipped guide, or the one in the folder `name`. CheckpointError if it is missing or damaged."""
    return _load(name, "guide")


def load_text_judge(name: str | Path = JUDGE) -> TextRecogniser:
    """The shipped judge, or the one in the folder `name`. CheckpointError if it is missing or damaged."""
    return _load(name, "judge")


def pack(reader: TextRecogniser) -> dict[str, NDArray[Any]]:
    """What a checkpoint stores of a reader; `_load` is the way back."""
    table = reader.table
    ease = {} if reader.ease is None else {"ease": np.array([reader.ease])}
    return reader.model.arrays() | ease | {
        "words": np.array(["\n".join(table.rows)]),
        "felt": np.array(["\n".join(table.valence)]),
        "valence": np.array(list(table.valence.values()), dtype=np.float16),
        "temperature": np.array([reader.temperature]),
        "prior": reader.prior,
        "neutral": reader.anchor.neutral,
        "slopes": reader.anchor.slopes,
        "half": reader.intervals.half,
    }


def _load(name: str | Path, what: str) -> TextRecogniser:
    found = load_checkpoint(name)
    kind = found.config.get("kind")
    if kind != f"text-{what}":
        raise CheckpointError(f"{name} is a {kind!r}, and a 'text-{what}' was expected.", "Name another.")
    if found.config.get("labels_version") != LABELS_VERSION:
        raise CheckpointError(f"{name} was fitted on other label points.", "python -m affectgen.recognize.text_fit")
    arrays = found.arrays()
    rows = {word: row + 1 for row, word in enumerate(str(arrays["words"][0]).split("\n"))}
    felt = str(arrays["felt"][0]).split("\n")
    model: Model
    if f"{PREFIX}head" in arrays:
        model = TextDeep.of_arrays(arrays)
    elif "ridge" in arrays:
        model = TextBlend.of_arrays(arrays)
    elif "kernel" in arrays:
        model = TextNet.of_arrays(arrays)
    else:
        model = text_linear.TextLinear.of_arrays(arrays, text_linear.Settings(**found.config["settings"]))
    return TextRecogniser(
        Table(rows, dict(zip(felt, arrays["valence"].astype(float).tolist(), strict=True))),
        model,
        float(arrays["temperature"][0]),
        arrays["prior"],
        Anchor(arrays["neutral"], arrays["slopes"]),
        Intervals(arrays["half"]),
        found.config["figures"],
        float(arrays["ease"][0]) if "ease" in arrays else None,
    )
