"""What is remembered of pieces: it grows, it is kept, and every device answers from it alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from affectgen.writing import memory
from affectgen.writing.memory import Memory


@pytest.mark.parametrize("seed", [0, 5])
def test_a_memory_grows_and_keeps_what_it_has(bare, monkeypatch, seed):
    """Small ones that grow, and products in small blocks, give what a large one gives in one."""
    monkeypatch.setattr(memory, "FIRST_ROOM", 8)
    config = bare().globally.stack.config
    small = Memory(config, 2, torch.device("cpu"))
    monkeypatch.setattr(memory, "FIRST_ROOM", 512)
    large = Memory(config, 2, torch.device("cpu"))
    generator = torch.Generator().manual_seed(seed)
    for step in range(40):
        rows = np.array([0, 1, 3, 4, 6] if step % 3 else [0, 3, 7])
        qkv = torch.randn(len(rows), 3, config.heads, small.width, generator=generator)
        answers = []
        for one, block in ((small, 16), (large, 4096)):
            monkeypatch.setattr(memory, "BLOCK", block)
            one.begin(rows)
            answers.append(one.attend(1, qkv).clone())
        torch.testing.assert_close(*answers, rtol=1e-5, atol=1e-6)
        if step == 20:
            for one in (small, large):
                one.keep(0, 1, 15)
    assert small.columns > 100


def test_another_device_gives_the_same_answers(bare):
    """What is done on a GPU, done here."""
    config = bare().globally.stack.config
    here, there = (Memory(config, 2, torch.device("cpu")) for _ in range(2))
    generator = torch.Generator().manual_seed(1)
    for step in range(12):
        rows = np.array([0, 2, 3, 5] if step % 2 else [1, 2, 7])
        qkv = torch.randn(len(rows), 3, config.heads, here.width, generator=generator)
        here.begin(rows)
        there.begin(rows)
        torch.testing.assert_close(here.attend(0, qkv), there._attend_elsewhere(0, qkv), rtol=1e-5, atol=1e-6)
