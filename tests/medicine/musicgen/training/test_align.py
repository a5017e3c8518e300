"""The alignment loss: what it measures, of which positions, of which layer."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from affectgen.errors import UsageError
from affectgen.medicine.musicgen.training.align import Alignment, caught, layer_of


def test_one_minus_cosine_of_the_mean_over_what_counts():
    alignment = Alignment(2, 2)
    with torch.no_grad():
        alignment.project.weight.copy_(torch.eye(2))
        alignment.project.bias.zero_()
    hidden = torch.tensor([[[100.0, 100.0], [1.0, 0.0], [3.0, 0.0]], [[9.0, 9.0], [0.0, 2.0], [5.0, 5.0]]])
    heard = torch.tensor([[False, True, True], [False, True, False]])
    features = torch.tensor([[1.0, 0.0], [0.0, -4.0]])
    assert alignment(hidden, heard, features).item() == pytest.approx((0 + 2) / 2)
    features[1] = torch.nan  # not heard: counts for nothing
    assert alignment(hidden, heard, features).item() == pytest.approx(0, abs=1e-6)
    features[0] = torch.nan
    loss = alignment(hidden.requires_grad_(), heard, features)
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(hidden.grad).all()


def test_layers(music: Any):
    decoder = music.model.decoder.model.decoder
    assert layer_of(decoder, 0) is decoder.layer_norm
    assert layer_of(decoder, 2) is decoder.layers[1]
    with pytest.raises(UsageError, match="got 3"):
        layer_of(decoder, 3)


def test_the_last_norms_output_is_the_last_hidden_state(music: Any):
    codes = torch.randint(0, music.shape.card, (2, music.shape.books, 7))
    states, mask = torch.randn(2, 3, music.shape.dim), torch.ones(2, 3, dtype=torch.long)
    with torch.no_grad(), caught(layer_of(music.model.decoder.model.decoder, 0)) as outputs:
        _, last = music.forward_codes(codes, states, mask, hidden=True)
    assert torch.equal(outputs[0], last)
    music.forward_codes(codes, states, mask)
    assert len(outputs) == 1  # the hook is gone
