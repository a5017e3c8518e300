"""What the emotion space is fitted on: texts and clips as rows of numbers, with how LABELS divide over each.

Texts are of the dev splits of GoEmotions and EmoBank, which the text guide was not fitted on, so it reads them as it
will read others; every fifth tells when to stop. The test splits are for the figures. Clips are those of
`affectgen.speech.split`'s training speakers; the development speakers tell when to stop, the test speakers are for the
figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.speech_corpus import LABELS, Table
from affectgen.recognize.text import TextRecogniser
from affectgen.recognize.text_corpus import LABELS as COMMENTS
from affectgen.recognize.text_corpus import read_emobank, read_goemotions
from affectgen.speech.space.model import text_rows
from affectgen.speech.split import part_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Demszky et al. 2020: their labels as Ekman's emotions. Surprise is no label of the voices: its four stay without one.
COMMENT_LABELS = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "happiness": (
        "admiration", "amusement", "approval", "caring", "desire", "excitement", "gratitude", "joy", "love", "optimism",
        "pride", "relief",
    ),
    "neutral": ("neutral",),
    "sadness": ("disappointment", "embarrassment", "grief", "remorse", "sadness"),
}  # fmt: skip
STOPPING = 5  # every so many-th text of the dev splits is not trained on


@dataclass(frozen=True)
class Rows:
    """N texts or clips. rows: float64 [N, F], nan where a number is not known; shares: float64 [N, 7], over LABELS,
    all 0 where nothing is known; points: float64 [N, 2]; groups: [N], of whom they are, "" for texts.
    """

    rows: Floats
    shares: Floats
    points: Floats
    groups: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.rows)

    def pick(self, mask: Bools) -> Rows:
        """Those where the mask [N] is true."""
        return Rows(self.rows[mask], self.shares[mask], self.points[mask], self.groups[mask])

    @property
    def agreed(self) -> Bools:
        """Those of one label, [N]."""
        return np.asarray(self.shares.max(axis=1) > 0.999)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The place of the strongest of LABELS, [N]."""
        return self.shares.argmax(axis=1)


@dataclass(frozen=True)
class Material:
    """Texts and clips of one part: what is trained on, stops, or is measured."""

    texts: Rows
    clips: Rows


def label_map() -> Floats:
    """From GoEmotions' 28 labels to LABELS, float64 [28, 7]; the rows of labels without a namesake are 0."""
    found = np.zeros((len(COMMENTS), len(LABELS)))
    for label, names in COMMENT_LABELS.items():
        for name in names:
            found[COMMENTS.index(name), LABELS.index(label)] = 1.0
    return found


def read_texts(reader: TextRecogniser, data: Path, split: str) -> Rows:
    """A split of both text corpora. EmoBank's have no labels, and their points are stretched as the reader stretches
    its own. AffectgenError where a file is missing.
    """
    comments, rated = read_goemotions(data, split), read_emobank(data, split)
    shares = comments.labels @ label_map()
    total = shares.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, shares / np.maximum(total, 1e-9), 0.0)
    texts = [*comments.texts, *rated.texts]
    return Rows(
        text_rows(reader, texts),
        np.concatenate([shares, np.zeros((len(rated.texts), len(LABELS)))]),
        np.concatenate([comments.points, reader.anchor(rated.ratings[:, :2])]),
        np.full(len(texts), ""),
    )


def clip_rows(table: Table) -> Rows:
    """Clips as rows."""
    return Rows(table.features, table.shares, table.points, table.array("speaker").astype(np.str_))


def parts(table: Table, texts: Callable[[str], Rows]) -> dict[str, Material]:
    """"training", "development" and "test"; texts: reads a split of texts."""
    clips = clip_rows(table)
    part = np.array([part_of(str(speaker)) for speaker in clips.groups])
    mine, held = texts("dev"), texts("test")
    stops = np.arange(len(mine)) % STOPPING == 0
    return {
        "training": Material(mine.pick(~stops), clips.pick(part == "training")),
        "development": Material(mine.pick(stops), clips.pick(part == "development")),
        "test": Material(held, clips.pick(part == "test")),
    }
