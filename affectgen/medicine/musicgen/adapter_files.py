"""Adapters on disk: peft's folders of plain LoRA (Hu et al., 2022), with the affect conditioner beside it.

Scales (alpha / r, with patterns, or alpha / sqrt(r)) are multiplied into B when an adapter is read, so that all that is
written has alpha = r.
"""

from __future__ import annotations

import json
import math
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from affectgen.errors import CheckpointError
from affectgen.output import explain

CONFIG, WEIGHTS, NOTE = "adapter_config.json", "adapter_model.safetensors", "affectgen.json"
PREFIX = "base_model.model."
AFFECT = "affect_sum"
ATTENTION = r"(transformer\.layers\.\d+\.(?:self_attn|cross_attention))"  # of audiocraft
UNSUPPORTED = ("use_dora", "lora_bias", "use_qalora", "use_bdlora", "fan_in_fan_out", "layer_replication")
TRAINED = "Give a folder that `affectgen medicine train` or peft's save_pretrained wrote."
Kind = Literal["transformers", "audiocraft"]


@dataclass(frozen=True)
class Pair:
    """What is added to a matrix [O, I]: up [O, R] times down [R, I]."""

    down: Tensor
    up: Tensor

    @property
    def rank(self) -> int:
        return self.down.shape[0]

    def delta(self) -> Tensor:
        """[O, I], float32."""
        return self.up.float() @ self.down.float()


@dataclass(frozen=True)
class Adapter:
    """kind: whose names it has; pairs: by the name of the weight they are added to; affect: the weights of AffectSum,
    empty where it has none; config: adapter_config.json; note: affectgen.json, empty where there is none."""

    kind: Kind
    pairs: dict[str, Pair]
    affect: dict[str, Tensor]
    config: dict[str, Any]
    note: dict[str, Any]


def read_adapter(folder: Path) -> Adapter:
    """The adapter in a folder. CheckpointError where it is none, or of a kind that cannot be turned."""
    if not (folder / CONFIG).is_file():
        raise CheckpointError(f"{folder} holds no adapter: {CONFIG} is missing.", TRAINED)
    config = _json(folder / CONFIG)
    _check_config(config, folder)
    weights = _weights(folder)
    affect = {
        name.removeprefix(f"{AFFECT}."): weights.pop(name) for name in [*weights] if name.startswith(f"{AFFECT}.")
    }
    halves: dict[str, dict[str, Tensor]] = {}
    for name, value in weights.items():
        match = re.fullmatch(r"(.+)\.lora_(A|B)\.weight", name)
        if match is None:
            raise CheckpointError(f"The adapter {folder} holds {name}, which is neither LoRA nor {AFFECT}.", TRAINED)
        halves.setdefault(_target(match[1]), {})[match[2]] = value
    torn = [
        name for name, half in halves.items() if set(half) != {"A", "B"} or half["A"].shape[0] != half["B"].shape[1]
    ]
    if torn or not halves:
        what = f"has no whole pair for {torn[0]}" if torn else "adapts nothing"
        raise CheckpointError(f"The adapter {folder} {what}.", TRAINED)
    pairs = {
        name: Pair(half["A"], half["B"] * _scale(config, name, half["A"].shape[0])) for name, half in halves.items()
    }
    kind: Kind = "audiocraft" if any(name.startswith("transformer.layers.") for name in pairs) else "transformers"
    note = _json(folder / NOTE) if (folder / NOTE).is_file() else {}
    return Adapter(kind, pairs, affect, config, note)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", TRAINED) from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds a {type(value).__name__}; an object was expected.", TRAINED)
    return value


def _check_config(config: Mapping[str, Any], folder: Path) -> None:
    """CheckpointError for anything but plain LoRA."""
    if config.get("peft_type") != "LORA":
        raise CheckpointError(f"The adapter {folder} is {config.get('peft_type')!r}; LORA was expected.", TRAINED)
    for name in UNSUPPORTED:
        if config.get(name):
            raise CheckpointError(f"The adapter {folder} has {name}, which is not supported.", "Train a plain LoRA.")
    if config.get("bias", "none") != "none":
        raise CheckpointError(f"The adapter {folder} trains biases; MusicGen has none.", "Train with bias='none'.")


