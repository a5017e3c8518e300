"""From options to requests: how words are drawn, what is asked, and what the paper's structure cannot do."""

from __future__ import annotations

import pytest

from affectgen.errors import UsageError
from affectgen.muser.options import GenerateOptions
from affectgen.muser.requests import request_of, sampling_of
from affectgen.score.keys import Key
from affectgen.score.midi import write_midi


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
