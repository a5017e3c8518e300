"""Softmax regression on distributions: it meets soft targets, leaves closed labels alone and heeds weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.recognize import speech_softmax
from affectgen.recognize.speech_softmax import Softmax, shares_of

CLASSES = 4


def problem(seed: int, count: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, target distributions, all labels open) of a true softmax model."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, 3))
    true = Softmax(rng.normal(size=(3, CLASSES)), rng.normal(size=CLASSES))
    return rows, shares_of(true.scores(rows)), np.ones((count, CLASSES), dtype=bool)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_soft_targets_are_met(seed: int) -> None:
    rows, shares, answers = problem(seed)
    made = speech_softmax.fit(rows, shares, answers, np.ones(len(rows)), 1e-7)
    np.testing.assert_allclose(shares_of(made.scores(rows)), shares, atol=0.02)


def test_a_large_penalty_leaves_only_how_often_labels_come() -> None:
    rows, shares, answers = problem(1)
    weight = np.random.default_rng(2).uniform(0.1, 2.0, len(rows))
    made = speech_softmax.fit(rows, shares, answers, weight, 1e4)
    usual = (weight[:, None] * shares).sum(axis=0) / weight.sum()
    np.testing.assert_allclose(shares_of(made.scores(rows)), np.tile(usual, (len(rows), 1)), atol=0.01)


def test_rows_without_weight_might_as_well_not_be_there() -> None:
    rows, shares, answers = problem(3)
    wrong = np.concatenate([shares, shares[:, ::-1]])
    weight = np.repeat([1.0, 0.0], len(rows))
    both = speech_softmax.fit(np.tile(rows, (2, 1)), wrong, np.tile(answers, (2, 1)), weight, 0.01)
    alone = speech_softmax.fit(rows, shares, answers, np.ones(len(rows)), 0.01)
    np.testing.assert_allclose(both.weight, alone.weight, atol=1e-3)


def test_what_could_not_be_answered_is_no_evidence_against_a_label() -> None:
    """Half of the rows, by a corpus without the last label: they must not make it rarer where it could be answered."""
    rows, shares, answers = problem(4, 600)
    closed = answers.copy()
    closed[300:, -1] = False
    cut = np.where(closed, shares, 0.0)
    cut /= cut.sum(axis=1, keepdims=True)
    made = speech_softmax.fit(rows, cut, closed, np.ones(600), 1e-7)
    np.testing.assert_allclose(shares_of(made.scores(rows)), shares, atol=0.02)


@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_shares_sum_to_one_and_do_not_overflow(shift: float) -> None:
    scores = np.array([[0.0, 1.0, 2.0], [speech_softmax.FAR, 0.0, 0.0]]) + shift
    found = shares_of(scores)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    np.testing.assert_allclose(found[1], [0.0, 0.5, 0.5], atol=1e-6)
    assert (np.diff(found[0]) > 0).all()


def test_more_inputs_than_rows_give_the_same_weights_as_rows_of_zero_weight_beside() -> None:
    rng = np.random.default_rng(4)
    rows, shares = rng.normal(size=(20, 30)), rng.dirichlet(np.ones(3), 20)
    short = speech_softmax.fit(rows, shares, np.ones((20, 3), dtype=bool), np.ones(20), 0.1)
    more, weight = np.concatenate([rows, np.zeros((20, 30))]), np.repeat([1.0, 0.0], 20)
    full = speech_softmax.fit(more, np.tile(shares, (2, 1)), np.ones((40, 3), dtype=bool), weight, 0.1)
    np.testing.assert_allclose(short.weight, full.weight, atol=1e-6)
    np.testing.assert_allclose(short.bias, full.bias, atol=1e-6)
