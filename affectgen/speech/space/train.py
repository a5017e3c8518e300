"""Training of the emotion space: three towers and two heads by a supervised contrastive loss. Needs torch."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from affectgen.recognize.speech_corpus import LABELS, label_points
from affectgen.speech.space.material import Material, Rows
from affectgen.speech.space.model import EmotionSpace
from affectgen.speech.space.tower import Tower

Floats = NDArray[np.float64]
Say = Callable[[str], None]
SMALLEST, LARGEST = 0.03, 1.0  # of the temperature
COLDEST_REQUEST = 0.15  # standard deviation of the noise on a request's point: nobody asks to the hundredth
NAMED = 0.6  # share of requests in training that name their label


@dataclass(frozen=True)
class Settings:
    """dim: of the space; hidden: of the towers of texts and clips; each: texts, and as many clips, of a label in a
    batch; temperature: to begin with; positives: "label" (all of one emotion belong together) or "pair" (only the pair
    at hand, as EmoCLAP has it); beside: weight of the heads' losses.
    """

    dim: int = 64
    hidden: int = 128
    each: int = 24
    steps: int = 1200
    rate: float = 1e-3
    weight_decay: float = 0.02
    dropout: float = 0.5
    noise: float = 0.3
    temperature: float = 0.1
    beside: float = 0.5
    positives: str = "label"
    validate_every: int = 50
    seed: int = 0


class SpaceNet(nn.Module):
    """The towers as torch trains them. Rows come in as `Tower.standard` gives them."""

    def __init__(self, sizes: dict[str, int], settings: Settings) -> None:
        super().__init__()
        hidden = {"text": settings.hidden, "speech": settings.hidden, "request": 32}
        drop = {"text": 0.1, "speech": settings.dropout, "request": 0.0}
        self.towers = nn.ModuleDict(
            {name: _tower(size, hidden[name], settings.dim, drop[name]) for name, size in sizes.items()}
        )
        self.points = nn.Linear(settings.dim, 2)
        self.labels = nn.Linear(settings.dim, len(LABELS))
        self.log_temperature = nn.Parameter(torch.tensor(math.log(settings.temperature)))

    def embed(self, name: str, rows: Tensor) -> Tensor:
        """Rows [N, F] to vectors [N, D] of length 1."""
        return functional.normalize(self.towers[name](rows), dim=-1)

    def alike(self, first: Tensor, second: Tensor) -> Tensor:
        """Dot products [N, M] over the temperature."""
        return first @ second.T / self.log_temperature.exp().clamp(SMALLEST, LARGEST)


def _tower(size: int, hidden: int, dim: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, dim))


@dataclass(frozen=True)
class Side:
    """What torch takes of one kind of rows, as `Rows` has them."""

    rows: Tensor
    shares: Tensor
    points: Tensor

    @property
    def known(self) -> Tensor:
        """Which have a label, bool [N]."""
        return self.shares.sum(dim=1) > 0

    def pick(self, places: Tensor) -> Side:
        """The rows at places [M]."""
        return Side(self.rows[places], self.shares[places], self.points[places])


def fit_space(parts: dict[str, Material], settings: Settings, say: Say) -> EmotionSpace:
    """Fit on "training", keep the weights of the step at which the loss on "development" was least."""
    torch.manual_seed(settings.seed)
    training, development = parts["training"], parts["development"]
    scales = {"text": _scale(training.texts.rows), "speech": _scale(training.clips.rows), "request": _no_scale()}
    net = SpaceNet({name: len(scale.middle) for name, scale in scales.items()}, settings)
    sides = [_side(scales["text"], training.texts), _side(scales["speech"], training.clips)]
    held = [_side(scales["text"], development.texts), _side(scales["speech"], development.clips)]
    generator = torch.Generator().manual_seed(settings.seed)
    optimiser = torch.optim.AdamW(net.parameters(), lr=settings.rate, weight_decay=settings.weight_decay)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps)
    best, kept, at = math.inf, copy.deepcopy(net.state_dict()), 0
    for step in range(1, settings.steps + 1):
        net.train()
        texts, clips = (_draw(side, settings.each, generator) for side in sides)
        loss = _loss(net, texts, clips, settings, generator)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        plan.step()
        if step % settings.validate_every == 0:
            reached = _held_loss(net, held, settings)
            if reached < best:
                best, kept, at = reached, copy.deepcopy(net.state_dict()), step
            if step % (10 * settings.validate_every) == 0:
                say(f"step {step}  train {loss.item():.3f}  development {reached:.3f}  best {best:.3f} at {at}")
    net.load_state_dict(kept)
    return _space(net, scales)


def _held_loss(net: SpaceNet, sides: Sequence[Side], settings: Settings) -> float:
    """The loss on batches that are the same each time."""
    net.eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        drawn = [[_draw(side, settings.each, generator) for side in sides] for _ in range(8)]
        return float(np.mean([float(_loss(net, texts, clips, settings, generator)) for texts, clips in drawn]))


def _draw(side: Side, each: int, generator: torch.Generator) -> Side:
    """`each` rows of every label that there is, by their shares, and as many without a label where there are such."""
    places = [
        torch.multinomial(side.shares[:, label], each, replacement=True, generator=generator)
        for label in range(len(LABELS))
        if bool(side.shares[:, label].any())
    ]
    other = torch.nonzero(~side.known)[:, 0]
    if len(other):
        places.append(other[torch.randint(len(other), (each,), generator=generator)])
    return side.pick(torch.cat(places))


def _loss(net: SpaceNet, texts: Side, clips: Side, settings: Settings, generator: torch.Generator) -> Tensor:
    """Contrast between all sides, and the heads' errors."""
    asked = _requests(clips, generator)
    noisy = clips.rows + (settings.noise * torch.randn(clips.rows.shape, generator=generator) if net.training else 0)
    text, speech, request = (
        net.embed(name, rows) for name, rows in (("text", texts.rows), ("speech", noisy), ("request", asked))
    )
    total = torch.zeros(())
    pairs = [((text, texts), (speech, clips)), ((request, clips), (speech, clips)), ((text, texts), (request, clips))]
    for (first, one), (second, other) in pairs:
        total = total + _contrast(net, first, one, second, other, settings)
    if settings.positives == "label":
        total = total + _within(net, speech, clips)
    for vectors, side in ((text, texts), (speech, clips), (request, clips)):
        total = total + settings.beside * ((net.points(vectors) - side.points) ** 2).mean() / 0.1
        known = side.known
        logs = net.labels(vectors[known]).log_softmax(dim=1)
        total = total - settings.beside * (side.shares[known] * logs).sum(dim=1).mean()
    return total


