"""`affectgen muser train`: from folders of MIDI files to a checkpoint.

Four stages in one run folder, each resumed if interrupted: prepare (songs as words, affects from the guide), pretrain
(everything, mostly unlabelled corpora), prior (on the codes, which are fixed from here on), finetune (the decoder,
mostly on EMOPIA). Prior and finetune need only what pretrain left, so two processes can run them side by side.
A run that goes on from a checkpoint may leave out any of the last three.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from affectgen.errors import UsageError
from affectgen.muser.checkpoint import load_composer
from affectgen.muser.config import MuserConfig
from affectgen.muser.corpora import read_emopia, read_folder, read_vgmidi
from affectgen.muser.data import Batch, Song, Windows, load_songs, save_songs, whole_batches
from affectgen.muser.model import Muser
from affectgen.muser.prior import Prior
from affectgen.muser.prior_data import PriorWindows, encode_songs, prior_batches
from affectgen.nn.distributed import Workers
from affectgen.nn.training import BEST, Trainer, Training, TrainingConfig, resumed_step
from affectgen.score.words import ELEMENTS

STAGES = ("pretrain", "prior", "finetune")
POINTS = "points.csv"  # in the run folder: the points that were predicted for the labelled clips
# Fine-tuning ends with its last weights: the likelihood of development songs stands still for its second half, while
# what is composed comes nearer to real clips (docs/training.md).
KEEP = {"pretrain": "best", "prior": "best", "finetune": "last"}
PRIOR_RATE, PRIOR_DROPOUT = 1.2e-3, 0.3
VALIDATION_ROWS = 16
VALIDATION_WORDS = 768


@dataclass(frozen=True)
class Stage:
    """One stage of decoder training: steps, peak rate, from which corpus a row comes how often, and how many rows join
    windows of two songs (`affectgen.muser.data.Windows`)."""

    name: str
    steps: int
    rate: float
    share: dict[str, float]
    floor: float = 0.02
    dropout: float = 0.1
    medley: float = 0.0


@dataclass(frozen=True)
class TrainOptions:
    """data: folder with emopia/, and pop1k7/ and vgmidi/ where there are; folder: the run's own folder.

    points: CSV of clip, valence, arousal with out-of-fold pseudo-labels (recognize.pseudo); quadrant centres without.
    pretrain, finetune, prior: optimiser steps; rows, words: size of a batch. threads: torch threads.
    start: a checkpoint to go on from; its encoder and codes stay as they are through all stages, and `model` must be
    its config. A stage of 0 steps is left out: UsageError without a start, or where nothing is left to run.
    """

    data: Path
    folder: Path
    model: MuserConfig
    points: Path | None = None
    pretrain: int = 1000
    finetune: int = 1200
    prior: int = 1000
    rows: int = 12
    words: int = 512
    rate: float = 1e-3
    seed: int = 1
    threads: int = 1
    device: str = "cpu"
    guided: bool = True
    start: str | None = None
    only: tuple[str, ...] = STAGES

    def __post_init__(self) -> None:
        idle = [name for name in STAGES if name not in self.stages]
        if idle and self.start is None:
            raise UsageError(
                f"--{idle[0]} 0 leaves out a stage that a new model needs.",
                "Give it at least one step, or --from a checkpoint.",
            )
        if not set(self.only) & set(self.stages):
            raise UsageError(f"No stage of {', '.join(self.only)} has steps.", "Give one of them at least one step.")

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that have steps, in their order."""
        steps = {"pretrain": self.pretrain, "prior": self.prior, "finetune": self.finetune}
        return tuple(name for name in STAGES if steps[name] > 0)

    def stage(self, name: str) -> Stage:
        """Pretraining has the labelled clips in one row of five; fine-tuning the others in one row of five."""
        if name == "pretrain":
            share = {"emopia": 0.2, "pop": 0.76, "game": 0.04}
            return Stage(name, self.pretrain, self.rate, share, floor=0.3, medley=0.25)
        share = {"emopia": 0.8, "pop": 0.17, "game": 0.03}
        return Stage(name, self.finetune, 0.6 * self.rate, share, dropout=0.15, medley=0.5)


def prepare(options: TrainOptions) -> dict[str, list[Song]]:
    """Songs by set: train, dev, pop, game; read from the run folder's files where they exist."""
    folder, data = options.folder, options.data
    folder.mkdir(parents=True, exist_ok=True)
    points = read_points(options.points) if options.points is not None else None
    rate = None
    if options.guided:
        from affectgen.recognize.guide import load_guide

        rate = load_guide().rate
    sources: dict[str, Iterable[Song]] = {}
    found: dict[str, list[Song]] = {}
    for name in ("train", "dev", "pop", "game"):
        path = folder / f"songs-{name}.npz"
        if not path.is_file():
            if name in ("train", "dev"):
                sources[name] = read_emopia(data / "emopia", name, points)
            elif name == "pop":
                sources[name] = read_folder(data / "pop1k7", "pop", rate) if (data / "pop1k7").is_dir() else []
            else:
                sources[name] = read_vgmidi(data / "vgmidi") if (data / "vgmidi").is_dir() else []
            songs = list(sources[name])
            if songs:
                save_songs(path, songs)
            found[name] = songs
        else:
            found[name] = load_songs(path)
        say(f"{name}: {len(found[name])} songs, {sum(len(song.table) for song in found[name])} words")
    return found


