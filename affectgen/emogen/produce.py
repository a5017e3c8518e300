"""From folders of MIDI files to EmoGen's two checkpoints: what `affectgen emogen train` does around the training."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from affectgen.emogen.checkpoint import load_emogen, save_emogen
from affectgen.emogen.corpora import read_corpora
from affectgen.emogen.data import Song
from affectgen.emogen.map_fit import LICENCE, write_map
from affectgen.emogen.parts import measure_parts
from affectgen.emogen.scale import Scale
from affectgen.emogen.train import (
    KEEP,
    EmogenTrainOptions,
    count,
    final_weights,
    find_scale,
    read_hardware,
    run_train,
    say,
)
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.nn.curves import CURVES, earlier_curves, read_stages, stage_table, write_curves
from affectgen.nn.distributed import Workers
from affectgen.nn.runs import claim, plain
from affectgen.nn.transformer import check_sizes
from affectgen.score.corpora import check_data

FREE = ("data", "folder", "threads", "device", "workers", "start")  # what may change when a run goes on
CORPORA = {"train": "EMOPIA's clips without their labels", "pop1k7": "Pop1k7", "pop909": "POP909"}


def produce(options: EmogenTrainOptions, out: Path, command: str) -> bool:
    """Train as `options` say and write the generator into `out` and the map into `out`-map; `command` goes into both
    cards. Of several processes that share the work the first one writes. Returns whether this process wrote.

    Where options.start names a checkpoint, its sizes replace options.model. AffectgenError where the data folder is not
    laid out as needed, CheckpointError where there is nothing to start from; UsageError where the run folder was begun
    with other settings.
    """
    if options.start is not None:
        options = replace(options, model=load_emogen(options.start).model.config)
    check_sizes(options.model.dim, options.model.heads, 2)
    check_data(options.data)
    claim(options.folder, held_settings(options), {})
    torch.set_num_threads(options.threads)
    songs = read_corpora(options.data, options.folder)
    run_train(options, songs)
    if not Workers.from_environment().first:
        return False
    export(options, songs, out, command)
    say("measuring the attributes of the labelled clips")
    write_map(options.data, out.with_name(f"{out.name}-map"), command)
    return True


def held_settings(options: EmogenTrainOptions) -> dict[str, Any]:
    """What a run keeps to, as JSON holds it; the checkpoint it started from by its hash, whatever it is called."""
    settings = {name: value for name, value in asdict(options).items() if name not in FREE}
    settings["from"] = None if options.start is None else load_checkpoint(options.start).sha256[:12]
    return dict(plain(settings))


def export(options: EmogenTrainOptions, songs: dict[str, list[Song]], out: Path, command: str) -> None:
    """Write the checkpoint folder `out` from the weights that the last stage kept."""
    model, scale = final_weights(options), find_scale(songs, options)
    curves, reached = read_stages(options.folder, {stage: KEEP[stage] for stage in options.stages})
    training: dict[str, Any] = {
        "command": command, "seed": options.seed, "stages": reached, "parameters": count(model),
        "songs": {name: len(group) for name, group in songs.items()},
        "words": {name: int(sum(len(song.table) for song in group)) for name, group in songs.items()},
        "rows": options.rows, "row_words": options.words, "processes": Workers.from_environment().count,
        "hardware": "; then ".join(read_hardware(options.folder)),
    }  # fmt: skip
    seen = passes(options, songs["train"], reached["finetune"]["steps"]) if "finetune" in reached else 0.0
    if options.start is not None:  # before anything is written: `out` may be the checkpoint that was gone on from
        start = load_checkpoint(options.start)
        training["before"] = {**start.record(), "training": start.config.get("training", {})}
        seen += training["before"]["training"].get("passes_over_clips", 0.0)
        curves = earlier_curves(options.start) + curves
    training["passes_over_clips"] = round(seen, 1)
    about = {"licence": LICENCE, "training": training}
    stored = Scale(scale.quantiles.astype(np.float32).astype(np.float64))  # as a checkpoint is read: ties depend on it
    save_emogen(out, model, scale, about, card_text(out.name, about), measure_parts(songs["train"], stored))
    write_curves(out / CURVES, curves)


def passes(options: EmogenTrainOptions, songs: list[Song], steps: int) -> float:
    """How often fine-tuning for `steps` saw each word of EMOPIA's clips, on average; padding does not count."""
    sizes = np.array([len(song.table) for song in songs], dtype=np.float64)
    row = (sizes * np.minimum(sizes, options.words)).sum() / sizes.sum()  # songs are drawn by their length
    rows = options.rows * Workers.from_environment().count
    return float(steps * rows * options.stage("finetune").share["emopia"] * row / sizes.sum())


def earlier(before: dict[str, Any]) -> str:
    """What a training went on from, as the card says it: a checkpoint, its command and on what that ran."""
    told = f"Goes on from {before['name']} (sha256 {before['sha256'][:12]})"
    made = before["training"]
    return f"{told}, made by `{made['command']}` on {made['hardware']}." if "command" in made else f"{told}."


def card_text(name: str, about: dict[str, Any]) -> str:
    """The card: what it is, what made it, what it may be used for. Results are in docs/results.md."""
    training = about["training"]
    corpora = ", ".join(text for key, text in CORPORA.items() if training["songs"].get(key, 0) > 0)
    before = training.get("before")
    went_on = [] if not before else [earlier(before), ""]
    return "\n".join([
        f"# {name}", "",
        "EmoGen's second stage: piano music as compound words for musical attributes, any subset of which may be asked "
        "for, bar by bar. A causal transformer over words whose layers the attributes modulate.", "",
        f"Licence: {about['licence']}, which EMOPIA asks of weights trained on it; other files bring their own. "
        f"Trained on {corpora}. No label and no clip of the validation split was used.", "", *went_on,
        f"Command: `{training['command']}`", "",
        f"Seed {training['seed']}; {training['hardware']}, {training['processes']} processes; "
        f"{training['parameters'] / 1e6:.2f} M parameters; about {training['passes_over_clips']} passes over EMOPIA's "
        "clips in fine-tuning.", "",
        *stage_table(training),
        "", f"The curves are in {CURVES}. Measured results: docs/results.md, by `affectgen evaluate emogen`.", "",
    ])  # fmt: skip
