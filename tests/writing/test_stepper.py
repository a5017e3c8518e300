"""The global decoder one word at a time gives what the whole prefix gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from affectgen.score.words import SIZES
from affectgen.writing import stepper
from affectgen.writing.stepper import Stepper, Writing


@pytest.mark.parametrize("sides", [1, 2])
def test_states_are_those_of_the_whole_prefix(bare, monkeypatch, sides):
    monkeypatch.setattr(stepper, "FIRST_ROOM", 3)  # so that the store has to grow
    model, rng = bare(), np.random.default_rng(0)
    sizes = [SIZES[name] for name in ("family", "beat", "tempo", "chord", "pitch", "duration", "velocity", "key")]
    tables = np.zeros((8, 3, 13), dtype=np.int64)
    for column, size in [*enumerate(sizes), (9, SIZES["beat"]), (10, SIZES["tempo"]), (11, SIZES["chord"])]:
        tables[..., column] = rng.integers(size, size=(8, 3))
    tables[..., 8] = np.sort(rng.integers(4, size=(8, 3)), axis=0)  # rows enter their bars at different words
    condition = torch.randn(3 * sides, 4, 16)
    with torch.no_grad():
        steps = Stepper(Writing.of(model), condition, live=2, sides=sides)
        states = [steps.step(table, table[:, 8], 2 if number < 6 else 1) for number, table in enumerate(tables)]
        whole = torch.from_numpy(np.concatenate([tables] * sides, axis=1)).transpose(0, 1)
        expected = model.globally(whole, condition)
    for number, state in enumerate(states):
        live = [row + 3 * side for side in range(sides) for row in ((0, 1) if number < 6 else (0,))]
        np.testing.assert_allclose(state[live], expected[live, number], atol=1e-5)


@torch.no_grad()
def test_a_stack_that_reads_no_condition_is_refused(bare):
    model = bare()
    for block in model.globally.stack.blocks:
        block.film_attention = None
    steps = Stepper(Writing.of(model), torch.zeros(1, 1, 16), live=1, sides=1)
    with pytest.raises(ValueError, match="read no condition"):
        steps.step(np.ones((1, 13), dtype=np.int64), np.zeros(1, dtype=np.int64), 1)
