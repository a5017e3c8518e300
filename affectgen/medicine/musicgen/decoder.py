"""MusicGen's decoder for writing, over the weights of transformers' model: one position at a time, as fast as it goes.

Against transformers' own `generate`: query, key and value are one product; the cache has its place from the beginning;
keys and values of the words are computed once; positions come from a table. On CUDA the step of one position is a
recorded graph, which spares the launch of some hundred kernels a step (there is nothing else to wait for at batch 1).
Adapters of peft that are still beside their weights are added to them here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

WARM_UP = 3  # steps before a graph is recorded, as CUDA wants


@dataclass(frozen=True)
class Layer:
    """One layer's weights. qkv [3D, D]; kv: of the cross-attention [2D, D]; norms: (weight, bias) of self-attention,
    cross-attention and the feed-forward part."""

    qkv: Tensor
    out: Tensor
    query: Tensor
    kv: Tensor
    cross_out: Tensor
    up: Tensor
    down: Tensor
    norms: tuple[tuple[Tensor, Tensor], ...]


@dataclass(frozen=True)
class Decoder:
    """The weights of a whole decoder in one precision, on one device. tokens: [K, card + 1, D]; head: [K * card, D]."""

    layers: tuple[Layer, ...]
    tokens: Tensor
    head: Tensor
    norm: tuple[Tensor, Tensor]
    heads: int
    card: int
    activation: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, model: Any, dtype: torch.dtype) -> Decoder:
        """model: transformers' MusicgenForCausalLM."""
        stack, config = model.model.decoder, model.config

        def weight(module: Any) -> Tensor:
            return merged(module).to(dtype)

        def norm(module: Any) -> tuple[Tensor, Tensor]:
            return module.weight.detach().to(dtype), module.bias.detach().to(dtype)

        layers = []
        for one in stack.layers:
            own, cross = one.self_attn, one.encoder_attn
            layers.append(Layer(
                torch.cat([weight(own.q_proj), weight(own.k_proj), weight(own.v_proj)]), weight(own.out_proj),
                weight(cross.q_proj), torch.cat([weight(cross.k_proj), weight(cross.v_proj)]), weight(cross.out_proj),
                weight(one.fc1), weight(one.fc2),
                (norm(one.self_attn_layer_norm), norm(one.encoder_attn_layer_norm), norm(one.final_layer_norm)),
            ))  # fmt: skip
        return cls(
            tuple(layers), torch.stack([weight(book) for book in stack.embed_tokens]),
            torch.cat([weight(head) for head in model.lm_heads]), norm(stack.layer_norm), config.num_attention_heads,
            config.vocab_size, stack.layers[0].activation_fn,
        )  # fmt: skip

    @property
    def dim(self) -> int:
        """The width."""
        return self.tokens.shape[-1]

    @property
    def books(self) -> int:
        """Codebooks."""
        return self.tokens.shape[0]


