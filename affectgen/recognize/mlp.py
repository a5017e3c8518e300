"""The guide's and the recogniser's model: an ensemble of small perceptrons over note statistics, evaluated in numpy.

Each member reads the standardised statistics plus one flag (velocities known), and gives six numbers: a valence and an
arousal logit and four quadrant logits. Quadrant labels train the quadrant logits and the signs of the two axes; rater
means train the axes as ratings up to a shift and a stretch that are learned with them, because a mean over thirty
raters spans a narrower range than a label does. `fit` needs torch; `Perceptrons` does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float64]
OUTPUTS = 6  # valence logit, arousal logit, Q1..Q4 logits
CLIP = 4.0  # standard deviations beyond which a statistic says no more


@dataclass(frozen=True)
class Settings:
    """members: perceptrons; hidden: units of the one hidden layer; steps: AdamW steps of `batch` rows;
    mask: share of rows whose velocities are hidden in a step; rated_weight: weight of a rated row's squared error.
    """

    members: int = 8
    hidden: int = 32
    steps: int = 400
    batch: int = 512
    learning_rate: float = 4e-3
    weight_decay: float = 0.3
    dropout: float = 0.5
    noise: float = 0.3
    mask: float = 0.25
    rated_weight: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Examples:
    """Rows to train on.

    statistics: float64 [N, F]; dynamics: bool [N], velocities known; quadrant: int64 [N], 0-3, or -1 where the row is
    rated; rating: float64 [N, 2], valence and arousal in [-1, 1], read where quadrant is -1; weight: float64 [N].
    """

    statistics: Floats
    dynamics: NDArray[np.bool_]
    quadrant: NDArray[np.int64]
    rating: Floats
    weight: Floats

    def pick(self, chosen: NDArray[np.bool_]) -> Examples:
        """The rows where `chosen` [N] is true."""
        return Examples(
            self.statistics[chosen],
            self.dynamics[chosen],
            self.quadrant[chosen],
            self.rating[chosen],
            self.weight[chosen],
        )


@dataclass(frozen=True)
class Perceptrons:
    """M perceptrons.

    mean, scale: [F]; velocity: bool [F]; first: [M, F+1, H], its bias [M, H]; second: [M, H, 6], its bias [M, 6].
    """

    mean: Floats
    scale: Floats
    velocity: NDArray[np.bool_]
    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats

    def logits(self, statistics: Floats, dynamics: NDArray[np.bool_]) -> Floats:
        """The members' mean output, float64 [N, 6], for statistics [N, F] and dynamics [N]."""
        rows = standardise(statistics, dynamics, self.mean, self.scale, self.velocity)  # [N, F+1]
        hidden = np.maximum(np.einsum("nf,mfh->mnh", rows, self.first) + self.first_bias[:, None], 0.0)  # [M, N, H]
        return (np.einsum("mnh,mho->mno", hidden, self.second) + self.second_bias[:, None]).mean(axis=0)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What a checkpoint stores; `Perceptrons(**arrays)` is the way back."""
        stored = {name: np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}
        return {name: a.astype(np.float32) if a.dtype == np.float64 else a for name, a in stored.items()}


def standardise(
    statistics: Floats, dynamics: NDArray[np.bool_], mean: Floats, scale: Floats, velocity: NDArray[np.bool_]
) -> Floats:
    """Statistics in standard deviations, at most `CLIP`, 0 where velocities are unknown; and the flag. [N, F+1]."""
    rows = np.clip((statistics - mean) / scale, -CLIP, CLIP)
    rows[~dynamics[:, None] & velocity[None]] = 0.0
    return np.concatenate([rows, dynamics[:, None].astype(np.float64)], axis=1)


def affect_of(logits: Floats) -> tuple[Floats, Floats]:
    """(valence and arousal [N, 2], quadrant probabilities [N, 4]) of logits [N, 6].

    A coordinate is 2p - 1 for the probability p that it is high, so 0 is undecided and the ends are certain.
    """
    raised = np.exp(logits[:, 2:] - logits[:, 2:].max(axis=1, keepdims=True))
    return np.tanh(logits[:, :2] / 2), raised / raised.sum(axis=1, keepdims=True)


def fit(examples: Examples, velocity: NDArray[np.bool_], settings: Settings) -> Perceptrons:
    """Train an ensemble on `examples`; `velocity` [F] marks the columns that mean nothing without dynamics."""
    import torch

    mean, scale = _scales(examples, velocity)
    chance = torch.Generator().manual_seed(settings.seed)
    table = standardise(examples.statistics, examples.dynamics, mean, scale, velocity)
    rows = torch.tensor(table, dtype=torch.float32)
    first, first_bias, second, second_bias = weights = _start(rows.shape[1], settings, chance)
    stretch = torch.tensor([[0.0, 0.0], [0.5, 0.5]], requires_grad=True)  # shift and stretch of the ratings' axes
    layers: dict[str, Any] = {"params": [first, second], "weight_decay": settings.weight_decay}
    free: dict[str, Any] = {"params": [first_bias, second_bias, stretch], "weight_decay": 0.0}
    optimiser = torch.optim.AdamW([layers, free], settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps)
    columns = torch.tensor(np.append(velocity, True))
    for _ in range(settings.steps):
        drawn = torch.randperm(len(rows), generator=chance)[: settings.batch]
        chosen = np.zeros(len(rows), dtype=bool)
        chosen[drawn.numpy()] = True
        logits = _train_pass(rows[torch.tensor(chosen)], columns, weights, settings, chance)
        loss = _loss(logits, examples.pick(chosen), stretch, settings)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    trained = [weight.detach().numpy().astype(np.float64) for weight in weights]
    return Perceptrons(mean, scale, velocity, *trained)


def _scales(examples: Examples, velocity: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column [F]; of velocity columns over the rows with dynamics only."""
    mean, scale = examples.statistics.mean(axis=0), examples.statistics.std(axis=0)
    if examples.dynamics.any():
        known = examples.statistics[examples.dynamics][:, velocity]
        mean[velocity], scale[velocity] = known.mean(axis=0), known.std(axis=0)
    return mean, scale + 1e-6


