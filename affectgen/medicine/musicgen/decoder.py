"""MusicGen's decoder for writing, over the weights of transformers' model: one position at a time, as fast as it goes.

Against transformers' own `generate`: matrices are fused and packed (matrices.py); the cache has its place from the
beginning; keys and values of the words are computed once; positions come from a table. On CUDA the step of one position
is a recorded graph, which spares the launch of some hundred kernels a step (there is nothing else to wait for at
batch 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from affectgen.medicine.musicgen.matrices import Decoder

WARM_UP = 3  # steps before a graph is recorded, as CUDA wants
BLOCK = 8  # the fixed cache's length is a multiple of it, as CUDA's attention wants of a mask


def sinusoids(count: int, dim: int) -> Tensor:
    """Positions [count, D] as MusicGen counts them: cosines, then sines."""
    half = dim // 2
    rates = torch.exp(torch.arange(half).float() * -(math.log(10000) / (half - 1)))
    angles = torch.arange(count).float()[:, None] * rates[None]
    table = torch.cat([angles.cos(), angles.sin()], dim=1)
    return table if dim % 2 == 0 else functional.pad(table, (0, 1))


class FastStepper:
    """A batch being written. states: [R, S, D] of the words, projected, zero where masked; mask: bool [R, S]; R is the
    batch, or twice that with guidance, whose second half has no words; length: positions that will be read at most.

    graph: record the step of one position, None for where the device is CUDA; `fixed` takes the way of the graph
    without one, which a test compares. MemoryError where the computer has no room for what is kept.
    """

    def __init__(
        self, decoder: Decoder, states: Tensor, mask: Tensor, guidance: float, length: int,
        graph: bool | None = None, fixed: bool = False,
    ) -> None:  # fmt: skip
        device, dtype = decoder.tokens.device, decoder.tokens.dtype
        rows, self.decoder, self.guidance, self.length = len(states), decoder, guidance, length
        self.graph = device.type == "cuda" if graph is None else graph
        self.fixed = fixed or self.graph
        self.places = sinusoids(length, decoder.dim).to(device, dtype)
        self.offsets = (torch.arange(decoder.books, device=device) * (decoder.card + 1))[None, :, None]
        room = -(-length // BLOCK) * BLOCK if self.fixed else length
        size = (len(decoder.layers), rows, decoder.heads, room, decoder.dim // decoder.heads)
        _check_room(2 * math.prod(size) * dtype.itemsize, device)
        self.keys, self.values = (torch.zeros(size, device=device, dtype=dtype) for _ in range(2))
        some = mask.any(dim=1, keepdim=True)  # a row without words has zeros to attend to, not nothing
        counts = torch.where(some, mask, torch.ones_like(mask))[:, None, None]  # [R, 1, 1, S]
        self.mask = None if bool(counts.all()) else _added(counts.to(device), dtype)
        words = [self._split(one.kv(states.to(device, dtype)), 2) for one in decoder.layers]
        self.words = [(keys.contiguous(), values.contiguous()) for keys, values in words]
        self.read = 0
        self._recorded: torch.cuda.CUDAGraph | None = None
        self._token = torch.zeros(rows, decoder.books, 1, dtype=torch.long, device=device)
        self._place = torch.zeros(1, dtype=torch.long, device=device)
        self._logits = torch.zeros(0)
        self._index = torch.arange(room, device=device)

    @torch.inference_mode()
    def step(self, tokens: Tensor) -> Tensor:
        """As `Stepper.step`. ValueError for more positions than `length`."""
        end = self.read + tokens.shape[-1]
        if end > self.length:
            raise ValueError(f"{end} positions were read, of {self.length} that were told")
        tokens = tokens.to(self.decoder.tokens.device)
        if self.guidance != 1:
            tokens = torch.cat([tokens, tokens])  # [R, K, S]
        if self.fixed and tokens.shape[-1] == 1 and self.read:
            logits = self._fixed_step(tokens)
        else:
            logits = self._forward(self._embed(tokens) + self.places[self.read : end], self._attend)
        self.read = end
        logits = logits.float()
        if self.guidance == 1:
            return logits
        asked, free = logits.chunk(2)
        return free + self.guidance * (asked - free)

    def _embed(self, tokens: Tensor) -> Tensor:
        """tokens [R, K, S] -> [R, S, D]."""
        return functional.embedding(tokens + self.offsets, self.decoder.tokens.flatten(0, 1)).sum(dim=1)

    def _forward(self, hidden: Tensor, attend: Callable[[int, Tensor], Tensor]) -> Tensor:
        """hidden [R, S, D] -> logits of the last position [R, K, card]."""
        decoder, dim = self.decoder, (self.decoder.dim,)
        for number, layer in enumerate(decoder.layers):
            normed = functional.layer_norm(hidden, dim, *layer.norms[0])
            hidden = hidden + layer.out(attend(number, layer.qkv(normed)))
            normed = functional.layer_norm(hidden, dim, *layer.norms[1])
            (query,) = self._split(layer.query(normed), 1)
            hidden = hidden + layer.cross_out(attention(query, *self.words[number], self.mask))
            normed = functional.layer_norm(hidden, dim, *layer.norms[2])
            hidden = hidden + layer.down(decoder.activation(layer.up(normed)))
        last = functional.layer_norm(hidden[:, -1], dim, *decoder.norm)
        return decoder.head(last).view(len(last), decoder.books, decoder.card)

    def _split(self, values: Tensor, count: int) -> tuple[Tensor, ...]:
        """[R, S, count * D] -> `count` of [R, heads, S, D / heads]."""
        shape = (*values.shape[:2], count, self.decoder.heads, self.decoder.dim // self.decoder.heads)
        return values.view(shape).permute(2, 0, 3, 1, 4).unbind(0)

    def _attend(self, number: int, qkv: Tensor) -> Tensor:
        """Self-attention over what was read before and now."""
        query, key, value = self._split(qkv, 3)
        end = self.read + key.shape[2]
        keys, values = self.keys[number], self.values[number]
        keys[:, :, self.read : end], values[:, :, self.read : end] = key, value
        several = key.shape[2] > 1
        mask = None
        if several:
            mask = _added(self._index[:end] <= self._index[self.read : end, None], query.dtype)
        return attention(query, keys[:, :, :end], values[:, :, :end], mask)

    def _fixed(self) -> Tensor:
        """One position, `_token` at `_place`, by tensors whose shapes never change."""
        seen = _added((self._index <= self._place)[None, None, None], self.keys.dtype)

        def attend(number: int, qkv: Tensor) -> Tensor:
            query, key, value = self._split(qkv, 3)
            self.keys[number].index_copy_(2, self._place, key)
            self.values[number].index_copy_(2, self._place, value)
            return attention(query, self.keys[number], self.values[number], seen)

        return self._forward(self._embed(self._token) + self.places.index_select(0, self._place), attend)

    def _fixed_step(self, tokens: Tensor) -> Tensor:
        self._token.copy_(tokens)
        self._place.fill_(self.read)
        if not self.graph:
            return self._fixed()
        with torch.cuda.device(self._token.device):
            if self._recorded is None:
                self._record()
            else:
                self._recorded.replay()
        return self._logits.clone()

    def _record(self) -> None:
        """Record the step and run it; it writes the same place of the cache however often it runs."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self._fixed()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._logits = self._fixed()
        self._recorded = graph
        graph.replay()


