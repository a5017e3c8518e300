"""Drawing from logits: the nucleus, temperature, one generator a row, guidance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.writing.draws import draw, guided, pick


def rngs(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def test_temperature_nought_takes_the_likeliest():
    logits = torch.randn(5, 9)
    assert torch.equal(pick(logits, 0.9, 0.0, rngs(*range(5))), logits.argmax(-1))
    assert torch.equal(pick(logits, 0.9, 1e-300, rngs(*range(5))), logits.argmax(-1)), "and so does almost nought"


def test_the_nucleus_by_hand():
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    draws = {top: [int(pick(logits, top, 1.0, rngs(seed))) for seed in range(400)] for top in (0.4, 0.51, 0.81, 1.0)}
    assert set(draws[0.4]) == {0}, "the likeliest is always in"
    assert set(draws[0.51]) == {0, 1}
    assert set(draws[0.81]) == {0, 1, 2}
    assert set(draws[1.0]) == {0, 1, 2, 3}
    counts = np.bincount(draws[0.51], minlength=2) / 400
    assert counts[0] == pytest.approx(0.5 / 0.8, abs=0.08), "what is left keeps its proportions"


def test_temperature_flattens():
    logits = torch.tensor([[0.8, 0.2]]).log()
    shares = [np.mean([int(pick(logits, 1.0, heat, rngs(seed))) for seed in range(500)]) for heat in (0.5, 1.0, 3.0)]
    expected = [0.2 ** (1 / heat) / (0.2 ** (1 / heat) + 0.8 ** (1 / heat)) for heat in (0.5, 1.0, 3.0)]
    assert shares == pytest.approx(expected, abs=0.06)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 1.0), st.sampled_from([0.3, 1.0, 5.0]))
def test_each_row_draws_from_its_own_generator(seed, top_p, temperature):
    torch.manual_seed(seed)
    logits = 3 * torch.randn(4, 11)
    logits[:, 7] = -1e9
    together = pick(logits, top_p, temperature, rngs(*range(seed, seed + 4)))
    alone = [int(pick(logits[row : row + 1], top_p, temperature, rngs(seed + row))) for row in range(4)]
    assert together.tolist() == alone
    assert 7 not in alone, "what is masked is never drawn"


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_picking_is_drawing_from_tensors(temperature):
    logits = np.random.default_rng(0).normal(size=(6, 5))
    drawn = draw(logits, 0.9, temperature, rngs(*range(6)))
    picked = pick(torch.from_numpy(logits), 0.9, temperature, rngs(*range(6)))
    assert (drawn.dtype, picked.dtype) == (np.int64, torch.int64)
    assert picked.tolist() == drawn.tolist()


def test_guidance():
    logits = torch.randn(4, 6)
    asked, unasked = logits.chunk(2)
    assert torch.equal(guided(logits, 1.0), asked)
    torch.testing.assert_close(guided(logits, 0.0), unasked.log_softmax(-1))
    strong = guided(logits, 3.0)
    torch.testing.assert_close(strong, 3 * asked.log_softmax(-1) - 2 * unasked.log_softmax(-1), atol=1e-5, rtol=1e-5)
    same = torch.cat([asked, asked])
    torch.testing.assert_close(guided(same, 7.0), asked.log_softmax(-1), atol=1e-5, rtol=1e-5)
