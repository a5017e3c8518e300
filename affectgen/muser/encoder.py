"""The element encoder: one latent slice per element and bar, each made from its own element alone.

MusER slices one vector per word; here a bar has seven 16-d slices, so a clip has a plan of a few dozen steps. A slice
is pooled from that element's items in the bar (values with their positions), hence nothing of another element can leak
into it. The first dimension of each slice is the one the element regulariser orders (AR-VAE, Pati & Lerch, 2021).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.muser.config import MuserConfig
from affectgen.score.stream import AT_ONCE, BAR, CHORD, MOST_AT_ONCE, POSITION, TEMPO
from affectgen.score.words import BAR_LINE, ELEMENTS, SIZES, Family, Field

VALUES = (MOST_AT_ONCE + 1, *(SIZES[name] for name in ELEMENTS[1:]))  # sizes of the seven item vocabularies
ORDERED = (1, 2, 4, 5, 6)  # beat, tempo, pitch, duration, velocity: their indices are in musical order
COUNT_SCALE = 8.0  # sums over a bar's items are divided by this, so that they stay near 1


def element_items(table: Tensor) -> tuple[Tensor, Tensor]:
    """Items of the seven elements at each word of tables [B, T, 13]: values int64 [B, T, 7], applies bool [B, T, 7].

    Family's value is how many notes an onset has; tempo's and chord's are those in force at an onset.
    """
    onset = (table[..., Field.FAMILY] == Family.METRICAL) & (table[..., Field.BEAT] > BAR_LINE)
    note = table[..., Field.FAMILY] == Family.NOTE
    columns = [AT_ONCE, Field.BEAT, TEMPO, CHORD, Field.PITCH, Field.DURATION, Field.VELOCITY]
    applies = torch.stack([onset] * 4 + [note] * 3, dim=-1)
    return table[..., columns] * applies, applies


class ElementEncoder(nn.Module):
    """Seven small set encoders side by side: item MLP, attention pooling and a count, then a slice."""

    def __init__(self, config: MuserConfig) -> None:
        super().__init__()
        width = config.encoder_dim
        self.tables = nn.ModuleList(nn.Embedding(size, width) for size in VALUES)
        self.positions = nn.Parameter(torch.randn(7, SIZES["beat"], width) * 0.5)
        self.first = nn.Parameter(torch.randn(7, width, 2 * width) * width**-0.5)
        self.second = nn.Parameter(torch.randn(7, 2 * width, width + 1) * (2 * width) ** -0.5)
        self.slice = nn.Parameter(torch.randn(7, 2 * width, config.slice_dim) * (2 * width) ** -0.5)

    def forward(self, table: Tensor, bars: int) -> tuple[Tensor, Tensor]:
        """Tables [B, T, 13] -> slices [B, bars, 7, slice_dim] and whether a bar has items, bool [B, bars, 7]."""
        batch = len(table)
        values, applies = element_items(table)
        position = table[..., POSITION].reshape(-1)  # [N], N = B * T
        embedded = torch.stack([book(values[..., e].reshape(-1)) for e, book in enumerate(self.tables)])
        items = embedded + self.positions[:, position]  # [7, N, W]
        hidden = F.gelu(torch.bmm(items, self.first))  # [7, N, 2W]
        hidden = torch.bmm(hidden, self.second).float()  # [7, N, W + 1]
        weight = applies.reshape(-1, 7).T.float()  # [7, N]
        attention = hidden[..., -1].clamp(-8, 8).exp() * weight
        place = (torch.arange(batch, device=table.device)[:, None] * bars + table[..., BAR]).reshape(-1)
        mean = _pooled(hidden[..., :-1], attention, place, batch * bars)
        total = _pooled(hidden[..., :-1], attention, place, batch * bars, attention_sum=weight)
        slices = torch.bmm(torch.cat([mean, total], dim=-1), self.slice.float())  # [7, B * bars, S]
        filled = torch.zeros(7, batch * bars, device=table.device).index_add_(1, place, weight) > 0
        return (
            slices.permute(1, 0, 2).reshape(batch, bars, 7, -1),
            filled.T.reshape(batch, bars, 7),
        )


def _pooled(
    hidden: Tensor, attention: Tensor, place: Tensor, places: int, attention_sum: Tensor | None = None
) -> Tensor:
    """Weighted mean of hidden [7, N, W] by place -> [7, places, W]; a scaled sum if `attention_sum` weighs instead."""
    weight = attention if attention_sum is None else attention_sum
    summed = torch.zeros(7, places, hidden.shape[-1], device=hidden.device)
    summed.index_add_(1, place, hidden * weight[..., None])
    if attention_sum is not None:
        return summed / COUNT_SCALE
    norm = torch.zeros(7, places, device=hidden.device).index_add_(1, place, weight)
    return summed / norm.clamp_min(1e-6)[..., None]


class WordLatents(nn.Module):
    """The second level: for each word and element a slice of its value, for reconstruction and for kept elements.

    A word's slice depends on its own value only, so the books can be learned on the value tables themselves.
    """

    def __init__(self, config: MuserConfig) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(SIZES[name], config.slice_dim) for name in ELEMENTS)

    def forward(self, words: Tensor) -> Tensor:
        """Words [..., 8] -> slices [..., 7, slice_dim]."""
        return torch.stack([book(words[..., e]) for e, book in enumerate(self.tables)], dim=-2)

    def order(self, slope: float) -> Tensor:
        """The element regulariser on the value tables: slices in the order of the values, where these have one."""
        losses = []
        for element in ORDERED:
            latent = cast(nn.Embedding, self.tables[element]).weight[1:, 0]  # [V - 1]; 0 means "does not apply"
            rank = torch.arange(len(latent), device=latent.device)
            sign = torch.sign(rank[:, None] - rank)
            gap = (torch.tanh(slope * (latent[:, None] - latent)) - sign).abs() * sign.abs()
            losses.append(gap.sum() / sign.abs().sum())
        return torch.stack(losses).mean()


def regularise(
    codes: Tensor, attributes: Tensor, slope: float, most: int, generator: torch.Generator | None = None
) -> Tensor:
    """The element regulariser: pairwise order of latents [N, 7] after the order of attributes [N, 7], nan ignored.

    |tanh(slope * (r_j - r_k)) - sgn(x_j - x_k)| averaged over pairs of up to `most` bars; ties do not count. After
    MusER's regularisation loss (AAAI 2024), on musical values instead of vocabulary indices.
    """
    if len(codes) > most:
        pick = torch.randperm(len(codes), generator=generator, device=codes.device)[:most]
        codes, attributes = codes[pick], attributes[pick]
    order = torch.sign(attributes[:, None] - attributes[None])  # [N, N, 7]
    counted = torch.nan_to_num(order, nan=0.0).abs()
    gap = (torch.tanh(slope * (codes[:, None] - codes[None])) - torch.nan_to_num(order, nan=0.0)).abs()
    return (gap * counted).sum() / counted.sum().clamp_min(1.0)


def cross_covariance(slices: Tensor) -> Tensor:
    """Mean squared covariance between different elements' slices [N, 7, S]: what one slice tells of another."""
    centred = (slices - slices.mean(0)).flatten(1)  # [N, 7 * S]
    covariance = centred.T @ centred / max(len(slices) - 1, 1)
    size = slices.shape[-1]
    own = torch.block_diag(*[torch.ones(size, size, device=slices.device)] * 7)
    return (covariance * (1 - own)).pow(2).mean()
