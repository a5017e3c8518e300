"""What can be asked of a LoRA training. Frozen dataclasses that check their own values; nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from affectgen.errors import UsageError
from affectgen.writing.options import within

TARGETS = ("attention", "all")
PRECISIONS = ("auto", "fp32")
LEAST_PIECE, MOST_PIECE = 0.5, 120.0  # seconds
MOST_DROPOUT = 0.9


@dataclass(frozen=True)
class Corpus:
    """What is learned from. audio: folder that the labels' names are relative to; labels: CSV; tags: MTG-Jamendo's TSV;
    seconds: of a piece, at most; style: words that every caption may end with; skip_missing, skip_damaged: go on
    without files that are not there or cannot be read, instead of stopping."""

    audio: Path
    labels: Path | None = None
    tags: Path | None = None
    seconds: float = 30.0
    style: str = ""
    skip_missing: bool = False
    skip_damaged: bool = False

    def __post_init__(self) -> None:
        if self.labels is None and self.tags is None:
            raise UsageError("Neither --labels nor --tags was given.", "Give a table of labels, of tags, or both.")
        within("--seconds", self.seconds, LEAST_PIECE, MOST_PIECE)


@dataclass(frozen=True)
class Lora:
    """The adapter (Hu et al., 2022). rank; alpha: its scale is alpha / rank, None for the rank itself; targets: of each
    layer of the decoder the projections of its attentions, or also those of its feed-forward part; dropout: of what the
    adapter reads."""

    rank: int = 16
    alpha: float | None = None
    targets: str = "all"
    dropout: float = 0.05

    def __post_init__(self) -> None:
        within("--rank", self.rank, 1, 1024)
        if self.alpha is not None:
            within("--alpha", self.alpha, 1e-3, 1e4)
        within("--lora-dropout", self.dropout, 0.0, MOST_DROPOUT)
        if self.targets not in TARGETS:
            raise UsageError(f"--targets got {self.targets!r}.", f"Use one of {', '.join(TARGETS)}.")


@dataclass(frozen=True)
class Schedule:
    """The loop. epochs: passes over the pieces; steps: optimiser steps, which beat epochs; batch: pieces at once;
    accumulate: batches of a step; rate: highest learning rate; warmup: steps until it, None for a twentieth of all;
    clip: largest norm of a gradient; caption_dropout: share of pieces that lose all words, affect_dropout: that lose
    their affect, each drawn by itself; vary: change captions from epoch to epoch; checkpointing: recompute layers in
    the backward pass, which saves memory; precision: "auto" takes bfloat16 where it is fast; validate_every: steps
    between validations, None for a twentieth of all; align: weight of the alignment loss, 0 for none; align_layer:
    layer of the decoder whose states it reads, from 1, 0 for the last one's normed output."""

    epochs: float = 4.0
    steps: int | None = None
    batch: int = 4
    accumulate: int = 1
    rate: float = 2e-4
    warmup: int | None = None
    clip: float = 1.0
    weight_decay: float = 0.01
    caption_dropout: float = 0.1
    affect_dropout: float = 0.15
    vary: bool = True
    checkpointing: bool = False
    precision: str = "auto"
    validate_every: int | None = None
    align: float = 0.0
    align_layer: int = 0

    def __post_init__(self) -> None:
        within("--caption-dropout", self.caption_dropout, 0.0, MOST_DROPOUT)
        within("--affect-dropout", self.affect_dropout, 0.0, MOST_DROPOUT)
        within("--align", self.align, 0.0, 100.0)
        if self.precision not in PRECISIONS:
            raise UsageError(f"--precision got {self.precision!r}.", f"Use one of {', '.join(PRECISIONS)}.")


@dataclass(frozen=True)
class LoraOptions:
    """A whole training. base: folder or name of a MusicGen; folder: of the run; samples: pieces written before and
    after; sample_seconds: their length."""

    corpus: Corpus
    base: str
    folder: Path
    lora: Lora = Lora()
    schedule: Schedule = Schedule()
    samples: int = 4
    sample_seconds: float = 5.0
    seed: int = 1
    device: str = "cpu"
    threads: int = 1

    @property
    def codes(self) -> Path:
        """Where the codes of recordings are kept."""
        return self.folder / "codes"
