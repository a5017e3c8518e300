"""What the decoder remembers of several pieces: keys and values of their words, of which candidates share most.

A piece is written by WIDTH rows that had the same words up to the last choice among them. Those words are held once;
after them come the rows' own, one of each row in turn. So all rows read one memory in one product, each through a mask
that hides the others' own words: attention takes its time for reading the memory. Its shapes are the piece's alone,
whatever is written beside it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from affectgen.nn.transformer import TransformerConfig
from affectgen.writing.pieces import WIDTH

FIRST_ROOM = 512  # columns of a place at first; they double when its piece needs more
BLOCK = 256  # columns of a product: BLAS has a quick way for small ones, and gives them to one thread
Floats = NDArray[np.float32]


class Memory:
    """Keys and values for so many pieces. Rows are numbered place * WIDTH + row of the piece."""

    def __init__(self, config: TransformerConfig, places: int, device: torch.device) -> None:
        self.config, self.places, self.device = config, places, device
        self.width = config.dim // config.heads
        self.shared = [0] * places  # words that the rows of a piece share
        self.own = [0] * places  # words that each has after them
        rows = places * WIDTH
        self.last = torch.zeros(rows, 3, config.heads, self.width, device=device)  # queries, keys and values of rows
        self.answer = torch.zeros(rows, config.heads, self.width, device=device)
        self.store = [self._room(FIRST_ROOM) for _ in range(places)]  # of each place
        self.mask = _hiding(FIRST_ROOM)  # [WIDTH, columns], from the first own word on

    def _room(self, columns: int) -> Tensor:
        """A store of that many columns, [layers, keys and values, H, columns, d]. Zeros: what is hidden must be
        finite. Pages that are never written to take no memory."""
        config = self.config
        shape = (config.layers, 2, config.heads, columns, self.width)
        on_cpu = self.device.type == "cpu"
        return torch.from_numpy(np.zeros(shape, np.float32)) if on_cpu else torch.zeros(shape, device=self.device)

    @property
    def columns(self) -> int:
        """How many columns the largest place has had."""
        return int(self.mask.shape[1])

    def used(self, place: int) -> int:
        """Columns of a place that hold something."""
        return self.shared[place] + WIDTH * self.own[place]

    def open(self, place: int) -> None:
        """Forget what a place held, for another piece."""
        self.shared[place] = self.own[place] = 0
        self.store[place] = self._room(FIRST_ROOM)

    def keep(self, place: int, row: int, words: int) -> None:
        """Forget all but the first so many words of one row, which all rows share from now on."""
        begin, own = self.shared[place], words - self.shared[place]
        columns = slice(begin + row, begin + row + WIDTH * own, WIDTH)
        kept = self.store[place][..., columns, :].clone()
        self.store[place][..., begin:words, :] = kept
        self.shared[place], self.own[place] = words, 0

    def begin(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Make ready for one more word of these rows; the number of that word in each row's piece."""
        place = rows // WIDTH
        self.playing = sorted(set(place.tolist()))
        for one in self.playing:
            self._grow(one)
        numbers: NDArray[np.int64] = (np.array(self.shared) + np.array(self.own))[place]
        self._rows = rows
        for one in self.playing:
            self.own[one] += 1
        return numbers

    def _grow(self, place: int) -> None:
        """Make room for one more word of each row of a place, if there is none."""
        before, used = self.store[place], self.used(place)
        columns = before.shape[3]
        if used + WIDTH <= columns:
            return
        self.store[place] = self._room(2 * columns)
        self.store[place][..., :used, :] = before[..., :used, :]
        if self.mask.shape[1] < 2 * columns:
            self.mask = _hiding(2 * columns)

    def attend(self, layer: int, qkv: Tensor) -> Tensor:
        """Remember the keys and values [A, 3, H, d] of the rows of `begin`, and answer their queries, which are
        scaled, [A, D]."""
        if self.device.type != "cpu":
            return self._attend_elsewhere(layer, qkv)
        last, answer = self.last.numpy(), self.answer.numpy()
        last[self._rows] = qkv.numpy()
        shape, head = (self.places, WIDTH), (self.config.heads, self.width)
        read = last.reshape(*shape, 3, *head).transpose(0, 2, 3, 1, 4)
        told = answer.reshape(*shape, *head).transpose(0, 2, 1, 3)
        for place in self.playing:
            held, used = self.store[place][layer].numpy(), self.used(place)
            query, keys, values = read[place]  # [H, WIDTH, d]
            held[0, :, used - WIDTH : used] = keys  # of rows that have no word now, something that nobody reads
            held[1, :, used - WIDTH : used] = values
            self._attend_piece(place, query, held[0], held[1], told[place])
        return torch.from_numpy(answer[self._rows].reshape(-1, self.config.dim))

    def _attend_piece(self, place: int, query: Floats, keys: Floats, values: Floats, answer: Floats) -> None:
        """The answers of one piece's rows to their queries [H, WIDTH, d], which are scaled."""
        used, shared = self.used(place), self.shared[place]
        scores = np.empty((*query.shape[:2], used), np.float32)
        turned = keys.swapaxes(1, 2)
        for first in range(0, used, BLOCK):
            block = slice(first, min(first + BLOCK, used))
            np.matmul(query, turned[..., block], out=scores[..., block])
        scores[..., shared:] += self.mask[:, : used - shared]
        scores -= np.maximum.reduce(scores, axis=2, keepdims=True)
        np.exp(scores, out=scores)
        total = np.add.reduce(scores, axis=2, keepdims=True)
        np.matmul(scores[..., :BLOCK], values[..., : min(BLOCK, used), :], out=answer)
        for first in range(BLOCK, used, BLOCK):
            block = slice(first, min(first + BLOCK, used))
            answer += scores[..., block] @ values[..., block, :]
        answer /= total

    def _attend_elsewhere(self, layer: int, qkv: Tensor) -> Tensor:
        """The same on another device than the CPU."""
        rows = torch.from_numpy(self._rows).to(self.device)
        self.last.index_copy_(0, rows, qkv)
        shape = (self.places, WIDTH, 3, self.config.heads, self.width)
        read, told = self.last.view(shape).transpose(1, 3), self.answer.view(*shape[:2], *shape[3:]).transpose(1, 2)
        for place in self.playing:
            used, shared = self.used(place), self.shared[place]
            held = self.store[place][layer]
            query, keys, values = read[place].unbind(1)  # [H, WIDTH, d]
            held[0, :, used - WIDTH : used], held[1, :, used - WIDTH : used] = keys, values
            mask = torch.zeros(WIDTH, used)
            mask[:, shared:] = torch.from_numpy(self.mask[:, : used - shared])
            told[place] = F.scaled_dot_product_attention(
                query, held[0, :, :used], held[1, :, :used], attn_mask=mask.to(self.device), scale=1.0
            )
        return self.answer.index_select(0, rows).flatten(1)


def _hiding(columns: int) -> Floats:
    """What hides the rows' own words from each other, [WIDTH, columns]."""
    hidden = np.arange(columns) % WIDTH != np.arange(WIDTH)[:, None]
    return np.where(hidden, -np.inf, 0.0).astype(np.float32)
