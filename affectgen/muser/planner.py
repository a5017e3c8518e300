"""Sampling the prior: the mode of a piece and the latent plan of its bars, with guidance and clamped elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from affectgen.muser.prior import Prior, PriorContext
from affectgen.writing.draws import guided, pick


@dataclass(frozen=True)
class PlanRequest:
    """What is asked of the prior for a batch of pieces of N bars.

    context: affect and the rest, [B, ...]; bars: how many of the N each piece has, 0 for a row that only fills the
    batch; guidance: 1 for none; mode int64 [B], -1 where it is free; clamped int64 [B, N, 7]: codes that are given, -1
    where free.
    """

    context: PriorContext
    bars: Sequence[int]
    guidance: float
    top_p: float
    temperature: float
    mode: Tensor
    clamped: Tensor


@torch.no_grad()
def sample_plan(
    prior: Prior, request: PlanRequest, rngs: Sequence[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """Modes int64 [B] and bar codes int64 [B, N, 7]; row b draws from its own generator.

    A row's condition, mode and draws come from its own bars alone, so they do not depend on the pieces beside it. Bars
    past a row's own have code 0.
    """
    prior.eval()
    condition, mode_logits = _conditions(prior, request)  # [2B, N, D] and [2B, 2]: asked, then without affect
    everyone = np.ones(len(rngs), dtype=bool)
    drawn = _pick_rows(guided(mode_logits, request.guidance), 1.0, request.temperature, rngs, everyone)
    mode = torch.where(request.mode >= 0, request.mode, drawn)
    bars = request.clamped.shape[1]
    cache = prior.stack.new_cache(2 * len(mode), bars, condition.device)
    codes = torch.zeros_like(request.clamped)
    previous = None
    for bar in range(bars):
        live = np.array([bar < count for count in request.bars])
        state = prior.state(previous, torch.cat([mode, mode]), condition[:, bar : bar + 1], cache)[:, 0]  # [2B, D]
        for element in range(7):
            logits = guided(prior.logits(element, state), request.guidance)
            free = _pick_rows(logits, request.top_p, request.temperature, rngs, live)
            given = request.clamped[:, bar, element]
            codes[:, bar, element] = torch.where(given >= 0, given, free)
            state = prior.add(element, state, torch.cat([codes[:, bar, element]] * 2))
        previous = torch.cat([codes[:, bar]] * 2)[:, None]
    return mode, codes


def _conditions(prior: Prior, request: PlanRequest) -> tuple[Tensor, Tensor]:
    """Conditions [2B, N, D] and mode logits [2B, 2]: with the affect, then without; each row from its own bars."""
    context, bars = request.context, request.clamped.shape[1]
    conditions, modes = [], []
    for known in (context.known, torch.zeros_like(context.known)):
        for row, count in enumerate(request.bars):
            one, own = slice(row, row + 1), slice(max(count, 1))
            asked = PriorContext(
                context.affect[one, own], known[one], context.bars_left[one, own], context.style[one],
                context.ending[one],
            )  # fmt: skip
            condition = prior.condition(asked)  # [1, bars of the row, D]
            modes.append(prior.mode_logits(condition))
            conditions.append(F.pad(condition, (0, 0, 0, bars - condition.shape[1])))
    return torch.cat(conditions), torch.cat(modes)


def _pick_rows(
    logits: Tensor, top_p: float, temperature: float, rngs: Sequence[np.random.Generator], live: NDArray[np.bool_]
) -> Tensor:
    """`pick` for the rows `live` [B] of logits [B, V]; the other rows draw nothing and get 0."""
    rows = np.flatnonzero(live).tolist()
    drawn = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    if rows:
        drawn[rows] = pick(logits[rows], top_p, temperature, [rngs[row] for row in rows])
    return drawn
