"""Sampling the prior: the mode of a piece and the latent plan of its bars, with guidance and clamped elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from affectgen.muser.prior import Prior, PriorContext, pick


@dataclass(frozen=True)
class PlanRequest:
    """What is asked of the prior for a batch of pieces of N bars.

    context: affect and the rest, [B, ...]; guidance: 1 for none; mode int64 [B], -1 where it is free;
    clamped int64 [B, N, 7]: codes that are given, -1 where free.
    """

    context: PriorContext
    guidance: float
    top_p: float
    temperature: float
    mode: Tensor
    clamped: Tensor


@torch.no_grad()
def sample_plan(
    prior: Prior, request: PlanRequest, rngs: Sequence[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """Modes int64 [B] and bar codes int64 [B, N, 7]; row b draws from its own generator."""
    prior.eval()
    known = request.context.known
    both = PriorContext(
        *(torch.cat([value, value]) for value in (request.context.affect,)), torch.cat([known, known & False]),
        torch.cat([request.context.bars_left] * 2), torch.cat([request.context.style] * 2),
        torch.cat([request.context.ending] * 2),
    )  # fmt: skip
    condition = prior.condition(both)  # [2B, N, D]: asked, then without affect
    drawn = pick(guided(prior.mode_logits(condition), request.guidance), 1.0, request.temperature, rngs)
    mode = torch.where(request.mode >= 0, request.mode, drawn)
    bars = request.clamped.shape[1]
    cache = prior.stack.new_cache(2 * len(mode), bars, condition.device)
    codes = torch.zeros_like(request.clamped)
    previous = None
    for bar in range(bars):
        state = prior.state(previous, torch.cat([mode, mode]), condition[:, bar : bar + 1], cache)[:, 0]  # [2B, D]
        for element in range(7):
            logits = guided(prior.logits(element, state), request.guidance)
            free = pick(logits, request.top_p, request.temperature, rngs)
            given = request.clamped[:, bar, element]
            codes[:, bar, element] = torch.where(given >= 0, given, free)
            state = prior.add(element, state, torch.cat([codes[:, bar, element]] * 2))
        previous = torch.cat([codes[:, bar]] * 2)[:, None]
    return mode, codes


def guided(logits: Tensor, guidance: float) -> Tensor:
    """Classifier-free guidance (Ho & Salimans, 2022) on stacked logits [2B, V], asked above unasked -> [B, V]."""
    asked, unasked = logits.float().chunk(2)
    if guidance == 1:
        return asked
    asked, unasked = asked.log_softmax(-1), unasked.log_softmax(-1)
    return unasked + guidance * (asked - unasked)
