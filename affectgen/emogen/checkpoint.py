"""EmoGen's three checkpoints: the generator with its scale, which no label has touched, the map from emotions, and the
critic of the generator's pieces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.emogen.compose import Composer
from affectgen.emogen.config import EmogenConfig
from affectgen.emogen.mapping import EmotionMap
from affectgen.emogen.model import Emogen
from affectgen.emogen.parts import PART_BARS, Parts
from affectgen.emogen.scale import POINTS, Scale
from affectgen.emogen.vector import NAMES
from affectgen.errors import CheckpointError
from affectgen.nn.checkpoint import CONFIG, Checkpoint, load_checkpoint, save_arrays, save_checkpoint
from affectgen.recognize.critic import Critic
from affectgen.score.words import SIZES

DEFAULT = "emogen"
DEFAULT_MAP = "emogen-map"
DEFAULT_CRITIC = "emogen-critic"
KIND = "emogen"
MAP_KIND = "emogen-map"
CRITIC_KIND = "emogen-critic"
DRIFT, SLOPE = "parts.drift", "parts.slope"
BITS = "scale.bits"  # float32 as int32: fp16 would blur shares that many pieces have in common


def save_emogen(
    folder: Path, model: Emogen, scale: Scale, about: Mapping[str, Any], card: str, parts: Parts | None = None
) -> None:  # fmt: skip
    """Write model (fp16), scale and parts with their config; `about` joins config.json (training, metrics, licence)."""
    state: dict[str, Tensor] = {f"model.{name}": value.cpu() for name, value in model.state_dict().items()}
    state[BITS] = torch.from_numpy(scale.quantiles.astype(np.float32)).view(torch.int32)
    if parts is not None:
        state |= {DRIFT: torch.from_numpy(parts.drift), SLOPE: torch.from_numpy(parts.slope)}
    config = {"kind": KIND, "model": model.config.to_dict(), "tokens": SIZES, "attributes": list(NAMES), **about}
    save_checkpoint(folder, state, config, card)


def load_emogen(name: str | None = None, device: str = "cpu") -> Composer:
    """The generator of that name or path (the shipped one for None). CheckpointError if it is unfit."""
    found = load_checkpoint(name if name is not None else DEFAULT)
    _check(found, KIND, {"tokens": SIZES, "attributes": list(NAMES)})
    weights = found.weights()
    try:
        model = Emogen(EmogenConfig.from_dict(found.config["model"]))
        scale = Scale(weights.pop(BITS).view(torch.float32).double().numpy())
        if scale.quantiles.shape != (len(NAMES), POINTS):
            raise ValueError(f"its scale has the shape {scale.quantiles.shape}")
        parts = Parts(*(weights.pop(name).double().numpy() for name in (DRIFT, SLOPE))) if DRIFT in weights else None
        if parts is not None and {parts.drift.shape, parts.slope.shape} != {(len(PART_BARS), len(NAMES))}:
            raise ValueError(f"its parts have the shapes {parts.drift.shape} and {parts.slope.shape}")
        model.load_state_dict({name.removeprefix("model."): value for name, value in weights.items()})
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{found.name} does not fit its own config: {' '.join(str(error).split())[:200]}.",
            "Install affectgen again, or train it again.",
        ) from error
    return Composer(model.to(device).eval(), scale, found.name, found.sha256, parts)


def save_map(folder: Path, emotions: EmotionMap, about: Mapping[str, Any], card: str) -> None:
    """Write the map as arrays; `about` joins config.json."""
    arrays: dict[str, NDArray[Any]] = {
        "values": emotions.values.astype(np.float32), "points": emotions.points.astype(np.float32),
        "quadrant": emotions.quadrant.astype(np.int8), "clips": np.array(emotions.clips),
    }  # fmt: skip
    save_arrays(folder, arrays, {"kind": MAP_KIND, "attributes": list(NAMES), **about}, card)


def load_map(name: str | None = None) -> EmotionMap:
    """The map of that name or path (the shipped one for None). CheckpointError if it is unfit."""
    found = load_checkpoint(name if name is not None else DEFAULT_MAP)
    _check(found, MAP_KIND, {"attributes": list(NAMES)})
    arrays = found.arrays()
    try:
        return EmotionMap(
            arrays["values"].astype(np.float64), arrays["points"].astype(np.float64),
            arrays["quadrant"].astype(np.int64), tuple(arrays["clips"].tolist()),
            found.name, found.sha256,
        )  # fmt: skip
    except KeyError as error:
        raise CheckpointError(
            f"{found.name} lacks its {error}.", "Install affectgen again, or train it again."
        ) from error


def map_of(checkpoint: str | None) -> EmotionMap:
    """The map that was made beside a generator (its name with `-map`), or the shipped one where there is none."""
    return load_map(_beside(checkpoint, "-map"))


def save_critic(folder: Path, critic: Critic, about: Mapping[str, Any], card: str) -> None:
    """Write a critic of attributes in standard deviations; `about` joins config.json."""
    config = {"kind": CRITIC_KIND, "attributes": list(NAMES), "bias": critic.bias, "level": critic.level}
    save_arrays(folder, critic.arrays, {**config, **about}, card)


def load_critic(name: str | None = None) -> Critic:
    """The critic of that name or path (the shipped one for None). CheckpointError if it is unfit."""
    found = load_checkpoint(name if name is not None else DEFAULT_CRITIC)
    _check(found, CRITIC_KIND, {"attributes": list(NAMES)})
    try:
        return Critic.of(found.arrays(), found.config, found.name, found.sha256)
    except KeyError as error:
        raise CheckpointError(
            f"{found.name} lacks its {error}.", "Install affectgen again, or fit it again."
        ) from error


def critic_of(checkpoint: str | None) -> Critic | None:
    """The critic of a generator's pieces (its name with `-critic`; the shipped one's for None), None where it has
    none: what another generator does too often tells nothing."""
    if checkpoint is None:
        return load_critic()
    beside = _beside(checkpoint, "-critic")
    return load_critic(beside) if beside is not None else None


def _beside(checkpoint: str | None, suffix: str) -> str | None:
    """The folder that belongs to a generator's, if it is there."""
    if checkpoint is None:
        return None
    folder = load_checkpoint(checkpoint).folder
    beside = folder.with_name(f"{folder.name}{suffix}")
    return str(beside) if (beside / CONFIG).is_file() else None


def _check(found: Checkpoint, kind: str, same: Mapping[str, Any]) -> None:
    """CheckpointError unless a checkpoint is of a kind, and of this version's words and attributes."""
    if found.config.get("kind") != kind or any(found.config.get(key) != value for key, value in same.items()):
        raise CheckpointError(
            f"{found.name} is a checkpoint of kind {found.config.get('kind')!r}; {kind!r} with this version's words "
            "and attributes was expected.",
            "Give another with --checkpoint; `affectgen models list` shows what there is.",
        )