def attention(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """[R, heads, S, d] and [R, heads, T, d] -> [R, S, heads * d]. mask: added to the scores [..., S, T]."""
    if query.shape[2] == 1 and query.device.type == "cpu" and query.dtype == torch.bfloat16:
        # for a single query torch's own takes four times as long in half precision
        scores = (keys @ (query * query.shape[-1] ** -0.5).transpose(2, 3)).transpose(2, 3).float()  # [R, heads, 1, T]
        weights = (scores if mask is None else scores + mask).softmax(dim=-1)
        found = weights.to(values.dtype) @ values
    else:
        found = functional.scaled_dot_product_attention(query, keys, values, attn_mask=mask)
    return found.transpose(1, 2).flatten(2)


def _check_room(size: int, device: torch.device) -> None:
    """MemoryError where a cache of so many bytes would not fit: Linux gives what it does not have, and ends the process
    later, when it is filled."""
    free = available_memory() if device.type == "cpu" else None
    if free is not None and size > free:
        raise MemoryError(f"{size} bytes are needed, and {free} are available")


def available_memory() -> int | None:
    """Bytes that the computer can still give, None where that is not known (elsewhere than on Linux)."""
    path = Path("/proc/meminfo")
    lines = path.read_text(encoding="ascii").splitlines() if path.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _added(counts: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask to be added to scores: 0 where a place counts, else minus infinity."""
    return torch.zeros(counts.shape, dtype=dtype, device=counts.device).masked_fill_(~counts, -math.inf)
