"""Processes that draw batches: the same batches in the same order each time, and nothing left running."""

from __future__ import annotations

import gc
import multiprocessing

import torch

from affectgen.nn.drawing import drawing


def counting(process):
    """Tensors that tell who drew them: 100 times the process and a count."""
    state = {"count": 0}

    def draw():
        state["count"] += 1
        return torch.tensor(100 * process + state["count"])

    return draw


def test_no_worker_draws_here():
    draw = drawing(counting, 0)
    assert [int(draw()) for _ in range(3)] == [1, 2, 3]
    assert multiprocessing.active_children() == []


def test_workers_draw_in_turn_and_end():
    draw = drawing(counting, 2)
    assert multiprocessing.active_children() == [], "none starts before it is needed"
    assert [int(draw()) for _ in range(6)] == [1, 101, 2, 102, 3, 103]
    assert len(multiprocessing.active_children()) == 2
    del draw
    gc.collect()
    assert multiprocessing.active_children() == []
