"""Several pieces word by word: the states are those of the decoder given each row's whole beginning."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from affectgen.score.words import SIZES
from affectgen.writing import memory
from affectgen.writing.lockstep import Lockstep, Ready
from affectgen.writing.pieces import WIDTH
from affectgen.writing.stepper import Writing

NAMES = ("family", "beat", "tempo", "chord", "pitch", "duration", "velocity", "key")
COLUMNS = [0, 9, 10, 11, 4, 5, 6, 7]  # of a table of words, where the decoder reads these
BARS = 4


def test_states_are_those_of_the_whole_prefix(bare, monkeypatch):
    """Two pieces, one of which begins later; rows that stop; one row kept for all; another thing asked."""
    monkeypatch.setattr(memory, "FIRST_ROOM", 8)
    model, rng = bare(), np.random.default_rng(0)
    decoder = Lockstep(Ready.of(Writing.of(model)), 2, torch.device("cpu"))
    conditions = torch.randn(2, WIDTH, BARS, 16)
    seen = {row: [] for row in range(2 * WIDTH)}  # values and bar of every word of each row
    told = conditions.clone()
    by_word = {row: [] for row in range(2 * WIDTH)}  # the condition of each word, as it was asked then

    def feed(rows, step):
        values = [[int(rng.integers(SIZES[name])) for name in NAMES] for _ in rows]
        bars = np.array([min(step // 3, BARS - 1)] * len(rows))
        decoder.step(np.array(rows), values, bars, np.ones(len(rows), dtype=bool))
        for row, value, bar in zip(rows, values, bars.tolist(), strict=True):
            seen[row].append(value)
            by_word[row].append(told[row // WIDTH, row % WIDTH, bar].clone())

    def check(rows):
        for row in rows:
            table = torch.zeros(1, len(seen[row]), 13, dtype=torch.int64)
            table[..., COLUMNS] = torch.tensor(seen[row])
            table[..., 8] = torch.arange(len(seen[row]))  # each word in a bar of its own, under its own condition
            whole = model.globally(table, torch.stack(by_word[row])[None])[0, -1]
            np.testing.assert_allclose(decoder.states[row], whole, atol=2e-5, err_msg=f"row {row}")

    with torch.inference_mode():
        decoder.open(0, conditions[0])
        for step in range(4):
            feed([0, 1, 2, 3], step)
        decoder.open(1, conditions[1])
        for step in range(4, 8):
            feed([0, 2, 3, 4, 5, 7] if step < 6 else [2, 4, 7], step)
            check([2, 4, 7])
        check(range(6))
        decoder.keep(0, 2, len(seen[2]))
        other = torch.randn(BARS, 16)
        decoder.ask(0, other)
        told[0] = other
        for row in range(WIDTH):
            seen[row], by_word[row] = list(seen[2]), list(by_word[2])
        check(range(WIDTH))
        for step in range(8, 11):
            feed([0, 1, 3, 5, 6] if step < 10 else [1], step)
        check([0, 1, 3])


@torch.no_grad()
def test_a_stack_that_reads_no_condition_is_refused(bare):
    model = bare()
    for block in model.globally.stack.blocks:
        block.film_forward = None
    with pytest.raises(ValueError, match="read no condition"):
        Ready.of(Writing.of(model))


def test_rows_that_are_not_live_keep_their_states(bare):
    decoder = Lockstep(Ready.of(Writing.of(bare())), 1, torch.device("cpu"))
    rows, values = np.arange(WIDTH), [[1, 1, 1, 1, 1, 1, 1, 1]] * WIDTH
    with torch.inference_mode():
        decoder.open(0, torch.randn(WIDTH, 2, 16))
        decoder.step(rows, values, np.zeros(WIDTH, dtype=int), np.ones(WIDTH, dtype=bool))
        before = decoder.states.clone()
        decoder.step(rows, values, np.ones(WIDTH, dtype=int), np.array([True, False, True, False]))
    changed = (decoder.states != before).any(1).tolist()
    assert changed == [True, False, True, False]
