"""audiocraft's published files: a dictionary with `best_state` and `xp.cfg`, the configuration as YAML text.

Read without audiocraft: PyTorch loads the tensors (weights_only, so that no pickled code runs), PyYAML the text, in
which values may point at others, `${a.b}` (OmegaConf's interpolation).
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from affectgen.errors import CheckpointError

POINTER = re.compile(r"\$\{([\w.]+)\}")
DEPTH = 8  # of pointers that point at pointers
AGAIN = "Download it again."


class Config:
    """Values by dotted path."""

    def __init__(self, values: Mapping[str, Any], source: Path) -> None:
        self.values = values
        self.source = source

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a path, `default` where there is none or null."""
        value = self._at(path)
        for _ in range(DEPTH):
            pointer = POINTER.fullmatch(value) if isinstance(value, str) else None
            if pointer is None:
                break
            value = self._at(pointer[1])
        return default if value is None else value

    def number(self, path: str) -> int:
        """A whole number. CheckpointError where there is none."""
        value = self.get(path)
        if isinstance(value, bool) or not isinstance(value, int):
            raise CheckpointError(f"{self.source} says {value!r} for {path}; a whole number was expected.", AGAIN)
        return value

    def expect(self, wanted: Mapping[str, Any]) -> None:
        """CheckpointError where a value is another; one that is not there counts as expected."""
        for path, value in wanted.items():
            got = self.get(path, value)
            if got != value:
                message = f"{self.source} says {got!r} for {path}; MusicGen has {value!r}."
                raise CheckpointError(message, "Give musicgen-small, -medium or -large, or a model of their kind.")

    def _at(self, path: str) -> Any:
        value: Any = self.values
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


def read_package(path: Path) -> dict[str, Any]:
    """The dictionary of a published file, tensors on the CPU. CheckpointError where it is none."""
    try:
        package = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} is damaged, or no file that audiocraft exports.", AGAIN) from error
    if not isinstance(package, dict):
        kind = type(package).__name__
        raise CheckpointError(f"{path} holds a {kind}; a dictionary was expected.", AGAIN)
    return package


def read_export(path: Path) -> tuple[dict[str, Tensor], Config]:
    """Weights (often in half precision) and configuration of a published file. CheckpointError where it lacks one."""
    return opened(read_package(path), path)


def opened(package: Mapping[str, Any], path: Path) -> tuple[dict[str, Tensor], Config]:
    """The same of a file that was read."""
    missing = [key for key in ("best_state", "xp.cfg") if key not in package]
    if missing:
        raise CheckpointError(f"{path} lacks {' and '.join(missing)}.", "Give a file that audiocraft exported.")
    yaml = import_module("yaml")
    try:
        values = yaml.safe_load(package["xp.cfg"])
    except yaml.YAMLError as error:
        raise CheckpointError(f"The configuration in {path} cannot be read: {error}", AGAIN) from error
    if not isinstance(values, dict):
        raise CheckpointError(f"The configuration in {path} is no table.", AGAIN)
    weights = {name.replace(".mha.", "."): value for name, value in package["best_state"].items()}
    return weights, Config(values, path)