def read_points(path: Path) -> dict[str, tuple[float, float]]:
    """Valence-arousal by clip name from a CSV with the columns clip, valence, arousal."""
    with path.open(newline="") as file:
        return {row["clip"]: (float(row["valence"]), float(row["arousal"])) for row in csv.DictReader(file)}


def train_decoder(model: Muser, songs: dict[str, list[Song]], options: TrainOptions, stage: Stage) -> Training:
    """One stage of the model in place; it ends with the stage's best weights."""
    everything = songs["train"] + songs["pop"] + songs["game"]
    dev = whole_batches(songs["dev"], VALIDATION_ROWS, VALIDATION_WORDS)
    device = torch.device(options.device)
    set_dropout(model, stage.dropout)
    folder = options.folder / stage.name
    windows = Windows(
        everything, stage.share, options.rows, options.words, draw_seed(options, stage.name),
        medley=stage.medley,
    )  # fmt: skip
    config = TrainingConfig(
        steps=stage.steps, rate=stage.rate, floor=stage.floor,
        validate_every=max(1, min(100, stage.steps // 4)), keep=KEEP[stage.name],
    )  # fmt: skip
    say(f"stage {stage.name}")
    return Trainer(
        model, windows.draw, lambda batch: model(batch.to(device)).total, lambda: validate(model, dev, device),
        config, folder,
    ).run()  # fmt: skip


def validate(model: Muser, batches: list[Batch], device: torch.device) -> dict[str, float]:
    """Nats per word on whole songs, in all and by element, and the share of bar codes in use."""
    total, words = np.zeros(len(ELEMENTS)), 0.0
    for batch in batches:
        count = float((batch.table[:, 1:, 0] > 0).sum())
        total += model(batch.to(device)).elements.float().cpu().numpy() * count
        words += count
    figures = {"loss": float(total.sum() / words)}
    figures |= {name: float(value / words) for name, value in zip(ELEMENTS, total, strict=True)}
    usage = {"bar_usage": model.bar_books.usage(), "word_usage": model.word_books.usage()}
    return figures | {name: float(value.mean()) for name, value in usage.items()}


def train_prior(model: Muser, prior: Prior, songs: dict[str, list[Song]], options: TrainOptions) -> Training:
    """Fit the prior to the codes that the finished model gives the songs."""
    device = torch.device(options.device)
    coded = {name: encode_songs(model, group, device) for name, group in songs.items()}
    share = {"emopia": 0.2, "pop": 0.75, "game": 0.05}  # more of the few clips is learned by heart
    set_dropout(prior, PRIOR_DROPOUT)
    everything = coded["train"] + coded["pop"] + coded["game"]
    windows = PriorWindows(everything, share, rows=64, bars=40, seed=draw_seed(options, "prior"), medley=0.4)
    dev = prior_batches(coded["dev"], 64)

    def check() -> dict[str, float]:
        losses = [(float(prior(batch.to(device))), int(batch.inside.sum())) for batch in dev]
        return {"loss": sum(loss * count for loss, count in losses) / sum(count for _, count in losses)}

    config = TrainingConfig(
        steps=options.prior, rate=PRIOR_RATE, weight_decay=0.1, validate_every=100, patience=12
    )
    say("stage prior")
    folder = options.folder / "prior"
    return Trainer(prior, windows.draw, lambda batch: prior(batch.to(device)), check, config, folder).run()


def draw_seed(options: TrainOptions, stage: str) -> tuple[int, int, int, int]:
    """The seed of a stage's windows: other ones in every process, and after a resumption others than before it."""
    step = resumed_step(options.folder / stage)
    return options.seed, STAGES.index(stage), Workers.from_environment().rank, step


def set_dropout(model: torch.nn.Module, rate: float) -> None:
    """Give every dropout layer of the model this rate."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = rate


def run_train(options: TrainOptions) -> dict[str, Training]:
    """The stages of `options.only`; the weights stay in the run folder for `export`."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    songs = prepare(options)
    device = torch.device(options.device)
    model, prior = begin(options, device)
    say(f"{count(model) / 1e6:.2f} M parameters, prior {count(prior) / 1e6:.2f} M")
    wanted = set(options.only) & set(options.stages)
    done: dict[str, Training] = {}
    if "pretrain" in wanted:
        done["pretrain"] = train_decoder(model, songs, options, options.stage("pretrain"))
    elif "pretrain" in options.stages:
        model.load_state_dict(torch.load(options.folder / "pretrain" / BEST, weights_only=True))
    model.freeze_latents()
    if "prior" in wanted:
        done["prior"] = train_prior(model, prior, songs, options)
    if "finetune" in wanted:
        done["finetune"] = train_decoder(model, songs, options, options.stage("finetune"))
    return done


def begin(options: TrainOptions, device: torch.device) -> tuple[Muser, Prior]:
    """New models of the options' sizes, or that of the checkpoint to go on from, with its latents fixed; the prior is
    new wherever it is to be trained, because it is soon learned and soon overfitted."""
    if options.start is None:
        return Muser(options.model).to(device), Prior(options.model).to(device)
    composer = load_composer(options.start, str(device))
    composer.model.freeze_latents()
    return composer.model, Prior(composer.config).to(device) if options.prior > 0 else composer.prior


def count(model: torch.nn.Module) -> int:
    """Number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters())


def say(line: str) -> None:
    """One line of progress with the time of day."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()
