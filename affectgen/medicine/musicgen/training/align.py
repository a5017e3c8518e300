"""The alignment loss: the decoder's states shall know what the guide hears in the piece they stand for.

After LARA-Gen (arXiv 2510.05875), which aligns a generator's hidden states with those of a music-understanding model.
Here the features are the guide's statistics of sound and notes; a small projection, thrown away after training, reads
them off the mean hidden state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.errors import UsageError


class Alignment(nn.Module):
    """The projection and its loss."""

    def __init__(self, dim: int, features: int) -> None:
        super().__init__()
        self.project = nn.Linear(dim, features)

    def forward(self, hidden: Tensor, heard: Tensor, features: Tensor) -> Tensor:
        """1 - cosine, as the mean over rows. hidden [B, P, D]; heard [B, P]: positions that count; features [B, F],
        nan in rows that count for nothing."""
        weight = heard.to(hidden.dtype)[..., None]
        mean = (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
        known = torch.isfinite(features).all(dim=1)
        guess = self.project(mean.float())
        cosine = F.cosine_similarity(guess, torch.nan_to_num(features.float()), dim=1)
        return ((1 - cosine) * known).sum() / known.sum().clamp(min=1)


def layer_of(decoder: nn.Module, number: int) -> nn.Module:
    """The module whose output is aligned: layer `number`, from 1, or for 0 the last norm. UsageError for another."""
    layers: Any = decoder.layers
    if number > len(layers):
        raise UsageError(f"--align-layer got {number}.", f"The base's decoder has {len(layers)} layers.")
    found: nn.Module = decoder.layer_norm if number == 0 else layers[number - 1]  # type: ignore[assignment]
    return found


@contextmanager
def caught(layer: nn.Module) -> Iterator[list[Tensor]]:
    """What a module gives out, [B, P, D] each time, while the block runs."""
    outputs: list[Tensor] = []

    def catch(_: nn.Module, __: object, output: Any) -> None:
        outputs.append(output[0] if isinstance(output, tuple) else output)

    handle = layer.register_forward_hook(catch)
    try:
        yield outputs
    finally:
        handle.remove()
