"""How well the text recognisers read the test splits of EmoBank and GoEmotions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.interval import coverage
from affectgen.recognize.reading import Reading
from affectgen.recognize.text import TextRecogniser, load_text_guide, load_text_judge, load_text_recogniser
from affectgen.recognize.text_corpus import LABELS, Commented, Rated, read_emobank, read_goemotions

Floats = NDArray[np.float64]
AXES = ("valence", "arousal", "dominance")
NEUTRAL = LABELS.index("neutral")
TYPICAL = ("joy", "anger", "sadness", "fear", "gratitude", "neutral")


def evaluate(data: Path, seed: int = 0) -> list[tuple[str, float, int]]:
    """Rows (what was measured, figure, number of texts) of the three shipped readers on the test splits.

    Nothing is drawn, so `seed` changes nothing; it is there because every such function has one.
    """
    rated, commented = read_emobank(data, "test"), read_goemotions(data, "test")
    readers = (("recogniser", load_text_recogniser()), ("guide", load_text_guide()), ("judge", load_text_judge()))
    rows = []
    for who, reader in readers:
        for name, value in figures_of(reader, rated, commented).items():
            count = len(rated.texts) if name.startswith("emobank") else len(commented.texts)
            rows.append((f"text {who}: {name.replace('_', ' ')}", value, count))
    return rows


def measure(data: Path) -> dict[str, float]:
    """The figures of the shipped recogniser on the test splits, by the keys of its config's "figures"."""
    return figures_of(load_text_recogniser(), read_emobank(data, "test"), read_goemotions(data, "test"))


def figures_of(reader: TextRecogniser, rated: Rated, commented: Commented) -> dict[str, float]:
    """EmoBank: correlation of ratings read and given, on EmoBank's scale and anchored; coverage of the intervals
    (the ratings on the anchored scale).

    GoEmotions: macro F1 of the 28 labels (the likeliest one against a comment's labels), share of comments whose sign
    is read as their words' points say (those that are neutral alone do not count), coverage, typical readings.
    """
    figures: dict[str, float] = {}
    bank, comments = reader.read(rated.texts), reader.read(commented.texts)
    plain = reader.score(rated.texts).ratings  # on EmoBank's own scale, before the anchor bends it
    points = np.array([(r.affect.valence, r.affect.arousal) for r in bank])
    for place, name in enumerate(AXES):
        figures[f"emobank_r_{name}"] = _r(plain[:, place], rated.ratings[:, place])
    for place, name in enumerate(AXES[:2]):
        figures[f"emobank_r_{name}_anchored"] = _r(points[:, place], rated.ratings[:, place])
    inside = _coverage(bank, reader.anchor(rated.ratings[:, :2]))
    figures |= {f"emobank_coverage_{name}": float(share) for name, share in zip(AXES, inside, strict=False)}
    found = np.array([(r.affect.valence, r.affect.arousal) for r in comments])
    shares = np.array([list(r.labels.values()) for r in comments])
    figures["goemotions_macro_f1"] = macro_f1(shares.argmax(axis=1), commented.labels > 0)
    felt = commented.labels[:, NEUTRAL] < 1
    for axis in range(2):
        agree = np.sign(found[felt, axis]) == np.sign(commented.points[felt, axis])
        figures[f"goemotions_sign_{AXES[axis]}"] = float(agree.mean())
    inside = _coverage(comments, commented.points)
    figures |= {f"goemotions_coverage_{name}": float(share) for name, share in zip(AXES, inside, strict=False)}
    for label in TYPICAL:
        rows = found[commented.labels[:, LABELS.index(label)] > 0.99]
        for axis in range(2):
            figures[f"goemotions_typical_{label}_{AXES[axis]}"] = float(np.median(rows[:, axis])) if len(rows) else 0.0
    return figures


def macro_f1(guess: NDArray[np.int64], truth: NDArray[np.bool_]) -> float:
    """Mean F1 over labels: guess [N], one label each; truth [N, L], one or several."""
    scores = []
    for label in range(truth.shape[1]):
        named, there = guess == label, truth[:, label]
        total = int(named.sum() + there.sum())
        scores.append(2 * int((named & there).sum()) / total if total else 0.0)
    return float(np.mean(scores))


def _coverage(found: list[Reading], labels: Floats) -> Floats:
    return coverage(np.array([r.low for r in found]), np.array([r.high for r in found]), labels)


def _r(first: Floats, second: Floats) -> float:
    return float(np.corrcoef(first, second)[0, 1])
