"""LoRA adapters for transformers' MusicGen and for audiocraft's: turned into each other, and merged.

transformers has a matrix each for query, key and value; audiocraft packs them in one `in_proj_weight`, on which peft
puts a single LoRA (`target_parameters`). Three adapters of ranks a, b and c on the parts are exactly one of rank a+b+c
on the whole: their A stacked, their B on a diagonal. One of rank r on the whole is three of rank r on the parts, which
share A.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from affectgen.errors import CheckpointError
from affectgen.medicine.musicgen.adapter_files import TRAINED, Adapter, Kind, Pair, read_adapter, write_adapter
from affectgen.medicine.musicgen.convert import ATTENTIONS, DECODER, PACKED, PARTS, to_audiocraft, to_transformers

PART = re.compile(rf"{DECODER}\.layers\.(\d+)\.(self_attn|encoder_attn)\.([qkv]_proj)\.weight")


def turned(adapter: Adapter, kind: Kind) -> Adapter:
    """The adapter under the names of `kind`. CheckpointError where it adapts something that has no name there."""
    if adapter.kind == kind:
        return adapter
    pairs = _packed(adapter.pairs) if kind == "audiocraft" else _unpacked(adapter.pairs)
    return Adapter(kind, pairs, adapter.affect, adapter.config, adapter.note)


def _packed(pairs: Mapping[str, Pair]) -> dict[str, Pair]:
    """transformers' -> audiocraft's."""
    theirs = {new: old for old, new in ATTENTIONS.items()}
    found: dict[str, Pair] = {}
    attentions: dict[str, dict[str, Pair]] = {}
    for name, pair in pairs.items():
        part = PART.fullmatch(name)
        if part is None:
            found[_renamed(name, to_audiocraft(_dummy(name)))] = pair
        else:
            where = f"transformer.layers.{part[1]}.{theirs[part[2]]}.in_proj_weight"
            attentions.setdefault(where, {})[part[3]] = pair
    for where, parts in attentions.items():
        found[where] = _stacked(parts)
    return found


def _stacked(parts: Mapping[str, Pair]) -> Pair:
    """One pair for query, key and value in a row; a part that is missing is adapted by nothing."""
    dim = next(iter(parts.values())).up.shape[0]
    held = [(at, parts[name]) for at, name in enumerate(PARTS) if name in parts]
    up = torch.zeros(len(PARTS) * dim, sum(pair.rank for _, pair in held))
    column = 0
    for at, pair in held:
        up[at * dim : (at + 1) * dim, column : column + pair.rank] = pair.up
        column += pair.rank
    return Pair(torch.cat([pair.down for _, pair in held]), up)


def _unpacked(pairs: Mapping[str, Pair]) -> dict[str, Pair]:
    """audiocraft's -> transformers'."""
    found: dict[str, Pair] = {}
    for name, pair in pairs.items():
        packed = re.fullmatch(PACKED, name)
        if packed is None:
            found[_renamed(name, to_transformers(_dummy(name)))] = pair
            continue
        for part, up in zip(PARTS, pair.up.chunk(len(PARTS)), strict=True):
            where = f"{DECODER}.layers.{packed[1]}.{ATTENTIONS[packed[2]]}.{part}.weight"
            found[where] = Pair(pair.down, up)
    return found


def _dummy(name: str) -> dict[str, Tensor]:
    """A weight to be renamed."""
    return {name: torch.zeros(1)}


def _renamed(name: str, new: Mapping[str, Tensor]) -> str:
    """The only new name. CheckpointError where there is none."""
    if not new:
        raise CheckpointError(f"The adapter adapts {name}, which the other backend does not have.", TRAINED)
    return next(iter(new))


def adapter_to_audiocraft(folder: Path, out: Path) -> None:
    """Write the adapter of a folder as one that peft loads on audiocraft's LMModel, into a new folder `out`.
    CheckpointError where that is not possible, AffectgenError where it cannot be written."""
    write_adapter(turned(read_adapter(folder), "audiocraft"), out)


def adapter_to_transformers(folder: Path, out: Path) -> None:
    """The same for transformers' MusicgenForConditionalGeneration."""
    write_adapter(turned(read_adapter(folder), "transformers"), out)


def check_base(adapter: Adapter, sizes: Mapping[str, int], identity: Mapping[str, str], source: Path) -> list[str]:
    """What to say of an adapter on a model: nothing, or that it was trained on other weights of the same shape.
    CheckpointError where its note says that it was trained on a model of other sizes."""
    base = adapter.note.get("base", {})
    name, wanted = base.get("name", "another model"), base.get("shape", {})
    differ = [
        f"{key} {wanted[key]} (here {sizes[key]})" for key in sizes if key in wanted and wanted[key] != sizes[key]
    ]
    if differ:
        message = f"The adapter {source} was trained on {name}: {', '.join(differ)}."
        raise CheckpointError(message, "Give the model that it was trained on, or another adapter.")
    if base.get("sha256", identity["sha256"]) == identity["sha256"]:
        return []
    return [f"{source} was trained on {name}, whose weights are others than these."]


def merge(model: nn.Module, adapter: Adapter, affect: nn.Module, source: Path) -> None:
    """Add an adapter to a model's own weights and fill its AffectSum; nothing is changed unless all of it fits.
    CheckpointError where it was trained on a model of another shape."""
    own = {name.replace(".mha.", "."): value for name, value in model.named_parameters()}
    for name, pair in adapter.pairs.items():
        shape = (pair.up.shape[0], pair.down.shape[1])
        if name not in own or tuple(own[name].shape) != shape:
            have = "lacks it" if name not in own else f"has {' x '.join(map(str, own[name].shape))} there"
            message = f"The adapter {source} was trained on another base: it changes {name} of {shape[0]} x {shape[1]}"
            raise CheckpointError(f"{message}, and this model {have}.", "Give the base that it was trained on.")
    _check_affect(affect, adapter.affect, source)
    with torch.no_grad():
        for name, pair in adapter.pairs.items():
            weight = own[name]
            weight.copy_((weight.float() + pair.delta().to(weight.device)).to(weight.dtype))
        if adapter.affect:
            affect.load_state_dict(adapter.affect)


def _check_affect(affect: nn.Module, given: Mapping[str, Tensor], source: Path) -> None:
    """CheckpointError where the affect conditioner's weights do not fit."""
    wanted = cast(dict[str, Tensor], affect.state_dict())
    if given and {name: value.shape for name, value in given.items()} != {name: v.shape for name, v in wanted.items()}:
        message = f"The affect conditioner of {source} is of another shape than this model's."
        raise CheckpointError(message, "Give the base that it was trained on.")
