"""From a finished run folder to a checkpoint: fp16 weights, config with figures of the training, card, curves.

A run that went on from a checkpoint tells of that one too: in config.json under training.before, in the card, and in
the first rows of the curves.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from affectgen.affect.labels import LABELS_VERSION
from affectgen.muser.checkpoint import save_composer
from affectgen.muser.data import Song
from affectgen.muser.model import Muser
from affectgen.muser.prior import Prior
from affectgen.muser.train import KEEP, POINTS, TrainOptions, begin, count
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.nn.curves import CURVES, earlier_curves, read_stages, stage_table, write_curves
from affectgen.nn.training import BEST
from affectgen.score.words import ELEMENTS

LICENCE = "CC-BY-NC-SA-4.0"
CORPORA = {
    "train": "labelled clips (EMOPIA's layout)",
    "pop": "music without labels (Pop1k7's layout)",
    "game": "rated pieces (VGMIDI's layout)",
}
AFFECTS = {
    "predicted": "Clips are labelled by quadrant: the points inside are pseudo-labels, predicted out of fold by song, "
    "read as an intensity (the rank among clips of the same sign) and kept inside the labelled quadrant.",
    "given": "Clips are labelled by quadrant; the points inside were given in a table.",
    "centres": "Clips are labelled by quadrant, and each stands at the centre of its own.",
}


def attribute_spread(songs: list[Song]) -> list[float]:
    """Standard deviation over songs of each element's mean attribute, seven values."""
    whole = [song.attributes for song in songs if np.isfinite(song.attributes).any(0).all()]
    means = np.array([np.nanmean(attributes, axis=0) for attributes in whole])
    return [float(value) for value in means.std(axis=0)]


def export(options: TrainOptions, songs: dict[str, list[Song]], out: Path, command: str) -> None:
    """Write the checkpoint folder `out` from the weights that every stage kept."""
    model, prior = final_weights(options)
    curves, reached = read_stages(options.folder, {stage: KEEP[stage] for stage in options.stages})
    training = facts(options, songs, command, reached) | {"parameters": {"model": count(model), "prior": count(prior)}}
    seen = passes(options, songs["train"], reached["finetune"]["steps"]) if "finetune" in reached else 0.0
    if options.start is not None:  # before anything is written: `out` may be the checkpoint that was gone on from
        start = load_checkpoint(options.start)
        training["before"] = {**start.record(), "training": start.config.get("training", {})}
        seen += training["before"]["training"].get("passes_over_labelled", 0.0)
        curves = earlier_curves(options.start) + curves
    training["passes_over_labelled"] = round(seen, 1)
    about: dict[str, Any] = {
        "licence": LICENCE, "labels_version": LABELS_VERSION, "attribute_spread": attribute_spread(songs["train"]),
        "training": training,
        "usage": {"bar": model.bar_books.usage().tolist(), "word": model.word_books.usage().tolist()},
    }  # fmt: skip
    save_composer(out, model, prior, about, card_text(out.name, about))
    write_curves(out / CURVES, curves)


def final_weights(options: TrainOptions) -> tuple[Muser, Prior]:
    """Model and prior as the run left them, on the CPU; what no stage trained is the start's."""
    model, prior = begin(replace(options, device="cpu"), torch.device("cpu"))
    for stage in options.stages:
        weights = torch.load(options.folder / stage / BEST, weights_only=True, map_location="cpu")
        (prior if stage == "prior" else model).load_state_dict(weights)  # finetune comes after pretrain
    return model, prior