def _contrast(net: SpaceNet, first: Tensor, one: Side, second: Tensor, other: Side, settings: Settings) -> Tensor:
    """Both directions, averaged."""
    if settings.positives == "pair":
        first, second = _paired(first, one, second, other)
        target = torch.eye(len(first))
    else:
        first, one, second, other = first[one.known], one.pick(one.known), second[other.known], other.pick(other.known)
        target = one.shares @ other.shares.T  # [N, M]: the probability that listeners would name the same
    logits = net.alike(first, second)
    return (_soft(logits, target) + _soft(logits.T, target.T)) / 2


def _paired(first: Tensor, one: Side, second: Tensor, other: Side) -> tuple[Tensor, Tensor]:
    """Each known row of one side beside a row of the other of the same strongest label."""
    left, right = [], []
    for label in range(len(LABELS)):
        here = torch.nonzero(one.known & (one.shares.argmax(dim=1) == label))[:, 0]
        there = torch.nonzero(other.known & (other.shares.argmax(dim=1) == label))[:, 0]
        count = min(len(here), len(there))
        left.append(here[:count])
        right.append(there[:count])
    return first[torch.cat(left)], second[torch.cat(right)]


def _within(net: SpaceNet, vectors: Tensor, side: Side) -> Tensor:
    """Contrast of a side with itself, each row without itself."""
    own = torch.eye(len(vectors), dtype=torch.bool)
    target = (side.shares @ side.shares.T).masked_fill(own, 0.0)
    return _soft(net.alike(vectors, vectors).masked_fill(own, -1e4), target)


def _soft(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of rows [N, M] against targets that are made to sum to 1; rows without any are left out."""
    total = target.sum(dim=1, keepdim=True)
    rows = total[:, 0] > 0
    wanted = target[rows] / total[rows]
    return -(wanted * logits[rows].log_softmax(dim=1)).sum(dim=1).mean()


def _requests(clips: Side, generator: torch.Generator) -> Tensor:
    """What might be asked to get such clips: their points or those of their labels, with or without the label named."""
    count = len(clips.shares)
    label = clips.shares.argmax(dim=1)
    typical = torch.tensor(label_points(), dtype=torch.float32)[label]
    own = torch.rand(count, 1, generator=generator) < 0.5
    noise = COLDEST_REQUEST * torch.randn(count, 2, generator=generator)
    points = (torch.where(own, clips.points, typical) + noise).clamp(-1, 1)
    named = torch.rand(count, 1, generator=generator) < NAMED
    return torch.cat([points, functional.one_hot(label, len(LABELS)) * named], dim=1)


def _scale(rows: Floats) -> Tower:
    """A tower without layers, which holds the rows' scale."""
    return Tower(np.nanmean(rows, axis=0), np.maximum(np.nanstd(rows, axis=0), 1e-6), ())


def _no_scale() -> Tower:
    """Requests come as they are."""
    return Tower(np.zeros(2 + len(LABELS)), np.ones(2 + len(LABELS)), ())


def _side(scale: Tower, rows: Rows) -> Side:
    parts = (scale.standard(rows.rows), rows.shares, rows.points)
    return Side(*(torch.tensor(part, dtype=torch.float32) for part in parts))


def _space(net: SpaceNet, scales: dict[str, Tower]) -> EmotionSpace:
    """The trained net in numpy."""

    def plain(layer: nn.Linear) -> tuple[Floats, Floats]:
        weights, offset = layer.weight.detach().T.double().numpy(), layer.bias.detach().double().numpy()
        return weights.astype(np.float16).astype(np.float64), offset

    def tower(name: str) -> Tower:
        layers = [plain(layer) for layer in net.towers[name].children() if isinstance(layer, nn.Linear)]
        return Tower(scales[name].middle, scales[name].spread, tuple(layers))

    heads = [np.concatenate([(pair := plain(head))[0], pair[1][None]]) for head in (net.points, net.labels)]
    return EmotionSpace(tower("text"), tower("speech"), tower("request"), heads[0], heads[1])
