"""Training of the predictor on pairs of takes. Needs torch; rare emotions are drawn more often than they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.nn.training import Trainer, Training, TrainingConfig
from affectgen.speech.predictor.bank import Bank
from affectgen.speech.predictor.model import EXTRA, Batch, Predictor, PredictorConfig
from affectgen.speech.predictor.pairs import Exemplar, Pair
from affectgen.speech.predictor.phones import COLUMNS, Take
from affectgen.speech.predictor.scale import FAR, Scale, phone_places

Floats = NDArray[np.float64]

UNNAMED = 0.3  # share of the rows in training that are asked for by their point alone
ALONE = 0.15  # share of the rows in training that are shown no exemplar
WHOLE = 1.0  # weight of the error of a take's mean change beside that of its phones


@dataclass(frozen=True)
class Settings:
    """steps, batch, rate, weight_decay, seed; evenness: 0 draws emotions as often as they come, 1 all equally often;
    noise: standard deviations of what is added to the numbers of phones in training.
    """

    steps: int = 1500
    batch: int = 48
    rate: float = 6e-4
    weight_decay: float = 0.05
    evenness: float = 0.7
    noise: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class Request:
    """What a row of a batch asks for: how a take is to change, and what is shown beside."""

    take: Take
    affect: Floats
    shares: Floats
    exemplars: Sequence[Exemplar]


def collate(requests: Sequence[Request], scale: Scale) -> Batch:
    """Requests side by side, padded."""
    own = [(phone_places(one.take.names), scale.take(one.take)) for one in requests]
    shown = [_shown(one.exemplars, scale) for one in requests]
    names, values, real = _padded(own)
    shown_names, shown_values, shown_real = _padded(shown)
    level = [(one.take.middle - scale.level[0]) / scale.level[1] for one in requests]
    affect, shares = (np.stack([getattr(one, part) for one in requests]) for part in ("affect", "shares"))
    rest = [torch.tensor(np.asarray(part), dtype=torch.float32) for part in (affect, shares, level)]
    return Batch(names, values, real, rest[0], rest[1], rest[2], shown_names, shown_values, shown_real)


def _shown(exemplars: Sequence[Exemplar], scale: Scale) -> tuple[NDArray[np.int64], Floats]:
    """All phones of the exemplars one after another."""
    if not exemplars:
        return np.zeros(0, dtype=np.int64), np.zeros((0, len(COLUMNS) + EXTRA))
    names = np.concatenate([phone_places(one.names) for one in exemplars])
    return names, np.concatenate([scale.exemplar(one) for one in exemplars])


def _padded(rows: Sequence[tuple[NDArray[np.int64], Floats]]) -> tuple[Tensor, Tensor, Tensor]:
    """(names [B, P], values [B, P, F], which are real [B, P])."""
    longest, width = max(1, max(len(names) for names, _ in rows)), rows[0][1].shape[1]
    names = np.zeros((len(rows), longest), dtype=np.int64)
    values = np.zeros((len(rows), longest, width), dtype=np.float32)
    real = np.zeros((len(rows), longest), dtype=bool)
    for row, (mine, numbers) in enumerate(rows):
        names[row, : len(mine)], values[row, : len(mine)], real[row, : len(mine)] = mine, numbers, True
    return torch.from_numpy(names), torch.from_numpy(values), torch.from_numpy(real)


class Drawing:
    """Batches of training pairs with exemplars of other speakers."""

    def __init__(self, pairs: Sequence[Pair], bank: Bank, scale: Scale, model: PredictorConfig, how: Settings) -> None:
        self.pairs, self.bank, self.scale, self.model, self.how = pairs, bank, scale, model, how
        self.rng = np.random.default_rng(how.seed)
        label = np.array([pair.shares.argmax() for pair in pairs])
        weight = np.array([pair.weight for pair in pairs])
        total = np.bincount(label, weights=weight, minlength=7)
        self.chance = weight / total[label] ** how.evenness
        self.chance /= self.chance.sum()

    def __call__(self) -> tuple[Batch, Tensor, Tensor]:
        """(batch, wanted changes [B, P, 13] standardised, which are known [B, P, 13])."""
        chosen = [self.pairs[n] for n in self.rng.choice(len(self.pairs), size=self.how.batch, p=self.chance).tolist()]
        requests = []
        for pair in chosen:
            count = 0 if self.rng.random() < ALONE else int(self.rng.integers(1, self.model.exemplars + 1))
            shown = self.bank.choose(pair.point, pair.shares, count, pair.speaker, self.rng) if count else []
            shares = pair.shares * (self.rng.random() >= UNNAMED)
            requests.append(Request(pair.source, pair.point, shares, shown))
        batch = collate(requests, self.scale)
        batch = replace(batch, values=self._noisy(batch.values), shown=self._noisy(batch.shown))
        return batch, *wanted(chosen, self.scale)

    def _noisy(self, values: Tensor) -> Tensor:
        """The columns of phones [B, P, F] with noise; what stands beside them as it is."""
        noise = torch.zeros_like(values)
        noise[..., : len(COLUMNS)] = self.how.noise * torch.randn(*values.shape[:2], len(COLUMNS))
        return values + noise


def wanted(pairs: Sequence[Pair], scale: Scale) -> tuple[Tensor, Tensor]:
    """What is to come out, standardised, and where it is known, [B, P, 13] each."""
    _, values, real = _padded([(np.zeros(len(p.delta), dtype=np.int64), p.delta / scale.change) for p in pairs])
    known = torch.isfinite(values) & real[..., None]
    return torch.nan_to_num(values).clamp(-FAR, FAR), known


def loss_of(found: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Huber's loss of the phones' changes and of the takes' mean changes."""
    error = torch.nn.functional.smooth_l1_loss(found, target, reduction="none") * known
    count = known.sum(dim=1)  # [B, 13]
    means = [(part * known).sum(dim=1) / count.clamp(min=1) for part in (found, target)]
    whole = ((means[0] - means[1]) ** 2 * (count > 2)).mean()
    return error.sum() / known.sum() + WHOLE * whole


