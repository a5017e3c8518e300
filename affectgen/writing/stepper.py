"""The global decoder one word at a time: the same states as `GlobalDecoder`, with nothing computed twice.

What a bar's condition does to each layer is computed when a row enters the bar, attention reads the keys and values of
rows that are still being written, and the store of those grows with the piece. Every matrix product has the shape of
the whole batch, whichever rows are live, because a product of few rows may round otherwise than one of many.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.nn.packed import Product, pack
from affectgen.nn.transformer import Block, rotary_tables, rotate
from affectgen.writing.decoder import INPUTS, ElementDecoders, GlobalDecoder

FIRST_ROOM = 512  # words that the store has room for at first; it doubles when they are used up


class WordModel(Protocol):
    """A model that writes words: its global decoder and its element decoders."""

    globally: GlobalDecoder
    elements: ElementDecoders


@dataclass(frozen=True)
class Layer:
    """A block of the decoder and its four products."""

    block: Block
    qkv: Product
    out: Product
    widen: Product
    narrow: Product


@dataclass(frozen=True)
class Hand:
    """The decoder of one element: norm, hidden layer and logits."""

    norm: nn.LayerNorm
    hidden: Product
    out: Product


@dataclass(frozen=True)
class Writing:
    """A model made ready to write: layers and element decoders with packed products, of the weights it has now.

    words: the tables of INPUTS, one below the other [sum of sizes, D]; offsets: where each begins, int64 [8].
    """

    model: WordModel
    layers: tuple[Layer, ...]
    hands: tuple[Hand, ...]
    words: Tensor
    offsets: Tensor

    @classmethod
    def of(cls, model: WordModel) -> Writing:
        """Pack a model, in some tens of milliseconds."""
        layers = tuple(
            Layer(block, pack(block.attention.qkv), pack(block.attention.out), pack(block.widen), pack(block.narrow))
            for block in cast(Iterable[Block], model.globally.stack.blocks)
        )
        own = model.elements
        hands = tuple(
            Hand(norm, pack(hidden), pack(out))
            for norm, hidden, out in cast(
                Iterable[tuple[nn.LayerNorm, nn.Linear, nn.Linear]], zip(own.norms, own.hidden, own.out, strict=True)
            )
        )
        tables = [table.weight.detach() for table in cast(Iterable[nn.Embedding], model.globally.tables)]
        starts = np.cumsum([0, *(len(table) for table in tables[:-1])])
        words = torch.cat(tables)
        return cls(model, layers, hands, words, torch.from_numpy(starts).to(words.device))


class Stepper:
    """Runs B rows with the affect asked and, where guidance needs them (sides 2), the same B without, stacked.

    condition: [sides * B, N, C] by bar; live: how many of the B rows are pieces (the first ones), the others fill the
    batch.
    """

    def __init__(self, writing: Writing, condition: Tensor, live: int, sides: int = 2) -> None:
        self.writing, self.condition, self.sides = writing, condition, sides
        self.rows, self.live, self.device = len(condition) // sides, live, condition.device
        self.config = writing.model.globally.stack.config
        self.width = self.config.dim // self.config.heads
        self.norm = writing.model.globally.stack.norm
        self.columns = torch.tensor([column for _, column in INPUTS], device=self.device)
        self.mixed = torch.zeros(sides, self.rows, self.config.dim, device=self.device)
        self.length = 0
        self.bar: NDArray[np.int64] | None = None
        self.films: list[tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]] = []
        self._make_room(FIRST_ROOM)

    def step(self, table: NDArray[np.int64], bar: NDArray[np.int64], live: int) -> Tensor:
        """Feed one word a row, table [B, 13], each in its bar [B]; states [sides * B, D].

        live: rows from here on need no attention any more, because they are finished or fill the batch.
        """
        if self.length == self.store.shape[5]:
            before = self.store
            self._make_room(2 * self.length)
            self.store[..., : self.length, :] = before
        if self.bar is None or (bar != self.bar).any():
            self._enter(bar)
        values = torch.from_numpy(table).to(self.device)[:, self.columns] + self.writing.offsets  # [B, 8]
        x = F.embedding_bag(values, self.writing.words, mode="sum").repeat(self.sides, 1)  # [sides * B, D]
        cos, sin = self.cos[self.length], self.sin[self.length]
        for number, layer in enumerate(self.writing.layers):
            x = self._layer(number, layer, x, cos, sin, live)
        self.length += 1
        result: Tensor = self.norm(x)
        return result

    def keep(self, row: int, words: int) -> None:
        """Forget all but the first so many words, and give every row the memory that one has of them."""
        self.store[..., :words, :] = self.store[:, :, :, row : row + 1, :, :words].clone()
        self.length = words

    def ask(self, condition: Tensor) -> None:
        """Ask all rows for another thing, [N, C] by bar, from the next word on."""
        self.condition[: self.rows] = condition
        self.bar = None

    def _make_room(self, words: int) -> None:
        """A store for that many words, and their rotations; memory that is never written to is never used."""
        # layers, keys and values, with and without affect, live, H, words, d
        shape = (self.config.layers, 2, self.sides, self.live, self.config.heads, words, self.width)
        self.store = torch.empty(shape, device=self.device)
        positions = torch.arange(words, device=self.device)
        self.cos, self.sin = rotary_tables(positions, self.width, self.config.rotary_base)  # [words, d / 2]

    def _enter(self, bar: NDArray[np.int64]) -> None:
        """Compute what the condition of each row's bar does to every layer."""
        self.bar = bar.copy()
        places = torch.from_numpy(np.concatenate([bar] * self.sides)).to(self.device)
        condition = self.condition[torch.arange(len(places), device=self.device), places]  # [sides * B, C]
        self.films = []
        for layer in self.writing.layers:
            block = layer.block
            first, second = block.film_attention, block.film_forward
            if first is None or second is None:
                raise ValueError("the decoder's layers read no condition")
            self.films.append((
                scale_shift(first.modulation(condition), block.norm_attention),
                scale_shift(second.modulation(condition), block.norm_forward),
            ))  # fmt: skip

    def _layer(self, number: int, layer: Layer, x: Tensor, cos: Tensor, sin: Tensor, live: int) -> Tensor:
        """One layer on x [sides * B, D], as `Block.forward` does it without dropout."""
        (scale, shift), (scale_forward, shift_forward) = self.films[number]
        shape = (self.config.dim,)
        hidden = torch.addcmul(shift, F.layer_norm(x, shape), scale)
        qkv = layer.qkv(hidden).view(self.sides, self.rows, 3, self.config.heads, self.width)
        turned = rotate(qkv[:, :live, :2], cos, sin)  # [sides, live, 2, H, d]
        stop = self.length + 1
        self.store[number, 0, :, :live, :, self.length] = turned[:, :, 1]
        self.store[number, 1, :, :live, :, self.length] = qkv[:, :live, 2]
        # all sides in one call where their rows lie side by side in the store
        sides = [slice(0, self.sides)] if live == self.live else [slice(side, side + 1) for side in range(self.sides)]
        for side in sides:
            keys, values = self.store[number, :, side, :live, :, :stop].flatten(1, 2)  # [rows, H, words, d]
            query = turned[side, :, 0, :, None].flatten(0, 1)  # [rows, H, 1, d]
            attended = F.scaled_dot_product_attention(query, keys, values)
            self.mixed[side, :live] = attended.reshape(-1, live, self.config.dim)
        x = x + layer.out(self.mixed.view(self.sides * self.rows, self.config.dim))
        hidden = torch.addcmul(shift_forward, F.layer_norm(x, shape), scale_forward)
        return x + layer.narrow(F.gelu(layer.widen(hidden)))


def scale_shift(modulation: Tensor, norm: nn.LayerNorm) -> tuple[Tensor, Tensor]:
    """Factor and summand [R, D] of plainly normalised states: the norm's own, then FiLM's of modulation [R, 2D]."""
    scale, shift = modulation.chunk(2, dim=-1)
    return norm.weight * (1 + scale), norm.bias * (1 + scale) + shift