def merged(module: Any) -> Tensor:
    """The weight of a layer, with its LoRA if one stands beside it."""
    base = getattr(module, "base_layer", None)
    if base is None:
        weight: Tensor = module.weight.detach()
        return weight
    weight = base.weight.detach()
    if getattr(module, "merged", False) or getattr(module, "disable_adapters", False):
        return weight
    for name in module.active_adapters:
        if name in module.lora_A:
            weight = weight + module.get_delta_weight(name).detach().to(weight.dtype)
    return weight


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
    without one, which a test compares.
    """

    def __init__(
        self, decoder: Decoder, states: Tensor, mask: Tensor, guidance: float, length: int,
        graph: bool | None = None, fixed: bool = False,
    ) -> None:  # fmt: skip
        device, dtype = decoder.tokens.device, decoder.tokens.dtype
        rows, self.decoder, self.guidance = len(states), decoder, guidance
        self.graph = device.type == "cuda" if graph is None else graph
        self.fixed = fixed or self.graph
        self.places = sinusoids(length, decoder.dim).to(device, dtype)
        self.offsets = (torch.arange(decoder.books, device=device) * (decoder.card + 1))[None, :, None]
        size = (len(decoder.layers), rows, decoder.heads, length, decoder.dim // decoder.heads)
        self.keys, self.values = (torch.zeros(size, device=device, dtype=dtype) for _ in range(2))
        some = mask.any(dim=1, keepdim=True)  # a row without words has zeros to attend to, not nothing
        self.mask = torch.where(some, mask, torch.ones_like(mask))[:, None, None].to(device)  # [R, 1, 1, S]
        if bool(self.mask.all()):
            self.mask = None  # type: ignore[assignment]
        self.words = [self._split(functional.linear(states.to(device, dtype), one.kv), 2) for one in decoder.layers]
        self.read = 0
        self._recorded: torch.cuda.CUDAGraph | None = None
        self._token = torch.zeros(rows, decoder.books, 1, dtype=torch.long, device=device)
        self._place = torch.zeros(1, dtype=torch.long, device=device)
        self._logits = torch.zeros(0)
        self._index = torch.arange(length, device=device)

    def step(self, tokens: Tensor) -> Tensor:
        """As `Stepper.step`."""
        tokens = tokens.to(self.decoder.tokens.device)
        if self.guidance != 1:
            tokens = torch.cat([tokens, tokens])  # [R, K, S]
        if self.fixed and tokens.shape[-1] == 1 and self.read:
            logits = self._fixed_step(tokens)
        else:
            places = slice(self.read, self.read + tokens.shape[-1])
            logits = self._forward(self._embed(tokens) + self.places[places], self._attend)
        self.read += tokens.shape[-1]
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
            hidden = hidden + functional.linear(attend(number, functional.linear(normed, layer.qkv)), layer.out)
            normed = functional.layer_norm(hidden, dim, *layer.norms[1])
            (query,) = self._split(functional.linear(normed, layer.query), 1)
            found = functional.scaled_dot_product_attention(query, *self.words[number], attn_mask=self.mask)
            hidden = hidden + functional.linear(_joined(found), layer.cross_out)
            normed = functional.layer_norm(hidden, dim, *layer.norms[2])
            hidden = hidden + functional.linear(decoder.activation(functional.linear(normed, layer.up)), layer.down)
        last = functional.layer_norm(hidden[:, -1], dim, *decoder.norm)
        return functional.linear(last, decoder.head).view(len(last), decoder.books, decoder.card)

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
        if several and self.read:
            mask = self._index[:end] <= self._index[self.read : end, None]
        found = functional.scaled_dot_product_attention(
            query, keys[:, :, :end], values[:, :, :end], attn_mask=mask, is_causal=several and not self.read
        )
        return _joined(found)

    def _attend_fixed(self, number: int, qkv: Tensor) -> Tensor:
        """The same for one position at `_place`, with shapes that never change."""
        query, key, value = self._split(qkv, 3)
        self.keys[number].index_copy_(2, self._place, key)
        self.values[number].index_copy_(2, self._place, value)
        mask = (self._index <= self._place)[None, None, None]
        found = functional.scaled_dot_product_attention(query, self.keys[number], self.values[number], attn_mask=mask)
        return _joined(found)

    def _fixed(self) -> Tensor:
        hidden = self._embed(self._token) + self.places.index_select(0, self._place)
        return self._forward(hidden, self._attend_fixed)

    def _fixed_step(self, tokens: Tensor) -> Tensor:
        self._token.copy_(tokens)
        self._place.fill_(self.read)
        if not self.graph:
            return self._fixed()
        if self._recorded is None:
            self._record()
        else:
            self._recorded.replay()
        return self._logits.clone()

    def _record(self) -> None:
        """Record the step; it writes the same place of the cache however often it runs."""
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


def _joined(found: Tensor) -> Tensor:
    """[R, heads, S, D / heads] -> [R, S, D]."""
    return found.transpose(1, 2).flatten(2)


def parameters(module: nn.Module) -> int:
    """How many numbers a module holds."""
    return sum(value.numel() for value in module.parameters())
