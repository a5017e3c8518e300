"""What choosing buys: more candidates, the nearer the judge of a generator that guesses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from affectgen.affect import Affect
from affectgen.evaluate import steering
from affectgen.recognize.judge import Verdict
from affectgen.writing.options import ComposeOptions


@dataclass(frozen=True)
class Piece:
    """A piece that is heard at some point of the plane; its file holds its pitch alone."""

    asked: Affect
    measured: np.ndarray

    @property
    def midi(self):
        return b""


class Guessing:
    """Makes pieces anywhere on the plane and keeps the one that is nearest to what was asked."""

    def __init__(self):
        self.asked = []

    def run(self, options):
        self.asked.append(options)
        return [self._best(option) for option in options]

    def _best(self, option):
        aim = Affect.parse(option.affect)
        guesses = np.random.default_rng(option.seed).uniform(-1, 1, (option.best_of, 2))
        near = np.hypot(*(guesses - (aim.valence, aim.arousal)).T).argmin()
        return Piece(aim, guesses[near])


class Same:
    """A judge that hears what the guide heard."""

    def __init__(self, pieces):
        self.pieces = pieces

    def judge(self, pieces):
        points = np.stack([one.measured for one in pieces])
        high, pleasant = points[:, 1] > 0, points[:, 0] > 0
        place = np.where(high, np.where(pleasant, 0, 1), np.where(pleasant, 3, 2))
        return Verdict(points, np.eye(4)[place])


@pytest.fixture
def table(monkeypatch):
    monkeypatch.setattr(steering, "make", lambda generator, asked: [
        type("Made", (), {"piece": piece, "notes": piece}) for piece in generator.run(asked)
    ])  # fmt: skip
    generator, said = Guessing(), []
    made = steering.measure(generator, ComposeOptions(None, 0, bars=16, tries=1), Same(generator), 12, 40, said.append)
    rows = [[float(cell) for cell in line.strip("| ").split(" | ")] for line in made.splitlines() if "| 48 |" in line]
    return generator, np.array(rows), said


def test_more_candidates_come_nearer(table):
    _, rows, said = table
    assert rows[:, 0].tolist() == [1, 4, 16]
    assert rows[0, 2] < rows[1, 2] < rows[2, 2] == 1.0
    assert (np.diff(rows[:, 5]) < 0).all()
    np.testing.assert_allclose(rows[:, 5], rows[:, 6])
    assert len(said) == 3


def test_every_number_is_asked_for_the_same(table):
    first, *others = table[0].asked
    assert [option.affect for option in first[:5]] == ["Q1", "Q2", "Q3", "Q4", "Q1"]
    assert [option.seed for option in first] == list(range(40, 88))
    for count, options in zip((4, 16), others, strict=True):
        assert [replace(option, best_of=1) for option in options] == first
        assert {(option.best_of, option.tries) for option in options} == {(count, 1)}


def test_what_does_not_fit(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        steering.main(["muser", "--clips", "0"])
    assert ended.value.code == 2
    assert steering.main(["muser", "--write", str(tmp_path)]) == 1
    assert "is a folder" in capsys.readouterr().err
