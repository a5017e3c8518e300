"""The prior: from an affect (or a path) to the latent codes of each bar, one bar at a time, and the mode of the piece.

A causal transformer over bars; the seven codes of a bar are drawn in a cascade, each seeing those before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.affect.conditioner import AffectConditioner, ConditionerConfig
from affectgen.muser.config import STYLES, MuserConfig
from affectgen.nn.transformer import Cache, Transformer, TransformerConfig
from affectgen.writing.decoder import CLOSINGS, MOST_BARS_LEFT

MODES = 2


@dataclass(frozen=True)
class PriorBatch:
    """codes int64 [B, N, 7]; inside bool [B, N]; mode int64 [B]; affect [B, N, 2]; known bool [B]; others as Batch."""

    codes: Tensor
    inside: Tensor
    mode: Tensor
    affect: Tensor
    known: Tensor
    bars_left: Tensor
    style: Tensor
    ending: Tensor

    def to(self, device: torch.device) -> PriorBatch:
        """The same batch on a device."""
        return PriorBatch(*(getattr(self, name).to(device, non_blocking=True) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class PriorContext:
    """What the prior is asked for: affect [B, N, 2], known [B], bars_left [B, N], style and ending [B]."""

    affect: Tensor
    known: Tensor
    bars_left: Tensor
    style: Tensor
    ending: Tensor


class Prior(nn.Module):
    """Distribution of mode and bar codes given affect, bars to the end, corpus and kind of ending."""

    def __init__(self, config: MuserConfig) -> None:
        super().__init__()
        dim = config.prior_dim
        self.affect = AffectConditioner(ConditionerConfig(dim=dim, hidden=dim, dropout=config.affect_dropout))
        self.left = nn.Embedding(MOST_BARS_LEFT + 1, dim)
        self.style = nn.Embedding(len(STYLES), dim)
        self.ending = nn.Embedding(len(CLOSINGS), dim)
        self.mode = nn.Embedding(MODES, dim)
        self.mode_head = nn.Linear(dim, MODES)
        self.start = nn.Parameter(torch.zeros(dim))
        self.codes = nn.ModuleList(nn.Embedding(config.bar_codes, dim) for _ in range(7))
        self.stack = Transformer(
            TransformerConfig(
                dim=dim, layers=config.prior_layers, heads=config.prior_heads, condition=dim, dropout=0.2
            )
        )
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(7))
        self.hidden = nn.ModuleList(nn.Linear(dim, dim) for _ in range(7))
        self.out = nn.ModuleList(nn.Linear(dim, config.bar_codes) for _ in range(7))
        for table in self.codes:
            nn.init.normal_(cast(nn.Embedding, table).weight, std=0.1)

    def condition(self, context: PriorContext) -> Tensor:
        """[B, N, D] from what is asked."""
        fixed = (self.style(context.style) + self.ending(context.ending))[:, None]
        return F.silu(self.affect(context.affect, context.known) + self.left(context.bars_left) + fixed)

    def mode_logits(self, condition: Tensor) -> Tensor:
        """Logits [B, 2] of major and minor from the mean condition of the piece."""
        return self.mode_head(condition.mean(1))

    def state(self, previous: Tensor | None, mode: Tensor, condition: Tensor, cache: Cache | None) -> Tensor:
        """States [B, t, D] for t bars after the codes [B, t, 7] of the bars before them; None for the first bar."""
        opening = (self.start + self.mode(mode))[:, None]  # [B, 1, D]
        if previous is None:
            x = opening
        else:
            x = sum(book(previous[..., e]) for e, book in enumerate(self.codes)) + self.mode(mode)[:, None]
            if cache is None:
                x = torch.cat([opening, x], dim=1)
        return self.stack(x, condition, cache=cache)

    def logits(self, element: int, state: Tensor) -> Tensor:
        """Logits [..., codes] of one element's code."""
        return self.out[element](F.gelu(self.hidden[element](self.norms[element](state))))

    def add(self, element: int, state: Tensor, code: Tensor) -> Tensor:
        """The state once an element's code is decided."""
        return state + self.codes[element](code)

    def forward(self, batch: PriorBatch) -> Tensor:
        """Negative log likelihood in nats per bar (the mode counted once a piece)."""
        context = PriorContext(batch.affect, batch.known, batch.bars_left, batch.style, batch.ending)
        condition = self.condition(context)
        weight = batch.inside[..., None] / batch.inside.sum(1)[:, None, None]  # [B, N, 1]: a piece's own bars
        mode_logits = self.mode_head((condition * weight).sum(1))
        mode_loss = F.cross_entropy(mode_logits, batch.mode, reduction="sum")
        state = self.state(batch.codes[:, :-1], batch.mode, condition, None)
        inside = batch.inside
        state, codes = state[inside], batch.codes[inside]  # [M, D], [M, 7]
        total = mode_loss
        for element in range(7):
            total = total + F.cross_entropy(self.logits(element, state).float(), codes[:, element], reduction="sum")
            state = self.add(element, state, codes[:, element])
        return total / inside.sum()
