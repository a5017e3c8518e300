"""Finding words that were set in: what is counted, what is learned, and the page's block."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.evaluate import misfits
from affectgen.evaluate.misfits import Take, block_of, misfit_figures
from affectgen.speech.aligning.alignment import Alignment, Word
from affectgen.speech.correcting.correct_misfits import Misfit

WORDS = Alignment(tuple(Word("w", place, place, place + 0.5, ()) for place in range(8)), 8.0)


class Clip:
    def __init__(self, speaker):
        self.speaker = speaker


def take(first, words, emotion):
    return Take(np.full(4, float(first)), 8000, WORDS, words, emotion)


def test_words_and_alarms_are_counted(monkeypatch):
    """Each take's first sample says which word is found in it, -1 none; a neutral take that comes twice counts once."""
    cases = [
        (Clip("a"), [take(-1, None, "neutral"), take(5, None, "anger"), take(3, range(3, 5), "anger")]),
        (Clip("a"), [take(-1, None, "neutral"), take(-1.5, None, "fear"), take(1, range(3, 5), "fear")]),
        (Clip("b"), [take(-2, None, "neutral"), take(-2.5, None, "anger"), take(-3, range(3, 5), "anger")]),
    ]
    monkeypatch.setattr(misfits, "takes_of", lambda *_: iter(cases))

    def found(samples, rate, alignment):
        first = int(samples[0])
        return [Misfit(range(first, first + 1), 0.0, 0.5, 1.0, {})] if first >= 0 else []

    monkeypatch.setattr(misfits, "misfits", found)
    figures = misfit_figures(None, None)
    row = figures.rows["all"]
    assert (row.cases, row.found, row.precision, row.recall) == (3, 1 / 3, 0.5, 1 / 6)
    assert (figures.rows["anger"].precision, figures.rows["fear"].recall) == (1.0, 0.0)
    assert "sadness" not in figures.rows
    assert (figures.speakers, figures.untouched) == (2, 5)
    assert (figures.false_alarms, figures.false_words) == (1 / 5, 1 / 40)
    text = block_of(figures)
    assert "| all | 3 | 33% | 0.50 | 0.17 |" in text
    assert "Of 5 takes that nobody edited, 20% have" in text
    monkeypatch.setattr(misfits, "takes_of", lambda *_: iter(()))
    with pytest.raises(AffectgenError, match="no case"):
        misfit_figures(None, "data")


def test_greater_differences_never_speak_for_a_fit():
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(800, 4))
    marks = (chance.random(800) < 1 / (1 + np.exp(2 - 2 * rows[:, 0] + 2 * rows[:, 1] + rows[:, 3]))).astype(float)
    weights, _ = misfits._logistic(rows, marks, free=1)
    assert weights[0] > 1
    assert weights[1] == 0
    assert weights[2] == pytest.approx(0, abs=0.3)
    assert weights[3] < -0.4


def test_the_middle_words_are_set_in_and_drawn_ones_anywhere():
    assert misfits._set_in(7, None) == [range(2, 5)]
    assert misfits._set_in(4, None) == [range(1, 3)]
    drawn = [misfits._set_in(8, np.random.default_rng(seed))[1] for seed in range(60)]
    assert {len(one) for one in drawn} == {1, 2, 3, 4}
    assert min(one.start for one in drawn) == 0
    assert max(one.stop for one in drawn) == 8
