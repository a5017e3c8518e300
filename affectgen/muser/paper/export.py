"""From a finished run of the `paper` configuration to a checkpoint folder: weights, config, card, curves."""

from __future__ import annotations

import csv
import platform
from pathlib import Path
from typing import Any

import torch

from affectgen.affect.labels import LABELS_VERSION
from affectgen.muser.export import CURVES, LICENCE, attribute_spread, read_log
from affectgen.muser.paper.checkpoint import save_paper
from affectgen.muser.paper.model import PaperModel
from affectgen.muser.paper.prior import PaperPrior
from affectgen.muser.paper.train import PRETRAIN, PRIOR, VQVAE, PaperTrainOptions, Songs
from affectgen.muser.train import count
from affectgen.nn.training import BEST, LOG


def export_paper(options: PaperTrainOptions, songs: Songs, out: Path, command: str) -> None:
    """Write the checkpoint folder `out` from the best weights of the stages; songs as `paper_songs` gives them."""
    model, prior = PaperModel(options.model), PaperPrior(options.model)
    model.load_state_dict(torch.load(options.folder / VQVAE / BEST, weights_only=True, map_location="cpu"))
    prior.load_state_dict(torch.load(options.folder / PRIOR / BEST, weights_only=True, map_location="cpu"))
    out.mkdir(parents=True, exist_ok=True)
    reached = write_curves(options, out / CURVES)
    about: dict[str, Any] = {
        "licence": LICENCE, "labels_version": LABELS_VERSION, "attribute_spread": attribute_spread(songs["train"]),
        "training": {
            "command": command, "seed": options.seed, "stages": reached, "rows": options.rows,
            "words": {name: int(sum(len(song.table) for song in group)) for name, group in songs.items()},
            "songs": {name: len(group) for name, group in songs.items()}, "augment": options.augment,
            "passes_over_labelled": round(options.steps * options.rows / max(len(songs["train"]), 1), 1),
            "hardware": f"{platform.machine()}, {options.threads} torch threads, {options.device}",
            "parameters": {"model": count(model), "prior": count(prior)},
        },
        "usage": float(model.usage()),
    }  # fmt: skip
    save_paper(out, model, prior, about, card_text(out.name, about))


def write_curves(options: PaperTrainOptions, out: Path) -> dict[str, dict[str, Any]]:
    """The validation curves of all stages in one CSV; what each stage came to, by name."""
    reached: dict[str, dict[str, Any]] = {}
    with out.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["stage", "step", "train", "valid"])
        for stage in ([PRETRAIN] if options.pretrain else []) + [VQVAE, PRIOR]:
            rows = read_log(options.folder / stage / LOG)
            writer.writerows([stage, row["step"], row["train"], row["loss"]] for row in rows)
            best = min(rows, key=lambda row: float(row["loss"]))
            reached[stage] = {
                "steps": int(rows[-1]["step"]), "best_step": int(best["step"]), "best": float(best["loss"]),
                "minutes": round(sum(float(row["seconds"]) for row in rows) / 60, 1),
            }  # fmt: skip
    return reached


def card_text(name: str, about: dict[str, Any]) -> str:
    """The card: what it is, what made it, what it may be used for. Results are in docs/results.md."""
    training = about["training"]
    parameters = training["parameters"]
    lines = [
        f"# {name}", "",
        "MusER's published structure (Ji & Yang, AAAI 2024) for comparison with the project's own: one latent a word, "
        "one codebook, elements decoded apart from each other, the emotion as one of four quadrants, the published "
        "sampling settings. Its MEAN variant of the element regulariser; softmax for linear attention; padding "
        "masked; sizes are ours.", "",
        f"Licence: {about['licence']}. Weights trained on EMOPIA (training split) carry its non-commercial licence. "
        "No validation song of EMOPIA was used.", "",
        f"Command: `{training['command']}`", "",
        f"Seed {training['seed']}; {training['hardware']}; {parameters['model'] / 1e6:.2f} M parameters and "
        f"{parameters['prior'] / 1e6:.2f} M in the prior; {training['passes_over_labelled']} passes over the labelled "
        f"clips; augmentation: {'yes' if training['augment'] else 'none'}.", "",
        "| stage | steps | best step | validation, nats | minutes |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for stage, row in training["stages"].items():
        lines.append(f"| {stage} | {row['steps']} | {row['best_step']} | {row['best']:.3f} | {row['minutes']} |")
    lines += ["", f"Share of the codebook in use: {about['usage']:.2f}. The curves are in {CURVES}.", ""]
    return "\n".join(lines)
