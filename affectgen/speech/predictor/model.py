"""The predictor: phones of a neutral take, an emotion and exemplars of it in, changes of each phone out. Needs torch.

Self-attention over the phones of the take, cross-attention from them to the phones of the exemplars, and the emotion at
every layer by the shared `AffectConditioner` and FiLM.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from affectgen.affect.conditioner import AffectConditioner, ConditionerConfig, FiLM
from affectgen.recognize.speech_corpus import LABELS
from affectgen.speech.predictor.phones import COLUMNS, NAMES

EXTRA = 4  # numbers beside the columns of a phone: place in the take, whether voiced, whether it ends a word, the take


@dataclass(frozen=True)
class PredictorConfig:
    """dim: width; exemplars: how many are shown; condition: width of the emotion's embedding; affect_dropout: share of
    rows that lose their point in training."""

    dim: int = 64
    layers: int = 2
    heads: int = 4
    exemplars: int = 4
    dropout: float = 0.3
    condition: int = 64
    affect_dropout: float = 0.1


@dataclass(frozen=True)
class Batch:
    """B takes of up to P phones with K exemplars of up to E phones in all. names: int64 [B, P], places in NAMES;
    values: [B, P, 13 + EXTRA], standardised, 0 where not known; real: bool [B, P]; affect: [B, 2]; shares: [B, 7], over
    LABELS, all 0 where no label is asked for; level: [B], the take's median pitch, standardised; shown_names [B, E],
    shown [B, E, 13 + EXTRA], shown_real [B, E]: the same of the exemplars' phones.
    """

    names: Tensor
    values: Tensor
    real: Tensor
    affect: Tensor
    shares: Tensor
    level: Tensor
    shown_names: Tensor
    shown: Tensor
    shown_real: Tensor


class Layer(nn.Module):
    """One layer, each of its three parts normed before and modulated by the emotion."""

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        dim, drop = config.dim, config.dropout
        self.own = nn.MultiheadAttention(dim, config.heads, dropout=drop, batch_first=True)
        self.cross = nn.MultiheadAttention(dim, config.heads, dropout=drop, batch_first=True)
        self.wide = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Dropout(drop), nn.Linear(2 * dim, dim))
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3))
        self.films = nn.ModuleList(FiLM(config.condition, dim) for _ in range(3))
        self.drop = nn.Dropout(drop)

    def forward(self, state: Tensor, real: Tensor, shown: Tensor, shown_real: Tensor, condition: Tensor) -> Tensor:
        """state [B, P, H], shown [B, 1 + E, H] (its first place is a learned nothing), condition [B, C]."""
        ready = self.films[0](self.norms[0](state), condition)
        state = state + self.drop(self.own(ready, ready, ready, key_padding_mask=~real, need_weights=False)[0])
        ready = self.films[1](self.norms[1](state), condition)
        state = state + self.drop(self.cross(ready, shown, shown, key_padding_mask=~shown_real, need_weights=False)[0])
        return state + self.drop(self.wide(self.films[2](self.norms[2](state), condition)))


class Predictor(nn.Module):
    """The network. What comes out is standardised; `affectgen.speech.predictor.ready` knows the units."""

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        self.config = config
        dim, condition = config.dim, config.condition
        self.phone = nn.Embedding(len(NAMES), dim)
        self.value = nn.Linear(len(COLUMNS) + EXTRA, dim)
        self.shown_value = nn.Linear(len(COLUMNS) + EXTRA, dim)
        self.nothing = nn.Parameter(0.02 * torch.randn(dim))
        self.affect = AffectConditioner(
            ConditionerConfig(condition, condition, features=4, dropout=config.affect_dropout)
        )
        self.label = nn.Linear(len(LABELS), condition, bias=False)
        self.level = nn.Linear(1, condition)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.last = nn.LayerNorm(dim)
        self.film = FiLM(condition, dim)
        self.out = nn.Linear(dim, len(COLUMNS))
        nn.init.zeros_(self.label.weight)  # so that a label which no take teaches says nothing
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, batch: Batch) -> Tensor:
        """Standardised changes of each phone, [B, P, 13]; without meaning where `real` is false."""
        condition = self.affect(batch.affect) + self.label(batch.shares) + self.level(batch.level[:, None])  # [B, C]
        state = self.phone(batch.names) + self.value(batch.values)  # [B, P, H]
        shown = self.phone(batch.shown_names) + self.shown_value(batch.shown)  # [B, E, H]
        count = len(shown)
        shown = torch.cat([self.nothing.expand(count, 1, -1), shown], dim=1)  # so that there is always one to look at
        there = torch.cat([torch.ones(count, 1, dtype=torch.bool, device=shown.device), batch.shown_real], dim=1)
        for layer in self.layers:
            state = layer(state, batch.real, shown, there, condition)
        found: Tensor = self.out(self.film(self.last(state), condition))
        return found
