"""How near predicted changes come to real ones, and whether they follow the emotion that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.speech_corpus import LABELS
from affectgen.recognize.speech_model import correlation
from affectgen.speech.predictor.bank import Bank
from affectgen.speech.predictor.pairs import NEUTRAL, Pair
from affectgen.speech.predictor.phones import COLUMNS, ENERGY, LENGTH, LEVEL, SHAPE, SHAPES
from affectgen.speech.predictor.ready import ProsodyPredictor
from affectgen.speech.predictor.train import Request, predict, requests_of

Floats = NDArray[np.float64]
Figures = dict[str, float]

MEASURES: dict[str, slice] = {
    "pitch_st": slice(LEVEL, LEVEL + 1),
    "log_length": slice(LENGTH, LENGTH + 1),
    "energy_db": slice(ENERGY, ENERGY + 1),
    "shape_db": slice(SHAPE, SHAPE + SHAPES),
}
RIDGE = 10.0  # of the regression from changes to points, on standardised columns


def felt(pairs: Sequence[Pair]) -> list[Pair]:
    """Pairs whose second take was heard as something else than neutral."""
    return [pair for pair in pairs if pair.shares.argmax() != NEUTRAL]


def errors(pairs: Sequence[Pair], found: Sequence[Floats]) -> Figures:
    """Root mean square errors of MEASURES over all phones ("pitch_st"), and of the means of takes ("pitch_st_take")."""
    result = {}
    for name, columns in MEASURES.items():
        parts = [(rows - pair.delta)[:, columns] for rows, pair in zip(found, pairs, strict=True)]
        whole = np.concatenate(parts)
        known = [part[np.isfinite(part).all(axis=1)] for part in parts]
        means = [part.mean(axis=0) for part in known if len(part)]
        result[name] = float(np.sqrt(np.nanmean(whole**2)))
        result[f"{name}_take"] = float(np.sqrt(np.mean(np.square(means))))
    return result


def mean_shifts(training: Sequence[Pair], pairs: Sequence[Pair]) -> list[Floats]:
    """Of each pair the mean change of the training takes that were heard as it was: the base line."""
    rows = np.zeros((len(LABELS), len(COLUMNS)))
    for label in range(len(LABELS)):
        mine = [pair.delta for pair in training if pair.shares.argmax() == label]
        if mine:
            rows[label] = np.nan_to_num(np.nanmean(np.concatenate(mine), axis=0))
    return [np.tile(rows[pair.shares.argmax()], (len(pair.delta), 1)) for pair in pairs]


def summary(rows: Floats) -> Floats:
    """A take's changes as one row, [13]: means over its phones, 0 where nothing is known."""
    known = np.isfinite(rows)
    return np.asarray(np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), dtype=np.float64)


def ear(training: Sequence[Pair]) -> Callable[[Sequence[Floats]], Floats]:
    """What reads valence and arousal [N, 2] off changes: a ridge regression on the training takes' own."""
    rows = np.stack([summary(pair.delta) for pair in training])
    points = np.stack([pair.point for pair in training])
    spread = np.maximum(rows.std(axis=0), 1e-9)
    plain = (rows - rows.mean(axis=0)) / spread
    centred = points - points.mean(axis=0)
    weights = np.linalg.solve(plain.T @ plain + RIDGE * np.eye(plain.shape[1]), plain.T @ centred)

    def heard(found: Sequence[Floats]) -> Floats:
        mine = (np.stack([summary(one) for one in found]) - rows.mean(axis=0)) / spread
        return np.asarray(mine @ weights + points.mean(axis=0), dtype=np.float64)

    return heard


def followed(predictor: ProsodyPredictor, training: Sequence[Pair], pairs: Sequence[Pair], seed: int) -> Figures:
    """Correlations of the valence and arousal asked for with those read off the predicted changes; "shuffled": when
    every request is answered by the emotion of another; "real": read off the takes' own changes.
    """
    heard, bank, count = ear(training), predictor.bank, predictor.model.config.exemplars
    asked = np.stack([pair.point for pair in pairs])
    order = np.random.default_rng(seed).permutation(len(pairs))
    mixed = [replace(pair, point=pairs[n].point, shares=pairs[n].shares) for pair, n in zip(pairs, order, strict=True)]
    found = {
        "": predict(predictor.model, requests_of(pairs, bank, count), predictor.scale),
        "shuffled_": predict(predictor.model, requests_of(mixed, bank, count), predictor.scale),
        "real_": [pair.delta for pair in pairs],
    }
    result = {}
    for name, rows in found.items():
        points = heard(rows)
        for axis, word in enumerate(("valence", "arousal")):
            result[f"{name}{word}_r"] = correlation(asked[:, axis], points[:, axis])
    return result


def compare(predictor: ProsodyPredictor, training: Sequence[Pair], pairs: Sequence[Pair]) -> dict[str, Figures]:
    """Errors on pairs, of no change, the label's mean shift and the predictor: in full, without exemplars, and by the
    point alone.
    """
    pairs = felt(pairs)
    count = predictor.model.config.exemplars
    full = requests_of(pairs, predictor.bank, count)
    ways = {
        "learned": full,
        "learned, without exemplars": [replace(one, exemplars=()) for one in full],
        "learned, by the point alone": [_by_point(pair, predictor.bank, count) for pair in pairs],
    }
    found = {
        "no change": [np.zeros_like(pair.delta) for pair in pairs],
        "mean shift of the label": mean_shifts(training, pairs),
    }
    found |= {name: predict(predictor.model, requests, predictor.scale) for name, requests in ways.items()}
    return {name: errors(pairs, rows) for name, rows in found.items()}


def _by_point(pair: Pair, bank: Bank, count: int) -> Request:
    """A request that names no label, with the exemplars about its point."""
    nothing = np.zeros(len(LABELS))
    return Request(pair.source, pair.point, nothing, bank.choose(pair.point, nothing, count, pair.speaker))
