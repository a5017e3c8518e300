"""Fitting the emotion space: what belongs together comes together, for speakers it has not heard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from affectgen.affect.space import Affect
from affectgen.recognize.speech_corpus import LABELS, label_points
from affectgen.recognize.text_corpus import LABELS as COMMENTS
from affectgen.speech.space.figures import recall, retrieval
from affectgen.speech.space.material import COMMENT_LABELS, Material, Rows, label_map
from affectgen.speech.space.model import EmotionSpace
from affectgen.speech.space.train import Settings, fit_space

HEARD = [LABELS.index(label) for label in ("anger", "fear", "happiness", "neutral", "sadness")]
LITTLE = Settings(dim=8, hidden=16, each=6, steps=150, rate=6e-3, validate_every=25, dropout=0.1)


def rows(count: int, size: int, seed: int, speakers: list[str]) -> Rows:
    """Rows that tell their label by where they lie, the same places for every seed, with noise."""
    places = np.random.default_rng(size).normal(size=(len(LABELS), size))
    rng = np.random.default_rng(seed)
    label = np.array(HEARD)[rng.integers(len(HEARD), size=count)]
    groups = np.array([speakers[n % len(speakers)] for n in range(count)])
    found = places[label] + 0.4 * rng.normal(size=(count, size))
    return Rows(found, np.eye(len(LABELS))[label], label_points()[label], groups)


def material(seed: int, count: int = 120) -> Material:
    texts, clips = rows(count, 6, seed, [""]), rows(count, 9, seed + 1, [f"crema_d/{seed}{n}" for n in range(4)])
    rated = Rows(texts.rows[:10], np.zeros((10, len(LABELS))), texts.points[:10], texts.groups[:10])
    names = ("rows", "shares", "points", "groups")
    both = [np.concatenate([getattr(texts, part), getattr(rated, part)]) for part in names]
    return Material(Rows(*both), clips)


@pytest.fixture(scope="module")
def parts() -> dict[str, Material]:
    return {"training": material(10), "development": material(20), "test": material(30)}


@pytest.fixture(scope="module")
def space(parts: dict[str, Material]) -> EmotionSpace:
    return fit_space(parts, LITTLE, lambda _: None)


@pytest.mark.parametrize("query", ["text", "speech", "request"])
def test_unheard_speakers_are_retrieved_by_their_emotion(
    query: str, space: EmotionSpace, parts: dict[str, Material]
) -> None:
    figures = retrieval(space, parts["test"])
    assert figures["chance"] == pytest.approx(0.2, abs=0.02)
    assert figures[f"{query}_top1"] > 0.8
    assert figures[f"{query}_top5"] > 0.75


def test_labels_and_points_are_read_off_clips(space: EmotionSpace, parts: dict[str, Material]) -> None:
    assert recall(space, parts["test"].clips) > 0.8
    figures = retrieval(space, parts["test"])
    assert min(figures["valence_r"], figures["arousal_r"], figures["text_valence_r"]) > 0.7


def test_with_the_texts_labels_shuffled_texts_retrieve_no_better_than_chance(parts: dict[str, Material]) -> None:
    def shuffled(part: Material) -> Material:
        order = np.random.default_rng(5).permutation(len(part.texts))
        texts = Rows(part.texts.rows, part.texts.shares[order], part.texts.points[order], part.texts.groups)
        return Material(texts, part.clips)

    learned = {name: shuffled(part) for name, part in parts.items() if name != "test"}
    found = fit_space(learned, LITTLE, lambda _: None)
    assert retrieval(found, parts["test"])["text_top1"] < 0.45


def test_pairs_alone_can_be_asked_for_and_give_another_space(space: EmotionSpace, parts: dict[str, Material]) -> None:
    other = fit_space(parts, Settings(**{**LITTLE.__dict__, "positives": "pair", "steps": 120}), lambda _: None)
    assert retrieval(other, parts["test"])["text_top1"] > 0.5
    assert not np.allclose(other.of_affect(Affect(0.5, 0.5)), space.of_affect(Affect(0.5, 0.5)))


def test_a_fit_is_repeatable(parts: dict[str, Material]) -> None:
    brief = Settings(**{**LITTLE.__dict__, "steps": 25})
    fits: list[Callable[[], EmotionSpace]] = [lambda: fit_space(parts, brief, lambda _: None)] * 2
    one, two = (make() for make in fits)
    np.testing.assert_array_equal(one.speech(parts["test"].clips.rows), two.speech(parts["test"].clips.rows))


def test_every_comment_label_has_one_namesake_at_most_and_surprise_has_none() -> None:
    table = label_map()
    without = {COMMENTS[n] for n in np.flatnonzero(table.sum(axis=1) == 0)}
    assert without == {"surprise", "realization", "confusion", "curiosity"}
    assert table.max() == 1
    assert (table.sum(axis=1) <= 1).all()
    assert {name for names in COMMENT_LABELS.values() for name in names} <= set(COMMENTS)
