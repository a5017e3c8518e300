"""MusER checkpoints: a model and its prior in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from affectgen.errors import CheckpointError
from affectgen.muser.compose import Composer, Writer
from affectgen.muser.config import MuserConfig
from affectgen.muser.model import Muser
from affectgen.muser.prior import Prior
from affectgen.nn.checkpoint import load_checkpoint, save_checkpoint
from affectgen.score.words import SIZES

DEFAULT = "muser"
KIND = "muser"
PAPER_KIND = "muser-paper"


def save_composer(folder: Path, model: Muser, prior: Prior, about: Mapping[str, Any], card: str) -> None:
    """Write model and prior as fp16 with their config; `about` joins config.json (training, metrics, licence)."""
    state: dict[str, Tensor] = {f"model.{name}": value for name, value in model.state_dict().items()}
    state |= {f"prior.{name}": value for name, value in prior.state_dict().items()}
    state = {name: value.cpu().contiguous() for name, value in state.items() if not name.endswith(".sums")}
    config = {"kind": KIND, "model": model.config.to_dict(), "tokens": SIZES, **about}
    save_checkpoint(folder, state, config, card)


def load_writer(name: str | None = None, device: str = "cpu") -> Writer:
    """A checkpoint of either structure, ours or the paper's, for composing alone. CheckpointError if it is unfit."""
    found = load_checkpoint(name if name is not None else DEFAULT)
    if found.config.get("kind") == PAPER_KIND:
        from affectgen.muser.paper.checkpoint import load_paper

        return load_paper(found, device)
    return load_composer(name, device)


def load_composer(name: str | None = None, device: str = "cpu") -> Composer:
    """The checkpoint of that name or path (the shipped one for None), on a device. CheckpointError if it is unfit."""
    found = load_checkpoint(name if name is not None else DEFAULT)
    if found.config.get("kind") != KIND or found.config.get("tokens") != SIZES:
        kind = found.config.get("kind")
        raise CheckpointError(
            f"{found.name} is a checkpoint of kind {kind!r}; one of MusER with this version's words was expected.",
            "Give another with --checkpoint; `affectgen models list` shows what there is.",
        )
    weights = found.weights()
    try:
        config = MuserConfig.from_dict(found.config["model"])
        spread = tuple(float(value) for value in found.config["attribute_spread"])
        model, prior = Muser(config), Prior(config)
        _fill(model, weights, "model.")
        _fill(prior, weights, "prior.")
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{found.name} does not fit its own config: {' '.join(str(error).split())[:200]}.",
            "Install affectgen again, or train it again.",
        ) from error
    place = torch.device(device)
    return Composer(model.to(place).eval(), prior.to(place).eval(), config, found.name, found.sha256, spread)


def _fill(module: torch.nn.Module, weights: Mapping[str, Tensor], prefix: str) -> None:
    """Load the weights under a prefix; the books' running sums are not shipped."""
    own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    missing, unexpected = module.load_state_dict(own, strict=False)
    missing = [name for name in missing if not name.endswith(".sums")]
    if missing or unexpected:
        raise RuntimeError(f"missing {missing[:3]}, unexpected {unexpected[:3]}")
