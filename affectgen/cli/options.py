"""The options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from affectgen.cli.preset_option import preset_option
from affectgen.cli.values import Number
from affectgen.device import check_device_name
from affectgen.task import LARGEST_SEED
from affectgen.writing.options import MOST_CANDIDATES

Command = TypeVar("Command", bound=Callable[..., Any])


def affect_options(command: Command) -> Command:
    """-a/--affect, or --valence with --arousal."""
    return all_of(
        command,
        click.option(
            "-a",
            "--affect",
            envvar="AFFECTGEN_AFFECT",
            metavar="TEXT",
            help="A word (happy, happy:0.5), a quadrant (Q1..Q4), a point (0.7,-0.2) or a path (sad>calm>happy).",
        ),
        click.option("--valence", type=Number(-1, 1), help="Unpleasant -1 to pleasant 1; needs --arousal."),
        click.option("--arousal", type=Number(-1, 1), help="Calm -1 to excited 1; needs --valence."),
    )


def output_options(command: Command) -> Command:
    """--preset, -o, --force, --plot, --manifest, --no-manifest, --json."""
    return all_of(
        command,
        preset_option,
        click.option("-o", "--output", required=True, metavar="PATH|-", help="The file to write, or - (stdout)."),
        click.option("--force", is_flag=True, help="Replace files that exist."),
        click.option("--plot", type=click.Path(path_type=Path), help="Also draw a picture (.png, .svg, .pdf)."),
        click.option("--manifest", type=click.Path(path_type=Path), help="Its place. [default: OUTPUT.json]"),
        click.option("--no-manifest", is_flag=True, help="Write no manifest."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output."),
    )


def audio_option(command: Command) -> Command:
    """--audio, for commands that make MIDI."""
    return click.option(
        "--audio", type=click.Path(path_type=Path), metavar="PATH",
        help="Also the sound (.wav, .flac, .ogg, .opus, .mp3), as `affectgen render` makes it.",
    )(command)  # fmt: skip


def model_options(variable: str) -> Callable[[Command], Command]:
    """--checkpoint (from the environment variable `variable`) and --device."""

    def decorate(command: Command) -> Command:
        return device_option(checkpoint_option(variable)(command))

    return decorate


def checkpoint_option(variable: str) -> Callable[[Command], Command]:
    """--checkpoint, from the environment variable `variable`."""
    return click.option("--checkpoint", envvar=variable, metavar="NAME|PATH", help="The trained model to use.")


def device_option(command: Command) -> Command:
    """--device."""

    def check(ctx: click.Context, param: click.Parameter, value: str) -> str:
        return check_device_name(value)

    return click.option(
        "--device", default="auto", show_default=True, envvar="AFFECTGEN_DEVICE", callback=check,
        metavar="auto|cpu|cuda|cuda:N", help="Where the model runs.",
    )(command)  # fmt: skip


def seed_option(command: Command) -> Command:
    """--seed; when absent, `seed_setting` draws one."""
    kind = click.IntRange(0, LARGEST_SEED)
    return click.option("--seed", type=kind, envvar="AFFECTGEN_SEED", help="Drawn, and printed, when absent.")(command)


def best_of_option(default: int) -> Callable[[Command], Command]:
    """--best-of."""
    return click.option(
        "--best-of",
        type=click.IntRange(1, MOST_CANDIDATES),
        default=default,
        show_default=True,
        envvar="AFFECTGEN_BEST_OF",
        help="Make N candidates and keep the one nearest to what was asked.",
    )


def tries_option(default: int, when: str = "a piece is not good enough") -> Callable[[Command], Command]:
    """--tries. when: what makes another try needed."""
    return click.option(
        "--tries",
        type=click.IntRange(1, MOST_CANDIDATES),
        default=default,
        show_default=True,
        envvar="AFFECTGEN_TRIES",
        help=f"Compose anew, so often at most, while {when}; with --seconds so often for each of up to four lengths.",
    )


def all_of(command: Command, *options: Callable[[Command], Command]) -> Command:
    """Apply decorators so that the help lists them in this order."""
    for option in reversed(options):
        command = option(command)
    return command
