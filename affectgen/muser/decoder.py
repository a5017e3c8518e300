"""The two-level decoder: a causal transformer over words, then one small decoder per element, in a cascade.

Each element's decoder sees the global state, the fields already decided for the word, and its own slices only.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.affect.conditioner import AffectConditioner, ConditionerConfig
from affectgen.muser.config import CLOSINGS, MOST_BARS_LEFT, STYLES, MuserConfig
from affectgen.muser.encoder import BAR, CHORD, POSITION, TEMPO
from affectgen.nn.transformer import Cache, Transformer, TransformerConfig
from affectgen.score.words import ELEMENTS, SIZES, Field

INPUTS = (
    ("family", Field.FAMILY), ("beat", POSITION), ("tempo", TEMPO), ("chord", CHORD),
    ("pitch", Field.PITCH), ("duration", Field.DURATION), ("velocity", Field.VELOCITY), ("key", Field.KEY),
)  # fmt: skip


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


class GlobalDecoder(nn.Module):
    """Words so far -> one state per word, under the condition of each word's bar."""

    def __init__(self, config: MuserConfig) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(SIZES[name], config.dim) for name, _ in INPUTS)
        for table in self.tables:
            nn.init.normal_(cast(nn.Embedding, table).weight, std=0.05)
        self.stack = Transformer(
            TransformerConfig(
                dim=config.dim, layers=config.layers, heads=config.heads, condition=config.condition,
                dropout=config.dropout,
            )
        )  # fmt: skip

    def forward(self, table: Tensor, condition: Tensor, cache: Cache | None = None) -> Tensor:
        """Tables [B, T, 13] and condition [B, N, C] by bar -> states [B, T, D]."""
        x = sum(book(table[..., column]) for book, (_, column) in zip(self.tables, INPUTS, strict=True))
        return self.stack(x, condition, place=table[..., BAR], cache=cache)


class ElementDecoders(nn.Module):
    """Seven decoders in the order family, beat, tempo, chord, pitch, duration, velocity."""

    def __init__(self, config: MuserConfig) -> None:
        super().__init__()
        dim, width = config.dim, config.slice_dim
        self.chosen = nn.ModuleList(nn.Embedding(SIZES[name], dim) for name in ELEMENTS)
        for table in self.chosen:
            nn.init.normal_(cast(nn.Embedding, table).weight, std=0.2)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in ELEMENTS)
        self.hidden = nn.ModuleList(nn.Linear(dim, dim) for _ in ELEMENTS)
        self.plan = nn.ModuleList(nn.Linear(width, dim, bias=False) for _ in ELEMENTS)
        self.detail = nn.ModuleList(nn.Linear(width, dim, bias=False) for _ in ELEMENTS)
        self.out = nn.ModuleList(nn.Linear(dim, SIZES[name]) for name in ELEMENTS)

    def add(self, element: int, state: Tensor, value: Tensor) -> Tensor:
        """The state [..., D] once the element's value [...] is decided."""
        return state + self.chosen[element](value)

    def forward(self, element: int, state: Tensor, plan: Tensor, detail: Tensor) -> Tensor:
        """Logits [N, V] of one element from states [N, D], its bar slices [N, S] and word slices [N, S] (0 if none)."""
        hidden = self.hidden[element](self.norms[element](state)) + self.plan[element](plan)
        return self.out[element](F.gelu(hidden + self.detail[element](detail)))
