"""The language model's weights under audiocraft's names and under those of transformers: the same numbers, renamed.

audiocraft packs query, key and value of an attention in one `in_proj_weight`; transformers has a matrix for each. The
projection of the text encoder's states belongs to audiocraft's conditioner and to the whole model in transformers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from affectgen.errors import CheckpointError

TEXT = "condition_provider.conditioners.description.output_proj"
TEXT_PROJECTION = "enc_to_dec_proj"
DECODER = "decoder.model.decoder"
PARTS = ("q_proj", "k_proj", "v_proj")  # in the order in which audiocraft packs them
# audiocraft's name -> transformers', for what is only renamed; \1 is the number of a codebook or a layer, \2 the rest
RENAMED = (
    (r"emb\.(\d+)\.weight", rf"{DECODER}.embed_tokens.\1.weight"),
    (r"linears\.(\d+)\.(weight|bias)", r"decoder.lm_heads.\1.\2"),
    (r"out_norm\.(weight|bias)", rf"{DECODER}.layer_norm.\1"),
    (r"transformer\.layers\.(\d+)\.self_attn\.out_proj\.(weight|bias)", rf"{DECODER}.layers.\1.self_attn.out_proj.\2"),
    (r"transformer\.layers\.(\d+)\.cross_attention\.out_proj\.(weight|bias)",
     rf"{DECODER}.layers.\1.encoder_attn.out_proj.\2"),
    (r"transformer\.layers\.(\d+)\.linear1\.(weight|bias)", rf"{DECODER}.layers.\1.fc1.\2"),
    (r"transformer\.layers\.(\d+)\.linear2\.(weight|bias)", rf"{DECODER}.layers.\1.fc2.\2"),
    (r"transformer\.layers\.(\d+)\.norm1\.(weight|bias)", rf"{DECODER}.layers.\1.self_attn_layer_norm.\2"),
    (r"transformer\.layers\.(\d+)\.norm_cross\.(weight|bias)", rf"{DECODER}.layers.\1.encoder_attn_layer_norm.\2"),
    (r"transformer\.layers\.(\d+)\.norm2\.(weight|bias)", rf"{DECODER}.layers.\1.final_layer_norm.\2"),
    (re.escape(TEXT) + r"\.(weight|bias)", rf"{TEXT_PROJECTION}.\1"),
)  # fmt: skip
PACKED = r"transformer\.layers\.(\d+)\.(self_attn|cross_attention)\.in_proj_weight"
ATTENTIONS = {"self_attn": "self_attn", "cross_attention": "encoder_attn"}


def to_transformers(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """audiocraft's weights under the names of transformers' MusicgenForConditionalGeneration, without its text encoder
    and codec. CheckpointError for a name that MusicGen does not have."""
    found: dict[str, Tensor] = {}
    for name, value in weights.items():
        packed = re.fullmatch(PACKED, name)
        if packed is not None:
            where = f"{DECODER}.layers.{packed[1]}.{ATTENTIONS[packed[2]]}"
            for part, matrix in zip(PARTS, value.chunk(3), strict=True):
                found[f"{where}.{part}.weight"] = matrix
            continue
        new = next((re.sub(old, new, name) for old, new in RENAMED if re.fullmatch(old, name)), None)
        if new is None:
            raise CheckpointError(f"The weights hold {name}, which MusicGen does not have.", "Give a MusicGen model.")
        found[new] = value
    return found


def to_audiocraft(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The way back; weights of text encoder and codec are left out. CheckpointError where part of an attention
    lacks.
    """
    backwards = [_backwards(old, new) for old, new in RENAMED]
    found: dict[str, Tensor] = {}
    attentions: dict[str, dict[str, Tensor]] = {}
    names = {theirs: ours for ours, theirs in ATTENTIONS.items()}
    for name, value in weights.items():
        part = re.fullmatch(rf"{DECODER}\.layers\.(\d+)\.(self_attn|encoder_attn)\.([qkv]_proj)\.weight", name)
        if part is not None:
            where = f"transformer.layers.{part[1]}.{names[part[2]]}.in_proj_weight"
            attentions.setdefault(where, {})[part[3]] = value
            continue
        new = next((re.sub(old, new, name) for old, new in backwards if re.fullmatch(old, name)), None)
        if new is not None:
            found[new] = value
    for where, parts in attentions.items():
        if set(parts) != set(PARTS):
            raise CheckpointError(f"{where} lacks {', '.join(sorted(set(PARTS) - set(parts)))}.", "Give all weights.")
        found[where] = torch.cat([parts[name] for name in PARTS])
    return found


def _backwards(old: str, new: str) -> tuple[str, str]:
    """The pattern and replacement of a renaming in the other direction."""
    groups = re.findall(r"\((?:[^()]*)\)", old)
    pattern = re.escape(new)
    for number, group in enumerate(groups, start=1):
        pattern = pattern.replace(re.escape(f"\\{number}"), group)
    plain = old.replace("\\.", ".").replace("\\", "")
    for number, group in enumerate(groups, start=1):
        plain = plain.replace(group.replace("\\", ""), f"\\{number}", 1)
    return pattern, plain
