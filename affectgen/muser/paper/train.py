"""Training the paper's model: the VQ-VAE on EMOPIA's training songs, then the prior on its codes.

    affectgen muser train --structure paper --data DATA -o OUT

As published there is no augmentation and no pretraining; both are options. Unlike the paper, songs are held out (the
development songs of `affectgen.muser.corpora`), the rate follows a cosine, and the best weights by the held-out
likelihood are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from affectgen.errors import UsageError
from affectgen.muser.config import MuserConfig
from affectgen.muser.corpora import read_emopia
from affectgen.muser.data import Song, Windows, load_songs, save_songs, whole_batches
from affectgen.muser.paper.config import PaperConfig
from affectgen.muser.paper.model import PaperModel
from affectgen.muser.paper.prior import PaperPrior
from affectgen.muser.paper.stream import Clips, PaperBatch, paper_batch
from affectgen.muser.train import TrainOptions, count, prepare, read_points, say
from affectgen.nn.distributed import Workers
from affectgen.nn.training import Trainer, Training, TrainingConfig, resumed_step
from affectgen.score.words import ELEMENTS

STAGES = PRETRAIN, VQVAE, PRIOR = "pretrain", "vqvae", "prior"
VALIDATION_ROWS = 16
CLIP = 3.0  # gradient norm, as published
Songs = dict[str, list[Song]]


@dataclass(frozen=True)
class PaperTrainOptions:
    """data: folder with emopia/ (and pop1k7/, vgmidi/ for pretraining); folder: the run's own folder.

    songs: folder with songs-train.npz and songs-dev.npz as `affectgen.muser.train.prepare` writes them (the run's
    folder where None); what is missing is made. steps, prior, pretrain: optimiser steps of each stage, at least one of
    the first two (UsageError); pretrain 0, as published, leaves that stage out. rows: clips in a batch. rate,
    prior_rate: peak learning rates. augment: random transposition and slight changes of tempo and velocity, as the
    project's own model is trained.
    """

    data: Path
    folder: Path
    model: PaperConfig = field(default_factory=PaperConfig)
    songs: Path | None = None
    points: Path | None = None
    steps: int = 2000
    prior: int = 2000
    pretrain: int = 0
    rows: int = 16
    rate: float = 5e-4
    prior_rate: float = 5e-4
    augment: bool = False
    seed: int = 1
    threads: int = 1
    device: str = "cpu"
    autocast: bool = True
    validate_every: int = 100

    def __post_init__(self) -> None:
        for name, steps in (("finetune", self.steps), ("prior", self.prior)):
            if steps < 1:
                raise UsageError(
                    f"--{name} {steps} leaves out a stage that a model of the paper's structure needs.",
                    "Give it at least one step.",
                )

    @property
    def songs_folder(self) -> Path:
        """Where the songs are kept."""
        return self.folder if self.songs is None else self.songs

    def training(self, steps: int, rate: float, patience: int = 0) -> TrainingConfig:
        """Settings of one stage: Adam without weight decay, as published."""
        return TrainingConfig(
            steps=steps, rate=rate, weight_decay=0.0, clip=CLIP, autocast=self.autocast,
            validate_every=max(1, min(self.validate_every, steps // 4)), patience=patience,
        )  # fmt: skip


def paper_songs(options: PaperTrainOptions) -> Songs:
    """Songs by set: train and dev; with pretraining also pop and game."""
    if options.pretrain:
        return prepare(TrainOptions(options.data, options.songs_folder, MuserConfig(), options.points, guided=False))
    options.songs_folder.mkdir(parents=True, exist_ok=True)
    points = read_points(options.points) if options.points is not None else None
    found: Songs = {}
    for name in ("train", "dev"):
        path = options.songs_folder / f"songs-{name}.npz"
        if not path.is_file():
            save_songs(path, read_emopia(options.data / "emopia", name, points))
        found[name] = load_songs(path)
        say(f"{name}: {len(found[name])} songs, {sum(len(song.table) for song in found[name])} words")
    return found


def labelled_batches(songs: Songs, options: PaperTrainOptions, seed: int) -> Callable[[], PaperBatch]:
    """Draws batches of EMOPIA's clips, whole and as they are, or augmented."""
    most = options.model.most_words
    if not options.augment:
        return Clips(songs["train"], options.rows, most + 1, seed).draw
    windows = Windows(songs["train"], {"emopia": 1.0}, options.rows, most + 1, seed, noise=0.0)
    return lambda: paper_batch(windows.draw())


