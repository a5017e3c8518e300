"""The training itself: batches by step, the loss over codes, validation, and the project's trainer around them."""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from affectgen.medicine.musicgen.training.align import Alignment, caught, layer_of
from affectgen.medicine.musicgen.training.base import AFFECT, Learner, encode_text
from affectgen.medicine.musicgen.training.captions import caption_of, varied_caption
from affectgen.medicine.musicgen.training.data import Batch, Piece, Reader, batches_of
from affectgen.medicine.musicgen.training.options import Schedule
from affectgen.medicine.musicgen.training.text import TextStates
from affectgen.nn.distributed import Workers, sum_over_workers
from affectgen.nn.training import Trainer, Training, TrainingConfig, resumed_step

MOST_VALID = 256  # pieces a validation hears
CHECKS = 20  # validations of a run, and the share of its steps that warms up


def steps_of(schedule: Schedule, pieces: int, workers: int) -> int:
    """Optimiser steps: as asked, or so many that every piece is heard `epochs` times."""
    if schedule.steps is not None:
        return schedule.steps
    batches = -(-pieces // schedule.batch)
    return max(1, round(schedule.epochs * batches / (schedule.accumulate * workers)))


def config_of(schedule: Schedule, steps: int) -> TrainingConfig:
    """What the trainer is told."""
    share = max(1, steps // CHECKS)
    return TrainingConfig(
        steps=steps, rate=schedule.rate, warmup=share if schedule.warmup is None else schedule.warmup,
        weight_decay=schedule.weight_decay, clip=schedule.clip, autocast=schedule.precision == "auto",
        validate_every=share if schedule.validate_every is None else schedule.validate_every,
        accumulate=schedule.accumulate,
    )  # fmt: skip


class Draw:
    """The next batch of this process. Each depends on the seed and its number alone, and so does all that is drawn
    while it is learned (dropout): a run that goes on ends as one that was never interrupted."""

    def __init__(
        self, reader: Reader, pieces: Sequence[Piece], schedule: Schedule, style: str, seed: int, workers: Workers,
        first: int = 0,
    ) -> None:  # fmt: skip
        self.reader, self.pieces, self.schedule, self.style = reader, pieces, schedule, style
        self.seed, self.workers, self.number = seed, workers, first
        self.epoch, self.batches = 0, batches_of(pieces, schedule.batch, seed, 0)

    def __call__(self) -> Batch:
        """The batch; torch's generators are seeded for it."""
        number = self.number * self.workers.count + self.workers.rank
        self.number += 1
        epoch, index = divmod(number, len(self.batches))
        if epoch != self.epoch:
            self.epoch, self.batches = epoch, batches_of(self.pieces, self.schedule.batch, self.seed, epoch)
        drawn = random.Random(f"{self.seed} draw {number}")
        torch.manual_seed(drawn.getrandbits(48))
        chosen = self.batches[index]
        return self.reader(chosen, [self._caption(piece, epoch, drawn) for piece in chosen])

    def _caption(self, piece: Piece, epoch: int, drawn: random.Random) -> str:
        if drawn.random() < self.schedule.caption_dropout:
            return ""
        if self.schedule.vary:
            return varied_caption(piece.track, self.style, self.seed, epoch)
        return caption_of(piece.track, self.style)


class Objective:
    """The losses of a batch. layer: of the decoder, whose states are aligned; alignment: None for none."""

    def __init__(self, music: Any, alignment: Alignment | None, layer: int, weight: float) -> None:
        self.music, self.alignment, self.weight = music, alignment, weight
        self.layer = layer_of(music.model.decoder.model.decoder, layer)
        self.text = TextStates(lambda captions: encode_text(music, captions))

    def __call__(self, batch: Batch) -> Tensor:
        """What is learned from: cross-entropy of the codes, and the weighted alignment."""
        codes, aligned = self.parts(batch)
        return codes if aligned is None else codes + self.weight * aligned

    def parts(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Mean cross-entropy in nats a code (every codebook has as many, so it is their mean), and the alignment."""
        text, mask = self.text(batch.captions)
        moved = getattr(self.music.model, AFFECT)(text, batch.points, batch.known)
        states = moved * mask[..., None].to(moved.dtype)
        attended = torch.where(mask.any(dim=1, keepdim=True), mask, torch.ones_like(mask))  # zeros, where no words are
        with caught(self.layer) as hidden:
            logits = self.music.forward_codes(batch.codes, states, attended)  # [B, K, T, card]
        card = self.music.shape.card
        loss = F.cross_entropy(logits.float().flatten(0, 2), batch.codes.flatten(), ignore_index=card)
        if self.alignment is None or batch.features is None:
            return loss, None
        frames = (batch.codes[:, 0] != card).sum(dim=1)  # position p > 0 has read frame p - 1 of the first codebook
        place = torch.arange(hidden[0].shape[1], device=frames.device)[None]
        heard = (place > 0) & (place <= frames[:, None])
        return loss, self.alignment(hidden[0], heard, batch.features)


class Validation:
    """The loss of held-out pieces under their full captions, over all processes."""

    def __init__(
        self, objective: Objective, reader: Reader, pieces: Sequence[Piece], batch: int, style: str, seed: int,
        workers: Workers,
    ) -> None:  # fmt: skip
        if len(pieces) > MOST_VALID:
            pieces = random.Random(f"{seed} valid").sample(list(pieces), MOST_VALID)
        self.objective, self.reader, self.style = objective, reader, style
        self.batches = batches_of(pieces, batch, seed, 0)[workers.rank :: workers.count]

    def __call__(self) -> dict[str, float]:
        """Nats a code, and with alignment 1 - cosine: the same in every process."""
        sums = torch.zeros(4, dtype=torch.float64)
        for chosen in self.batches:
            batch = self.reader(chosen, [caption_of(piece.track, self.style) for piece in chosen])
            loss, aligned = self.objective.parts(batch)
            count = sum(piece.frames for piece in chosen)
            sums[:2] += torch.tensor([float(loss) * count, count], dtype=torch.float64)
            if aligned is not None:
                sums[2:] += torch.tensor([float(aligned) * len(chosen), len(chosen)], dtype=torch.float64)
        shared = sums.to(self.reader.device)
        sum_over_workers(shared)
        figures = {"loss": float(shared[0] / shared[1])}
        return figures | ({"align": float(shared[2] / shared[3])} if shared[3] > 0 else {})


def train(
    learner: Learner, draw: Draw, objective: Objective, validation: Validation, config: TrainingConfig, run: Any,
    workers: Workers,
) -> Training:  # fmt: skip
    """Train to the end, or go on from where an interrupted run in the folder `run` stood."""
    draw.number = resumed_step(run) * config.accumulate
    progress = sys.stderr if workers.first else io.StringIO()
    return Trainer(learner, draw, objective, validation, config, run, progress).run()
