"""The weights of MusicGen's decoder, laid out for writing: fused, in one precision, packed where that is faster.

Query, key and value are one matrix; so are the heads of all codebooks. On the CPU oneDNN keeps matrices in blocks of
its own, by which a product with a few rows takes half as long as with torch's layout (and writing is such products, and
little else). Adapters of peft that stand beside their weights are added to them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from affectgen.nn.training import halves_pay

FEWEST_ROWS = 4  # oneDNN takes longer for fewer rows than for these
LARGEST = 4e9  # bytes of float32 weights that are packed, which means a second copy of them in memory
EXAMPLE_ROWS = 16  # that the packing is made for; for others it is nearly as good


@dataclass(frozen=True)
class Product:
    """A layer without bias. weight: [O, I], as torch keeps it or packed."""

    weight: Tensor

    @classmethod
    def of(cls, weight: Tensor, packed: bool) -> Product:
        """packed: only where `packs` says so."""
        return cls(torch.ops.mkldnn._reorder_linear_weight(weight, EXAMPLE_ROWS) if packed else weight)

    def __call__(self, states: Tensor) -> Tensor:
        """[..., I] -> [..., O]."""
        if not self.weight.is_mkldnn:
            return functional.linear(states, self.weight)
        rows = states.reshape(-1, states.shape[-1])
        count = len(rows)
        if count < FEWEST_ROWS:
            rows = functional.pad(rows, (0, 0, 0, FEWEST_ROWS - count))
        made: Tensor = torch.ops.mkldnn._linear_pointwise(rows, self.weight, None, "none", [], "")
        return made[:count].view(*states.shape[:-1], -1)


def packs(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether matrices can be packed there. The two functions are those of torch's own compiler and have no public
    name, so they are tried before they are relied on."""
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    return (dtype == torch.float32 or (dtype == torch.bfloat16 and halves_pay(device))) and _packing_works(dtype)


@cache
def _packing_works(dtype: torch.dtype) -> bool:
    """Whether a packed product of this torch is what its own product is."""
    weight = torch.arange(-60, 60, dtype=dtype).view(12, 10)  # small whole numbers, which both compute exactly
    states = torch.arange(-5, 5, dtype=dtype)[None].contiguous()
    try:
        with torch.inference_mode():
            return torch.equal(Product.of(weight, True)(states).float(), states.float() @ weight.float().T)
    except (AttributeError, RuntimeError, TypeError):  # another torch, where they are named or called otherwise
        return False


@dataclass(frozen=True)
class Layer:
    """One layer's weights. qkv [3D, D]; kv: of the cross-attention [2D, D]; norms: (weight, bias) of self-attention,
    cross-attention and the feed-forward part."""

    qkv: Product
    out: Product
    query: Product
    kv: Product
    cross_out: Product
    up: Product
    down: Product
    norms: tuple[tuple[Tensor, Tensor], ...]


@dataclass(frozen=True)
class Decoder:
    """The weights of a whole decoder in one precision, on one device. tokens: [K, card + 1, D]; head: [K * card, D]."""

    layers: tuple[Layer, ...]
    tokens: Tensor
    head: Product
    norm: tuple[Tensor, Tensor]
    heads: int
    card: int
    activation: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, model: Any, dtype: torch.dtype) -> Decoder:
        """model: transformers' MusicgenForCausalLM."""
        stack, config = model.model.decoder, model.config
        packed = packs(model.device, dtype)
        if dtype == torch.float32 and sum(value.nbytes for value in model.parameters()) > LARGEST:
            packed = False

        def product(*modules: Any) -> Product:
            parts = [merged(module).to(dtype) for module in modules]
            return Product.of(torch.cat(parts) if len(parts) > 1 else parts[0], packed)

        def norm(module: Any) -> tuple[Tensor, Tensor]:
            return module.weight.detach().to(dtype), module.bias.detach().to(dtype)

        layers = []
        for one in stack.layers:
            own, cross = one.self_attn, one.encoder_attn
            layers.append(Layer(
                product(own.q_proj, own.k_proj, own.v_proj), product(own.out_proj), product(cross.q_proj),
                product(cross.k_proj, cross.v_proj), product(cross.out_proj), product(one.fc1), product(one.fc2),
                (norm(one.self_attn_layer_norm), norm(one.encoder_attn_layer_norm), norm(one.final_layer_norm)),
            ))  # fmt: skip
        return cls(
            tuple(layers), torch.stack([merged(book).to(dtype) for book in stack.embed_tokens]),
            product(*model.lm_heads), norm(stack.layer_norm), config.num_attention_heads, config.vocab_size,
            stack.layers[0].activation_fn,
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
    if module.merged or module.disable_adapters:
        return weight
    for name in module.active_adapters:
        if name in module.lora_A or name in module.lora_embedding_A:
            weight = weight + module.get_delta_weight(name).detach().to(weight.dtype)
    return weight
