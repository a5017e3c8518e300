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
    """Runs B rows with the affect asked and, where guidance needs them (sides 2), the same B without, stacked.

    condition: [sides * B, N, C] by bar; live: how many of the B rows are pieces (the first ones), the others fill the
    batch.
    """

    def __init__(self, decoder: GlobalDecoder, condition: Tensor, live: int, sides: int = 2) -> None:
        self.decoder, self.condition, self.sides = decoder, condition, sides
        self.rows, self.live, self.device = len(condition) // sides, live, condition.device
        self.config = decoder.stack.config
        self.width = self.config.dim // self.config.heads
        self.store = self._room(FIRST_ROOM)  # [layers, keys and values, with and without affect, live, H, room, d]
        self.length = 0
        self.bar: NDArray[np.int64] | None = None
        self.films: list[tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]] = []

    def step(self, table: NDArray[np.int64], bar: NDArray[np.int64], live: int) -> Tensor:
        """Feed one word a row, table [B, 13], each in its bar [B]; states [sides * B, D].

        live: rows from here on need no attention any more, because they are finished or fill the batch.
        """
        if self.length == self.store.shape[5]:
            more = self._room(2 * self.length)
            more[..., : self.length, :] = self.store
            self.store = more
        if self.bar is None or (bar != self.bar).any():
            self._enter(bar)
        half = torch.from_numpy(table).to(self.device)
        inputs = torch.cat([half] * self.sides)[:, None]  # [sides * B, 1, 13]
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
        shape = (self.config.layers, 2, self.sides, self.live, self.config.heads, words, self.width)
        return torch.empty(shape, device=self.device)

    def _enter(self, bar: NDArray[np.int64]) -> None:
        """Compute what the condition of each row's bar does to every layer."""
        self.bar = bar.copy()
        places = torch.from_numpy(np.concatenate([bar] * self.sides)).to(self.device)
        condition = self.condition[torch.arange(len(places), device=self.device), places][:, None]  # [sides * B, 1, C]
        self.films = []
        for block in self._blocks():
            first, second = block.film_attention, block.film_forward
            if first is None or second is None:
                raise ValueError("the decoder's layers read no condition")
            self.films.append((_scale_shift(first.modulation(condition)), _scale_shift(second.modulation(condition))))

    def _block(self, layer: int, block: Block, x: Tensor, cos: Tensor, sin: Tensor, live: int) -> Tensor:
        """One layer on x [sides * B, 1, D], as `Block.forward` does it without dropout."""
        (scale, shift), (scale_forward, shift_forward) = self.films[layer]
        hidden = block.norm_attention(x) * scale + shift
        qkv = block.attention.qkv(hidden).view(self.sides, self.rows, 3, self.config.heads, 1, self.width)
        turned = rotate(qkv[:, :, :2], cos, sin)  # [sides, B, 2, H, 1, d]
        stop = self.length + 1
        self.store[layer, 0, :, :live, :, self.length] = turned[:, :live, 1, :, 0]
        self.store[layer, 1, :, :live, :, self.length] = qkv[:, :live, 2, :, 0]
        mixed = torch.zeros(self.sides, self.rows, self.config.dim, device=self.device)
        for side in range(self.sides):
            keys, values = self.store[layer, :, side, :live, :, :stop]  # [live, H, words, d]
            attended = F.scaled_dot_product_attention(turned[side, :live, 0], keys, values)  # [live, H, 1, d]
            mixed[side, :live] = attended.reshape(live, self.config.dim)
        x = x + block.attention.out(mixed.view(self.sides * self.rows, 1, self.config.dim))
        hidden = block.norm_forward(x) * scale_forward + shift_forward
        return x + block.narrow(F.gelu(block.widen(hidden)))


def _scale_shift(modulation: Tensor) -> tuple[Tensor, Tensor]:
    """FiLM's factor and summand, [R, 1, D] each, from its modulation [R, 1, 2D]."""
    scale, shift = modulation.chunk(2, dim=-1)
    return 1 + scale, shift