def facts(
    options: TrainOptions, songs: dict[str, list[Song]], command: str, reached: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """What config.json says of the training itself."""
    return {
        "command": command, "seed": options.seed, "stages": reached,
        "words": {name: int(sum(len(song.table) for song in group)) for name, group in songs.items()},
        "songs": {name: len(group) for name, group in songs.items()}, "rows": options.rows,
        "row_words": options.words, "points": origin_of_points(options),
        "hardware": f"{platform.machine()}, {options.threads} torch threads, {options.device}",
    }  # fmt: skip


def origin_of_points(options: TrainOptions) -> str:
    """Where the points of the labelled clips come from: a name of AFFECTS."""
    if options.points is None:
        return "centres"
    return "predicted" if options.points.resolve() == (options.folder / POINTS).resolve() else "given"


def passes(options: TrainOptions, songs: list[Song], steps: int) -> float:
    """How often fine-tuning for `steps` saw each word of the labelled songs, on average; padding does not count.

    About so: rows that join two clips hold more where clips are shorter than a row.
    """
    sizes = np.array([len(song.table) for song in songs], dtype=np.float64)
    row = (sizes * np.minimum(sizes, options.words)).sum() / sizes.sum()  # songs are drawn by their length
    return float(steps * options.rows * options.stage("finetune").share["emopia"] * row / sizes.sum())


def corpora(songs: Mapping[str, int]) -> str:
    """The corpora that had songs, in words."""
    return listed([text for name, text in CORPORA.items() if songs.get(name, 0) > 0])


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def licence_line(about: dict[str, Any]) -> str:
    """What the weights learned from, and what that means for their use."""
    return (
        f"Licence: {about['licence']}, which EMOPIA asks of weights trained on it; other clips bring their own. "
        f"Trained on {corpora(about['training']['songs'])}. No clip of the validation split was used."
    )


def affect_line(training: dict[str, Any]) -> str:
    """Where the affects come from, and how they move."""
    parts = [AFFECTS[training["points"]]]
    if training["songs"].get("pop", 0) > 0:
        parts.append("Music without labels has the guide's readings.")
    parts.append("Some rows join two clips of one mode (medleys), so that the emotion moves.")
    return " ".join(parts)


def lineage_lines(training: dict[str, Any]) -> list[str]:
    """What was gone on from, the nearest first, and what of it is unchanged; nothing for a model from scratch."""
    if "before" not in training:
        return []
    prior = "is fitted anew" if "prior" in training["stages"] else "is as it was there"
    who, parts = "Goes on", []
    while "before" in training:
        before = training["before"]
        training = before["training"]
        on = corpora(training.get("songs", {}))
        source = f"{before['name']} (sha256 {before['sha256'][:12]})"
        parts.append(f"{who} from {source}, trained on {on}." if on else f"{who} from {source}.")
        who = f"{before['name']} went on"
    return [f"{' '.join(parts)} Encoder and codebooks are as they were there; the prior {prior}.", ""]


def card_text(name: str, about: dict[str, Any]) -> str:
    """The card: what it is, what made it, what it may be used for. Results are in docs/results.md."""
    training = about["training"]
    seen = f"about {training['passes_over_labelled']} passes over the labelled clips after pretraining"
    if "before" in training:
        before = training["before"]
        seen += f", of these {before['training'].get('passes_over_labelled', 0.0)} in {before['name']}"
    usage = ", ".join(f"{value:.2f}" for value in about["usage"]["bar"])
    return "\n".join([
        f"# {name}", "",
        "MusER: piano music as compound words for a point or path in the valence-arousal plane. "
        "VQ-VAE with one latent slice per musical element and bar, two-level decoder, autoregressive prior.", "",
        licence_line(about), "", *lineage_lines(training), affect_line(training), "",
        f"Command: `{training['command']}`", "",
        f"Seed {training['seed']}; {training['hardware']}; "
        f"{training['parameters']['model'] / 1e6:.2f} M parameters and {training['parameters']['prior'] / 1e6:.2f} M "
        f"in the prior; {seen}.", "",
        *stage_table(training),
        "", f"Share of codes in use, by element ({', '.join(ELEMENTS)}): {usage}.",
        "", f"The curves are in {CURVES}. Measured results: docs/results.md, by `affectgen evaluate muser`.", "",
    ])  # fmt: skip
