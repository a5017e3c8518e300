"""The paper's two-level decoder: a global decoder that attends to all latents, and one decoder for each element.

Softmax attention with rotary positions replaces the paper's linear attention with added sinusoids.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.muser.paper.config import PaperConfig
from affectgen.nn.transformer import Attention, Cache, Transformer, TransformerConfig, rotary_tables, rotate
from affectgen.score.words import ELEMENTS, SIZES

Memory = list[tuple[Tensor, Tensor]]  # each layer's keys and values of the latents, [B, H, S, d]
Angles = tuple[Tensor, Tensor]


class CrossAttention(nn.Module):
    """Multi-head attention from words to latents; both carry rotary positions, so that a word can find its own."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query = nn.Linear(config.dim, config.dim, bias=False)
        self.both = nn.Linear(config.dim, 2 * config.dim, bias=False)
        self.out = nn.Linear(config.dim, config.dim, bias=False)

    def remember(self, latents: Tensor, angles: Angles) -> tuple[Tensor, Tensor]:
        """Keys and values [B, H, S, d] of latents [B, S, D]."""
        batch, steps, dim = latents.shape
        both = self.both(latents).view(batch, steps, 2, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        return rotate(both[0], *angles), both[1]

    def forward(self, x: Tensor, angles: Angles, memory: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        """x [B, T, D], mask bool [B, 1, 1, S], true for latents that there are -> [B, T, D]."""
        batch, steps, dim = x.shape
        query = self.query(x).view(batch, steps, self.heads, dim // self.heads).transpose(1, 2)
        key, value = memory
        query = rotate(query, *angles)
        mixed = F.scaled_dot_product_attention(query, key.to(query.dtype), value.to(query.dtype), attn_mask=mask)
        return self.out(mixed.transpose(1, 2).reshape(batch, steps, dim))


class CrossBlock(nn.Module):
    """Pre-norm causal self-attention, attention to the latents, feed-forward."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.norm_self = nn.LayerNorm(config.dim)
        self.norm_cross = nn.LayerNorm(config.dim)
        self.norm_forward = nn.LayerNorm(config.dim)
        self.attention = Attention(config)
        self.cross = CrossAttention(config)
        self.widen = nn.Linear(config.dim, 4 * config.dim)
        self.narrow = nn.Linear(4 * config.dim, config.dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, angles: Angles, memory: tuple[Tensor, Tensor], mask: Tensor, cache: Cache | None, layer: int
    ) -> Tensor:
        """x [B, T, D] -> [B, T, D]; the rest as in `GlobalDecoder.forward`."""
        x = x + self.dropout(self.attention(self.norm_self(x), *angles, None, cache, layer))
        x = x + self.dropout(self.cross(self.norm_cross(x), angles, memory, mask))
        return x + self.dropout(self.narrow(F.gelu(self.widen(self.norm_forward(x)))))


class GlobalDecoder(nn.Module):
    """Causal over words, with attention to every latent of the piece in each layer."""

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.config = TransformerConfig(config.dim, config.decoder_layers, config.heads, dropout=config.dropout)
        self.latent = nn.Linear(config.latent, config.dim)
        self.blocks = nn.ModuleList(CrossBlock(self.config) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.dim)
        for name, parameter in self.blocks.named_parameters():
            if name.endswith(("out.weight", "narrow.weight")):  # residual writes start small, as in nn.transformer
                nn.init.normal_(parameter, std=0.02 / (3 * config.decoder_layers) ** 0.5)
            elif name.endswith(("qkv.weight", "query.weight", "both.weight", "widen.weight")):
                nn.init.normal_(parameter, std=0.02)

    def new_cache(self, batch: int, capacity: int, device: torch.device) -> Cache:
        """An empty cache for pieces of up to `capacity` words."""
        return Cache(self.config, batch, capacity, device)

    def remember(self, latents: Tensor) -> Memory:
        """What each layer attends to, from latents [B, S, 7 * slice_dim]: computed once a piece."""
        projected = self.latent(latents)  # [B, S, D]
        angles = self._angles(torch.arange(latents.shape[1], device=latents.device))
        crosses = [module for module in self.blocks.modules() if isinstance(module, CrossAttention)]
        return [cross.remember(projected, angles) for cross in crosses]

    def forward(self, x: Tensor, memory: Memory, mask: Tensor, cache: Cache | None = None) -> Tensor:
        """x [B, T, D] (with a cache: the words after those it has seen), mask bool [B, 1, 1, S] -> states [B, T, D]."""
        start = cache.length if cache is not None else 0
        angles = self._angles(torch.arange(start, start + x.shape[1], device=x.device))
        for layer, block in enumerate(self.blocks):
            x = block(x, angles, memory[layer], mask, cache, layer)
        if cache is not None:
            cache.advance(x.shape[1])
        return self.norm(x)

    def _angles(self, positions: Tensor) -> Angles:
        return rotary_tables(positions, self.config.dim // self.config.heads, self.config.rotary_base)


class ElementDecoders(nn.Module):
    """Seven small causal stacks. Each sees the global state and its own slice of the latent at the same place.

    The projection of the slice is one for all seven. Six join the family of the word to what their stack says; apart
    from that the fields of a word know nothing of each other.
    """

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        dim = config.element_dim
        self.config = TransformerConfig(dim, config.element_layers, config.element_heads, dropout=config.dropout)
        self.slice_dim = config.slice_dim
        self.narrow = nn.Linear(config.dim, dim)
        self.slice = nn.Linear(config.slice_dim, dim)
        self.stacks = nn.ModuleList(Transformer(self.config) for _ in ELEMENTS)
        self.join = nn.ModuleList(nn.Linear(dim + config.embeddings[0], dim) for _ in ELEMENTS[1:])
        self.out = nn.ModuleList(nn.Linear(dim, SIZES[name]) for name in ELEMENTS)

    def new_caches(self, batch: int, capacity: int, device: torch.device) -> list[Cache]:
        """One empty cache for each stack."""
        return [Cache(self.config, batch, capacity, device) for _ in ELEMENTS]

    def forward(self, states: Tensor, latents: Tensor, caches: list[Cache] | None = None) -> list[Tensor]:
        """States [B, T, D] and latents [B, T, 7 * slice_dim] of the same places -> seven times [B, T, E]."""
        shared = self.narrow(states)
        slices = self.slice(latents.unflatten(-1, (len(ELEMENTS), self.slice_dim)))  # [B, T, 7, E]
        given: list[Cache | None] = [None] * len(ELEMENTS) if caches is None else list(caches)
        return [
            stack(shared + slices[..., element, :], cache=given[element]) for element, stack in enumerate(self.stacks)
        ]

    def logits(self, element: int, hidden: Tensor, family: Tensor) -> Tensor:
        """Logits [..., V] of an element from its stack's output [..., E] and the embedding [..., F] of the family."""
        if element == 0:
            return self.out[0](hidden)
        return self.out[element](self.join[element - 1](torch.cat([hidden, family.to(hidden.dtype)], dim=-1)))
