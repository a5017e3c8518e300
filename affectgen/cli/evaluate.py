"""`affectgen evaluate`: how well a generator meets what it is asked, as one table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.options import (
    LARGEST_SEED,
    Command,
    InputFile,
    Number,
    Talk,
    best_of_option,
    model_options,
    talk_options,
    tries_option,
)
from affectgen.device import choose_threads, pick_device, use_threads
from affectgen.errors import AffectgenError
from affectgen.muser.options import GenerateOptions

if TYPE_CHECKING:
    from affectgen.evaluate.figures import Report

# the defaults of affectgen.evaluate.muser.Settings (a test compares): importing that class imports torch
DEFAULTS = {"clips": 60, "grid": 2, "paths": 24, "pairs": 24, "reconstructions": 24, "seed": 1000}


def _count(name: str, text: str, least: int = 1) -> Callable[[Command], Command]:
    """An option for how many of something are measured."""
    kind = click.IntRange(least)
    return click.option(f"--{name}", type=kind, default=DEFAULTS[name], show_default=True, help=text)


@click.group()
def evaluate() -> None:
    """Measure how well a generator meets what it is asked."""


@evaluate.command()
@click.option("--data", type=click.Path(path_type=Path), help="The folder with the real clips to compare with.")
@_count("clips", "Clips a quadrant.")
@_count("grid", "Clips at each point of the 9 x 9 grid.")
@_count("paths", "Pieces along paths.")
@_count("pairs", "Pairs for element transfer.", 7)
@_count("reconstructions", "Clips to reconstruct.")
@click.option(
    "--seed",
    type=click.IntRange(0, LARGEST_SEED),
    default=DEFAULTS["seed"],
    show_default=True,
    help="The first seed; the others are counted up from it.",
)
@click.option("--guidance", type=Number(0, 20), help="How hard the affect pulls. [default: as generate]")
@best_of_option
@tries_option(GenerateOptions.tries)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--beside",
    type=InputFile(),
    multiple=True,
    help="A report made with --json, of another checkpoint: its figures get a column. May be given several times.",
)
@click.option("--saved", type=InputFile(), help="Show this report made with --json instead of measuring anew.")
@click.option("--write", type=click.Path(path_type=Path), help="Also put the table into this Markdown file.")
@model_options("AFFECTGEN_MUSER_CHECKPOINT")
@talk_options
def muser(**params: Any) -> None:
    """Measure MusER with the judge, which never saw what the generator learnt from.

    \b
    affectgen evaluate muser --data ../shared/data > results.md
    affectgen evaluate muser --data ../shared/data --checkpoint ./my_model --json > mine.json
    affectgen evaluate muser --data ../shared/data --beside mine.json --write results.md
    affectgen evaluate muser --saved ours.json --beside mine.json
    """
    beside = [_report(path, "--beside") for path in params["beside"]]
    report = _measure(params) if params["saved"] is None else _report(params["saved"], "--saved")
    table = report.to_table(beside)
    if params["write"] is not None:
        from affectgen.report.blocks import write_block

        write_block(params["write"], f"muser-{report.name}", table)
    click.echo(json.dumps(report.to_json(), indent=2) if params["as_json"] else table)


def _measure(params: dict[str, Any]) -> Report:
    """Compose and judge with the settings of the command line."""
    talk = Talk(params["quiet"], params["verbose"])
    device = pick_device(params["device"])
    from affectgen.evaluate.muser import Settings, run

    use_threads(choose_threads())
    names = (*DEFAULTS, "best_of", "tries", "guidance")
    settings = Settings(**{name: params[name] for name in names})
    return run(params["checkpoint"], settings.clips, params["data"], settings.seed, device, talk.say, settings=settings)


def _report(source: Path | bytes, option: str) -> Report:
    """A report made earlier. AffectgenError where it is none."""
    from affectgen.evaluate.figures import Report

    text = source if isinstance(source, bytes) else source.read_bytes()
    try:
        return Report.from_json(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise AffectgenError(
            f"{option} got something that is no report of evaluate: {error}.",
            "Make one: affectgen evaluate muser --json > report.json",
        ) from error