def requests_of(pairs: Sequence[Pair], bank: Bank, count: int) -> list[Request]:
    """Pairs as requests with the exemplars that fit best."""
    return [
        Request(pair.source, pair.point, pair.shares, bank.choose(pair.point, pair.shares, count, pair.speaker))
        for pair in pairs
    ]


def predict(model: Predictor, requests: Sequence[Request], scale: Scale, width: int = 32) -> list[Floats]:
    """Of each request, changes [P, 13] in the units of COLUMNS."""
    model.eval()
    found: list[Floats] = []
    with torch.no_grad():
        for first in range(0, len(requests), width):
            part = requests[first : first + width]
            rows = model(collate(part, scale)).double().numpy() * scale.change
            found += [row[: len(one.take)] for row, one in zip(rows, part, strict=True)]
    return found


def train(
    pairs: Sequence[Pair], held: Sequence[Pair], bank: Bank, shipped: Bank, config: PredictorConfig, how: Settings,
    folder: Path,
) -> tuple[Predictor, Scale, Training]:  # fmt: skip
    """Train on pairs with exemplars of `bank`, keep the weights that are best on the held ones (other speakers'), which
    are shown exemplars of `shipped`."""
    torch.manual_seed(how.seed)
    scale = Scale.of(pairs, bank.exemplars)
    model = Predictor(config)
    drawing = Drawing(pairs, bank, scale, config, how)
    batch, (target, known) = collate(requests_of(held, shipped, config.exemplars), scale), wanted(held, scale)

    def loss(drawn: tuple[Batch, Tensor, Tensor]) -> Tensor:
        return loss_of(model(drawn[0]), *drawn[1:])

    def check() -> dict[str, float]:
        return {"loss": float(loss_of(model(batch), target, known))}

    plan = TrainingConfig(
        steps=how.steps, rate=how.rate, weight_decay=how.weight_decay, validate_every=100, autocast=False
    )
    return model, scale, Trainer(model, drawing, loss, check, plan, folder).run()
