"""Drawing values from logits: the nucleus, and classifier-free guidance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def pick(logits: Tensor, top_p: float, temperature: float, rngs: Sequence[np.random.Generator]) -> Tensor:
    """`draw` from logits [B, V] on any device: int64 [B] there."""
    drawn = draw(logits.double().cpu().numpy(), top_p, temperature, rngs)
    return torch.from_numpy(drawn).to(logits.device)


def draw(
    logits: NDArray[np.float64], top_p: float, temperature: float, rngs: Sequence[np.random.Generator]
) -> NDArray[np.int64]:
    """Draw from logits [B, V] by nucleus sampling (Holtzman et al., 2020), row b with its own generator: int64 [B].

    Temperature 0 takes the most likely value.
    """
    if temperature == 0:
        return logits.argmax(-1)
    weights = np.exp((logits - logits.max(-1, keepdims=True)) / temperature)  # the largest is 1 at any temperature
    weights /= weights.sum(-1, keepdims=True)
    row = np.arange(len(logits))
    order = np.argsort(-weights, axis=-1, kind="stable")
    ranked = weights[row[:, None], order]
    before = ranked.cumsum(-1) - ranked
    ranked[before >= top_p] = 0.0
    bounds = ranked.cumsum(-1)
    draws = np.array([rng.random() for rng in rngs]) * bounds[:, -1]
    rank = np.minimum((bounds <= draws[:, None]).sum(-1), logits.shape[-1] - 1)
    return order[row, rank]


def guided(logits: Tensor, guidance: float) -> Tensor:
    """Classifier-free guidance (Ho & Salimans, 2022) on stacked logits [2B, V], asked above unasked -> [B, V]."""
    asked, unasked = logits.float().chunk(2)
    if guidance == 1:
        return asked
    asked, unasked = asked.log_softmax(-1), unasked.log_softmax(-1)
    return unasked + guidance * (asked - unasked)
