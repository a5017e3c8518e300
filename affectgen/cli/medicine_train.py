"""`affectgen medicine train`: a LoRA adapter for MusicGen from one's own recordings."""

from __future__ import annotations

import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from affectgen.cli.training import hardware, keeping, path_text, training_options
from affectgen.cli.values import Number, readable
from affectgen.medicine.musicgen.training.options import (
    LEAST_PIECE,
    MOST_DROPOUT,
    MOST_PIECE,
    PRECISIONS,
    TARGETS,
    Corpus,
    Lora,
    LoraOptions,
    Schedule,
)

FOLDER = click.Path(path_type=Path)
SHARE = Number(0, MOST_DROPOUT)


@click.command()
@click.option("--audio", type=FOLDER, required=True, help="Folder of recordings, of any length, rate and format.")
@click.option("--labels", type=FOLDER,
              help="CSV: file, and valence,arousal or affect or quadrant; caption, tags and split may follow.")
@click.option("--tags", type=FOLDER, help="A list of MTG-Jamendo (TSV), as its authors publish it.")
@click.option("--base", required=True, metavar="PATH|NAME", help="A MusicGen: its folder, or musicgen-small and so on.")
@click.option("-o", "--output", type=FOLDER, required=True, help="The adapter's folder to write.")
@click.option("--run", type=FOLDER, help="Where the run is kept and goes on from. [default: OUTPUT.run]")
@click.option("--seconds", type=Number(LEAST_PIECE, MOST_PIECE), default=Corpus.seconds, show_default=True,
              help="Recordings are cut into pieces of this length.")
@click.option("--style", default=Corpus.style, metavar="WORDS", help="Words that every caption ends with.")
@click.option("--skip-missing", is_flag=True, help="Go on without recordings that are not there.")
@click.option("--skip-damaged", is_flag=True, help="Go on without recordings that cannot be read.")
@click.option("--rank", type=click.IntRange(1, 1024), default=Lora.rank, show_default=True, help="Of the adapter.")
@click.option("--alpha", type=Number(1e-3, 1e4), help="Its scale is alpha / rank. [default: the rank]")
@click.option("--targets", type=click.Choice(TARGETS), default=Lora.targets, show_default=True,
              help="What is adapted: the attentions, or also the feed-forward parts.")
@click.option("--lora-dropout", type=SHARE, default=Lora.dropout, show_default=True, help="Of the adapter's input.")
@click.option("--epochs", type=Number(0.001), default=Schedule.epochs, show_default=True,
              help="Passes over all pieces.")
@click.option("--steps", type=click.IntRange(1), help="Optimiser steps, instead of --epochs.")
@click.option("--batch", type=click.IntRange(1), default=Schedule.batch, show_default=True, help="Pieces at once.")
@click.option("--accumulate", type=click.IntRange(1), default=Schedule.accumulate, show_default=True,
              help="Batches whose gradients make one step.")
@click.option("--rate", type=Number(1e-7, 1), default=Schedule.rate, show_default=True, help="Highest learning rate.")
@click.option("--warmup", type=click.IntRange(0), help="Steps until it. [default: a twentieth]")
@click.option("--clip", type=Number(1e-6), default=Schedule.clip, show_default=True, help="Longest gradient.")
@click.option("--weight-decay", type=Number(0, 1), default=Schedule.weight_decay, show_default=True, help="AdamW's.")
@click.option("--caption-dropout", type=SHARE, default=Schedule.caption_dropout, show_default=True,
              help="Share of pieces that lose all words, for guidance.")
@click.option("--affect-dropout", type=SHARE, default=Schedule.affect_dropout, show_default=True,
              help="Share of pieces that lose their affect.")
@click.option("--vary/--no-vary", default=Schedule.vary, show_default=True,
              help="Leave words out of captions and change their order, anew in each epoch.")
@click.option("--checkpointing", is_flag=True, help="Less memory, a third more time.")
@click.option("--precision", type=click.Choice(PRECISIONS), default=Schedule.precision, show_default=True,
              help="auto: bfloat16 where it is fast.")
@click.option("--validate-every", type=click.IntRange(1), help="Steps between validations. [default: a twentieth]")
@click.option("--align", type=Number(0, 100), default=Schedule.align, show_default=True,
              help="Weight of the loss that aligns hidden states with what the audio guide hears.")
@click.option("--align-layer", type=click.IntRange(0), default=Schedule.align_layer, show_default=True,
              help="Layer whose states these are; 0 for the last one's output.")
@click.option("--samples", type=click.IntRange(0, 64), default=LoraOptions.samples, show_default=True,
              help="Pieces to write before and after, with the same seeds.")
@click.option("--sample-seconds", type=Number(0.5, 30), default=LoraOptions.sample_seconds, show_default=True,
              help="Their length.")
@training_options
@click.pass_context
def train(ctx: click.Context, /, **params: Any) -> None:
    """Train a LoRA adapter for MusicGen on one's own recordings; after Ctrl-C, the same words go on with it.

    \b
    affectgen medicine train --audio music --labels labels.csv --base musicgen-small -o adapter
    affectgen medicine train --audio jamendo --tags autotagging_moodtheme.tsv --skip-missing \\
        --base ./musicgen-small --batch 8 --accumulate 2 --checkpointing -o adapter
    accelerate launch --multi_gpu --num_processes 2 -m affectgen medicine train ...
    """
    out, run = params["output"], params["run"]
    run = run if run is not None else out.with_name(f"{out.name}.run")
    from affectgen.medicine.musicgen.training.adapter import check_apart, check_target

    check_target(out, params["force"])
    check_apart(out, run=run, audio=params["audio"])
    options = LoraOptions(
        _made(Corpus, params), params["base"], run, _made(Lora, params, dropout="lora_dropout"),
        _made(Schedule, params), params["samples"], params["sample_seconds"], params["seed"], **hardware(params),
    )  # fmt: skip
    for table in (options.corpus.labels, options.corpus.tags):
        if table is not None:
            readable(table)
    command = shlex.join(["affectgen", *ctx.obj["argv"]])
    from affectgen.medicine.musicgen.training.produce import produce

    with keeping(run, command):
        written = produce(options, out, command)
    if written:
        words = ["affectgen", "medicine", "render", "--engine", "musicgen", "--model", params["base"],
                 "--adapter", path_text(out), "--from", "anxious", "--to", "calm", "-o", "session.wav"]  # fmt: skip
        click.echo(f"wrote {out}; try: {shlex.join(words)}", err=True)


def _made(kind: Any, params: dict[str, Any], **names: str) -> Any:
    """Options of a dataclass from the command line's; names: where an option is called otherwise than its field."""
    return kind(**{field.name: params[names.get(field.name, field.name)] for field in fields(kind)})