def mixed_batches(songs: Songs, options: PaperTrainOptions, seed: int) -> Callable[[], PaperBatch]:
    """Draws batches for pretraining, of as many clips of every corpus as the project's own model meets."""
    everything = songs["train"] + songs.get("pop", []) + songs.get("game", [])
    share = {"emopia": 0.1, "pop": 0.85, "game": 0.05}
    windows = Windows(everything, share, options.rows, options.model.most_words + 1, seed, noise=0.0)
    return lambda: paper_batch(windows.draw())


def dev_batches(songs: Songs, options: PaperTrainOptions) -> list[PaperBatch]:
    """The development songs, each once."""
    most = options.model.most_words + 1  # the key event does not count
    return [paper_batch(batch) for batch in whole_batches(songs["dev"], VALIDATION_ROWS, most)]


def validate(model: PaperModel, batches: list[PaperBatch], device: torch.device) -> dict[str, float]:
    """Nats per word through the codebook, in all and by element, and the share of the codebook in use."""
    total, words = np.zeros(len(ELEMENTS)), 0.0
    for batch in batches:
        inside = float(batch.inside.sum())
        total += model(batch.to(device)).elements.float().cpu().numpy() * inside
        words += inside
    figures = {"loss": float(total.sum() / words)}
    figures |= {name: float(value / words) for name, value in zip(ELEMENTS, total, strict=True)}
    return figures | {"usage": float(model.usage())}


def train_vqvae(model: PaperModel, songs: Songs, options: PaperTrainOptions) -> dict[str, Training]:
    """Train encoder, codebook and decoder in place; what each stage came to."""
    device = torch.device(options.device)
    dev = dev_batches(songs, options)
    stages = [(PRETRAIN, options.pretrain, mixed_batches)] if options.pretrain else []
    done = {}
    for name, steps, source in [*stages, (VQVAE, options.steps, labelled_batches)]:
        say(f"stage {name}")
        done[name] = Trainer(
            model, source(songs, options, draw_seed(options, name)), lambda batch: model(batch.to(device)).total,
            lambda: validate(model, dev, device), options.training(steps, options.rate), options.folder / name,
        ).run()  # fmt: skip
    return done


def train_prior(model: PaperModel, prior: PaperPrior, songs: Songs, options: PaperTrainOptions) -> Training:
    """Fit the prior to the codes that the finished model gives EMOPIA's clips."""
    device = torch.device(options.device)
    model.eval()

    def loss(batch: PaperBatch) -> torch.Tensor:
        here = batch.to(device)
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            codes = model.encode(here.words).codes
        return prior(codes, here.inside, here.quadrant)

    dev = dev_batches(songs, options)

    def check() -> dict[str, float]:
        losses = [(float(loss(batch)), int(batch.inside.sum()) + len(batch.words)) for batch in dev]
        return {"loss": sum(value * places for value, places in losses) / sum(places for _, places in losses)}

    say(f"stage {PRIOR}")
    draw = labelled_batches(songs, options, draw_seed(options, PRIOR))
    config = options.training(options.prior, options.prior_rate, patience=10)
    return Trainer(prior, draw, loss, check, config, options.folder / PRIOR).run()


def draw_seed(options: PaperTrainOptions, stage: str) -> int:
    """The seed of a stage's batches: other ones in every process, and after a resumption others than before it."""
    step = resumed_step(options.folder / stage)
    stream = np.random.SeedSequence((options.seed, STAGES.index(stage), Workers.from_environment().rank, step))
    return int(stream.generate_state(1)[0])


def run_paper(options: PaperTrainOptions) -> dict[str, Training]:
    """All stages, each resumed if interrupted; the weights stay in the run folder for `export_paper`."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    songs = paper_songs(options)
    device = torch.device(options.device)
    model, prior = PaperModel(options.model).to(device), PaperPrior(options.model).to(device)
    say(f"{count(model) / 1e6:.2f} M parameters, prior {count(prior) / 1e6:.2f} M")
    done = train_vqvae(model, songs, options)
    done[PRIOR] = train_prior(model, prior, songs, options)
    return done
