"""Settings of a MusER model: sizes of its parts and weights of its losses, stored in every checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

STYLES = ("emopia", "pop", "game")


@dataclass(frozen=True)
class MuserConfig:
    """Our configuration of MusER.

    dim, layers, heads: the global decoder. slice_dim: width of one element's slice. bar_codes: codes of each of the
    seven bar books. word_codes: codes of the seven word books, in the order of ELEMENTS. encoder_dim: width inside
    the element encoder.
    regulariser: weight of the element regulariser (0 switches it off); regulariser_slope: its delta.
    covariance: weight of the cross-slice penalty. affect_probe: weight of reading the affect off the slices.
    plan_dropout: how often a training row sees no bar latents at all; detail_rate: how often a row sees word latents.
    """

    dim: int = 192
    layers: int = 6
    heads: int = 6
    condition: int = 192
    dropout: float = 0.1
    slice_dim: int = 16
    bar_codes: int = 64
    word_codes: tuple[int, ...] = (4, 16, 32, 64, 64, 16, 32)
    encoder_dim: int = 64
    regulariser: float = 0.5
    regulariser_slope: float = 5.0
    covariance: float = 0.01
    affect_probe: float = 0.1
    plan_dropout: float = 0.15
    detail_rate: float = 0.15
    affect_dropout: float = 0.15
    prior_dim: int = 160
    prior_layers: int = 4
    prior_heads: int = 5

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MuserConfig:
        """Read back what `to_dict` wrote; unknown names raise TypeError."""
        return cls(**(values | {"word_codes": tuple(values["word_codes"])}))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for config.json."""
        return asdict(self)
