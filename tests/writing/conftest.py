"""A decoder that belongs to no generator: untrained, and alive to its conditions and slices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from affectgen.writing.decoder import ElementDecoders, GlobalDecoder


@dataclass(frozen=True)
class Sizes:
    """What a decoder needs to know; a model with slices has slice_dim above 0."""

    dim: int = 32
    layers: int = 2
    heads: int = 2
    condition: int = 16
    dropout: float = 0.0
    slice_dim: int = 0


class Bare(nn.Module):
    """Stands for a generator's model: its decoders and nothing else."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.globally, self.elements = GlobalDecoder(sizes), ElementDecoders(sizes)


@pytest.fixture(scope="session")
def bare() -> Callable[..., Bare]:
    """bare(slice_dim): what starts as the identity is drawn wider, so that everything acts."""

    def build(slice_dim: int = 0) -> Bare:
        torch.manual_seed(0)
        model = Bare(Sizes(slice_dim=slice_dim)).eval()
        for name, parameter in model.named_parameters():
            if "film" in name or name.startswith(("elements.plan", "elements.detail")):
                nn.init.normal_(parameter, std=0.5)
        return model

    return build
