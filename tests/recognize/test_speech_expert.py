"""One corpus's ear: both families learn what can be learnt, soft answers sum to one, a baseline helps or is ignored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.recognize.speech_corpus import LABELS, Table
from affectgen.recognize.speech_expert import (
    Expert,
    OutOfFold,
    Settings,
    balanced,
    centred,
    fit_expert,
    speaker_folds,
)

SETTINGS = {
    "linear": Settings(penalty=0.01, gaussians=(2,), folds=4),
    "kernel": Settings(family="kernel", ridge=0.1, folds=4),
}


def part(voices: Callable[..., Table], corpus: str = "emo_db", seed: int = 0) -> Table:
    return voices(seed=seed, corpora=(corpus,))


@pytest.fixture(scope="module", params=tuple(SETTINGS))
def fitted(request: pytest.FixtureRequest, voices: Callable[..., Table]) -> tuple[Expert, OutOfFold, Table]:
    table = part(voices)
    return (*fit_expert(table, SETTINGS[request.param]), table)


def test_unheard_speakers_are_told_out_of_fold(fitted: tuple[Expert, OutOfFold, Table]) -> None:
    _, unseen, table = fitted
    assert (unseen.shares.argmax(axis=1) == table.shares.argmax(axis=1)).mean() > 0.6  # 1 in 7 by chance
    np.testing.assert_allclose(unseen.shares.sum(axis=1), 1.0)


def test_what_was_heard_in_the_fit_is_not_out_of_fold(fitted: tuple[Expert, OutOfFold, Table]) -> None:
    expert, unseen, table = fitted
    known = expert.shares(expert.scores(table.features, table.frames))
    right = table.shares.astype(bool)
    assert known[right].mean() > unseen.shares[right].mean()


def test_answers_with_a_baseline_sum_to_one_and_differ(fitted: tuple[Expert, OutOfFold, Table]) -> None:
    expert, _, table = fitted
    scores = expert.scores(table.features, table.frames)
    alone, beside = expert.shares(scores), expert.shares(scores, scores[0])
    np.testing.assert_allclose(beside.sum(axis=1), 1.0)
    assert not np.allclose(alone, beside)
    np.testing.assert_allclose(beside, expert.shares(scores, np.tile(scores[0], (len(scores), 1))))


def test_an_expert_of_few_speakers_ignores_the_baseline(voices: Callable[..., Table]) -> None:
    """Two speakers are too few to learn how speakers differ."""
    table = part(voices)
    two = table.pick(np.array([clip.judges for clip in table.clips]))
    expert, _ = fit_expert(two, SETTINGS["kernel"])
    scores = expert.scores(table.features, table.frames)
    np.testing.assert_array_equal(expert.shares(scores), expert.shares(scores, scores[5]))


@pytest.mark.parametrize("family", tuple(SETTINGS))
def test_what_was_not_offered_gets_nothing(family: str, voices: Callable[..., Table]) -> None:
    expert, _ = fit_expert(part(voices, "crema_d"), SETTINGS[family])
    other = part(voices)
    scores = expert.scores(other.features, other.frames)
    for shares in (expert.shares(scores), expert.shares(scores, scores[3])):
        assert not shares[:, LABELS.index("boredom")].any()
        np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_a_statistic_that_is_not_known_does_no_harm(fitted: tuple[Expert, OutOfFold, Table]) -> None:
    expert, _, table = fitted
    holes = table.features.copy()
    holes[:, 9] = np.nan  # tells nothing of the labels
    found = expert.shares(expert.scores(holes, table.frames)).argmax(axis=1)
    whole = expert.shares(expert.scores(table.features, table.frames)).argmax(axis=1)
    assert (found == whole).mean() > 0.85


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(0, 1000))
def test_every_speaker_is_in_one_fold(folds: int, seed: int) -> None:
    speakers = np.random.default_rng(seed).choice([f"s{k:02d}" for k in range(8)], size=40)
    found = speaker_folds(speakers, folds)
    names = np.unique(speakers)
    assert all(len(np.unique(found[speakers == name])) == 1 for name in names)
    count = len(np.unique(found))
    assert count == min(folds, len(names))


def test_every_label_counts_the_same() -> None:
    shares = np.array([[1.0, 0, 0], [1, 0, 0], [1, 0, 0], [0.5, 0.5, 0]])
    weight = balanced(shares)
    np.testing.assert_allclose((weight[:, None] * shares).sum(axis=0)[2], 0.0)
    assert weight[3] > weight[0] == weight[1]
    np.testing.assert_allclose(balanced(np.eye(3)[[0, 0, 0, 1]]), [1 / 3, 1 / 3, 1 / 3, 1.0])


def test_centred_scores_have_mean_nought_over_what_is_offered() -> None:
    offered = np.array([True] * 6 + [False])
    found = centred(np.random.default_rng(0).normal(size=(5, 14)), offered).reshape(5, 2, 7)
    np.testing.assert_allclose(found[:, :, :6].mean(axis=2), 0.0, atol=1e-12)
    assert not found[:, :, 6].any()
