"""EmoBank and GoEmotions as texts and numbers.

EmoBank (Buechel & Hahn, EACL 2017): means over raters of valence, arousal and dominance of 10,062 sentences; how far
the raters differ is not in the file. GoEmotions (Demszky et al., ACL 2020): 54,263 comments with one or several of 28
labels.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.labels import GO_EMOTIONS, emobank, go_emotions
from affectgen.errors import AffectgenError

Floats = NDArray[np.float64]
LABELS = tuple(GO_EMOTIONS)
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Rated:
    """EmoBank. texts [N]; ratings: float64 [N, 3], valence, arousal, dominance in [-1, 1]."""

    texts: list[str]
    ratings: Floats


@dataclass(frozen=True)
class Commented:
    """GoEmotions. texts [N]; labels: float64 [N, 28], rows sum to 1; points: float64 [N, 2], centres of word points."""

    texts: list[str]
    labels: Floats
    points: Floats


def read_emobank(data: Path, split: str) -> Rated:
    """A split of `data`/text/emobank.csv. AffectgenError where the file is missing or not EmoBank's."""
    path = _there(data / "text" / "emobank.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("split") == split]
    if not rows:
        raise AffectgenError(f"{path} holds no sentence of the split {split!r}.", "Check that it is EmoBank's file.")
    points = [emobank(float(row["V"]), float(row["A"])) for row in rows]
    dominance = [emobank(float(row["D"]), 3.0).valence for row in rows]  # the same scale
    ratings = [(point.valence, point.arousal, third) for point, third in zip(points, dominance, strict=True)]
    return Rated([row["text"] for row in rows], np.array(ratings))


def read_goemotions(data: Path, split: str) -> Commented:
    """A split of `data`/text/goemotions. AffectgenError where the file is missing or not GoEmotions's."""
    path = _there(data / "text" / "goemotions" / f"{split}.tsv")
    texts, labels, points = [], [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if len(fields) < 2:
            raise AffectgenError(f"{path} has a line without labels: {line[:60]!r}.", "Expected: text, tab, numbers.")
        numbers = [int(number) for number in fields[1].split(",")]
        row = np.zeros(len(LABELS))
        row[numbers] = 1 / len(numbers)
        point = go_emotions(numbers)
        texts.append(fields[0])
        labels.append(row)
        points.append((point.valence, point.arousal))
    return Commented(texts, np.array(labels), np.array(points))


def _there(path: Path) -> Path:
    if not path.is_file():
        raise AffectgenError(f"{path} is missing.", "See docs: where the corpora come from and how to lay them out.")
    return path
