"""Linear layers for the few rows of a decoding step, where reading the weights takes the time: they are read as fp16.

Checkpoints hold fp16, so weights packed as fp16 are the weights themselves; inputs and sums stay fp32.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Product = Callable[[Tensor], Tensor]  # [..., in] -> [..., out]
PACKING = ("x86", "fbgemm")  # engines of torch that multiply fp32 by packed fp16


def pack(layer: nn.Linear) -> Product:
    """The layer as a function without gradients, of the weights that it has now.

    Where torch cannot pack (other processors than x86, other devices), and for weights that fp16 does not hold exactly,
    it is the layer itself.
    """
    weight = layer.weight.detach()
    if weight.device.type != "cpu" or torch.backends.quantized.engine not in PACKING or not _halves(weight):
        return layer
    bias = None if layer.bias is None else layer.bias.detach().float()
    packed = torch.ops.quantized.linear_prepack_fp16(weight, bias)
    multiply = torch.ops.quantized.linear_dynamic_fp16.default  # the overload itself: nothing is looked up at a call

    def product(rows: Tensor) -> Tensor:
        result: Tensor = multiply(rows, packed)
        return result

    return product


def is_packed(product: Product) -> bool:
    """Whether a product of `pack` is of packed weights: then each row of it is the same, to the bit, whatever rows
    stand before and after it and however many they are. Of torch's other products that cannot be assumed."""
    return not isinstance(product, nn.Linear)


def _halves(weight: Tensor) -> bool:
    """Whether fp16 holds every weight exactly."""
    return weight.dtype == torch.float32 and bool((weight.half().float() == weight).all())
