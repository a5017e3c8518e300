"""From a finished run of the `paper` configuration to a checkpoint folder: weights, config, card, curves."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import torch

from affectgen.affect.labels import LABELS_VERSION
from affectgen.muser.export import LICENCE, attribute_spread, licence_line
from affectgen.muser.paper.checkpoint import save_paper
from affectgen.muser.paper.model import PaperModel
from affectgen.muser.paper.prior import PaperPrior
from affectgen.muser.paper.train import PRETRAIN, PRIOR, VQVAE, PaperTrainOptions, Songs
from affectgen.muser.train import count
from affectgen.nn.curves import CURVES, read_stages, stage_table, write_curves
from affectgen.nn.training import BEST


def export_paper(options: PaperTrainOptions, songs: Songs, out: Path, command: str) -> None:
    """Write the checkpoint folder `out` from the best weights of the stages; songs as `paper_songs` gives them."""
    model, prior = PaperModel(options.model), PaperPrior(options.model)
    model.load_state_dict(torch.load(options.folder / VQVAE / BEST, weights_only=True, map_location="cpu"))
    prior.load_state_dict(torch.load(options.folder / PRIOR / BEST, weights_only=True, map_location="cpu"))
    ran = (PRETRAIN, VQVAE, PRIOR) if options.pretrain else (VQVAE, PRIOR)
    curves, reached = read_stages(options.folder, dict.fromkeys(ran, "best"))
    seen = reached[VQVAE]["steps"] * options.rows / max(len(songs["train"]), 1)
    about: dict[str, Any] = {
        "licence": LICENCE, "labels_version": LABELS_VERSION, "attribute_spread": attribute_spread(songs["train"]),
        "training": {
            "command": command, "seed": options.seed, "stages": reached, "rows": options.rows,
            "words": {name: int(sum(len(song.table) for song in group)) for name, group in songs.items()},
            "songs": {name: len(group) for name, group in songs.items()}, "augment": options.augment,
            "passes_over_labelled": round(seen, 1),
            "hardware": f"{platform.machine()}, {options.threads} torch threads, {options.device}",
            "parameters": {"model": count(model), "prior": count(prior)},
        },
        "usage": float(model.usage()),
    }  # fmt: skip
    save_paper(out, model, prior, about, card_text(out.name, about))
    write_curves(out / CURVES, curves)


def card_text(name: str, about: dict[str, Any]) -> str:
    """The card: what it is, what made it, what it may be used for. Results are in docs/results.md."""
    training = about["training"]
    parameters = training["parameters"]
    return "\n".join([
        f"# {name}", "",
        "MusER's published structure (Ji & Yang, AAAI 2024) for comparison with the project's own: one latent a word, "
        "one codebook, elements decoded apart from each other, the emotion as one of four quadrants, the published "
        "sampling settings. Its MEAN variant of the element regulariser; softmax for linear attention; padding "
        "masked; sizes are ours.", "",
        licence_line(about), "",
        f"Command: `{training['command']}`", "",
        f"Seed {training['seed']}; {training['hardware']}; {parameters['model'] / 1e6:.2f} M parameters and "
        f"{parameters['prior'] / 1e6:.2f} M in the prior; {training['passes_over_labelled']} passes over the labelled "
        f"clips; augmentation: {'yes' if training['augment'] else 'none'}.", "",
        *stage_table(training),
        "", f"Share of the codebook in use: {about['usage']:.2f}. The curves are in {CURVES}.", "",
    ])  # fmt: skip
