"""`affectgen emogen train`: from folders of MIDI files to weights, without a label.

Two stages in one run folder, each resumed if interrupted: pretrain (mostly songs) and finetune (more of EMOPIA's clips,
as what is composed is to sound like them, while the rate falls). Songs and scale are prepared once and kept there.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from affectgen.emogen.config import EmogenConfig
from affectgen.emogen.corpora import make_scale
from affectgen.emogen.data import Batch, Song, Windows, whole_batches
from affectgen.emogen.model import Emogen
from affectgen.emogen.scale import Scale
from affectgen.errors import UsageError
from affectgen.nn.distributed import Workers
from affectgen.nn.drawing import drawing
from affectgen.nn.training import BEST, Trainer, Training, TrainingConfig, resumed_step
from affectgen.score.words import ELEMENTS

STAGES = ("pretrain", "finetune")
# Fine-tuning ends with its last weights, as MusER's does (docs/training.md).
KEEP = {"pretrain": "best", "finetune": "last"}
SCALE = "scale.npy"
HARDWARE = "hardware.txt"  # in the run folder: on what its stages were trained
VALIDATIONS = 40  # in a long stage; a short one has one every hundred steps
VALIDATION_ROWS = 16
VALIDATION_WORDS = 768


@dataclass(frozen=True)
class Stage:
    """steps, peak rate, from which corpus a row comes how often."""

    name: str
    steps: int
    rate: float
    share: dict[str, float]
    floor: float
    dropout: float


@dataclass(frozen=True)
class EmogenTrainOptions:
    """data: folder with emopia/, and pop1k7/ and pop909/ where there are; folder: the run's own.

    pretrain, finetune: optimiser steps; rows, words: size of a batch; workers: processes that draw batches, 0 for this
    one; start: a checkpoint to go on from, whose sizes and scale stay. A stage of 0 steps is left out: UsageError where
    nothing is left to run.
    """

    data: Path
    folder: Path
    model: EmogenConfig
    pretrain: int = 3600
    finetune: int = 2100
    rows: int = 10
    words: int = 512
    rate: float = 1.2e-3
    seed: int = 1
    threads: int = 1
    device: str = "cpu"
    workers: int = 0
    start: str | None = None

    def __post_init__(self) -> None:
        if self.pretrain + self.finetune == 0:
            raise UsageError("--pretrain 0 and --finetune 0 leave nothing to train.", "Give one of them steps.")

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that have steps, in their order."""
        steps = {"pretrain": self.pretrain, "finetune": self.finetune}
        return tuple(name for name in STAGES if steps[name] > 0)

    def stage(self, name: str) -> Stage:
        """The settings of a stage."""
        if name == "pretrain":
            share = {"emopia": 0.12, "pop1k7": 0.6, "pop909": 0.28}
            return Stage(name, self.pretrain, self.rate, share, floor=0.3, dropout=0.1)
        share = {"emopia": 0.4, "pop1k7": 0.4, "pop909": 0.2}
        return Stage(name, self.finetune, 0.3 * self.rate, share, floor=0.02, dropout=0.2)


def run_train(options: EmogenTrainOptions, songs: dict[str, list[Song]]) -> dict[str, Training]:
    """The stages in turn, on songs as `read_corpora` gives them; the weights stay in the run folder for `export`."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    scale = find_scale(songs, options)
    model = begin(options)
    say(f"{count(model) / 1e6:.2f} M parameters")
    done = {}
    for name in options.stages:
        if Workers.from_environment().first and resumed_step(options.folder / name) < options.stage(name).steps:
            note_hardware(options)
        done[name] = train_stage(model, songs, scale, options, options.stage(name))
    return done


def note_hardware(options: EmogenTrainOptions) -> None:
    """Add what trains from here on to the run folder's list, once."""
    device = torch.device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else options.device
    drawing = f", {options.workers} more draw batches" if options.workers else ""
    line = f"{platform.machine()}, {options.threads} torch threads a process{drawing}, {name}"
    if line not in read_hardware(options.folder):
        with (options.folder / HARDWARE).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def read_hardware(folder: Path) -> list[str]:
    """What a run was trained on, in turn."""
    path = folder / HARDWARE
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def begin(options: EmogenTrainOptions) -> Emogen:
    """A new model of the options' sizes, or that of the checkpoint to go on from."""
    if options.start is None:
        return Emogen(options.model).to(options.device)
    from affectgen.emogen.checkpoint import load_emogen

    return load_emogen(options.start, options.device).model


