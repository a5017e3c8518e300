"""What MusER's decoder knows of a bar before it is written."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.affect.conditioner import AffectConditioner, ConditionerConfig
from affectgen.muser.config import STYLES, MuserConfig
from affectgen.writing.decoder import CLOSINGS, MOST_BARS_LEFT


class BarCondition(nn.Module):
    """What is known of a bar before it is written: affect, latent plan, bars to the end, corpus, kind of ending."""

    def __init__(self, config: MuserConfig) -> None:
        super().__init__()
        self.affect = AffectConditioner(
            ConditionerConfig(dim=config.condition, hidden=config.condition, dropout=config.affect_dropout)
        )
        self.plan = nn.Linear(7 * config.slice_dim, config.condition)
        self.no_plan = nn.Parameter(torch.zeros(7, config.slice_dim))
        self.left = nn.Embedding(MOST_BARS_LEFT + 1, config.condition)
        self.style = nn.Embedding(len(STYLES), config.condition)
        self.ending = nn.Embedding(len(CLOSINGS), config.condition)

    def forward(
        self, affect: Tensor, known: Tensor, plan: Tensor, bars_left: Tensor, style: Tensor, ending: Tensor
    ) -> Tensor:
        """affect [B, N, 2], known [B], plan [B, N, 7, S], bars_left [B, N], style and ending [B] -> [B, N, C]."""
        feeling = self.affect(affect, known)  # [B, N, C]
        fixed = (self.style(style) + self.ending(ending))[:, None]
        return F.silu(feeling + self.plan(plan.flatten(2)) + self.left(bars_left) + fixed)
