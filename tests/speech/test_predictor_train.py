"""Training: made speakers change their voices with the emotion; the predictor learns it and follows what is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from affectgen.affect.space import Affect
from affectgen.errors import AffectgenError, CheckpointError
from affectgen.recognize.speech_corpus import LABELS, label_points
from affectgen.speech.predictor.bank import Bank, thinned
from affectgen.speech.predictor.figures import compare, followed
from affectgen.speech.predictor.model import Predictor, PredictorConfig
from affectgen.speech.predictor.pairs import Exemplar, Pair, Usual
from affectgen.speech.predictor.phones import COLUMNS, ENERGY, LENGTH, LEVEL, PAUSE, Take
from affectgen.speech.predictor.ready import PhoneShift, ProsodyPredictor, load_predictor, save_predictor
from affectgen.speech.predictor.scale import Scale
from affectgen.speech.predictor.train import Request, Settings, collate, loss_of, predict, requests_of, train

LITTLE = PredictorConfig(dim=16, layers=1, heads=2, exemplars=2, dropout=0.0, condition=16, affect_dropout=0.0)
PHONES = ("DH", "AE", "T", "M", "IY")


def neutral(rng: np.random.Generator, level: float) -> Take:
    values = 0.3 * rng.normal(size=(len(PHONES), len(COLUMNS)))
    values[:, LEVEL] += level
    values[[0, 2], LEVEL] = np.nan  # these have no pitch
    values[[0, 1, 3, 4], PAUSE] = np.nan
    return Take(PHONES, np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 0, 1], dtype=bool), values)


def pairs(speakers: int, seed: int) -> list[Pair]:
    """Speakers raise their pitch by 5 semitones an arousal, and quicken and strengthen with it."""
    rng, found = np.random.default_rng(seed), []
    for speaker in range(speakers):
        for label in range(len(LABELS)):
            source, point = neutral(rng, rng.uniform(24, 36)), label_points()[label] * rng.uniform(0.4, 1.0)
            delta = 0.3 * rng.normal(size=source.values.shape)
            delta[:, LEVEL] += 5 * point[1]
            delta[:, LENGTH] -= 0.3 * point[1]
            delta[:, ENERGY] += 4 * point[0]
            delta[np.isnan(source.values)] = np.nan
            after = Take(PHONES, source.word, source.last, source.values + delta)
            name = f"s{seed}-{speaker}"
            found.append(Pair(f"{name}-{label}", name, source, after, delta, np.eye(len(LABELS))[label], point, 1.0))
    return found


def exemplars(of: list[Pair]) -> list[Exemplar]:
    usual = Usual.of([pair.source for pair in of])
    return [Exemplar(p.name, p.speaker, PHONES, usual.relative(p.take), p.shares, p.point) for p in of]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[ProsodyPredictor, list[Pair], list[Pair]]:
    """(predictor, what it was trained on, pairs of other speakers)."""
    training, held, test = pairs(12, 1), pairs(3, 2), pairs(6, 3)
    bank = Bank(tuple(exemplars(training)))
    how = Settings(steps=200, batch=24, rate=5e-3)
    model, scale, _ = train(training, held, bank, bank, LITTLE, how, tmp_path_factory.mktemp("run"))
    return ProsodyPredictor(model, scale, bank), training, test


def test_unheard_speakers_are_predicted_better_than_by_nothing(learnt: tuple[ProsodyPredictor, list, list]) -> None:
    predictor, training, test = learnt
    found = compare(predictor, training, test)
    assert found["learned"]["pitch_st"] < 0.6 * found["no change"]["pitch_st"]
    assert found["learned"]["pitch_st"] < 1.3 * found["mean shift of the label"]["pitch_st"]
    assert found["learned, by the point alone"]["pitch_st"] < 0.7 * found["no change"]["pitch_st"]


def test_what_is_asked_is_followed_and_shuffled_requests_are_not(learnt: tuple[ProsodyPredictor, list, list]) -> None:
    found = followed(*learnt, seed=0)
    assert found["arousal_r"] > 0.8
    assert abs(found["shuffled_arousal_r"]) < 0.5
    assert found["real_arousal_r"] > 0.8


def test_padding_and_neighbours_change_nothing(learnt: tuple[ProsodyPredictor, list, list]) -> None:
    predictor, _, test = learnt
    requests = requests_of(test[:3], predictor.bank, 2)
    short = Take(PHONES[:2], np.zeros(2, dtype=np.int64), np.array([False, True]), test[0].source.values[:2])
    brief = Request(short, requests[0].affect, requests[0].shares, ())
    alone = predict(predictor.model, [brief], predictor.scale)[0]
    beside = predict(predictor.model, [*requests, brief], predictor.scale)[-1]
    assert alone.shape == (2, len(COLUMNS))
    np.testing.assert_allclose(alone, beside, atol=1e-4)


def test_exemplars_are_looked_at(learnt: tuple[ProsodyPredictor, list, list]) -> None:
    predictor, _, test = learnt
    point, shares = np.zeros(2), np.zeros(len(LABELS))
    high, low = (predictor.bank.choose(label_points()[LABELS.index(name)], np.eye(7)[LABELS.index(name)], 2)
                 for name in ("anger", "boredom"))  # fmt: skip
    found = predict(
        predictor.model, [Request(test[0].source, point, shares, shown) for shown in (high, low)], predictor.scale
    )
    assert not np.allclose(found[0], found[1], atol=1e-3)


def test_a_predictor_is_the_same_after_it_was_stored(
    learnt: tuple[ProsodyPredictor, list, list], tmp_path: Path
) -> None:
    predictor, _, test = learnt
    small = ProsodyPredictor(predictor.model, predictor.scale, Bank(predictor.bank.exemplars[:20]), {"x": 1.0})
    save_predictor(tmp_path / "made", small, {"licence": "CC0-1.0"}, "")
    again = load_predictor(tmp_path / "made")
    one, two = (each.predict(test[0].source, Affect(-0.5, 0.6), "anger").rows() for each in (small, again))
    np.testing.assert_allclose(one, two, atol=0.05)
    assert [each.name for each in again.bank.exemplars] == [each.name for each in small.bank.exemplars]
    assert again.figures == {"x": 1.0}


def test_what_cannot_be_asked_is_said(learnt: tuple[ProsodyPredictor, list, list]) -> None:
    predictor, _, test = learnt
    with pytest.raises(AffectgenError, match="'joy' is no emotion of voices"):
        predictor.predict(test[0].source, Affect(0.5, 0.5), "joy")
    mute = Take(PHONES, test[0].source.word, test[0].source.last, np.full((5, len(COLUMNS)), np.nan))
    with pytest.raises(AffectgenError, match="No phone of the recording has a pitch"):
        predictor.predict(mute, Affect(0.5, 0.5))
    with pytest.raises(CheckpointError, match="a predictor of prosody was expected"):
        load_predictor("text-guide")


def test_a_shift_scales_and_comes_back_from_its_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(4, len(COLUMNS)))
    shift = PhoneShift.of_rows(rows)
    np.testing.assert_array_equal(shift.rows(), rows)
    np.testing.assert_allclose(shift.scaled(0.5).rows(), 0.5 * rows)
    assert not shift.scaled(0.0).rows().any()


def test_an_untrained_predictor_changes_nothing_and_unknown_targets_do_not_count() -> None:
    some = pairs(2, 9)
    scale = Scale.of(some, exemplars(some))
    model = Predictor(LITTLE).eval()
    batch = collate(requests_of(some, Bank(()), 2), scale)
    found = model(batch)
    assert not found.any()
    target, known = torch.ones(found.shape), torch.zeros(found.shape, dtype=torch.bool)
    known[0, 0, 0] = True
    target[~known] = 100.0
    assert float(loss_of(found.detach(), target, known)) == pytest.approx(0.5)  # Huber's loss of an error of one


def test_the_bank_never_shows_a_speaker_to_himself_and_shows_two_of_one_at_most() -> None:
    bank = Bank(tuple(exemplars(pairs(5, 4))))
    wanted = label_points()[0], np.eye(7)[0]
    found = bank.choose(*wanted, 8, without="s4-0")
    assert len(found) == 8
    assert all(one.speaker != "s4-0" for one in found)
    assert max(sum(other.speaker == one.speaker for other in found) for one in found) <= 2
    assert all(one.shares[0] == 1 for one in found[:4])
    drawn = bank.choose(*wanted, 2, rng=np.random.default_rng(0))
    assert len(drawn) == 2
    assert len(thinned(bank.exemplars, 7, 2)) == 14


def test_a_label_that_no_take_teaches_says_nothing(tmp_path: Path) -> None:
    some = [pair for pair in pairs(4, 5) if pair.shares.argmax() != LABELS.index("boredom")]
    bank = Bank(tuple(exemplars(some)))
    model, scale, _ = train(some, some, bank, bank, LITTLE, Settings(steps=10, batch=8, rate=1e-2), tmp_path)
    predictor, affect = ProsodyPredictor(model, scale, bank), Affect(-0.2, -0.4)
    labels = (None, "boredom", "sadness")
    bare, bored, sad = (predictor.predict(some[0].source, affect, label, ()).rows() for label in labels)
    np.testing.assert_array_equal(bored, bare)
    assert not np.allclose(sad, bare)
