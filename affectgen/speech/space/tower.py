"""A small network that puts rows of numbers on the unit sphere, evaluated in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FAR = 4.0  # standard deviations: what lies farther out is taken to lie here


@dataclass(frozen=True)
class Tower:
    """middle, spread: float64 [F], of the rows it was fitted on; layers: weights [in, out] and offsets [out] in turn,
    with a ramp (ReLU) after each but the last.
    """

    middle: Floats
    spread: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    def __call__(self, rows: Floats) -> Floats:
        """Rows [N, F], nan for what is not known, to vectors of length 1, float64 [N, D]."""
        state = self.standard(rows)
        for place, (weights, offset) in enumerate(self.layers):
            state = (np.maximum(state, 0.0) if place else state) @ weights + offset
        return state / np.maximum(np.linalg.norm(state, axis=1, keepdims=True), 1e-9)

    def standard(self, rows: Floats) -> Floats:
        """Rows in standard deviations from the middle, within FAR; 0 for what is not known."""
        return np.clip(np.nan_to_num((rows - self.middle) / self.spread), -FAR, FAR)

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """What a checkpoint stores; `of_arrays` is the way back."""
        found: dict[str, NDArray[Any]] = {f"{name}.middle": self.middle, f"{name}.spread": self.spread}
        for place, (weights, offset) in enumerate(self.layers):
            found |= {f"{name}.{place}.weights": weights, f"{name}.{place}.offset": offset}
        return found

    @classmethod
    def of_arrays(cls, name: str, arrays: Mapping[str, NDArray[Any]]) -> Tower:
        """The tower that was stored under a name. KeyError where there is none."""
        count = sum(key.startswith(f"{name}.") and key.endswith(".weights") for key in arrays)
        layers = [(arrays[f"{name}.{place}.weights"], arrays[f"{name}.{place}.offset"]) for place in range(count)]
        wide = tuple((weights.astype(np.float64), offset.astype(np.float64)) for weights, offset in layers)
        middle, spread = arrays[f"{name}.middle"].astype(np.float64), arrays[f"{name}.spread"].astype(np.float64)
        return cls(middle, spread, wide)
