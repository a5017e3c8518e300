"""Checkpoints of the `paper` configuration: VQ-VAE and prior in one folder, kind "muser-paper"."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from affectgen.errors import CheckpointError
from affectgen.muser.paper.compose import PaperComposer
from affectgen.muser.paper.config import PaperConfig
from affectgen.muser.paper.model import PaperModel
from affectgen.muser.paper.prior import PaperPrior
from affectgen.nn.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from affectgen.score.words import SIZES

KIND = "muser-paper"
PARTS = ("model", "prior")
SUMS = ".sums"  # the book's running sums matter in training only


def save_paper(folder: Path, model: PaperModel, prior: PaperPrior, about: Mapping[str, Any], card: str) -> None:
    """Write both as fp16 with their config; `about` joins config.json and must hold attribute_spread."""
    state: dict[str, Tensor] = {}
    for part, module in zip(PARTS, (model, prior), strict=True):
        state |= {f"{part}.{name}": value.cpu().contiguous() for name, value in module.state_dict().items()}
    state = {name: value for name, value in state.items() if not name.endswith(SUMS)}
    config = {"kind": KIND, "model": model.config.to_dict(), "tokens": SIZES, **about}
    save_checkpoint(folder, state, config, card)


def load_paper(checkpoint: Checkpoint | str, device: str = "cpu") -> PaperComposer:
    """A checkpoint, or the one of that name or path, ready to compose. CheckpointError if it is another or unfit."""
    found = load_checkpoint(checkpoint) if isinstance(checkpoint, str) else checkpoint
    if found.config.get("kind") != KIND or found.config.get("tokens") != SIZES:
        raise CheckpointError(
            f"{found.name} is a checkpoint of kind {found.config.get('kind')!r}; {KIND!r} with this version's words "
            "was expected.",
            "Give another with --checkpoint; `affectgen models list` shows what there is.",
        )
    weights = found.weights()
    try:
        config = PaperConfig.from_dict(found.config["model"])
        model, prior = PaperModel(config), PaperPrior(config)
        _fill(model, weights, "model.")
        _fill(prior, weights, "prior.")
        spread = tuple(float(value) for value in found.config["attribute_spread"])
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{found.name} does not fit its own config: {str(error).splitlines()[0]}", "Install the package again."
        ) from error
    place = torch.device(device)
    return PaperComposer(model.to(place).eval(), prior.to(place).eval(), config, found.name, found.sha256, spread)


def _fill(module: nn.Module, weights: Mapping[str, Tensor], prefix: str) -> None:
    """Load the weights under a prefix; RuntimeError where some are missing or unknown."""
    own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    missing, unexpected = module.load_state_dict(own, strict=False)
    missing = [name for name in missing if not name.endswith(SUMS)]
    if missing or unexpected:
        raise RuntimeError(f"missing {missing[:3]}, unexpected {unexpected[:3]}")