def _start(inputs: int, settings: Settings, chance: torch.Generator) -> list[torch.Tensor]:
    """Random first and second layers, each followed by its zero bias: [M, F+1, H], [M, H], [M, H, 6], [M, 6]."""
    import torch

    weights = []
    for rows, columns in ((inputs, settings.hidden), (settings.hidden, OUTPUTS)):
        layer = torch.randn(settings.members, rows, columns, generator=chance) / np.sqrt(rows)
        weights += [layer.requires_grad_(), torch.zeros(settings.members, columns, requires_grad=True)]
    return weights


def _train_pass(
    rows: torch.Tensor, columns: torch.Tensor, weights: list[torch.Tensor], settings: Settings, chance: torch.Generator
) -> torch.Tensor:
    """Logits [M, N, 6] under input noise, hidden velocities and dropout, drawn anew for every member."""
    import torch

    first, first_bias, second, second_bias = weights
    shape = (len(first), *rows.shape)
    seen = rows + settings.noise * torch.randn(shape, generator=chance)  # [M, N, F+1]
    hide = (torch.rand(*shape[:2], 1, generator=chance) < settings.mask) & columns
    hidden = torch.relu(torch.einsum("mnf,mfh->mnh", seen.masked_fill(hide, 0.0), first) + first_bias[:, None])
    keep = torch.rand(hidden.shape, generator=chance) >= settings.dropout
    hidden = hidden * keep / (1 - settings.dropout)  # [M, N, H]
    return torch.einsum("mnh,mho->mno", hidden, second) + second_bias[:, None]


def _loss(logits: torch.Tensor, examples: Examples, stretch: torch.Tensor, settings: Settings) -> torch.Tensor:
    """Cross-entropy of labelled rows, squared error of rated rows; mean over rows, sum over members."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    members = len(logits)
    quadrant = torch.tensor(examples.quadrant)
    weight = torch.tensor(examples.weight, dtype=torch.float32)
    labelled = quadrant >= 0
    signs = torch.stack([(quadrant == 0) | (quadrant == 3), quadrant < 2], dim=1).float()  # [N, 2]
    axes = binary_cross_entropy_with_logits(logits[..., :2], signs.expand(members, -1, -1), reduction="none").sum(-1)
    target = quadrant.clamp(min=0).expand(members, -1)
    corner = cross_entropy(logits[..., 2:].transpose(1, 2), target, reduction="none")  # [M, N]
    rating = torch.tensor(examples.rating, dtype=torch.float32)
    guess = stretch[0] + stretch[1] * torch.tanh(logits[..., :2] / 2)
    error = settings.rated_weight * ((guess - rating) ** 2).sum(-1) / 0.08  # 0.08: variance of VGMIDI's rater means
    return (weight * torch.where(labelled, axes + corner, error)).mean(dim=1).sum()