def find_scale(songs: dict[str, list[Song]], options: EmogenTrainOptions) -> Scale:
    """The scale of the checkpoint that is gone on from, or the run's own, made once from its songs."""
    if options.start is not None:
        from affectgen.emogen.checkpoint import load_emogen

        return load_emogen(options.start).scale
    path = options.folder / SCALE
    if not path.is_file():
        if Workers.from_environment().first:
            say("measuring the scale of the attributes")
            part = path.with_suffix(".part.npy")
            np.save(part, make_scale(songs).quantiles)
            part.replace(path)
        Workers.from_environment().wait()
    return Scale(np.load(path, allow_pickle=False))


def train_stage(
    model: Emogen, songs: dict[str, list[Song]], scale: Scale, options: EmogenTrainOptions, stage: Stage
) -> Training:
    """One stage of the model in place; it ends with the stage's kept weights."""
    everything = [song for name, group in songs.items() if name != "dev" for song in group]
    dev = whole_batches(songs["dev"], scale, VALIDATION_ROWS, VALIDATION_WORDS)
    device = torch.device(options.device)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = stage.dropout
    seed = draw_seed(options, stage.name)
    windows = Windows(everything, scale, stage.share, options.rows, options.words, seed)
    config = TrainingConfig(
        steps=stage.steps, rate=stage.rate, floor=stage.floor,
        validate_every=max(1, min(100, stage.steps // 4), stage.steps // VALIDATIONS), keep=KEEP[stage.name],
    )  # fmt: skip
    say(f"stage {stage.name}")
    draw = drawing(partial(draw_for, windows, seed), options.workers)
    return Trainer(
        model, draw, lambda batch: model(batch.to(device)).sum(), lambda: validate(model, dev, device), config,
        options.folder / stage.name,
    ).run()  # fmt: skip


def draw_for(windows: Windows, seed: tuple[int, ...], worker: int) -> Callable[[], Batch]:
    """How a process draws from windows that it has to itself: each process by its own random numbers."""
    if worker > 0:
        windows.rng = np.random.default_rng((*seed, worker))
    return windows.draw


def validate(model: Emogen, batches: list[tuple[Batch, Batch]], device: torch.device) -> dict[str, float]:
    """Nats per word on whole songs that are told all their attributes, in all and by element, and told none."""
    total, words, untold = np.zeros(len(ELEMENTS)), 0.0, 0.0
    for told, nothing in batches:
        count = float((told.table[:, 1:, 0] > 0).sum())
        total += model(told.to(device)).float().cpu().numpy() * count
        untold += float(model(nothing.to(device)).sum()) * count
        words += count
    figures = {"loss": float(total.sum() / words), "untold": untold / words}
    return figures | {name: float(value / words) for name, value in zip(ELEMENTS, total, strict=True)}


def draw_seed(options: EmogenTrainOptions, stage: str) -> tuple[int, int, int, int]:
    """The seed of a stage's windows: other ones in every process, and after a resumption others than before it."""
    step = resumed_step(options.folder / stage)
    return options.seed, STAGES.index(stage), Workers.from_environment().rank, step


def final_weights(options: EmogenTrainOptions) -> Emogen:
    """The model as the run left it, on the CPU."""
    model = Emogen(options.model)
    model.load_state_dict(torch.load(options.folder / options.stages[-1] / BEST, weights_only=True, map_location="cpu"))
    return model


def count(model: torch.nn.Module) -> int:
    """Number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters())


def say(line: str) -> None:
    """One line of progress with the time of day."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()
