"""Settings of an EmoGen model, stored in every checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

STYLES = ("emopia", "pop1k7", "pop909")  # corpora: each plays, and was transcribed, in its own manner


@dataclass(frozen=True)
class EmogenConfig:
    """dim, layers, heads: the global decoder. condition: width of what a bar is told. hidden: width inside the
    attribute encoder. noise: standard deviation added to targets in training, so that near is good enough. slice_dim:
    0, for there are no latent slices."""

    dim: int = 160
    layers: int = 4
    heads: int = 5
    condition: int = 160
    hidden: int = 256
    dropout: float = 0.1
    noise: float = 0.1
    slice_dim: int = 0

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> EmogenConfig:
        """Read back what `to_dict` wrote; unknown names raise TypeError."""
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for config.json."""
        return asdict(self)
