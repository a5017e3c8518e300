"""Small recogniser checkpoints: a folder of `weights.npz` (no pickles), `config.json` and `card.md`.

Looked for in $AFFECTGEN_CHECKPOINTS, then in the checkout's `checkpoints/`, then in the installed package.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import affectgen
from affectgen.errors import CheckpointError
from affectgen.recognize.features import feature_names

ENVIRONMENT = "AFFECTGEN_CHECKPOINTS"
FORMAT = 1
Arrays = dict[str, NDArray[Any]]


def find(name: str | Path) -> Path:
    """The folder of the checkpoint `name`, which may also be a path. CheckpointError if there is none."""
    package = Path(affectgen.__file__).parent
    given = os.environ.get(ENVIRONMENT, "")
    roots = ([Path(given)] if given else []) + [package.parent / "checkpoints", package / "checkpoints"]
    for folder in (Path(name), *(root / name for root in roots)):
        if (folder / "config.json").is_file():
            return folder
    places = ", ".join(str(root) for root in roots)
    raise CheckpointError(f"There is no checkpoint {str(name)!r} in {places}.", f"Set {ENVIRONMENT} to its folder.")


def save(folder: Path, arrays: Mapping[str, NDArray[Any]], config: Mapping[str, Any], card: str) -> None:
    """Write a checkpoint folder; the feature names and the format are added to its config."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "weights.npz", **arrays)  # type: ignore[arg-type]
    full = {"format": FORMAT, **config, "features": list(feature_names())}
    (folder / "config.json").write_text(json.dumps(full, indent=1) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(card, encoding="utf-8")


def load(name: str | Path, kind: str) -> tuple[Arrays, dict[str, Any]]:
    """(arrays, config) of the checkpoint `name` if it is of this `kind` and reads the statistics of this version."""
    folder = find(name)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with np.load(folder / "weights.npz", allow_pickle=False) as stored:
            arrays = {key: _wide(stored[key]) for key in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"The checkpoint {folder} cannot be read: {error}.", "Restore its files.") from error
    if config.get("kind") != kind:
        raise CheckpointError(f"The checkpoint {folder} is a {config.get('kind')!r}, not a {kind!r}.", "Name another.")
    if config.get("features") != list(feature_names()):
        raise CheckpointError(
            f"The checkpoint {folder} reads other note statistics than this version computes.",
            "Fit it again with `python -m affectgen.recognize.fit`.",
        )
    return arrays, config


def _wide(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.float64) if values.dtype == np.float32 else values
