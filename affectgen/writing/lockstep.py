"""The global decoder for several pieces at once, one word a row: what each row gets is what it would get alone.

Products of packed weights give a row the same bits whatever stands beside it (`affectgen.nn.packed`), so they are
computed for just the rows that go on; what is done element by element is a row's own; attention is done piece by piece.
Where weights cannot be packed, whoever calls this gives it all rows of one piece at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.nn.packed import Product, is_packed, pack
from affectgen.nn.transformer import rotary_tables
from affectgen.writing.memory import Memory
from affectgen.writing.pieces import WIDTH
from affectgen.writing.stepper import Layer, Writing, scale_shift


@dataclass(frozen=True)
class Ready:
    """A model made ready to write several pieces: its queries and keys with the two parts of every rotation side by
    side, and what a condition does to all of its norms in one product."""

    writing: Writing
    qkv: tuple[Product, ...]
    films: Product

    @classmethod
    def of(cls, writing: Writing) -> Ready:
        """Pack what `Writing` does not hold in this form. ValueError for a decoder that reads no condition."""
        config = writing.model.globally.stack.config
        order = _side_by_side(config.heads, config.dim // config.heads)
        qkv = tuple(pack(_reordered(layer.block.attention.qkv, order)) for layer in writing.layers)
        heads = []
        for layer in writing.layers:
            for film in (layer.block.film_attention, layer.block.film_forward):
                if film is None:
                    raise ValueError("the decoder's layers read no condition")
                heads.append(film.head)
        return cls(writing, qkv, pack(_stacked(heads)))

    @cached_property
    def packed(self) -> bool:
        """Whether every product is packed, so that no row depends on those beside it."""
        own = self.writing
        products = [self.films, *self.qkv]
        products += [one for layer in own.layers for one in (layer.out, layer.widen, layer.narrow)]
        products += [one for hand in own.hands for one in (hand.hidden, hand.out)]
        return all(is_packed(product) for product in products)

    def modulations(self, condition: Tensor) -> Tensor:
        """Factor and summand of every norm in turn for conditions [n, C]: [2 * norms, n, D]; see `scale_shift`."""
        both = self.films(condition).chunk(2 * len(self.writing.layers), dim=-1)
        blocks = [layer.block for layer in self.writing.layers]
        norms = [norm for block in blocks for norm in (block.norm_attention, block.norm_forward)]
        pairs = [scale_shift(modulation, norm) for modulation, norm in zip(both, norms, strict=True)]
        return torch.stack([one for pair in pairs for one in pair])


class Lockstep:
    """Writes so many pieces of WIDTH rows each, word by word. Rows are numbered place * WIDTH + row of the piece.

    states: [places * WIDTH, D], of each row after its last word.
    """

    def __init__(self, ready: Ready, places: int, device: torch.device) -> None:
        self.ready, self.device = ready, device
        total = places * WIDTH
        stack = ready.writing.model.globally.stack
        self.config, self.norm = stack.config, stack.norm
        self.memory = Memory(self.config, places, device)
        self.states = torch.zeros(total, self.config.dim, device=device)
        norms = 2 * self.config.layers
        self.films = torch.zeros(2 * norms, total, self.config.dim, device=device)
        self.conditions: list[Tensor] = [torch.zeros(0)] * places
        self.bars = np.full(total, -1)  # that the rows' films are of
        self.turns = torch.zeros(0)

    def open(self, place: int, condition: Tensor) -> None:
        """Begin a piece under a condition [WIDTH, N, C] by bar."""
        self.memory.open(place)
        self.conditions[place] = condition.clone()
        self.bars[self._rows(place)] = -1

    def keep(self, place: int, row: int, words: int) -> None:
        """Give every row of a piece the memory and the state that one has after so many words."""
        self.memory.keep(place, row, words)
        self.states[self._rows(place)] = self.states[place * WIDTH + row].clone()

    def ask(self, place: int, condition: Tensor) -> None:
        """Ask all rows of a piece for another thing, [N, C] by bar, from the next word on."""
        self.conditions[place][:] = condition
        self.bars[self._rows(place)] = -1

    @staticmethod
    def _rows(place: int) -> slice:
        return slice(place * WIDTH, (place + 1) * WIDTH)

    def at(self, rows: NDArray[np.int64]) -> Tensor:
        """The numbers of rows, where the model is: int64 [A]."""
        return torch.from_numpy(rows).to(self.device)

    def step(
        self, rows: NDArray[np.int64], values: Sequence[Sequence[int]], bars: NDArray[np.int64],
        live: NDArray[np.bool_],
    ) -> None:  # fmt: skip
        """Feed these rows one word each, as the eight inputs of the decoder, in the bars that they are in [A]; those
        that are not live [A] only give products their shape, and keep their states."""
        at = self.at(rows)
        self._enter(rows, bars)
        numbers = self.memory.begin(rows)
        turns = self._turns(numbers)
        films = self.films.index_select(1, at).unbind(0)
        inputs = torch.tensor(values, device=self.device) + self.ready.writing.offsets
        x = F.embedding_bag(inputs, self.ready.writing.words, mode="sum")  # [A, D]
        for number, layer in enumerate(self.ready.writing.layers):
            x = self._layer(number, layer, x, turns, films[4 * number : 4 * number + 4])
        x = self.norm(x)
        if not live.all():
            at, x = self.at(rows[live]), x[torch.from_numpy(live).to(self.device)]
        self.states.index_copy_(0, at, x)

    def _turns(self, numbers: NDArray[np.int64]) -> Tensor:
        """The rotations of rows' queries, which are scaled by them, and keys, by the numbers of their words: complex
        [A, 2, 1, d / 2]."""
        if len(self.turns) < self.memory.columns:
            width = self.config.dim // self.config.heads
            positions = torch.arange(self.memory.columns, device=self.device)
            keys = torch.complex(*rotary_tables(positions, width, self.config.rotary_base))
            self.turns = torch.stack([keys * width**-0.5, keys], dim=1)[:, :, None]
        return self.turns.index_select(0, self.at(numbers))

    def _enter(self, rows: NDArray[np.int64], bars: NDArray[np.int64]) -> None:
        """Compute what the conditions of bars do to the rows that come into them, or of all rows where products cannot
        be computed for some."""
        new = self.bars[rows] != bars
        if not new.any():
            return
        if not self.ready.packed:
            new[:] = True
        self.bars[rows[new]] = bars[new]
        found = []
        for row, bar in zip(rows[new].tolist(), bars[new].tolist(), strict=True):
            condition = self.conditions[row // WIDTH]
            found.append(condition[row % WIDTH, min(bar, condition.shape[1] - 1)])
        modulations = self.ready.modulations(torch.stack(found))  # of [n, C]
        self.films.index_copy_(1, self.at(rows[new]), modulations)

    def _layer(self, number: int, layer: Layer, x: Tensor, turns: Tensor, films: Sequence[Tensor]) -> Tensor:
        """One layer on x [A, D], as `Block.forward` does it without dropout."""
        shape, (scale, shift, scale_forward, shift_forward) = (self.config.dim,), films
        hidden = torch.addcmul(shift, F.layer_norm(x, shape), scale)
        qkv = self.ready.qkv[number](hidden).view(len(x), 3, self.config.heads, -1, 2)
        torch.view_as_complex(qkv[:, :2]).mul_(turns)
        x = x + layer.out(self.memory.attend(number, qkv.flatten(3)))
        hidden = torch.addcmul(shift_forward, F.layer_norm(x, shape), scale_forward)
        return x + layer.narrow(F.gelu(layer.widen(hidden)))


def _side_by_side(heads: int, width: int) -> Tensor:
    """The order of outputs of a layer of queries, keys and values that puts the two parts of a rotation, which stand
    half a head apart in queries and keys, side by side."""
    pairs = torch.arange(width).view(2, -1).t().reshape(-1)  # 0, d / 2, 1, d / 2 + 1 ...
    turned = (torch.arange(2 * heads)[:, None] * width + pairs).reshape(-1)
    return torch.cat([turned, torch.arange(2 * heads * width, 3 * heads * width)])


def _reordered(layer: nn.Linear, order: Tensor) -> nn.Linear:
    """A layer without bias whose outputs stand in another order."""
    made = nn.Linear(layer.in_features, layer.out_features, bias=False, device=layer.weight.device)
    made.weight.data = layer.weight.detach()[order.to(layer.weight.device)]
    return made


def _stacked(layers: Sequence[nn.Linear]) -> nn.Linear:
    """One layer that has the outputs of several side by side."""
    first = layers[0].weight
    made = nn.Linear(first.shape[1], sum(len(layer.weight) for layer in layers), device=first.device)
    made.weight.data = torch.cat([layer.weight.detach() for layer in layers])
    made.bias.data = torch.cat([layer.bias.detach() for layer in layers])
    return made
