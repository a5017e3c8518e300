"""One causal transformer for every generator: rotary positions, fused attention, key-value cache, FiLM conditioning.

It is the stack between embeddings and heads; both belong to the model that uses it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.affect.conditioner import FiLM
from affectgen.errors import UsageError


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes of a stack. `condition` is the width of the condition that FiLM reads, 0 for none."""

    dim: int = 192
    layers: int = 6
    heads: int = 6
    condition: int = 0
    dropout: float = 0.1
    causal: bool = True
    rotary_base: float = 10_000.0


def rotary_tables(positions: Tensor, dim: int, base: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines [..., dim / 2] of positions [...] (Su et al., RoFormer, 2021)."""
    rates = base ** (-torch.arange(0, dim, 2, device=positions.device, dtype=torch.float32) / dim)  # [dim / 2]
    angles = positions.float()[..., None] * rates
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the two halves of x [B, H, T, d] by angles [T, d / 2] or [B, 1, T, d / 2]."""
    a, b = x.chunk(2, dim=-1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def modulate(hidden: Tensor, modulation: Tensor, place: Tensor | None) -> Tensor:
    """Scale and shift hidden [B, T, D] by FiLM's modulation [B, 2D], [B, T, 2D], or [B, N, 2D] read at place [B, T]."""
    if place is not None:
        first = torch.arange(len(place), device=place.device)[:, None] * modulation.shape[1]
        rows = modulation.flatten(0, 1).index_select(0, (place + first).reshape(-1))  # half the time of a gather
        modulation = rows.view(*place.shape, -1)
    elif modulation.dim() == 2:
        modulation = modulation[:, None]
    scale, shift = modulation.chunk(2, dim=-1)  # [B, T or 1, D]
    return hidden * (1 + scale) + shift


class Cache:
    """Keys and values of the words seen so far, for one stack: preallocated [L][B, H, capacity, d]."""

    def __init__(self, config: TransformerConfig, batch: int, capacity: int, device: torch.device) -> None:
        shape = (config.layers, 2, batch, config.heads, capacity, config.dim // config.heads)
        self.store = torch.zeros(shape, device=device)
        self.length = 0

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Append [B, H, t, d] for one layer; returns all keys and values so far. `advance` moves the length."""
        stop = self.length + key.shape[2]
        if stop > self.store.shape[4]:
            raise ValueError(f"the cache holds {self.store.shape[4]} words and {stop} are needed")
        self.store[layer, 0, :, :, self.length : stop] = key
        self.store[layer, 1, :, :, self.length : stop] = value
        return self.store[layer, 0, :, :, :stop], self.store[layer, 1, :, :, :stop]

    def advance(self, words: int) -> None:
        """Count `words` more as seen, after every layer has extended."""
        self.length += words


class Attention(nn.Module):
    """Multi-head self-attention by torch's scaled_dot_product_attention."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.causal = config.causal
        self.qkv = nn.Linear(config.dim, 3 * config.dim, bias=False)
        self.out = nn.Linear(config.dim, config.dim, bias=False)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None, cache: Cache | None, layer: int
    ) -> Tensor:
        """x [B, T, D] -> [B, T, D]; mask, if given, is boolean, true where attention is allowed."""
        batch, steps, dim = x.shape
        qkv = self.qkv(x).view(batch, steps, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = rotate(qkv[0], cos, sin), rotate(qkv[1], cos, sin), qkv[2]  # [B, H, T, d]
        if cache is not None:
            key, value = cache.extend(layer, key, value)
        causal = self.causal and steps > 1 and mask is None
        if causal and key.shape[2] != steps:
            mask, causal = _late_mask(steps, key.shape[2], x.device), False
        mixed = F.scaled_dot_product_attention(
            query, key.to(query.dtype), value.to(query.dtype), attn_mask=mask, is_causal=causal
        )  # no dropout here: with it torch leaves the fused path and takes three times as long on CPU
        return self.out(mixed.transpose(1, 2).reshape(batch, steps, dim))


def _late_mask(steps: int, seen: int, device: torch.device) -> Tensor:
    """Causal mask [steps, seen] for the last `steps` of `seen` positions."""
    return torch.ones(steps, seen, dtype=torch.bool, device=device).tril(seen - steps)


class Block(nn.Module):
    """Pre-norm attention and feed-forward, each norm modulated by the condition."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(config.dim)
        self.norm_forward = nn.LayerNorm(config.dim)
        self.attention = Attention(config)
        self.widen = nn.Linear(config.dim, 4 * config.dim)
        self.narrow = nn.Linear(4 * config.dim, config.dim)
        self.dropout = nn.Dropout(config.dropout)
        self.film_attention = FiLM(config.condition, config.dim) if config.condition else None
        self.film_forward = FiLM(config.condition, config.dim) if config.condition else None

    def forward(
        self, x: Tensor, condition: Tensor | None, place: Tensor | None, cos: Tensor, sin: Tensor,
        mask: Tensor | None, cache: Cache | None, layer: int,
    ) -> Tensor:  # fmt: skip
        """x [B, T, D], condition and place as in `Transformer.forward` -> [B, T, D]."""
        hidden = self.norm_attention(x)
        if self.film_attention is not None and condition is not None:
            hidden = modulate(hidden, self.film_attention.modulation(condition), place)
        x = x + self.dropout(self.attention(hidden, cos, sin, mask, cache, layer))
        hidden = self.norm_forward(x)
        if self.film_forward is not None and condition is not None:
            hidden = modulate(hidden, self.film_forward.modulation(condition), place)
        return x + self.dropout(self.narrow(F.gelu(self.widen(hidden))))


class Transformer(nn.Module):
    """A stack of blocks and a final norm."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.dim)
        for name, parameter in self.named_parameters():
            if name.endswith(("out.weight", "narrow.weight")):  # residual writes start small (GPT-2)
                nn.init.normal_(parameter, std=0.02 / (2 * config.layers) ** 0.5)
            elif name.endswith(("qkv.weight", "widen.weight")):
                nn.init.normal_(parameter, std=0.02)

    def new_cache(self, batch: int, capacity: int, device: torch.device) -> Cache:
        """An empty cache for sequences of up to `capacity` words."""
        return Cache(self.config, batch, capacity, device)

    def forward(
        self, x: Tensor, condition: Tensor | None = None, place: Tensor | None = None, mask: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:  # fmt: skip
        """x [B, T, D] -> [B, T, D].

        condition: [B, C] for all steps, [B, T, C] by step, or with place int64 [B, T] a table [B, N, C] of N places
        (bars, say) of which each step reads one: the modulation is then computed once a place. mask: boolean
        [B, 1, T, S], true where attention is allowed; None means causal (or everything, if the stack is not causal).
        With a cache, x are the words after those it has seen.
        """
        start = cache.length if cache is not None else 0
        positions = torch.arange(start, start + x.shape[1], device=x.device)
        cos, sin = rotary_tables(positions, self.config.dim // self.config.heads, self.config.rotary_base)
        for layer, block in enumerate(self.blocks):
            x = block(x, condition, place, cos, sin, mask, cache, layer)
        if cache is not None:
            cache.advance(x.shape[1])
        return self.norm(x)


def check_sizes(dim: int, heads: int, times: int) -> None:
    """UsageError for a width that heads cannot share: `times` heads must divide it, for rotations turn pairs."""
    if dim % (times * heads):
        raise UsageError(
            f"--dim {dim} cannot be shared by {heads} heads.",
            f"Give a multiple of {times * heads}, {'twice' if times == 2 else f'{times} times'} the heads.",
        )
