"""The speech recognisers' checkpoints: nested arrays under dotted names, tied to the statistics that they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.labels import LABELS_VERSION
from affectgen.errors import CheckpointError
from affectgen.nn.checkpoint import load_checkpoint, save_arrays
from affectgen.recognize.interval import Intervals
from affectgen.recognize.speech_corpus import SPLIT_VERSION
from affectgen.recognize.speech_expert import Expert, Kernel, Linear, Scale
from affectgen.recognize.speech_features import FEATURES_VERSION, feature_names
from affectgen.recognize.speech_fisher import Mixture
from affectgen.recognize.speech_model import WORN, Anchor, Reader, SpeechModel
from affectgen.recognize.speech_softmax import Softmax

Arrays = dict[str, NDArray[Any]]
Flat = TypeVar("Flat")
KIND = "speech"
HALF = ("support",)  # what is stored in fp16: it was rounded before the fit


def save(folder: Path, model: SpeechModel, config: Mapping[str, Any], card: str) -> None:
    """Write a checkpoint folder."""
    arrays = _packed(model.gate_scale, "gate_scale") | _packed(model.gate, "gate")
    for reader in model.readers:
        arrays |= _packed(reader, reader.name)
    full = {"kind": KIND, "features": list(feature_names()), "features_version": FEATURES_VERSION}
    full |= {"labels_version": LABELS_VERSION, "split_version": SPLIT_VERSION}
    full |= {"corpora": [reader.name for reader in model.readers]}
    save_arrays(folder, arrays, {**config, **full}, card)


def load(name: str | Path) -> tuple[SpeechModel, dict[str, Any]]:
    """(model, config). CheckpointError where it is missing, damaged, of another kind or reads other statistics."""
    found = load_checkpoint(name)
    config = found.config
    if config.get("kind") != KIND:
        raise CheckpointError(f"{name} is a {config.get('kind')!r}; a recogniser of speech was expected.", "Name one.")
    if config.get("features") != list(feature_names()) or config.get("features_version") != FEATURES_VERSION:
        raise CheckpointError(
            f"{name} reads other statistics of speech than this version computes.",
            "Fit it again: python -m affectgen.recognize.speech_fit",
        )
    arrays = {key: value.astype(np.float64) for key, value in found.arrays().items()}
    try:
        readers = tuple(_reader(arrays, name) for name in config["corpora"])
        return SpeechModel(readers, _flat(Scale, arrays, "gate_scale"), _flat(Softmax, arrays, "gate")), config
    except KeyError as error:
        raise CheckpointError(f"{name} is incomplete: it has no {error}.", "Install affectgen again.") from error


def _packed(item: Any, prefix: str) -> Arrays:
    """The arrays of a dataclass and those inside it, by dotted name, floats in single precision."""
    found: Arrays = {}
    for field in fields(item):
        value = getattr(item, field.name)
        if is_dataclass(value):
            found |= _packed(value, f"{prefix}.{field.name}")
        elif isinstance(value, np.ndarray):
            found[f"{prefix}.{field.name}"] = value.astype(np.float16 if field.name in HALF else np.float32)
    return found


def _flat(kind: type[Flat], arrays: Arrays, prefix: str) -> Flat:
    """A dataclass that holds nothing but arrays."""
    return kind(*(arrays[f"{prefix}.{field.name}"] for field in fields(kind)))  # type: ignore[arg-type]


def _reader(arrays: Arrays, name: str) -> Reader:
    """The reader of one name."""
    home, scorer, corpus = f"{name}.expert", f"{name}.expert.scorer", name.removesuffix(WORN)
    scale = _flat(Scale, arrays, f"{scorer}.scale")
    made: Linear | Kernel
    if f"{scorer}.support" in arrays:
        rest = (arrays[f"{scorer}.{part}"] for part in ("support", "dual", "width", "start"))
        made = Kernel(scale, *rest)
    else:
        voice, fisher = _flat(Softmax, arrays, f"{scorer}.voice"), _flat(Softmax, arrays, f"{scorer}.fisher")
        mixture = _flat(Mixture, arrays, f"{scorer}.mixture")
        made = Linear(scale, voice, mixture, _flat(Scale, arrays, f"{scorer}.fisher_scale"), fisher)
    beside = _flat(Softmax, arrays, f"{home}.beside")
    share = arrays[f"{home}.beside_share"]
    expert = Expert(corpus, made, _flat(Scale, arrays, f"{home}.beside_scale"), beside, share)
    anchor, intervals = _flat(Anchor, arrays, f"{name}.anchor"), _flat(Intervals, arrays, f"{name}.intervals")
    return Reader(expert, arrays[f"{name}.usual"], anchor, intervals, name != corpus)
