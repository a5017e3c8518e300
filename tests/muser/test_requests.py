"""From options to requests: an affect for each bar, how words are drawn, and a piece put before its continuation."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.errors import UsageError
from affectgen.muser.options import GenerateOptions
from affectgen.muser.requests import CONTEXT_BARS, affect_by_bar, append, finish, request_of, sampling_of, tail_seconds
from affectgen.score.grid import BAR
from affectgen.score.keys import Key
from affectgen.score.midi import write_midi
from affectgen.score.words import decode, encode


def test_an_affect_is_asked_bar_by_bar():
    by_bar = affect_by_bar("sad>happy", 10)
    assert by_bar.shape == (10, 2)
    assert (np.diff(by_bar[:, 0]) > 0).all()
    assert affect_by_bar(None, 4) is None
    assert affect_by_bar("0.5,-0.5", 3).tolist() == [[0.5, -0.5]] * 3
    seconds = affect_by_bar("sad@0>happy@60", 10)
    np.testing.assert_allclose(seconds, by_bar)


def test_appending_takes_what_is_new_only(score):
    given = score(2, CONTEXT_BARS + 2)
    context = given.take_bars(2, CONTEXT_BARS + 2)
    more = score(3, CONTEXT_BARS + 1, key=given.key).take_bars(CONTEXT_BARS, CONTEXT_BARS + 1)
    words = np.concatenate([encode(context)[:-1], encode(more)[1:]])
    joined = append(given, decode(words))
    assert joined.bars == CONTEXT_BARS + 3
    assert len(joined) == len(given) + len(more)
    assert np.array_equal(joined.start[len(given) :], more.start + BAR * (CONTEXT_BARS + 2))
    assert np.array_equal(joined.velocity[: len(given)], given.velocity), "not rounded to the words' steps"


def test_guidance_is_shared_between_plan_and_words():
    plain = sampling_of(GenerateOptions("happy", 1))
    assert (plain.guidance, plain.plan_guidance) == (1.0, 1.0)
    strong = sampling_of(GenerateOptions("happy", 1, guidance=3.0, temperature=0.7, top_p=0.5))
    assert strong.guidance == 3.0
    assert 1.0 < strong.plan_guidance < 3.0
    assert (strong.temperature, strong.top_p) == (0.7, 0.5)


def test_a_request_has_what_was_asked(tiny):
    request = request_of(tiny, GenerateOptions("happy", 1, key="F# minor"), 3, (1, 0, 2), None)
    assert (request.bars, request.seed, request.key) == (3, (1, 0, 2), Key(6, 1))
    assert request.affect.shape == (3, 2)
    assert request.prefix is None


@pytest.mark.parametrize("how", [{"keep": ("pitch",)}, {}])
def test_the_paper_structure_can_keep_nothing(score, how):
    class Paper:
        name = "published"

    given = score(0, 2)
    where = {"source": write_midi(given)} if how else {"continue_from": write_midi(given)}
    with pytest.raises(UsageError, match="published has the paper's structure"):
        request_of(Paper(), GenerateOptions("happy", 1, **where, **how), 2, (1,), given)


def test_the_median_tempo_is_brought_to_what_was_asked(score):
    made = finish(GenerateOptions("happy", 1, tempo=90.0), score(1, 4), None)
    assert np.median(made.tempo) == pytest.approx(90.0)
    assert np.array_equal(finish(GenerateOptions("happy", 1), score(1, 4), None).tempo, score(1, 4).tempo)


def test_seconds_of_the_last_bars(score):
    piece = score(1, 4)
    lines = piece.line_seconds()
    assert tail_seconds(piece, 1) == pytest.approx(lines[-1] - lines[-1 - BAR])
    assert tail_seconds(piece, 4) == pytest.approx(piece.seconds)
