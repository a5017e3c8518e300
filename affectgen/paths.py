"""Where the project's own files lie: an environment override, then the checkout, then the packaged copy
(pyproject.toml's force-include puts checkpoints/ and presets/ inside the package).

Editable installs hide packaged copies of data folders from importlib.resources, hence the three places.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKPOINTS_VARIABLE = "AFFECTGEN_CHECKPOINTS"
PRESETS_VARIABLE = "AFFECTGEN_PRESETS"


def checkpoint_roots() -> list[Path]:
    """The folders that hold checkpoints, the first one that knows a name wins; only those that exist."""
    return _roots("checkpoints", CHECKPOINTS_VARIABLE)


def preset_roots() -> list[Path]:
    """The folders that hold presets, the first one that knows a name wins; only those that exist."""
    return _roots("presets", PRESETS_VARIABLE)


def checkout() -> Path | None:
    """The repository's top folder when the package runs from a checkout, else None."""
    top = PACKAGE.parent
    return top if (top / "pyproject.toml").is_file() else None


def _roots(folder: str, variable: str) -> list[Path]:
    """$variable (several folders, separated as in PATH), checkout/folder, packaged folder."""
    named = [Path(part).expanduser() for part in os.environ.get(variable, "").split(os.pathsep) if part]
    top = checkout()
    candidates = [*named, *([top / folder] if top is not None else []), PACKAGE / folder]
    return [path for path in candidates if path.is_dir()]
