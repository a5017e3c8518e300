"""Softmax regression whose targets are distributions, and which may leave open what a corpus could not have answered.

CREMA-D's raters were not offered boredom: of its clips, probabilities are compared among the other labels only. Fitted
by L-BFGS (scipy) with a squared penalty; evaluated in numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ITERATIONS = 100
FAR = -1e9  # the score of a label that could not be answered


@dataclass(frozen=True)
class Softmax:
    """weight: float64 [F, K]; bias: float64 [K]."""

    weight: Floats
    bias: Floats

    def scores(self, rows: Floats) -> Floats:
        """Scores [N, K] of rows [N, F]."""
        return rows @ self.weight + self.bias


def shares_of(scores: Floats) -> Floats:
    """Softmax over the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def fit(rows: Floats, shares: Floats, answers: NDArray[np.bool_], weight: Floats, penalty: float) -> Softmax:
    """Fit to target distributions `shares` [N, K] of rows [N, F] with row weights [N].

    answers: bool [N, K], the labels that could be given; penalty: weight of half the squared norm, per unit of the mean
    loss. The bias is not penalised. With fewer rows than inputs, the weights are sought among the rows' combinations,
    where they lie: the same steps in fewer numbers.
    """
    from scipy.optimize import minimize

    if len(rows) < rows.shape[1]:
        basis, mixed = np.linalg.qr(rows.T)
        found = fit(mixed.T, shares, answers, weight, penalty)
        return Softmax(basis @ found.weight, found.bias)
    classes, inputs = shares.shape[1], rows.shape[1]
    share = (weight / weight.sum())[:, None]
    closed = np.where(answers, 0.0, FAR)
    start = np.zeros((inputs + 1) * classes)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(inputs + 1, classes)
        found = shares_of(rows @ weights[:-1] + weights[-1] + closed)
        cost = -float((share * shares * np.log(np.maximum(found, 1e-12))).sum())
        cost += 0.5 * penalty * float((weights[:-1] ** 2).sum())
        error = share * (found - shares)
        slope = np.concatenate([rows.T @ error + penalty * weights[:-1], error.sum(axis=0)[None]])
        return cost, slope.ravel()

    end = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    weights = end.x.reshape(inputs + 1, classes)
    return Softmax(weights[:-1], weights[-1])
