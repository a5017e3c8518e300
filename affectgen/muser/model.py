"""MusER: element encoder, product codebooks and two-level decoder, trained as one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.muser.condition import BarCondition
from affectgen.muser.config import MuserConfig
from affectgen.muser.data import Batch
from affectgen.muser.encoder import ElementEncoder, WordLatents, cross_covariance, regularise
from affectgen.nn.quantiser import Quantiser, QuantiserConfig
from affectgen.score.stream import BAR
from affectgen.writing.decoder import ElementDecoders, GlobalDecoder, applicable

REGULARISED_BARS = 256  # bars compared pairwise in one step


@dataclass(frozen=True)
class Losses:
    """total: what is minimised; likelihood: nats per word; elements: [7] nats per word; parts: the other terms."""

    total: Tensor
    likelihood: Tensor
    elements: Tensor
    parts: dict[str, Tensor]


@dataclass(frozen=True)
class Latents:
    """Latents of a batch by bar: slices before and after quantising [B, N, 7, S], codes [B, N, 7], filled [B, N, 7]."""

    slices: Tensor
    quantised: Tensor
    codes: Tensor
    filled: Tensor
    commitment: Tensor


class Muser(nn.Module):
    """The whole model but its prior."""

    def __init__(self, config: MuserConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = ElementEncoder(config)
        self.bar_books = Quantiser(QuantiserConfig(7, config.bar_codes, config.slice_dim))
        self.word_latents = WordLatents(config)
        self.word_books = Quantiser(
            QuantiserConfig(7, max(config.word_codes), config.slice_dim, sizes=config.word_codes)
        )
        self.condition = BarCondition(config)
        self.globally = GlobalDecoder(config)
        self.elements = ElementDecoders(config)
        self.probe = nn.Linear(7 * config.slice_dim, 2)

    def freeze_latents(self) -> None:
        """Fix encoder and books, so that codes keep their meaning while the decoder learns on and a prior is fitted."""
        for part in (self.encoder, self.word_latents):
            part.requires_grad_(False)
        self.bar_books.freeze()
        self.word_books.freeze()

    def encode_bars(self, table: Tensor, bars: int) -> Latents:
        """Tables [B, T, 13] -> the latents of their bars."""
        slices, filled = self.encoder(table, bars)
        flat = self.bar_books(slices.flatten(0, 1), filled.flatten(0, 1).float())
        shape = slices.shape
        return Latents(slices, flat.vectors.view(shape), flat.codes.view(shape[:3]), filled, flat.loss)

    def encode_words(self, words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Words [B, T, 8] -> quantised slices [B, T, 7, S], 0 where not applicable, codes [B, T, 7], commitment."""
        slices = self.word_latents(words)
        applies = torch.stack(applicable(words), dim=-1)  # [B, T, 7]
        flat = self.word_books(slices.flatten(0, 1), applies.flatten(0, 1).float())
        vectors = flat.vectors.view(slices.shape) * applies[..., None]
        return vectors, flat.codes.view(slices.shape[:3]), flat.loss

    def word_cells(self) -> list[Tensor]:
        """For each element the word code int64 [V] of each of its values."""
        cells = []
        for element, table in enumerate(self.word_latents.tables):
            weight = cast(nn.Embedding, table).weight  # [V, S]
            values = torch.zeros(len(weight), 7, self.config.slice_dim, device=weight.device)
            values[:, element] = weight
            cells.append(self.word_books.nearest(values)[:, element])
        return cells

    def forward(self, batch: Batch) -> Losses:
        """All losses of a batch; dropouts of affect, plan and word latents act in training only."""
        table = batch.table
        bars = batch.affect.shape[1]
        latents = self.encode_bars(table, bars)
        plan = self._dropped_plan(latents.quantised)
        condition = self.condition(batch.affect, batch.known, plan, batch.bars_left, batch.style, batch.ending)
        states = self.globally(table[:, :-1], condition)  # [B, T - 1, D]
        detail, _, detail_loss = self.encode_words(table[:, 1:, :8])
        detail = detail * self._detail_mask(len(table), table.device)
        words = table[:, 1:, :8].flatten(0, 1)  # [M, 8], M = B * (T - 1)
        place = table[:, :-1, BAR] + torch.arange(len(table), device=table.device)[:, None] * bars
        plans = plan.flatten(0, 1)[place.reshape(-1)]  # [M, 7, S]
        elements = self.elements.likelihood(words, states.flatten(0, 1), plans, detail.flatten(0, 1))
        likelihood = elements.sum()
        parts = self._regularisers(batch, latents) | {"commitment": latents.commitment + detail_loss}
        return Losses(likelihood + sum(parts.values()), likelihood, elements, parts)

    def _dropped_plan(self, quantised: Tensor) -> Tensor:
        """Replace the plan of some rows, and single elements of some more, by the learned 'no plan'."""
        if not self.training:
            return quantised
        rows = torch.rand(len(quantised), 1, 1, 1, device=quantised.device) < self.config.plan_dropout
        single = torch.rand(len(quantised), 1, 7, 1, device=quantised.device) < self.config.plan_dropout / 2
        return torch.where(rows | single, self.condition.no_plan.to(quantised.dtype), quantised)

    def _detail_mask(self, rows: int, device: torch.device) -> Tensor:
        """Which elements' word latents a row may see, [B, 1, 7, 1]; none outside training."""
        if not self.training:
            return torch.zeros(rows, 1, 7, 1, device=device)
        row = torch.rand(rows, 1, 1, 1, device=device) < self.config.detail_rate
        return (row & (torch.rand(rows, 1, 7, 1, device=device) < 0.7)).float()

    def _regularisers(self, batch: Batch, latents: Latents) -> dict[str, Tensor]:
        """Element order, cross-slice covariance and the affect probe, over bars that have notes."""
        config = self.config
        filled = latents.filled.all(-1)  # [B, N]
        slices = latents.slices[filled]  # [M, 7, S]
        parts: dict[str, Tensor] = {}
        if len(slices) < 2:
            return parts
        if config.regulariser > 0:
            order = regularise(
                slices[..., 0], batch.attributes[filled], config.regulariser_slope, REGULARISED_BARS
            )
            parts["order"] = config.regulariser * (order + self.word_latents.order(config.regulariser_slope))
        parts["covariance"] = config.covariance * cross_covariance(slices)
        known = (filled & batch.known[:, None])[filled]
        if known.any():
            read = self.probe(slices[known].flatten(1))
            parts["probe"] = config.affect_probe * F.mse_loss(read, batch.affect[filled][known])
        return parts
