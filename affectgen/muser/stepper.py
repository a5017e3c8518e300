"""The global decoder one word at a time: the same states as `GlobalDecoder`, with nothing computed twice.

What a bar's condition does to each layer is computed when a row enters the bar, attention reads the keys and values of
rows that are still being written, and the store of those grows with the piece. Every matrix product has the shape of
the whole batch, whichever rows are live, because a product of few rows may round otherwise than one of many.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from affectgen.muser.decoder import INPUTS, GlobalDecoder
from affectgen.nn.transformer import Block, rotary_tables, rotate

FIRST_ROOM = 512  # words that the store has room for at first; it doubles when they are used up


class Stepper:
    """Runs rows in pairs: B with the affect asked and the same B without, stacked.

    condition: [2B, N, C] by bar; live: how many of the B rows are pieces (the first ones), the others fill the batch.
    """

    def __init__(self, decoder: GlobalDecoder, condition: Tensor, live: int) -> None:
        self.decoder, self.condition = decoder, condition
        self.rows, self.live, self.device = len(condition) // 2, live, condition.device
        self.config = decoder.stack.config
        self.width = self.config.dim // self.config.heads
        self.store = self._room(FIRST_ROOM)  # [layers, keys and values, with and without affect, live, H, room, d]
        self.length = 0
        self.bar: NDArray[np.int64] | None = None
        self.films: list[tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]] = []

    def step(self, table: NDArray[np.int64], bar: NDArray[np.int64], live: int) -> Tensor:
        """Feed one word a row, table [B, 13], each in its bar [B]; states [2B, D].

        live: rows from here on need no attention any more, because they are finished or fill the batch.
        """
        if self.length == self.store.shape[5]:
            more = self._room(2 * self.length)
            more[..., : self.length, :] = self.store
            self.store = more
        if self.bar is None or (bar != self.bar).any():
            self._enter(bar)
        half = torch.from_numpy(table).to(self.device)
        inputs = torch.cat([half, half])[:, None]  # [2B, 1, 13]
        x = sum(book(inputs[..., column]) for book, (_, column) in zip(self.decoder.tables, INPUTS, strict=True))
        place = torch.tensor([self.length], device=self.device)
        cos, sin = rotary_tables(place, self.width, self.config.rotary_base)
        for layer, block in enumerate(self._blocks()):
            x = self._block(layer, block, x, cos, sin, live)
        self.length += 1
        return self.decoder.stack.norm(x)[:, 0]

    def _blocks(self) -> list[Block]:
        """The layers of the stack."""
        return [block for block in self.decoder.stack.blocks if isinstance(block, Block)]

    def _room(self, words: int) -> Tensor:
        """A store for that many words; memory that is never written to is never used."""
        shape = (self.config.layers, 2, 2, self.live, self.config.heads, words, self.width)
        return torch.empty(shape, device=self.device)

    def _enter(self, bar: NDArray[np.int64]) -> None:
        """Compute what the condition of each row's bar does to every layer."""
        self.bar = bar.copy()
        both = torch.from_numpy(np.concatenate([bar, bar])).to(self.device)
        condition = self.condition[torch.arange(len(both), device=self.device), both][:, None]  # [2B, 1, C]
        self.films = []
        for block in self._blocks():
            first, second = block.film_attention, block.film_forward
            if first is None or second is None:
                raise ValueError("the decoder's layers read no condition")
            self.films.append((_scale_shift(first.modulation(condition)), _scale_shift(second.modulation(condition))))

    def _block(self, layer: int, block: Block, x: Tensor, cos: Tensor, sin: Tensor, live: int) -> Tensor:
        """One layer on x [2B, 1, D], as `Block.forward` does it without dropout."""
        (scale, shift), (scale_forward, shift_forward) = self.films[layer]
        hidden = block.norm_attention(x) * scale + shift
        qkv = block.attention.qkv(hidden).view(2, self.rows, 3, self.config.heads, 1, self.width)
        turned = rotate(qkv[:, :, :2], cos, sin)  # [2, B, 2, H, 1, d]
        stop = self.length + 1
        self.store[layer, 0, :, :live, :, self.length] = turned[:, :live, 1, :, 0]
        self.store[layer, 1, :, :live, :, self.length] = qkv[:, :live, 2, :, 0]
        mixed = torch.zeros(2, self.rows, self.config.dim, device=self.device)
        for side in range(2):
            keys, values = self.store[layer, :, side, :live, :, :stop]  # [live, H, words, d]
            attended = F.scaled_dot_product_attention(turned[side, :live, 0], keys, values)  # [live, H, 1, d]
            mixed[side, :live] = attended.reshape(live, self.config.dim)
        x = x + block.attention.out(mixed.view(2 * self.rows, 1, self.config.dim))
        hidden = block.norm_forward(x) * scale_forward + shift_forward
        return x + block.narrow(F.gelu(block.widen(hidden)))


def _scale_shift(modulation: Tensor) -> tuple[Tensor, Tensor]:
    """FiLM's factor and summand, [2B, 1, D] each, from its modulation [2B, 1, 2D]."""
    scale, shift = modulation.chunk(2, dim=-1)
    return 1 + scale, shift
