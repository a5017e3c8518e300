"""The one training loop: bf16 autocast, cosine schedule, gradient clipping, resume, early stop, a CSV log.

It knows nothing of music: a model, a way to draw batches, a loss and a validation go in; the best weights come out.
Several processes share the work when torch.distributed's environment variables are set (torchrun).
"""

from __future__ import annotations

import csv
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import torch
from torch import Tensor, nn

from affectgen.nn.distributed import Workers

STATE = "state.pt"
BEST = "best.pt"  # the weights a run ends with: the best ones, or the last where the config keeps those
LOG = "log.csv"


@dataclass(frozen=True)
class TrainingConfig:
    """steps: optimiser steps in all; rate: peak learning rate after `warmup` steps, then cosine down to `floor` of it.

    validate_every: steps between validations; patience: validations without improvement before stopping, 0 for never.
    autocast: run the forward pass in bfloat16 where `halves_pay`. keep: which weights a run ends with, "best" by
    validation or "last". accumulate: batches whose gradients are averaged in a step.
    """

    steps: int
    rate: float = 1e-3
    warmup: int = 100
    floor: float = 0.02
    weight_decay: float = 0.05
    clip: float = 1.0
    validate_every: int = 100
    patience: int = 0
    autocast: bool = True
    keep: str = "best"
    accumulate: int = 1


@dataclass(frozen=True)
class Training:
    """How a run ended: steps done, the step and value of the best validation, seconds of this process."""

    steps: int
    best_step: int
    best: float
    seconds: float


