"""One checkpoint that is two things: a model of this project's, and, unpacked, folders as others publish them.

The checkpoint (`affectgen/nn/checkpoint.py`) holds all weights in one safetensors file in fp16, and in its config.json
the small JSON files of the published folders, so that unpacking needs neither transformers nor peft, and gives the same
bytes on every machine.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from affectgen.errors import CheckpointError
from affectgen.medicine.musicgen.small.data import RATE
from affectgen.nn.checkpoint import load_checkpoint, save_checkpoint

NAME = "musicgen-tiny"
KIND = "musicgen-small-folders"
BASE, ADAPTER = "base", "adapter"
WEIGHTS = {BASE: "model.safetensors", ADAPTER: "adapter_model.safetensors"}
NEEDED = {BASE: ("config.json", "tokenizer.json"), ADAPTER: ("adapter_config.json",)}
OWN_ABOUT = "a toy-sized MusicGen for the proof in docs/musicgen_tiny.md"
LICENCE = "CC-BY-NC-SA-4.0"
README = f"---\nlicense: {LICENCE.lower()}\n---\n\nA toy-sized MusicGen, trained on piano music of EMOPIA.\n"


@dataclass(frozen=True)
class Unpacked:
    """Published folders. base: of the model; adapter: of the LoRA adapter, None where there is none."""

    base: Path
    adapter: Path | None


def publish(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a model as published ones are: config, weights, tokenizer, generation, preprocessor. The weights are as
    fp16 holds them, stored as float32, so that a folder unpacked from a checkpoint is the same."""
    from transformers import EncodecFeatureExtractor

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as part:
        model.config.save_pretrained(part)
        model.generation_config.save_pretrained(part)
        tokenizer.save_pretrained(part)
        EncodecFeatureExtractor(feature_size=1, sampling_rate=RATE, padding_side="left").save_pretrained(part)
        files = small_files(Path(part))
    files["config.json"] |= {"architectures": ["MusicgenForConditionalGeneration"], "dtype": "float32"}
    write_folder(folder, BASE, files, {name: value.half() for name, value in model.state_dict().items()})


def small_files(folder: Path) -> dict[str, Any]:
    """The JSON files of a published folder by name."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def write_folder(folder: Path, kind: str, files: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """A published folder of small files and weights, which are stored as float32. The weights come last."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    for name, held in files.items():
        (folder / name).write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if kind == BASE:
        (folder / "README.md").write_text(README, encoding="utf-8")
    wide = {name: _wide(weights[name]).contiguous().clone() for name in sorted(weights)}
    part = folder / f".{WEIGHTS[kind]}.part"
    save_file(wide, part, metadata={"format": "pt"})
    part.replace(folder / WEIGHTS[kind])


def _wide(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def pack(base: Path, adapter: Path | None, out: Path, about: Mapping[str, Any], card: str) -> None:
    """Write the checkpoint `out` from published folders. about: what its config says besides (training, figures).
    CheckpointError where a folder lacks a file."""
    from safetensors.torch import load_file

    files: dict[str, Any] = {}
    weights: dict[str, Tensor] = {}
    for kind, folder in ((BASE, base), (ADAPTER, adapter)):
        if folder is None:
            continue
        missing = [name for name in (*NEEDED[kind], WEIGHTS[kind]) if not (folder / name).is_file()]
        if missing:
            raise CheckpointError(f"{folder} has no {', '.join(missing)}.", f"Give the {kind}'s published folder.")
        files[kind] = small_files(folder)
        weights |= {f"{kind}.{name}": value for name, value in load_file(folder / WEIGHTS[kind]).items()}
    config = {"kind": KIND, "about": OWN_ABOUT, "licence": LICENCE, "files": files, **about}
    save_checkpoint(out, weights, config, card)


def unpack(name: str | Path = NAME, home: Path | None = None) -> Unpacked:
    """The published folders of a checkpoint, `home`/base and `home`/adapter, written anew where they are not there.

    home: a folder; None makes a temporary one, which stays. The base is loaded by
    `MusicgenForConditionalGeneration.from_pretrained(found.base)` and `AutoTokenizer.from_pretrained(found.base)`, the
    adapter by peft. CheckpointError where the checkpoint is missing, damaged or another.
    """
    held = load_checkpoint(name)
    files = held.config.get("files")
    if held.config.get("kind") != KIND or not isinstance(files, dict) or BASE not in files:
        raise CheckpointError(f"{name} holds no MusicGen in published folders.", f"Name {NAME}.")
    at = home if home is not None else Path(tempfile.mkdtemp(prefix="affectgen-"))
    weights = held.weights()
    for kind, small in files.items():
        mine = {full.removeprefix(f"{kind}."): value for full, value in weights.items() if full.startswith(f"{kind}.")}
        write_folder(at / kind, kind, small, mine)
    return Unpacked(at / BASE, at / ADAPTER if ADAPTER in files else None)


def sizes(folder: Path) -> dict[str, int]:
    """Parameters of a published base, in all and of each part."""
    from safetensors import safe_open

    found: dict[str, int] = {}
    with safe_open(folder / WEIGHTS[BASE], "pt") as held:
        for name in held.keys():  # noqa: SIM118 - this is no dictionary
            part = name.partition(".")[0]
            found[part] = found.get(part, 0) + int(torch.tensor(held.get_slice(name).get_shape()).prod())
    return found
