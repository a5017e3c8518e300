"""The emotion as a network reads it: points or paths of the plane -> embeddings, and the layer that applies them.

The same two classes stand in all four generators. This is the only module of `affectgen.affect` that imports torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

LOWEST_FREQUENCY = math.pi / 4  # radians a unit of the plane: a quarter wave from -1 to 1, nearly a straight line
HIGHEST_FREQUENCY = 4 * math.pi  # wavelength 0.5; raters differ by about 0.3, so anything finer is noise


@dataclass(frozen=True)
class ConditionerConfig:
    """Sizes of an `AffectConditioner`.

    dim: width of the embedding. hidden: width of the layer between. features: Fourier frequencies for each of the two
    axes. dropout: share of the batch's rows that lose their affect in training, from 0 up to and including 1.
    """

    dim: int
    hidden: int
    features: int = 16
    dropout: float = 0.15

    def __post_init__(self) -> None:
        if min(self.dim, self.hidden, self.features) < 1:
            sizes = f"dim {self.dim}, hidden {self.hidden}, features {self.features}"
            raise ValueError(f"sizes must be at least 1, not {sizes}")
        if not 0 <= self.dropout <= 1:
            raise ValueError(f"dropout must be in [0, 1], not {self.dropout}")


def fourier_frequencies(count: int) -> Tensor:
    """`count` frequencies [F] in radians a unit, geometric, from a quarter wave over the axis to a wave of 0.5.

    Fixed, not drawn: the same in every process (Tancik et al., 2020, draw theirs from a normal distribution).
    """
    return torch.logspace(math.log10(LOWEST_FREQUENCY), math.log10(HIGHEST_FREQUENCY), count)


class AffectConditioner(nn.Module):
    """Embeds (valence, arousal) by Fourier features and two layers; a learned null stands for "no emotion asked".

    In training whole rows of the batch lose their affect with probability `config.dropout`, so that the same model
    also learns the unconditional distribution (classifier-free guidance; Ho & Salimans, 2022). The draw is torch's
    global generator's, so a seed repeats it.
    """

    frequencies: Tensor

    def __init__(self, config: ConditionerConfig) -> None:
        super().__init__()
        self.config = config
        # Not in the checkpoint: it follows from the config, and half precision would round it.
        self.register_buffer("frequencies", fourier_frequencies(config.features), persistent=False)
        self.embed = nn.Sequential(
            nn.Linear(2 + 4 * config.features, config.hidden),
            nn.SiLU(),
            nn.Linear(config.hidden, config.dim),
        )
        self.null = nn.Parameter(0.02 * torch.randn(config.dim))

    def forward(self, affect: Tensor, known: Tensor | None = None) -> Tensor:
        """Embed affect [B, 2] -> [B, D], or paths [B, T, 2] -> [B, T, D].

        affect: (valence, arousal), each in [-1, 1]. known: bool [B] or, for paths, [B, T]; where it is false the null
        embedding stands and the value, nan included, is not read. None means all known.
        """
        if affect.dim() not in (2, 3) or affect.shape[-1] != 2:
            raise ValueError(f"affect must be [B, 2] or [B, T, 2], not {list(affect.shape)}")
        kept = self._kept(affect, known)  # [B] or [B, T]
        affect = torch.where(kept[..., None], affect, torch.zeros_like(affect))  # nan must not reach the gradient
        embedded = self.embed(self._features(affect))  # [B, D] or [B, T, D]
        return torch.where(kept[..., None], embedded, self.null.to(embedded.dtype))

    def _kept(self, affect: Tensor, known: Tensor | None) -> Tensor:
        """Where the affect counts, bool [B] or [B, T]: known, and not dropped; a path is dropped as a whole."""
        places = affect.shape[:-1]
        kept = torch.ones(places, dtype=torch.bool, device=affect.device)
        if known is not None:
            if known.shape not in (places, places[:1]):
                raise ValueError(f"known must be {list(places[:1])} or {list(places)}, not {list(known.shape)}")
            kept = kept & known.bool().reshape(known.shape + (1,) * (len(places) - known.dim()))
        if self.training and self.config.dropout > 0:
            stays = torch.rand(len(affect), device=affect.device) >= self.config.dropout  # [B]
            kept = kept & stays.reshape(-1, *[1] * (len(places) - 1))
        return kept

    def _features(self, affect: Tensor) -> Tensor:
        """The coordinates and their sines and cosines, [..., 2] -> [..., 2 + 4F], in the layers' precision."""
        wide = affect.float()
        angles = (wide[..., None] * self.frequencies.float()).flatten(-2)  # [..., 2F]
        features = torch.cat([wide, angles.sin(), angles.cos()], dim=-1)  # [..., 2 + 4F]
        return features.to(self.null.dtype)


class FiLM(nn.Module):
    """Feature-wise scale and shift of hidden states by a condition (Perez et al., 2018); identity before training."""

    def __init__(self, dim_condition: int, dim_hidden: int) -> None:
        super().__init__()
        self.head = nn.Linear(dim_condition, 2 * dim_hidden)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def modulation(self, condition: Tensor) -> Tensor:
        """Scale and shift side by side, [..., C] -> [..., 2H], for callers that look them up or keep them."""
        result: Tensor = self.head(condition)
        return result

    def forward(self, hidden: Tensor, condition: Tensor) -> Tensor:
        """hidden [B, T, H] * (1 + scale) + shift, with condition [B, C] for all steps or [B, T, C] step by step."""
        modulation = self.modulation(condition)
        if modulation.dim() == 2:
            modulation = modulation[:, None]  # [B, 1, 2H]
        scale, shift = modulation.chunk(2, dim=-1)  # [B, 1 or T, H] each
        return hidden * (1 + scale) + shift
