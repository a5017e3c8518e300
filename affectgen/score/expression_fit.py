"""Fit the model of expressive timing to EMOPIA's training performances:

    python -m affectgen.score.expression_fit --data ../shared/data --run runs/expression -o checkpoints/expression
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from affectgen.nn.checkpoint import save_checkpoint
from affectgen.nn.training import Trainer, TrainingConfig
from affectgen.score.expression import (
    LENGTHS,
    SHIFTS,
    Expression,
    ExpressionConfig,
    context,
    nearest_bins,
    style_of,
    traits_of,
)
from affectgen.score.midi import read_grid, read_notes
from affectgen.score.performance import as_played, match_notes, time_map
from affectgen.score.split import dev_songs_in_order

NOTES = 256
FAR = 0.15  # seconds: deviations beyond this are errors of the alignment, not expression
LICENCE = "CC-BY-NC-SA-4.0"


@dataclass(frozen=True)
class Performance:
    """One clip: context [N, 28], style [2], traits [3], bins of shift and length [N]."""

    known: NDArray[np.float32]
    style: NDArray[np.float32]
    traits: NDArray[np.float32]
    shift: NDArray[np.int64]
    length: NDArray[np.int64]


def read_performance(beat: Path, raw: Path) -> Performance | None:
    """Align a beat file with its performance; None where too few notes match."""
    played = read_notes(raw)
    score = as_played(read_grid(beat), played)
    found = match_notes(score, played)
    lines = time_map(score, played, found)
    if lines is None or (found < 0).mean() > 0.1:
        return None
    shift = np.where(found >= 0, played.onset[found] - np.interp(score.start, np.arange(len(lines)), lines), 0.0)
    shift = np.clip(shift, -FAR, FAR)
    written = np.interp(score.start + score.length, np.arange(len(lines)), lines) - np.interp(
        score.start, np.arange(len(lines)), lines
    )
    ratio = np.where(found >= 0, played.duration[found] / np.maximum(written, 0.02), 1.0)
    ratio = np.clip(ratio, LENGTHS[0], LENGTHS[-1])
    return Performance(
        context(score), style_of(shift, ratio), traits_of(score), nearest_bins(shift, SHIFTS),
        nearest_bins(np.log(ratio), np.log(LENGTHS)),
    )  # fmt: skip


def read_all(folder: Path) -> tuple[list[Performance], list[Performance]]:
    """Training and development performances of EMOPIA's training split, divided by song."""
    train: list[Performance] = []
    dev: list[Performance] = []
    with (folder / "clips.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train" and ";" not in row["beat"]]
    held = dev_songs_in_order(row["song"] for row in rows)
    for row in rows:
        beat, raw = folder / "beat" / row["beat"], folder / "raw" / f"{row['clip']}.mid"
        found = read_performance(beat, raw) if row["beat"] and beat.is_file() and raw.is_file() else None
        if found is not None:
            (dev if row["song"] in held else train).append(found)
    return train, dev


def stack(parts: list[tuple[Performance, int]]) -> tuple[Tensor, ...]:
    """Windows of NOTES notes: known [B, N, 28], style [B, 2], shift, length [B, N] with -100 beyond the end."""
    size = min(NOTES, max(len(part.shift) - first for part, first in parts))
    known = np.zeros((len(parts), size, parts[0][0].known.shape[1]), dtype=np.float32)
    bins = np.full((2, len(parts), size), -100, dtype=np.int64)
    for row, (part, first) in enumerate(parts):
        stop = min(first + size, len(part.shift))
        known[row, : stop - first] = part.known[first:stop]
        bins[0, row, : stop - first], bins[1, row, : stop - first] = part.shift[first:stop], part.length[first:stop]
    style = np.stack([part.style for part, _ in parts])
    return tuple(torch.from_numpy(value) for value in (known, style, bins[0], bins[1]))


def loss_of(model: Expression, batch: tuple[Tensor, ...]) -> Tensor:
    """Nats per note of shift and length."""
    known, style, shift, length = batch
    shifts, lengths = model(known, style, shift.clamp_min(0), length.clamp_min(0))
    parts = [F.cross_entropy(x.float().flatten(0, 1), y.flatten(), ignore_index=-100)
             for x, y in ((shifts, shift), (lengths, length))]  # fmt: skip
    return parts[0] + parts[1]


def fit(data: Path, run: Path, out: Path, steps: int, seed: int) -> None:
    """Train, keep the best weights by development songs, write the checkpoint."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    train, dev = read_all(data / "emopia")
    model = Expression(ExpressionConfig())
    rng = np.random.default_rng(seed)

    def draw() -> tuple[Tensor, ...]:
        picked = [train[int(index)] for index in rng.integers(len(train), size=32)]
        return stack([(part, int(rng.integers(max(1, len(part.shift) - NOTES // 2)))) for part in picked])

    checks = [stack([(part, 0)]) for part in dev]

    def validate() -> dict[str, float]:
        counts = [int((batch[2] >= 0).sum()) for batch in checks]
        losses = [float(loss_of(model, batch)) * count for batch, count in zip(checks, counts, strict=True)]
        return {"loss": sum(losses) / sum(counts)}

    config = TrainingConfig(steps=steps, rate=3e-3, validate_every=100, patience=10, autocast=False)
    done = Trainer(model, draw, lambda batch: loss_of(model, batch), validate, config, run).run()
    state = dict(model.state_dict())
    state["styles"] = torch.from_numpy(np.stack([part.style for part in train]))
    state["traits"] = torch.from_numpy(np.stack([part.traits for part in train]))
    command = f"python -m affectgen.score.expression_fit --data DATA --steps {steps} --seed {seed}"
    about = {"kind": "expression", "model": model.config.to_dict(), "licence": LICENCE, "training": {
        "command": command, "seed": seed, "best_step": done.best_step, "steps": done.steps,
        "development_nats_per_note": round(done.best, 4), "clips": len(train), "minutes": round(done.seconds / 60, 1),
    }}  # fmt: skip
    save_checkpoint(out, state, about, card(about))


def card(about: dict) -> str:  # type: ignore[type-arg]
    """The card."""
    training = about["training"]
    return (
        "# expression\n\nHow far each note of a piano piece is played from its place on the grid, and how long it "
        "sounds. Learned from EMOPIA's training performances against their beat-aligned copies.\n\n"
        f"Licence: {about['licence']} (EMOPIA's). Command: `{training['command']}`\n\n"
        f"{training['clips']} clips; best step {training['best_step']} of {training['steps']}, "
        f"{training['development_nats_per_note']} nats a note on development songs; "
        f"{training['minutes']} minutes on a CPU.\n"
    )


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, default=Path("runs/expression"))
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    fit(given.data, given.run, given.output, given.steps, given.seed)


if __name__ == "__main__":
    main(sys.argv[1:])
