"""A small convolutional network over word vectors, evaluated in numpy; `fit` needs torch.

Kim (EMNLP 2014) with two heads that share everything else: 28 label logits (GoEmotions), three ratings (EmoBank). The
word vectors start as a sentence encoder's embeddings of single words (Model2Vec's idea) and are trained further.
Several networks of different seeds share one frozen table of vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.text_features import MAX_TOKENS, UNKNOWN, Sentence

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float64]
LABEL_COUNT, RATINGS = 28, 3
WINDOW = 3  # words that a filter sees


@dataclass(frozen=True)
class Settings:
    """members: networks; filters: of each; epochs: passes over the sentences;
    rating_weight: of the ratings' squared error (in standard deviations) beside the labels' cross-entropy;
    vector_rate: the word vectors' learning rate as a share of the others'.
    """

    members: int = 3
    filters: int = 96
    epochs: int = 4
    batch: int = 64
    learning_rate: float = 1.5e-3
    vector_rate: float = 0.3
    weight_decay: float = 1e-3
    dropout: float = 0.5
    word_dropout: float = 0.15
    rating_weight: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class TextNet:
    """vectors: float32 [W, D], row 0 for unknown words; mean, scale: float64 [C] of the cues; middle, spread: [3] of
    the ratings; for M members kernel [M, 3 D, F], bias [M, F], head [M, 2 F + D + C, 31], offset [M, 31].
    """

    vectors: NDArray[np.float32]
    mean: Floats
    scale: Floats
    middle: Floats
    spread: Floats
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    head: NDArray[np.float32]
    offset: NDArray[np.float32]

    def scores(self, sentences: Sequence[Sentence]) -> tuple[Floats, Floats]:
        """(log label shares [N, 28], ratings [N, 3]) of sentences; the mean over members."""
        outputs = np.array([self._one(sentence) for sentence in sentences]).reshape(-1, LABEL_COUNT + RATINGS)
        return outputs[:, :LABEL_COUNT], self.middle + self.spread * outputs[:, LABEL_COUNT:]

    def _one(self, sentence: Sentence) -> Floats:
        cues = ((sentence.cues - self.mean) / self.scale).clip(-4, 4)
        ids = sentence.ids if len(sentence.ids) else np.array([UNKNOWN])
        seen = self.vectors[ids]  # [T, D]
        padded = np.pad(seen, ((1, 1), (0, 0)))
        windows = np.concatenate([padded[: len(seen)], padded[1:-1], padded[2:]], axis=1)  # [T, 3 D]
        found = np.maximum(windows @ self.kernel + self.bias[:, None], 0)  # [M, T, F]
        rest = np.broadcast_to(np.concatenate([seen.mean(axis=0), cues]), (len(found), seen.shape[1] + len(cues)))
        pooled = np.concatenate([found.max(axis=1), found.mean(axis=1), rest], axis=1)
        outputs = np.einsum("mh,mho->mo", pooled, self.head) + self.offset  # [M, 31]
        labels = outputs[:, :LABEL_COUNT]
        labels = labels - labels.max(axis=1, keepdims=True)
        labels = labels - np.log(np.exp(labels).sum(axis=1, keepdims=True))
        return np.concatenate([labels, outputs[:, LABEL_COUNT:]], axis=1).mean(axis=0).astype(np.float64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a checkpoint stores: vectors in 8 bits with a scale a row, the other weights in half precision."""
        size = np.maximum(np.abs(self.vectors).max(axis=1, keepdims=True), 1e-6) / 127
        half = {name: getattr(self, name).astype(np.float16) for name in ("kernel", "bias", "head", "offset")}
        plain = {name: getattr(self, name) for name in ("mean", "scale", "middle", "spread")}
        small = {"vectors": np.round(self.vectors / size).astype(np.int8), "vector_size": size[:, 0].astype(np.float16)}
        return small | half | plain

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[Any]]) -> TextNet:
        """The network that `arrays` stored."""
        vectors = arrays["vectors"].astype(np.float32) * arrays["vector_size"].astype(np.float32)[:, None]
        mean, scale, middle, spread = (arrays[n].astype(np.float64) for n in ("mean", "scale", "middle", "spread"))
        kernel, bias, head, offset = (arrays[n].astype(np.float32) for n in ("kernel", "bias", "head", "offset"))
        return cls(vectors, mean, scale, middle, spread, kernel, bias, head, offset)


def fit(
    start: NDArray[np.float32],
    sentences: Sequence[Sentence],
    labels: Floats,
    ratings: Floats,
    times: NDArray[np.int64],
    settings: Settings,
) -> TextNet:
    """Train on sentences [N] with label shares [N, 28] and ratings [N, 3], rows of nan where not known.

    start: word vectors [W, D] to begin with; times: how often each sentence is seen in an epoch [N]. The first member
    trains the vectors; the others take them as they are, so that one table serves all.
    """
    import torch

    torch.set_num_threads(1)
    cues = np.stack([sentence.cues for sentence in sentences])
    mean, scale = cues.mean(axis=0), cues.std(axis=0) + 1e-6
    middle, spread = np.nanmean(ratings, axis=0), np.nanstd(ratings, axis=0) + 1e-6
    table = torch.tensor(((cues - mean) / scale).clip(-4, 4), dtype=torch.float32)
    target = torch.tensor(np.concatenate([labels, (ratings - middle) / spread], axis=1), dtype=torch.float32)
    order = np.repeat(np.arange(len(sentences)), times)
    vectors = torch.tensor(start, dtype=torch.float32)
    members = []
    for member in range(settings.members):
        chance = torch.Generator().manual_seed(settings.seed + member)
        weights = _weights(vectors, table.shape[1], settings, chance, free=member == 0)
        _train(weights, sentences, order, table, target, settings, chance)
        vectors = weights[0].detach()
        members.append([weight.detach().numpy() for weight in weights[1:]])
    kernel, bias, head, offset = (np.stack(parts) for parts in zip(*members, strict=True))
    return TextNet(vectors.numpy(), mean, scale, middle, spread, kernel, bias, head, offset)


