"""Packed layers are the layers: the same products, row by row, and the layer itself where packing would change it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from affectgen.nn.packed import PACKING, is_packed, pack


def layer(bias=True, halves=True):
    """A layer whose weights are those of a checkpoint in fp16, or not."""
    torch.manual_seed(0)
    made = nn.Linear(48, 40, bias=bias)
    if halves:
        made.weight.data = made.weight.data.half().float()
    return made


@pytest.mark.parametrize("bias", [True, False])
def test_products_are_those_of_the_layer(bias):
    plain = layer(bias)
    rows = torch.randn(4, 48)
    with torch.no_grad():
        torch.testing.assert_close(pack(plain)(rows), plain(rows), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(pack(plain)(rows[:, None]), plain(rows[:, None]), rtol=1e-5, atol=1e-5)


def test_weights_that_fp16_does_not_hold_are_left_as_they_are():
    plain = layer(halves=False)
    assert pack(plain) is plain


def test_machines_that_cannot_pack_use_the_layer(monkeypatch):
    plain = layer()
    monkeypatch.setattr("affectgen.nn.packed.PACKING", ())
    assert pack(plain) is plain


@pytest.mark.skipif(torch.backends.quantized.engine not in PACKING, reason="this processor's torch cannot pack")
def test_later_changes_of_the_layer_do_not_reach_the_product():
    plain = layer()
    rows = torch.randn(2, 48)
    product = pack(plain)
    before = product(rows)
    plain.weight.data.zero_()
    assert torch.equal(product(rows), before)
    assert not before.requires_grad


@pytest.mark.skipif(torch.backends.quantized.engine not in PACKING, reason="this processor's torch cannot pack")
@pytest.mark.parametrize(("inputs", "outputs"), [(256, 768), (256, 1024), (1024, 256), (256, 5), (48, 101)])
def test_a_row_is_the_same_to_the_bit_among_any_others(inputs, outputs):
    """What pieces side by side rely on; sizes are those of the shipped models, and odd ones."""
    torch.manual_seed(1)
    plain = nn.Linear(inputs, outputs)
    plain.weight.data = plain.weight.data.half().float()
    product, rows = pack(plain), torch.randn(97, inputs)
    assert is_packed(product)
    assert not is_packed(pack(layer(halves=False)))
    alone = torch.cat([product(row[None]) for row in rows])
    for count in (2, 3, 7, 14, 15, 16, 31, 64, 97):
        first = 97 - count
        assert torch.equal(product(rows[first:]), alone[first:]), count
        assert torch.equal(product(rows[:count].flip(0)), alone[:count].flip(0)), count
