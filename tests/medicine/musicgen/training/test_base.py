"""The adapter on the model: nothing changes before training, only the adapter and the affect's part learn."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from affectgen.errors import AffectgenError, CheckpointError
from affectgen.medicine.musicgen.training.base import BaseCodec, Learner, add_lora
from affectgen.medicine.musicgen.training.options import Lora

ATTENTION = r"(self_attn|encoder_attn)\.(q|k|v|out)_proj"


def logits_of(music: Any, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    codes = torch.randint(0, music.shape.card, (2, music.shape.books, 9))
    states, mask = music.states(["calm piano", "sad"], torch.tensor([[0.5, -0.5], [-1, 1]]), torch.tensor([True, True]))
    return music.forward_codes(codes, states, mask)


@pytest.mark.parametrize("targets", ["attention", "all"])
def test_the_identity_before_training(music: Any, targets: str):
    with torch.no_grad():
        before = logits_of(music)
        add_lora(music, Lora(rank=3, targets=targets), 0.1, False, 7)
        assert torch.equal(logits_of(music), before)


@pytest.mark.parametrize(("targets", "each"), [("attention", 8), ("all", 10)])
def test_what_learns(music: Any, targets: str, each: int):
    add_lora(music, Lora(rank=3, targets=targets), 0.1, False, 7)
    learner = Learner(music)
    names = list(learner.state_dict())
    lora = [name for name in names if "lora_" in name]
    assert len(lora) == 2 * 2 * each  # two layers, two matrices of each
    pattern = ATTENTION if targets == "attention" else rf"({ATTENTION}|fc[12])"
    own = rf"model\.decoder\.model\.decoder\.layers\.\d\.{pattern}\.lora_[AB]\.default\.weight"
    assert all(re.fullmatch(own, name) for name in lora)
    others = set(names) - set(lora)
    assert others
    assert all(name.startswith("model.affect_sum.modules_to_save.default.") for name in others)


def test_gradients_are_of_the_adapter_alone(music: Any):
    add_lora(music, Lora(rank=3), 0.0, False, 7)
    learner = Learner(music).train()
    assert not music.model.text_encoder.training
    assert not music.model.audio_encoder.training
    assert music.model.decoder.training
    frozen = {name: p.detach().clone() for name, p in learner.named_parameters() if not p.requires_grad}
    optimiser = torch.optim.SGD([p for p in learner.parameters() if p.requires_grad], 1.0)
    for _ in range(2):  # the second step has gradients where a factor was zero before
        optimiser.zero_grad()
        logits = logits_of(music)
        F.cross_entropy(logits.flatten(0, 2), torch.zeros(logits[..., 0].numel(), dtype=torch.long)).backward()
        optimiser.step()
    moved = {name for name, p in learner.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    learned = set(learner.state_dict())
    assert moved <= learned
    assert {name for name in learned if "lora_" in name or "conditioner.embed" in name or "out" in name} <= moved
    assert all(torch.equal(value, dict(learner.named_parameters())[name]) for name, value in frozen.items())


def counting(calls: list[object]) -> Callable[..., None]:
    return lambda *given: calls.append(given[0])


def test_checkpointing_changes_no_gradient(music: Any, transformers_folder: Any):
    from affectgen.medicine.musicgen.training.base import load_base

    grads = []
    for checkpointing, one in ((False, music), (True, load_base(str(transformers_folder), "cpu"))):
        add_lora(one, Lora(rank=3, dropout=0.0), 0.0, checkpointing, 7)
        one.model.decoder.config.dropout = 0.0
        learner = Learner(one).train()
        for module in one.model.decoder.modules():
            if hasattr(module, "dropout") and isinstance(module.dropout, float):
                module.dropout = 0.0
        calls: list[object] = []
        layer = one.model.decoder.model.decoder.layers[0].fc1.register_forward_pre_hook(counting(calls))
        logits_of(one).square().mean().backward()
        layer.remove()
        assert len(calls) == (2 if checkpointing else 1)  # once more on the way back
        grads.append({name: p.grad for name, p in learner.named_parameters() if p.grad is not None})
    assert grads[0].keys() == grads[1].keys()
    assert all(torch.allclose(grads[0][name], grads[1][name], atol=1e-6) for name in grads[0])
    assert any(value.abs().max() > 1e-4 for value in grads[0].values())


def test_only_learned_weights_are_kept_and_only_they_are_taken(music: Any):
    add_lora(music, Lora(rank=3), 0.0, False, 7)
    learner = Learner(music)
    state = {name: torch.randn_like(value) for name, value in learner.state_dict().items()}
    assert sum(value.numel() for value in state.values()) < sum(p.numel() for p in learner.parameters()) / 2
    learner.load_state_dict(state)
    assert all(torch.equal(value, state[name]) for name, value in learner.state_dict().items())
    with pytest.raises(AffectgenError, match="another adapter"):
        learner.load_state_dict({"x": torch.zeros(1)})


def test_the_codec_gives_codes_at_its_rate(music: Any):
    codec = BaseCodec(music)
    codes = codec.encode((0.1 * torch.randn(codec.rate, codec.channels)).numpy())
    assert codes.shape == (music.shape.books, music.shape.frames(1.0))
    assert codes.device.type == "cpu"
    assert 0 <= int(codes.min()) <= int(codes.max()) < music.shape.card
    music.shape = replace(music.shape, books=2)
    with pytest.raises(CheckpointError, match="writes 4 codebooks, and its decoder reads 2"):
        BaseCodec(music).encode((0.1 * torch.randn(codec.rate, 1)).numpy())
