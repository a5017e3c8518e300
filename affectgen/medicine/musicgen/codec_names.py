"""EnCodec (Défossez et al., 2022) under audiocraft's names and under those of transformers: weights and settings.

Layers stand in the same order in both; audiocraft wraps each convolution twice and normalises its weights in the older
of torch's two ways (weight_g, weight_v), transformers in the newer (parametrizations).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from affectgen.errors import CheckpointError
from affectgen.medicine.musicgen.xpcfg import Config

NORMED = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
LAYER = r"(encoder|decoder)\.{}\.(\d+)"
INNER = r"((?:\.block\.\d+|\.shortcut)?)"
BUFFERS = "inited|cluster_size|embed_avg|embed"
# what audiocraft's settings must be for transformers to have a place for them
FIXED: dict[str, Any] = {
    "compression_model": "encodec", "encodec.autoencoder": "seanet", "encodec.quantizer": "rvq",
    "encodec.renormalize": False, "encodec.causal": False, "seanet.activation": "ELU",
    "seanet.activation_params": {"alpha": 1.0}, "seanet.causal": False, "seanet.disable_norm_outer_blocks": 0,
    "seanet.decoder.final_activation": None, "seanet.encoder": {}, "seanet.decoder.trim_right_ratio": 1.0,
}  # fmt: skip


def codec_to_transformers(weights: Mapping[str, Tensor], books: int) -> dict[str, Tensor]:
    """audiocraft's weights under the names of transformers' EncodecModel; books: quantisers that are kept.
    CheckpointError for a name that EnCodec does not have."""
    found: dict[str, Tensor] = {}
    for name, value in weights.items():
        new = _to_transformers(name)
        if new is None:
            raise CheckpointError(f"The codec's weights hold {name}, which EnCodec does not have.", "Give an EnCodec.")
        number = re.match(r"quantizer\.layers\.(\d+)\.", new)
        if number is None or int(number[1]) < books:
            found[new] = value
    return found


def _to_transformers(name: str) -> str | None:
    codebook = re.fullmatch(rf"quantizer\.vq\.layers\.(\d+)\._codebook\.({BUFFERS})", name)
    if codebook is not None:
        return f"quantizer.layers.{codebook[1]}.codebook.{codebook[2]}"
    layer = re.fullmatch(
        LAYER.format("model") + INNER + r"\.(conv\.conv|convtr\.convtr|conv\.norm|convtr\.norm|lstm)\.(\w+)", name
    )
    if layer is None:
        return None
    half, number, inner, kind, last = layer.groups()
    place = {"lstm": ".lstm", "conv.norm": ".norm", "convtr.norm": ".norm"}.get(kind, ".conv")
    return f"{half}.layers.{number}{inner}{place}.{NORMED.get(last, last)}"


def codec_to_audiocraft(weights: Mapping[str, Tensor], ratios: int, residuals: int) -> dict[str, Tensor]:
    """The way back, of transformers' weights; ratios, residuals: numbers of upsamplings, and of blocks after each,
    which tell the transposed convolutions."""
    transposed = {3 + step * (residuals + 2) for step in range(ratios)}  # convolution, LSTM, ELU, and then each step
    olds = {new: old for old, new in NORMED.items()}
    found: dict[str, Tensor] = {}
    for name, value in weights.items():
        codebook = re.fullmatch(rf"quantizer\.layers\.(\d+)\.codebook\.({BUFFERS})", name)
        if codebook is not None:
            found[f"quantizer.vq.layers.{codebook[1]}._codebook.{codebook[2]}"] = value
            continue
        layer = re.fullmatch(LAYER.format("layers") + INNER + r"\.(conv|norm|lstm)\.(.+)", name)
        if layer is None:
            raise CheckpointError(f"The codec's weights hold {name}, which EnCodec does not have.", "Give an EnCodec.")
        half, number, inner, kind, last = layer.groups()
        turned = half == "decoder" and not inner and int(number) in transposed
        wrap = "convtr" if turned else "conv"
        place = {"conv": f"{wrap}.{wrap}", "norm": f"{wrap}.norm", "lstm": "lstm"}[kind]
        found[f"{half}.model.{number}{inner}.{place}.{olds.get(last, last)}"] = value
    return found


def codec_settings(config: Config, books: int) -> dict[str, Any]:
    """transformers' EncodecConfig of audiocraft's configuration, as keywords. CheckpointError where it has no place
    for a setting."""
    config.expect(FIXED)
    rate, ratios = config.number("encodec.sample_rate"), list(config.get("seanet.ratios"))
    size = config.number("rvq.bins")
    have = config.number("rvq.n_q")
    if have < books:
        message = f"{config.source} has {have} codebooks; the language model wants {books}."
        raise CheckpointError(message, "Give the codec that the model was trained with.")
    _check_possible(config, size)
    return {
        "sampling_rate": rate,
        "audio_channels": config.number("encodec.channels"),
        "normalize": False,
        "target_bandwidths": [bandwidth(books, size, math.ceil(rate / math.prod(ratios)))],
        "hidden_size": config.number("seanet.dimension"),
        "num_filters": config.number("seanet.n_filters"),
        "num_residual_layers": config.number("seanet.n_residual_layers"),
        "upsampling_ratios": ratios,
        "norm_type": config.get("seanet.norm"),
        "kernel_size": config.number("seanet.kernel_size"),
        "last_kernel_size": config.number("seanet.last_kernel_size"),
        "residual_kernel_size": config.number("seanet.residual_kernel_size"),
        "dilation_growth_rate": config.number("seanet.dilation_base"),
        "use_causal_conv": False,
        "pad_mode": config.get("seanet.pad_mode"),
        "compress": config.number("seanet.compress"),
        "num_lstm_layers": config.number("seanet.lstm"),
        "codebook_size": size,
        "codebook_dim": config.number("seanet.dimension"),
        "use_conv_shortcut": not config.get("seanet.true_skip"),
    }


def _check_possible(config: Config, size: int) -> None:
    """CheckpointError for a codec that transformers has no form of."""
    norm, lstm = config.get("seanet.norm"), config.number("seanet.lstm")
    said = {
        f"codebooks of {size}, no power of two,": size & (size - 1) == 0,
        f"layers normalised by {norm!r}": norm in ("weight_norm", "time_group_norm"),
        "no LSTM": lstm > 0,
    }
    for what, is_fine in said.items():
        if not is_fine:
            message = f"The codec of {config.source} has {what} for which transformers has no place."
            raise CheckpointError(message, "Use --backend audiocraft.")


def bandwidth(books: int, size: int, frame_rate: int) -> float:
    """Kilobits a second of so many codebooks, from which transformers counts them again: a little more, so that
    rounding loses none."""
    return (books + 1e-3) * math.ceil(math.log2(size)) * frame_rate / 1000


def seanet_settings(codec: Any) -> dict[str, Any]:
    """audiocraft's settings of an autoencoder, as keywords of both halves, from transformers' EncodecConfig."""
    return {
        "channels": codec.audio_channels, "dimension": codec.hidden_size, "n_filters": codec.num_filters,
        "n_residual_layers": codec.num_residual_layers, "ratios": list(codec.upsampling_ratios),
        "activation": "ELU", "activation_params": {"alpha": 1.0}, "norm": codec.norm_type, "norm_params": {},
        "kernel_size": codec.kernel_size, "last_kernel_size": codec.last_kernel_size,
        "residual_kernel_size": codec.residual_kernel_size, "dilation_base": codec.dilation_growth_rate,
        "causal": codec.use_causal_conv, "pad_mode": codec.pad_mode, "true_skip": not codec.use_conv_shortcut,
        "compress": codec.compress, "lstm": codec.num_lstm_layers,
    }  # fmt: skip