def _weights(
    vectors: torch.Tensor, cues: int, settings: Settings, chance: torch.Generator, free: bool
) -> list[torch.Tensor]:
    """Vectors, kernel, bias, head, offset."""
    import torch

    dim, filters = vectors.shape[1], settings.filters
    inputs = 2 * filters + dim + cues
    kernel = torch.randn(WINDOW * dim, filters, generator=chance) / (WINDOW * dim) ** 0.5
    head = torch.randn(inputs, LABEL_COUNT + RATINGS, generator=chance) * 0.5 / inputs**0.5
    rest = [kernel, torch.zeros(filters), head, torch.zeros(LABEL_COUNT + RATINGS)]
    return [vectors.clone().requires_grad_(free), *(weight.requires_grad_() for weight in rest)]


def _train(
    weights: list[torch.Tensor],
    sentences: Sequence[Sentence],
    order: NDArray[np.int64],
    cues: torch.Tensor,
    target: torch.Tensor,
    settings: Settings,
    chance: torch.Generator,
) -> None:
    import torch

    rate = settings.learning_rate
    rates = [rate, rate * settings.vector_rate] if weights[0].requires_grad else [rate]
    groups: list[dict[str, Any]] = [{"params": weights[1:], "lr": rate, "weight_decay": settings.weight_decay}]
    if weights[0].requires_grad:
        groups.append({"params": weights[:1], "lr": rates[1], "weight_decay": 0.0})
    optimiser = torch.optim.AdamW(groups)
    lengths = np.array([len(sentence.ids) for sentence in sentences])
    steps = settings.epochs * (len(order) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=steps)
    for _ in range(settings.epochs):
        shuffled = order[torch.randperm(len(order), generator=chance).numpy()]
        for part in _batches(shuffled, lengths, settings.batch, chance):
            ids, mask = _padded([sentences[i] for i in part])
            dropped = torch.rand(ids.shape, generator=chance) < settings.word_dropout
            outputs = _forward(ids.masked_fill(dropped, UNKNOWN), mask, cues[part], weights, settings.dropout, chance)
            loss = _loss(outputs, target[part], settings.rating_weight)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


def _batches(
    shuffled: NDArray[np.int64], lengths: NDArray[np.int64], batch: int, chance: torch.Generator
) -> list[NDArray[np.int64]]:
    """Whole batches of rows; rows of like length sit together within blocks of 20 batches, to save padding."""
    import torch

    parts = []
    for start in range(0, len(shuffled), 20 * batch):
        block = shuffled[start : start + 20 * batch]
        block = block[np.argsort(lengths[block], kind="stable")]
        parts += [block[i : i + batch] for i in range(0, len(block) - batch + 1, batch)]
    return [parts[i] for i in torch.randperm(len(parts), generator=chance).tolist()]


def _padded(sentences: Sequence[Sentence]) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of the table [B, T] and where there is a word [B, T]."""
    import torch

    longest = min(MAX_TOKENS, max(1, *(len(sentence.ids) for sentence in sentences)))
    ids = np.zeros((len(sentences), longest), dtype=np.int64)
    mask = np.zeros((len(sentences), longest), dtype=np.float32)
    for row, sentence in enumerate(sentences):
        count = max(1, len(sentence.ids))
        ids[row, : len(sentence.ids)] = sentence.ids
        mask[row, :count] = 1
    return torch.tensor(ids), torch.tensor(mask)


def _forward(
    ids: torch.Tensor,
    mask: torch.Tensor,
    cues: torch.Tensor,
    weights: list[torch.Tensor],
    dropout: float,
    chance: torch.Generator,
) -> torch.Tensor:
    """Outputs [B, 31] under dropout."""
    import torch
    from torch.nn.functional import pad

    vectors, kernel, bias, head, offset = weights
    seen = vectors[ids] * mask[..., None]  # [B, T, D]
    padded = pad(seen, (0, 0, 1, 1))
    count = seen.shape[1]
    windows = torch.cat([padded[:, :count], padded[:, 1:-1], padded[:, 2:]], dim=2)
    found = torch.relu(windows @ kernel + bias) * mask[..., None]  # [B, T, F]
    length = mask.sum(dim=1, keepdim=True)
    pooled = torch.cat([found.amax(dim=1), found.sum(dim=1) / length, seen.sum(dim=1) / length], dim=1)
    keep = torch.rand(pooled.shape, generator=chance) >= dropout
    return torch.cat([pooled * keep / (1 - dropout), cues], dim=1) @ head + offset


def _loss(outputs: torch.Tensor, target: torch.Tensor, rating_weight: float) -> torch.Tensor:
    """Cross-entropy to label shares where they are known, squared error of ratings where those are; mean over rows."""
    import torch

    labelled, rated = torch.isfinite(target[:, 0]), torch.isfinite(target[:, LABEL_COUNT])
    guess = torch.log_softmax(outputs[labelled, :LABEL_COUNT], dim=1)
    labels = -(target[labelled, :LABEL_COUNT] * guess).sum()
    error = ((outputs[rated, LABEL_COUNT:] - target[rated, LABEL_COUNT:]) ** 2).sum()
    return (labels + rating_weight * error) / len(outputs)