def rate_at(step: int, config: TrainingConfig) -> float:
    """Learning rate of a step: linear warm-up, then half a cosine."""
    if step < config.warmup:
        return config.rate * (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.rate * (config.floor + (1 - config.floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def resumed_step(folder: Path) -> int:
    """The step at which a run in this folder will go on, 0 for a new one: part of the seed of what is drawn next."""
    path = folder / STATE
    return int(torch.load(path, weights_only=True, map_location="cpu")["step"]) if path.is_file() else 0


def halves_pay(device: torch.device) -> bool:
    """Whether bfloat16 products are fast there: on CUDA, and on processors that have them (elsewhere they are emulated,
    far more slowly than fp32 runs)."""
    if device.type != "cpu":
        return True
    if not hasattr(torch.cpu, "get_capabilities"):  # before torch 2.9
        return True
    able = torch.cpu.get_capabilities()
    return bool(able.get("amx_bf16") or able.get("avx512_bf16"))


def make_optimiser(model: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices only."""
    matrices = [p for p in model.parameters() if p.requires_grad and p.dim() >= 2]
    others = [p for p in model.parameters() if p.requires_grad and p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.95))


class Trainer:
    """One run in one folder. `draw` gives a batch, `loss` its scalar loss, `validate` figures by name, "loss" first."""

    def __init__(
        self, model: nn.Module, draw: Callable[[], Any], loss: Callable[[Any], Tensor],
        validate: Callable[[], dict[str, float]], config: TrainingConfig, folder: Path, progress: TextIO = sys.stderr,
    ) -> None:  # fmt: skip
        self.model, self.draw, self.loss, self.validate = model, draw, loss, validate
        self.config, self.folder, self.progress = config, folder, progress
        self.workers = Workers.from_environment()
        self.optimiser = make_optimiser(model, config)
        self.step, self.best, self.best_step, self.misses = 0, math.inf, 0, 0
        self.running: float | None = None
        self.since = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)

    def run(self) -> Training:
        """Train to the end (or go on from where an interrupted run stood) and load the best weights into the model."""
        self._resume()
        start = self.since = time.monotonic()
        first = self.step
        while self.step < self.config.steps and not self._tired():
            self._one_step_or_save()
            if self.step % self.config.validate_every == 0 or self.step == self.config.steps:
                speed = (self.step - first) / (time.monotonic() - start)
                self._check(speed)
        self.workers.wait()  # the first process may still be writing its best weights
        if (self.folder / BEST).is_file():
            self.model.load_state_dict(torch.load(self.folder / BEST, weights_only=True, map_location=self.device))
        return Training(self.step, self.best_step, self.best, time.monotonic() - start)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def _tired(self) -> bool:
        return 0 < self.config.patience <= self.misses

    def _one_step_or_save(self) -> None:
        """One step; an interruption between steps keeps what was learned since the last validation."""
        try:
            self._one_step()
        except KeyboardInterrupt:
            if self.workers.first:
                _write(self._state(), self.folder / STATE)
            raise

    def _one_step(self) -> None:
        """Forward, backward, clip, step."""
        self.model.train()
        rate = rate_at(self.step, self.config)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        value = sum(float(self._backward() / self.config.accumulate) for _ in range(self.config.accumulate))
        self.workers.average_gradients(self.model)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimiser.step()
        self.step += 1
        self.running = value if self.running is None else 0.98 * self.running + 0.02 * value

    def _backward(self) -> Tensor:
        """Add the gradients of one batch up, and return its loss."""
        batch = self.draw()
        halves = self.config.autocast and halves_pay(self.device)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=halves):
            loss = self.loss(batch)
        (loss / self.config.accumulate).backward()
        return loss.detach()

    def _check(self, speed: float) -> None:
        """Validate, log, keep the best weights and the state to resume from."""
        self.model.eval()
        with torch.no_grad():
            figures = self.validate()
        figures["loss"] = loss = self.workers.average(figures["loss"])
        self.running = None if self.running is None else self.workers.average(self.running)
        better = loss < self.best
        self.misses = 0 if better else self.misses + 1
        if better:
            self.best, self.best_step = loss, self.step
        if not self.workers.first:
            return
        if better or self.config.keep == "last":
            _write(self.model.state_dict(), self.folder / BEST)
        _write(self._state(), self.folder / STATE)
        self._log(figures, speed)

    def _log(self, figures: dict[str, float], speed: float) -> None:
        """One line to the CSV file and one to the terminal."""
        seconds = time.monotonic() - self.since
        self.since = time.monotonic()
        row = {"step": self.step, "rate": f"{rate_at(self.step, self.config):.3g}", "train": f"{self.running:.4f}"}
        row |= {"seconds": f"{seconds:.1f}"}
        row |= {name: f"{value:.4f}" for name, value in figures.items()}
        path = self.folder / LOG
        fresh = not path.is_file()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        left = (self.config.steps - self.step) / max(speed, 1e-9)
        line = f"step {self.step}/{self.config.steps}  train {self.running:.3f}  valid {figures['loss']:.3f}"
        print(f"{line}  best {self.best:.3f} at {self.best_step}  {speed:.2f} steps/s  {left / 60:.0f} min left",
              file=self.progress, flush=True)  # fmt: skip

    def _state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(), "optimiser": self.optimiser.state_dict(), "step": self.step,
            "best": self.best, "best_step": self.best_step, "misses": self.misses, "running": self.running,
            "random": torch.get_rng_state(),
        }  # fmt: skip

    def _resume(self) -> None:
        """Go on from the folder's state, if it has one. Batches are drawn afresh from there on."""
        path = self.folder / STATE
        if not path.is_file():
            return
        state = torch.load(path, weights_only=True, map_location="cpu")  # a run may go on elsewhere than it began
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.best, self.best_step = state["step"], state["best"], state["best_step"]
        self.misses, self.running = state["misses"], state["running"]
        torch.set_rng_state(state["random"])
        print(f"resumed at step {self.step}", file=self.progress, flush=True)


def _write(value: Any, path: Path) -> None:
    """Save under a temporary name, then rename, so that an interruption leaves the old file."""
    part = path.with_suffix(".part")
    torch.save(value, part)
    part.replace(path)
