"""The models that were trained, in one table: sizes, training, and what the judge heard, from saved reports.

    affectgen evaluate muser --data DATA --checkpoint ./my_model -o docs/runs/my_model.json
    python -m affectgen.evaluate.runs docs/runs/*.json --write docs/training.md

A report outlives the checkpoint it was made of, so models that are not shipped stand in the table as well.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affectgen.evaluate.figures import Report
from affectgen.evaluate.tables import Cell, table
from affectgen.report.blocks import write_block

BLOCK = "muser-runs"
FIGURES = {
    "judge: quadrants": "quadrants", "judge: arousal": "arousal", "judge: valence": "valence",
    "distance over floor": "distance",
    "grid: valence, Spearman": "grid valence", "grid: arousal, Spearman": "grid arousal",
    "path: arousal, correlation": "path arousal", "transfer: moved element goes the right way": "transfer",
}  # fmt: skip


def stages(training: dict[str, Any]) -> str:
    """Steps of every stage, those of a checkpoint that was gone on from first."""
    before = stages(training["before"]["training"]) + ", then " if "before" in training else ""
    order = ("pretrain", "vqvae", "prior", "finetune")
    names = sorted(training["stages"], key=order.index)
    return before + ", ".join(f"{name} {training['stages'][name]['steps']}" for name in names)


def row(report: Report) -> list[Cell]:
    """One model's line."""
    training = report.training
    model, parameters = training["model"], training["parameters"]
    found = {figure.name: figure.value for figure in report.figures}
    layers = model.get("layers", model.get("decoder_layers", ""))  # the paper's structure has an encoder's as well
    last = training["stages"].get("finetune", training["stages"].get("vqvae", {}))
    return [
        report.label, f"{layers} x {model.get('dim', '')}", str(model.get("regulariser", "")),
        f"{parameters['model'] / 1e6:.1f} + {parameters['prior'] / 1e6:.1f}", stages(training),
        training.get("passes_over_labelled"), last.get("validation"), *(found.get(name) for name in FIGURES),
    ]  # fmt: skip


def page(reports: Sequence[Report]) -> str:
    """The table of all models."""
    head = ["model", "layers", "regulariser", "M parameters, with prior", "steps", "passes", "validation, nats a word"]
    return table([*head, *FIGURES.values()], [row(report) for report in reports])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", type=Path, nargs="+", help="reports of `affectgen evaluate muser -o`")
    parser.add_argument("--write", type=Path, help="also put the table into this Markdown file, between its marks")
    given = parser.parse_args(arguments)
    made = page([Report.from_json(json.loads(path.read_text(encoding="utf-8"))) for path in given.reports])
    sys.stdout.write(made + "\n")
    if given.write is not None:
        write_block(given.write, BLOCK, made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
