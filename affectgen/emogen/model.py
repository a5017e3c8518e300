"""EmoGen's second stage: music from attributes, any subset of which may be asked for, bar by bar.

The words, the two-level decoder and the training loop are MusER's; there is no latent and no emotion. What is asked of
a bar modulates every layer (FiLM). Where the published model adds an embedding of 100 bits to every token and never
learned to do without some of them, this one reads values with a mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.emogen.config import STYLES, EmogenConfig
from affectgen.emogen.vector import NAMES
from affectgen.score.words import ELEMENTS
from affectgen.writing.decoder import CLOSINGS, MOST_BARS_LEFT, ElementDecoders, GlobalDecoder

if TYPE_CHECKING:
    from affectgen.emogen.data import Batch

FEATURES = 3  # of each attribute: that it is asked for, its value, its square


class AttributeCondition(nn.Module):
    """What is known of a bar before it is written: attributes, bars to the end, corpus, kind of ending."""

    def __init__(self, config: EmogenConfig) -> None:
        super().__init__()
        self.embed = nn.Sequential(
            nn.Linear(FEATURES * len(NAMES), config.hidden), nn.SiLU(), nn.Linear(config.hidden, config.condition)
        )
        self.left = nn.Embedding(MOST_BARS_LEFT + 1, config.condition)
        self.style = nn.Embedding(len(STYLES), config.condition)
        self.ending = nn.Embedding(len(CLOSINGS), config.condition)

    def forward(self, targets: Tensor, bars_left: Tensor, style: Tensor, ending: Tensor) -> Tensor:
        """targets [B, N, K] in sd, nan where free; bars_left [B, N]; style and ending [B] -> [B, N, C]."""
        known = torch.isfinite(targets)
        value = torch.where(known, targets, 0.0)
        square = torch.where(known, (value**2 - 1) / 2, 0.0)
        features = torch.cat([known.to(value.dtype), value, square], dim=-1)  # [B, N, 3K]
        fixed = (self.style(style) + self.ending(ending))[:, None]
        return F.silu(self.embed(features) + self.left(bars_left) + fixed)


class Emogen(nn.Module):
    """The whole model: condition, global decoder, element decoders."""

    def __init__(self, config: EmogenConfig) -> None:
        super().__init__()
        self.config = config
        self.condition = AttributeCondition(config)
        self.globally = GlobalDecoder(config)
        self.elements = ElementDecoders(config)

    def forward(self, batch: Batch) -> Tensor:
        """Negative log likelihood of each element in nats per word, [7]."""
        targets = batch.targets
        if self.training:
            targets = targets + self.config.noise * torch.randn_like(targets)
        condition = self.condition(targets, batch.bars_left, batch.style, batch.ending)
        states = self.globally(batch.table[:, :-1], condition)  # [B, T - 1, D]
        return self.elements.likelihood(batch.table[:, 1:, : len(ELEMENTS) + 1].flatten(0, 1), states.flatten(0, 1))
