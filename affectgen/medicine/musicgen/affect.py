"""The emotion beside the words: what MusicGen's cross-attention reads, moved by the shared conditioner.

MusicGen attends to the text encoder's states, projected to its width. The conditioner's embedding is added to every one
of them after that projection, in both backends alike. Its last layer begins at zero, so that a model without training
is the published one, bit for bit (as LoRA's does; Hu et al., 2022).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from affectgen.affect.conditioner import AffectConditioner, ConditionerConfig

WIDTH = 256


class AffectSum(nn.Module):
    """Adds an emotion to projected text states; the identity before training."""

    def __init__(self, dim: int, dropout: float = 0.15) -> None:
        """dim: of the decoder; dropout: share of rows that lose their affect in training."""
        super().__init__()
        self.conditioner = AffectConditioner(ConditionerConfig(WIDTH, WIDTH, dropout=dropout))
        self.out = nn.Linear(WIDTH, dim, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, states: Tensor, affect: Tensor, known: Tensor) -> Tensor:
        """states [B, S, D], affect [B, 2], known bool [B] -> [B, S, D]. Where it is not known, the conditioner's null
        counts. Rows without a prompt (guidance) are zeroed by their mask afterwards, which the caller sees to."""
        wide = affect.to(self.out.weight.dtype)
        moved: Tensor = self.out(self.conditioner(wide, known))  # [B, D]
        return states + moved[:, None].to(states.dtype)


def affect_tensors(affects: list[tuple[float, float] | None], device: torch.device) -> tuple[Tensor, Tensor]:
    """(affect [B, 2], known [B]) of a batch; unknown ones are zero."""
    points = torch.tensor([(0.0, 0.0) if one is None else one for one in affects], device=device)
    return points, torch.tensor([one is not None for one in affects], device=device)
