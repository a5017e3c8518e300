"""Pieces that several processes compose are those that one composes."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.emogen.build import Build
from affectgen.emogen.options import EmogenOptions
from affectgen.evaluate.muser import Build as MuserBuild
from affectgen.muser.options import GenerateOptions
from affectgen.writing import spread
from affectgen.writing.spread import Spread, composing


def test_one_process_is_the_generator_itself(tiny_emogen):
    build = Build(str(tiny_emogen), "cpu")
    assert isinstance(composing(build, 2), Spread)
    assert type(composing(build, 1)).__name__ == "Generator"


def test_several_processes_compose_the_same_in_order(tiny_emogen):
    build = Build(str(tiny_emogen), "cpu")
    asked = [EmogenOptions(word, seed, bars=2, best_of=2) for seed, word in enumerate(("sad", "happy", "tense"))]
    here, there = build().run(asked), Spread(build, 2).run(asked)
    assert len(there) == 3
    for one, other in zip(here, there, strict=True):
        assert one.midi == other.midi
        np.testing.assert_array_equal(one.values, other.values)
    assert Spread(build, 2).run([]) == []


@pytest.mark.parametrize(("best_of", "shares"), [(1, [4, 1]), (2, [2, 2, 1]), (8, [1, 1, 1, 1, 1])])
def test_pieces_go_out_as_fill_a_batch_with_their_candidates(monkeypatch, best_of, shares):
    given = []

    def noting(function, items, jobs):
        given.extend(len(options) for _, options in items)
        return iter(())

    monkeypatch.setattr(spread, "map_in_processes", noting)
    Spread(MuserBuild(None, "cpu"), 3).run([GenerateOptions("sad", seed, best_of=best_of) for seed in range(5)])
    assert given == shares