def _weights(folder: Path) -> dict[str, Tensor]:
    """The tensors by the names that the base model knows them by."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / WEIGHTS
    if not path.is_file():
        pickled = " (adapter_model.bin is a pickle and is not read)" if (folder / "adapter_model.bin").is_file() else ""
        raise CheckpointError(f"The adapter {folder} lacks {WEIGHTS}{pickled}.", TRAINED)
    try:
        stored = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged: {error}", TRAINED) from error
    return {name.removeprefix(PREFIX).replace(".base_layer.", "."): value.float() for name, value in stored.items()}


def _target(module: str) -> str:
    """The name of the weight that a LoRA on a module is added to."""
    return f"{module}.in_proj_weight" if re.fullmatch(ATTENTION, module) else f"{module}.weight"


def _scale(config: Mapping[str, Any], name: str, rank: int) -> float:
    """alpha / r of a weight, as peft finds it."""
    key = name.removesuffix(".weight")
    alpha = config.get("lora_alpha", 8)
    for pattern, value in (config.get("alpha_pattern") or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", key):
            alpha = value
            break
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def write_adapter(adapter: Adapter, out: Path) -> None:
    """Write an adapter in peft's format; AffectSum has to be a submodule `affect_sum` of the model it is loaded on."""
    from safetensors.torch import save_file

    if out.exists():
        raise CheckpointError(f"{out} exists already.", "Give another name.")
    weights = {f"{PREFIX}{AFFECT}.{name}": value.contiguous() for name, value in adapter.affect.items()}
    nested = {name.rpartition(".")[0] for name in adapter.pairs if name.endswith(".in_proj_weight")}
    for name, pair in adapter.pairs.items():
        module = name.rpartition(".")[0]
        owner, _, last = module.rpartition(".")
        if owner in nested:  # peft wraps an attention whose parameter it adapts, and then what is in it
            module = f"{owner}.base_layer.{last}"
        weights[f"{PREFIX}{module}.lora_A.weight"] = pair.down.clone().contiguous()
        weights[f"{PREFIX}{module}.lora_B.weight"] = pair.up.clone().contiguous()
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir(parents=True)
        save_file(weights, part / WEIGHTS, metadata={"format": "pt"})
        (part / CONFIG).write_text(json.dumps(_config(adapter), indent=2, sort_keys=True) + "\n", encoding="utf-8")
        if adapter.note:
            (part / NOTE).write_text(json.dumps(adapter.note, indent=2) + "\n", encoding="utf-8")
        part.rename(out)
    except OSError as error:
        raise explain(error, out) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _config(adapter: Adapter) -> dict[str, Any]:
    """adapter_config.json of what is written."""
    parameters = sorted(name for name in adapter.pairs if name.endswith(".in_proj_weight"))
    modules = sorted(name.removesuffix(".weight") for name in adapter.pairs if name.endswith(".weight"))
    ranks = {name.removesuffix(".weight"): pair.rank for name, pair in adapter.pairs.items()}
    usual = _usual(ranks[name] for name in parameters or modules)
    patterns = {re.escape(name): rank for name, rank in sorted(ranks.items()) if rank != usual}
    config = {key: value for key, value in adapter.config.items() if key != "target_parameters"}
    config |= {
        "r": usual, "lora_alpha": usual, "rank_pattern": patterns, "alpha_pattern": dict(patterns),
        "target_modules": modules, "use_rslora": False, "lora_dropout": 0.0, "auto_mapping": None,
        "layers_to_transform": None, "layers_pattern": None, "exclude_modules": None, "init_lora_weights": True,
        "modules_to_save": [AFFECT] if adapter.affect else None,
    }  # fmt: skip
    return config | ({"target_parameters": parameters} if parameters else {})


def _usual(ranks: Iterable[int]) -> int:
    return Counter(ranks).most_common(1)[0][0]
