"""A finished piece: how far its tempo would have to change, and what it has to be able to tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from affectgen.score.grid import make_grid
from affectgen.score.keys import Key
from affectgen.writing.heard import STRETCH, Piece


@dataclass(frozen=True)
class Plain(Piece):
    """Good whatever it is like."""

    @property
    def good(self):
        return True

    @property
    def rank(self):
        return False, 0.0


def fields(length=1.0):
    score = make_grid(np.array([(0, 4, 60, 64)]), np.full(4, 60.0), (None,) * 4, Key(0, 0))
    return {"score": score, "bars": 1, "played": None, "asked": None, "measured": np.zeros(2), "measured_path": None,
            "length": length}  # fmt: skip


def stretch(length):
    return Plain(**fields(length)).stretch


def test_how_far_the_tempo_would_have_to_change():
    assert stretch(1.0) == stretch(np.exp(STRETCH / 2)) == stretch(np.exp(-STRETCH / 2)) == 0
    assert stretch(np.exp(STRETCH + 0.5)) == pytest.approx(0.5)
    assert stretch(np.exp(-STRETCH - 0.5)) == pytest.approx(0.5)


@pytest.mark.parametrize("missing", ["good", "rank"])
def test_a_piece_that_cannot_tell_whether_it_is_good_is_none(missing):
    half = type("Half", (Piece,), {name: property(lambda self: 0) for name in {"good", "rank"} - {missing}})
    with pytest.raises(TypeError, match=missing):
        half(**fields())
