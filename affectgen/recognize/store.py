"""The recognisers' checkpoints: `affectgen.nn.checkpoint`'s npz folders, tied to the note statistics they read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.labels import LABELS_VERSION
from affectgen.errors import CheckpointError
from affectgen.nn.checkpoint import load_checkpoint, save_arrays
from affectgen.recognize.features import feature_names

Arrays = dict[str, NDArray[Any]]


def save(folder: Path, arrays: Mapping[str, NDArray[Any]], config: Mapping[str, Any], card: str) -> None:
    """Write a checkpoint folder; the statistics' names and the labels' version are added to its config."""
    full = {**config, "features": list(feature_names()), "labels_version": LABELS_VERSION}
    save_arrays(folder, arrays, full, card)


def load(name: str | Path, kind: str) -> tuple[Arrays, dict[str, Any]]:
    """(arrays, config) of the checkpoint `name` if it is of this `kind` and reads the statistics of this version.

    Single precision is widened to double. CheckpointError if it is missing, damaged or of another kind.
    """
    found = load_checkpoint(name)
    if found.config.get("kind") != kind:
        is_a = found.config.get("kind")
        raise CheckpointError(f"{name} is a {is_a!r}, and a {kind!r} was expected.", "Name another.")
    if found.config.get("features") != list(feature_names()):
        raise CheckpointError(
            f"{name} reads other note statistics than this version computes.",
            "Fit it again: python -m affectgen.recognize.fit",
        )
    arrays = found.arrays()
    return {n: a.astype(np.float64) if a.dtype == np.float32 else a for n, a in arrays.items()}, found.config
