"""The two-level decoder: which elements a word has, and the cascade in which they are decided."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from affectgen.score.stream import Stream
from affectgen.score.words import BAR_LINE, ELEMENTS, Family, encode
from affectgen.writing.decoder import applicable


@pytest.fixture
def tables(score):
    """Two pieces as one padded batch of tables [2, T, 13]."""
    tables = [Stream.of(encode(score(seed, 2 + seed))).table() for seed in range(2)]
    steps = max(len(table) for table in tables)
    return torch.from_numpy(np.stack([np.pad(table, ((0, steps - len(table)), (0, 0))) for table in tables]))


def test_what_applies_where(tables):
    words = tables[..., :8]
    masks = applicable(words)
    family, beat = words[..., 0], words[..., 1]
    assert (family == 0).any(), "a batch is padded"
    assert torch.equal(masks[0], family > 0)
    assert torch.equal(masks[1], family == Family.METRICAL)
    assert torch.equal(masks[2], (family == Family.METRICAL) & (beat > BAR_LINE))
    assert torch.equal(masks[2], masks[3])
    assert all(torch.equal(mask, family == Family.NOTE) for mask in masks[4:])


def by_hand(elements, words, states, plan=None, detail=None):
    """The likelihood word by word: each element read after those that the word has before it."""
    total = torch.zeros(len(ELEMENTS))
    for number, word in enumerate(words):
        masks = [bool(mask) for mask in applicable(word)]
        state = states[number]
        for element in np.flatnonzero(masks).tolist():
            slices = () if plan is None else (plan[number, element], detail[number, element])
            logits = elements(element, state, *slices)
            total[element] += F.cross_entropy(logits, word[element])
            state = elements.add(element, state, word[element])
    return total / (words[:, 0] > 0).sum()


@torch.no_grad()
@pytest.mark.parametrize("slice_dim", [0, 4])
def test_the_likelihood_by_hand(bare, tables, slice_dim):
    elements, words = bare(slice_dim).elements, tables[0, :60, :8]
    torch.manual_seed(1)
    states = torch.randn(60, 32)
    slices = [torch.randn(60, 7, slice_dim) for _ in range(2)] if slice_dim else []
    found = elements.likelihood(words, states, *slices)
    assert (found > 0).all()
    torch.testing.assert_close(found, by_hand(elements, words, states, *slices), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_padding_has_no_likelihood(bare, tables):
    elements = bare().elements
    words = tables[0, :, :8]
    states = torch.randn(len(words), 32)
    held = words[:, 0] > 0
    torch.testing.assert_close(elements.likelihood(words, states), elements.likelihood(words[held], states[held]))
    assert elements.likelihood(words[~held], states[~held]).tolist() == [0.0] * 7


@torch.no_grad()
def test_an_element_reads_its_own_slices(bare):
    elements, state = bare(4).elements, torch.randn(3, 32)
    plan, detail = torch.randn(2, 3, 4)
    plain = elements(5, state)
    none = torch.zeros(3, 4)
    torch.testing.assert_close(elements(5, state, none, none), plain)
    assert not torch.allclose(elements(5, state, plan, none), plain)
    assert not torch.allclose(elements(5, state, none, detail), plain)


def test_a_model_without_slices_has_no_weights_for_them(bare):
    names = [name for name, _ in bare().named_parameters()]
    assert not [name for name in names if ".plan" in name or ".detail" in name]
    assert sum(".plan" in name for name, _ in bare(4).named_parameters()) == 7


@torch.no_grad()
def test_states_hear_the_condition_of_their_bar(bare, tables):
    globally, condition = bare().globally, torch.randn(2, 3, 16)
    before = globally(tables, condition)
    assert before.shape == (*tables.shape[:2], 32)
    changed = condition.clone()
    changed[:, 1] = -changed[:, 1]
    after = globally(tables, changed)
    first = tables[..., 8] == 0
    first &= tables[..., 0] > 0
    assert torch.equal(before[first], after[first])
    later = tables[..., 8] == 1
    assert ((before[later] - after[later]).abs().amax(-1) > 1e-4).all()
