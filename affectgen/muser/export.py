"""From a finished run folder to a checkpoint: fp16 weights, config with figures of the training, card, curves."""

from __future__ import annotations

import csv
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch

from affectgen.affect.labels import LABELS_VERSION
from affectgen.muser.checkpoint import save_composer
from affectgen.muser.data import Song
from affectgen.muser.model import Muser
from affectgen.muser.prior import Prior
from affectgen.muser.train import KEEP, STAGES, TrainOptions, count
from affectgen.nn.training import BEST, LOG
from affectgen.score.words import ELEMENTS

LICENCE = "CC-BY-NC-SA-4.0"
CURVES = "curves.csv"


def attribute_spread(songs: list[Song]) -> list[float]:
    """Standard deviation over songs of each element's mean attribute, seven values."""
    whole = [song.attributes for song in songs if np.isfinite(song.attributes).any(0).all()]
    means = np.array([np.nanmean(attributes, axis=0) for attributes in whole])
    return [float(value) for value in means.std(axis=0)]


def read_log(path: Path) -> list[dict[str, str]]:
    """The rows of a stage's CSV log."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_curves(run: Path, out: Path) -> dict[str, dict[str, Any]]:
    """All stages' validation curves in one CSV; what each stage came to, by name."""
    reached: dict[str, dict[str, Any]] = {}
    with out.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["stage", "step", "train", "valid"])
        for stage in STAGES:
            rows = read_log(run / stage / LOG)
            for row in rows:
                writer.writerow([stage, row["step"], row["train"], row["loss"]])
            kept = rows[-1] if KEEP[stage] == "last" else min(rows, key=lambda row: float(row["loss"]))
            reached[stage] = {
                "steps": int(rows[-1]["step"]), "kept_step": int(kept["step"]), "validation": float(kept["loss"]),
                "minutes": round(sum(float(row["seconds"]) for row in rows) / 60, 1),
            }  # fmt: skip
    return reached


def export(options: TrainOptions, songs: dict[str, list[Song]], out: Path, command: str) -> None:
    """Write the checkpoint folder `out` from the best weights of every stage."""
    model, prior = Muser(options.model), Prior(options.model)
    model.load_state_dict(torch.load(options.folder / "finetune" / BEST, weights_only=True, map_location="cpu"))
    prior.load_state_dict(torch.load(options.folder / "prior" / BEST, weights_only=True, map_location="cpu"))
    out.mkdir(parents=True, exist_ok=True)
    reached = write_curves(options.folder, out / CURVES)
    words = {name: int(sum(len(song.table) for song in group)) for name, group in songs.items()}
    about: dict[str, Any] = {
        "licence": LICENCE, "labels_version": LABELS_VERSION, "attribute_spread": attribute_spread(songs["train"]),
        "training": {
            "command": command, "seed": options.seed, "stages": reached, "words": words,
            "songs": {name: len(group) for name, group in songs.items()}, "rows": options.rows,
            "row_words": options.words,
            "passes_over_labelled": round(passes(options, songs["train"], reached["finetune"]["steps"]), 1),
            "hardware": f"{platform.machine()}, {options.threads} torch threads, {options.device}",
            "parameters": {"model": count(model), "prior": count(prior)},
        },
        "usage": {"bar": model.bar_books.usage().tolist(), "word": model.word_books.usage().tolist()},
    }  # fmt: skip
    save_composer(out, model, prior, about, card_text(out.name, about))


def passes(options: TrainOptions, songs: list[Song], steps: int) -> float:
    """How often fine-tuning for `steps` saw each word of the labelled songs, on average; padding does not count."""
    sizes = np.array([len(song.table) for song in songs], dtype=np.float64)
    row = (sizes * np.minimum(sizes, options.words)).sum() / sizes.sum()  # songs are drawn by their length
    return float(steps * options.rows * options.stage("finetune").share["emopia"] * row / sizes.sum())


def card_text(name: str, about: dict[str, Any]) -> str:
    """The card: what it is, what made it, what it may be used for. Results are in docs/results.md."""
    training = about["training"]
    lines = [
        f"# {name}", "",
        "MusER: piano music as compound words for a point or path in the valence-arousal plane. "
        "VQ-VAE with one latent slice per musical element and bar, two-level decoder, autoregressive prior.", "",
        f"Licence: {about['licence']}. Trained on EMOPIA (labelled, training split), Pop1k7 and VGMIDI; weights carry "
        "EMOPIA's non-commercial licence. No validation song of EMOPIA was used.", "",
        "EMOPIA has quadrant labels only: the points inside a quadrant are pseudo-labels, predicted out of fold by "
        "song and kept inside the labelled quadrant. Pop1k7 has no labels: its affects are the guide's readings.", "",
        f"Command: `{training['command']}`", "",
        f"Seed {training['seed']}; {training['hardware']}; "
        f"{training['parameters']['model'] / 1e6:.2f} M parameters and {training['parameters']['prior'] / 1e6:.2f} M "
        f"in the prior; about {training['passes_over_labelled']} passes over the labelled clips after pretraining.", "",
        "| stage | steps | weights of step | validation, nats | minutes |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for stage, row in training["stages"].items():
        lines.append(f"| {stage} | {row['steps']} | {row['kept_step']} | {row['validation']:.3f} | {row['minutes']} |")
    usage = ", ".join(f"{value:.2f}" for value in about["usage"]["bar"])
    lines += [
        "", f"Share of codes in use, by element ({', '.join(ELEMENTS)}): {usage}.",
        "", f"The curves are in {CURVES}. Measured results: docs/results.md, by `affectgen evaluate muser`.", "",
    ]  # fmt: skip
    return "\n".join(lines)
