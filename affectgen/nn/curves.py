"""What a training came to: its curves and stages, those of the checkpoint it went on from included."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affectgen.nn.checkpoint import load_checkpoint
from affectgen.nn.training import LOG

CURVES = "curves.csv"
BEFORE = "before-"  # opens the name of a stage of the checkpoint that was gone on from
ORDER = ("pretrain", "vqvae", "prior", "finetune")  # of all models' stages; config.json has them by the alphabet
COLUMNS = ("steps", "kept_step", "validation", "minutes")
Curves = list[list[str]]


def read_stages(run: Path, keep: Mapping[str, str]) -> tuple[Curves, dict[str, dict[str, Any]]]:
    """The validation curves of the stages that `keep` names, and what each came to (COLUMNS) by name.

    keep: which weights a stage ends with, "best" or "last".
    """
    curves: Curves = []
    reached: dict[str, dict[str, Any]] = {}
    for stage, kind in keep.items():
        with (run / stage / LOG).open(newline="") as file:
            rows = list(csv.DictReader(file))
        curves += [[stage, row["step"], row["train"], row["loss"]] for row in rows]
        kept = rows[-1] if kind == "last" else min(rows, key=lambda row: float(row["loss"]))
        reached[stage] = {
            "steps": int(rows[-1]["step"]), "kept_step": int(kept["step"]), "validation": float(kept["loss"]),
            "minutes": round(sum(float(row["seconds"]) for row in rows) / 60, 1),
        }  # fmt: skip
    return curves, reached


def earlier_curves(start: str) -> Curves:
    """The curves of the checkpoint that was gone on from, its stages marked as such; none where it keeps none."""
    path = load_checkpoint(start).folder / CURVES
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [[f"{BEFORE}{row[0]}", *row[1:]] for row in list(csv.reader(file))[1:] if row]


def write_curves(path: Path, curves: Curves) -> None:
    """The curves as one CSV."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["stage", "step", "train", "valid"], *curves])


def generations(training: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """A training and those before it, the oldest first, each with what opens the names of its stages."""
    chain = [("", training)]
    while "before" in chain[0][1]:
        chain.insert(0, (chain[0][0] + BEFORE, chain[0][1]["before"]["training"]))
    return chain


def stage_table(training: dict[str, Any]) -> list[str]:
    """Every stage with its figures, those of earlier checkpoints first."""
    lines = ["| stage | steps | weights of step | validation, nats | minutes |", "|---|---|---|---|---|"]
    for prefix, one in generations(training):
        stages = one.get("stages", {})
        for name in sorted(stages, key=ORDER.index):
            steps, kept, validation, minutes = (stages[name][column] for column in COLUMNS)
            lines.append(f"| {prefix}{name} | {steps} | {kept} | {validation:.3f} | {minutes} |")
    return lines
