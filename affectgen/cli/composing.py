"""The options and the course of every command that composes pieces: `muser generate`, `emogen generate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import click

from affectgen.batch.order import Order
from affectgen.cli.options import (
    Command,
    affect_options,
    all_of,
    audio_option,
    best_of_option,
    model_options,
    output_options,
    seed_option,
    tries_option,
)
from affectgen.cli.pieces import file_name, folder_targets, is_folder, make, print_json, single_target
from affectgen.cli.settings import affect_setting, exclude, given, origin, seed_setting, settings_of
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import InputFile, Number, Words
from affectgen.errors import UsageError
from affectgen.manifest import Setting
from affectgen.task import find_task
from affectgen.writing.options import ELEMENTS, MOST_BARS, MOST_SECONDS, ComposeOptions

SUFFIX = ".mid"
NAMES = ", ".join(ELEMENTS)


def temperature_option(default: float) -> Callable[[Command], Command]:
    """--temperature."""
    kind = Number(0, 5)
    text = "Below 1 is safer, above 1 is bolder."
    return click.option("--temperature", type=kind, default=default, show_default=True, help=text)


def compose_options(
    kind: type[ComposeOptions], guidance: str, variable: str, again: str
) -> Callable[[Command], Command]:
    """Every option of a command that composes, with the defaults of its options dataclass `kind`. guidance: the help of
    --guidance; variable: the environment variable of --checkpoint; again: when a piece is composed anew."""

    def decorate(command: Command) -> Command:
        """Put the options on a command."""
        return all_of(
            command, affect_options, *_length_options(kind), *_piece_options(), temperature_option(kind.temperature),
            click.option(
                "--top-p", type=Number(0.01, 1), default=kind.top_p, show_default=True,
                help="Draw from the likeliest choices that make up this share.",
            ),
            click.option("--guidance", type=Number(0, 20), help=guidance),
            click.option(
                "--expressive/--on-grid", default=True, show_default=True,
                help="Play with learned timing, or stay on the grid.",
            ),
            best_of_option(kind.best_of), tries_option(kind.tries, again),
            click.option("--count", type=click.IntRange(1),
                         help="Make several, with seeds counted up, into the folder -o."),
            seed_option, output_options, audio_option, model_options(variable), talk_options,
        )  # fmt: skip

    return decorate


def _length_options(kind: type[ComposeOptions]) -> list[Callable[[Command], Command]]:
    return [
        click.option(
            "--bars", type=click.IntRange(1, MOST_BARS), default=kind.bars, show_default=True,
            help="Length in bars of 4/4.",
        ),
        click.option("--seconds", type=Number(4, MOST_SECONDS), help="Length in seconds, instead of --bars."),
        click.option(
            "--tempo", type=Number(20, 300),
            help="Beats a minute, at the median; within 8 % for a length in --seconds. [default: the model chooses]",
        ),
        click.option("--key", help="C, F# minor, Bb major, am. [default: the model chooses]"),
    ]  # fmt: skip


def _piece_options() -> list[Callable[[Command], Command]]:
    return [
        click.option("--source", type=InputFile(), help="A piece of which --keep holds some elements fast."),
        click.option("--keep", type=Words(), help=f"What stays of --source, with commas between: {NAMES}."),
        click.option("--continue", "continue_from", type=InputFile(),
                     help="A piece to go on from; new bars are measured."),
    ]  # fmt: skip


def compose(
    ctx: click.Context, task: str, needless_affect: Sequence[str], more: Mapping[str, Setting] | None = None
) -> None:
    """Compose what the command's options ask for, one piece or several, and write it.

    needless_affect: options of which one makes an affect needless; more: settings resolved by the command itself.
    """
    params = ctx.params
    talk = Talk(params["quiet"], params["verbose"])
    affect = affect_setting(ctx)
    _check(ctx, affect, needless_affect)
    resolved = {"affect": affect, "seed": seed_setting(ctx, talk), **(more if more is not None else {})}
    if params["keep"] is None:
        resolved["keep"] = Setting((), "default")
    settings = settings_of(ctx, find_task(task).options, resolved)
    first, how = settings["seed"].value, settings["seed"].origin
    if params["count"] is None and not is_folder(params["output"]):
        orders = [Order(settings, single_target(params))]
    else:
        seeds = range(first, first + (params["count"] if params["count"] is not None else 1))
        names = [file_name(affect.value, seed, SUFFIX) for seed in seeds]
        targets = folder_targets(params, names)
        pairs = zip(seeds, targets, strict=True)
        orders = [Order({**settings, "seed": Setting(seed, how)}, target) for seed, target in pairs]
    finish(ctx, task, orders, talk)


def _check(ctx: click.Context, affect: Setting, needless_affect: Sequence[str]) -> None:
    """UsageError for options that do not go together."""
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
    if affect.value is None and not given(ctx, *needless_affect):
        raise UsageError("No affect was given.", 'Use -a happy, -a "sad>calm>happy", or --valence with --arousal.')


def finish(ctx: click.Context, name: str, orders: list[Order], talk: Talk) -> None:
    """Make and write the pieces, then print them where --json asks for it."""
    made = make(ctx, name, orders, talk)
    if ctx.params["as_json"]:
        print_json(name, made)
