"""`affectgen muser`: compose, transfer elements, pass a piece through the latents; explore and train are added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from affectgen.cli.options import (
    Command,
    InputFile,
    Number,
    Talk,
    Words,
    affect_options,
    affect_setting,
    best_of_option,
    exclude,
    given,
    model_options,
    origin,
    output_options,
    seed_option,
    seed_setting,
    settings_of,
    talk_options,
    tries_option,
)
from affectgen.cli.pieces import Order, file_name, folder_targets, is_folder, make, print_json, single_target
from affectgen.cli.study import CHECKPOINT_VARIABLE, explore
from affectgen.cli.train import train
from affectgen.errors import UsageError
from affectgen.manifest import Setting
from affectgen.muser.options import (
    ELEMENTS,
    MOST_BARS,
    MOST_SECONDS,
    PATH_GUIDANCE,
    POINT_GUIDANCE,
    GenerateOptions,
    TransferOptions,
)
from affectgen.task import find_task

SUFFIX = ".mid"
NAMES = ", ".join(ELEMENTS)


def temperature_option(default: float) -> Callable[[Command], Command]:
    """--temperature."""
    kind = Number(0, 5)
    text = "Below 1 is safer, above 1 is bolder."
    return click.option("--temperature", type=kind, default=default, show_default=True, help=text)


@click.group()
def muser() -> None:
    """Compose piano music for an emotion (MusER)."""


muser.add_command(explore)
muser.add_command(train)


@muser.command()
@affect_options
@click.option(
    "--bars",
    type=click.IntRange(1, MOST_BARS),
    default=GenerateOptions.bars,
    show_default=True,
    help="Length in bars of 4/4.",
)
@click.option("--seconds", type=Number(4, MOST_SECONDS), help="Length in seconds, instead of --bars.")
@click.option("--tempo", type=Number(20, 300), help="Beats a minute, at the median. [default: the model chooses]")
@click.option("--key", help="C, F# minor, Bb major, am. [default: the model chooses]")
@click.option("--source", type=InputFile(), help="A piece of which --keep holds some elements fast.")
@click.option("--keep", type=Words(), help=f"What stays of --source, with commas between: {NAMES}.")
@click.option("--continue", "continue_from", type=InputFile(), help="A piece to go on from; new bars are measured.")
@temperature_option(GenerateOptions.temperature)
@click.option(
    "--top-p",
    type=Number(0.01, 1),
    default=GenerateOptions.top_p,
    show_default=True,
    help="Draw from the likeliest choices that make up this share.",
)
@click.option(
    "--guidance",
    type=Number(0, 20),
    help=f"How hard the affect pulls; 1 is the model as it learnt. "
    f"[default: {POINT_GUIDANCE:g}, along a path {PATH_GUIDANCE:g}]",
)
@click.option(
    "--expressive/--on-grid", default=True, show_default=True, help="Play with learned timing, or stay on the grid."
)
@best_of_option
@tries_option(GenerateOptions.tries)
@click.option("--count", type=click.IntRange(1), help="Make several, with seeds counted up, into the folder -o.")
@seed_option
@output_options
@model_options(CHECKPOINT_VARIABLE)
@talk_options
@click.pass_context
def generate(ctx: click.Context, /, **params: Any) -> None:
    """Compose a piece that carries an emotion, and write it as MIDI.

    \b
    affectgen muser generate -a happy -o happy.mid
    affectgen muser generate --valence 0.7 --arousal 0.5 --seed 3 -o bright.mid
    affectgen muser generate -a "sad>calm>happy" --bars 32 -o path.mid
    affectgen muser generate -a tense --count 8 -o out/
    affectgen muser generate -a calm --continue start.mid -o longer.mid
    affectgen muser generate -a sad --source song.mid --keep pitch -o sadder.mid
    affectgen muser generate -a happy -o - | fluidsynth ...
    """
    talk = Talk(params["quiet"], params["verbose"])
    affect = affect_setting(ctx)
    _check_generate(ctx, affect)
    resolved = {"affect": affect, "seed": seed_setting(ctx, talk)}
    if params["keep"] is None:
        resolved["keep"] = Setting((), "default")
    settings = settings_of(ctx, find_task("muser generate").options, resolved)
    first, how = settings["seed"].value, settings["seed"].origin
    if params["count"] is None and not is_folder(params["output"]):
        orders = [Order(settings, single_target(params))]
    else:
        seeds = range(first, first + (params["count"] if params["count"] is not None else 1))
        names = [file_name(affect.value, seed, SUFFIX) for seed in seeds]
        targets = folder_targets(params, names)
        pairs = zip(seeds, targets, strict=True)
        orders = [Order({**settings, "seed": Setting(seed, how)}, target) for seed, target in pairs]
    _finish(ctx, "muser generate", orders, talk)


@muser.command()
@click.option("--source", type=InputFile(), required=True, help="The piece worked on.")
@click.option("--donor", type=InputFile(), required=True, help="The piece that lends its elements.")
@click.option("--elements", type=Words(), required=True, help=f"What is borrowed, with commas between: {NAMES}.")
@temperature_option(TransferOptions.temperature)
@seed_option
@output_options
@model_options(CHECKPOINT_VARIABLE)
@talk_options
@click.pass_context
def transfer(ctx: click.Context, /, **params: Any) -> None:
    """Give a piece some musical elements of another; the affect stays fixed, so the elements alone do the work.

    \b
    affectgen muser transfer --source a.mid --donor b.mid --elements velocity,duration -o out.mid
    """
    talk = Talk(params["quiet"], params["verbose"])
    settings = settings_of(ctx, find_task("muser transfer").options, {"seed": seed_setting(ctx, talk)})
    _finish(ctx, "muser transfer", [Order(settings, single_target(params))], talk)


@muser.command()
@click.argument("source", type=InputFile())
@output_options
@model_options(CHECKPOINT_VARIABLE)
@talk_options
@click.pass_context
def reconstruct(ctx: click.Context, /, source: Path | bytes, **params: Any) -> None:
    """Pass a piece through the latents and back, and print how many notes survive.

    \b
    affectgen muser reconstruct in.mid -o out.mid
    """
    talk = Talk(params["quiet"], params["verbose"])
    settings = settings_of(ctx, find_task("muser reconstruct").options, {"source": Setting(source, "option")})
    _finish(ctx, "muser reconstruct", [Order(settings, single_target(params))], talk)


def _check_generate(ctx: click.Context, affect: Setting) -> None:
    """UsageError for options of generate that do not go together."""
    exclude(ctx, "bars", "seconds")
    exclude(ctx, "source", "continue_from")
    if given(ctx, "source") and given(ctx, "bars"):
        raise UsageError("--bars came with --source, whose length stays.", "Leave --bars out.")
    lone = given(ctx, "source", "keep")
    if len(lone) == 1:
        other = "--keep" if lone[0] == "--source" else "--source"
        raise UsageError(f"{lone[0]} came without {other}.", "Say both: --source PIECE --keep ELEMENTS")
    if origin(ctx, "keep") != "default" and not ctx.params["keep"]:
        raise UsageError("--keep names no element.", f"Name some of: {NAMES}.")
    if affect.value is None and not given(ctx, "source", "continue_from"):
        raise UsageError("No affect was given.", 'Use -a happy, -a "sad>calm>happy", or --valence with --arousal.')


def _finish(ctx: click.Context, name: str, orders: list[Order], talk: Talk) -> None:
    """Make and write the pieces, then print them where --json asks for it."""
    made = make(ctx, name, orders, talk)
    if ctx.params["as_json"]:
        print_json(name, made)
