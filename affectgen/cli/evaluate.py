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
    all_of,
    best_of_option,
    given,
    model_options,
    origin,
    talk_options,
    tries_option,
)
from affectgen.device import choose_threads, cores, pick_device, use_threads
from affectgen.emogen.options import MAPPINGS, EmogenOptions
from affectgen.errors import AffectgenError, UsageError
from affectgen.muser.options import GenerateOptions
from affectgen.report.blocks import check_document, write_block

FOLDER = click.Path(path_type=Path)
TITLES = {"muser": "MusER", "emogen": "EmoGen"}  # of their reports
SHOWING = ("beside", "saved", "write", "as_json", "quiet", "verbose")  # options that need nothing measured

if TYPE_CHECKING:
    from affectgen.evaluate.figures import Report

# the defaults of affectgen.evaluate.muser.Settings and of emogen.Settings (a test compares): importing those classes
# imports torch
DEFAULTS = {"clips": 60, "grid": 2, "paths": 24, "pairs": 24, "reconstructions": 24, "seed": 1000}
EMOGEN_DEFAULTS = {"clips": 60, "grid": 2, "paths": 24, "sweep": 2, "seed": 1000}


def _count(name: str, text: str, default: int, least: int = 1) -> Callable[[Command], Command]:
    """An option for how many of something are measured."""
    return click.option(f"--{name}", type=click.IntRange(least), default=default, show_default=True, help=text)


def report_options(name: str) -> Callable[[Command], Command]:
    """--data, --seed, --jobs, --json, --beside, --saved, --write of a table; the model's options; -q and -v."""

    def decorate(command: Command) -> Command:
        """Put the options on a command."""
        return all_of(
            command,
            click.option("--data", type=FOLDER, help="The folder with the real clips to compare with."),
            click.option(
                "--seed", type=click.IntRange(0, LARGEST_SEED), default=DEFAULTS["seed"], show_default=True,
                help="The first seed; the others are counted up from it.",
            ),
            click.option("--guidance", type=Number(0, 20), help="How hard what is asked pulls. [default: as generate]"),
            click.option("--jobs", type=click.IntRange(1), help="Processes. [default: all processors; 1 on CUDA]"),
            click.option("--json", "as_json", is_flag=True, help="Print JSON."),
            click.option(
                "--beside", type=InputFile(), multiple=True,
                help="A report made with --json, of another checkpoint or other settings: its figures get a column. "
                "May be given several times.",
            ),
            click.option("--saved", type=InputFile(), help="Show this report made with --json, instead of measuring."),
            click.option("--write", type=FOLDER, help="Also put the table into this Markdown file."),
            model_options(f"AFFECTGEN_{name.upper()}_CHECKPOINT"), talk_options,
        )  # fmt: skip

    return decorate


@click.group()
def evaluate() -> None:
    """Measure how well a generator meets what it is asked, and how well the recognisers read."""


@evaluate.command()
@_count("clips", "Clips a quadrant.", DEFAULTS["clips"], 5)
@_count("grid", "Clips at each point of the 9 x 9 grid.", DEFAULTS["grid"])
@_count("paths", "Pieces along paths.", DEFAULTS["paths"])
@_count("pairs", "Pairs for element transfer.", DEFAULTS["pairs"], 7)
@_count("reconstructions", "Clips to reconstruct.", DEFAULTS["reconstructions"])
@best_of_option(GenerateOptions.best_of)
@tries_option(GenerateOptions.tries)
@report_options("muser")
def muser(**params: Any) -> None:
    """Measure MusER with the judge, which never saw what the generator learnt from.

    \b
    affectgen evaluate muser --data ../shared/data > results.md
    affectgen evaluate muser --data ../shared/data --checkpoint ./my_model --json > mine.json
    affectgen evaluate muser --data ../shared/data --beside mine.json --write results.md
    affectgen evaluate muser --saved ours.json --beside mine.json
    """

    def measure(device: str, jobs: int, say: Callable[[str], None]) -> Report:
        from affectgen.evaluate.muser import Settings, run

        names = (*DEFAULTS, "best_of", "tries", "guidance")
        settings = Settings(**{name: params[name] for name in names})
        where = params["checkpoint"], settings.clips, params["data"], settings.seed, device
        return run(*where, say, settings=settings, jobs=jobs)

    _show(params, "muser", measure)


@evaluate.command()
@_count("clips", "Clips a quadrant.", EMOGEN_DEFAULTS["clips"], 5)
@_count("grid", "Clips at each point of the 9 x 9 grid; 0 for none.", EMOGEN_DEFAULTS["grid"], 0)
@_count("paths", "Pieces along paths; 0 for none.", EMOGEN_DEFAULTS["paths"], 0)
@_count("sweep", "Pieces at each level of each attribute's sweep; 0 for none.", EMOGEN_DEFAULTS["sweep"], 0)
@click.option(
    "--mapping", type=click.Choice(MAPPINGS), default=EmogenOptions.mapping, show_default=True,
    help="How the affect becomes attributes.",
)  # fmt: skip
@click.option("--critic/--no-critic", "criticised", default=True, help="Whether the critic hears candidates, too.")
@best_of_option(EmogenOptions.best_of)
@report_options("emogen")
def emogen(**params: Any) -> None:
    """Measure EmoGen: attributes that come as asked, and the judge, which never saw what the generator learnt from.

    \b
    affectgen evaluate emogen --data ../shared/data > results.md
    affectgen evaluate emogen --data ../shared/data --mapping paper --json > paper.json
    affectgen evaluate emogen --data ../shared/data --beside paper.json --write results.md
    """

    def measure(device: str, jobs: int, say: Callable[[str], None]) -> Report:
        from affectgen.evaluate.emogen import Settings, run

        names = (*EMOGEN_DEFAULTS, "best_of", "mapping", "guidance", "criticised")
        settings = Settings(**{name: params[name] for name in names})
        return run(params["checkpoint"], params["data"], device, say, settings, jobs)

    _show(params, "emogen", measure)


@evaluate.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--write", type=FOLDER, help="Also put the table into this Markdown file.")
@talk_options
def recognisers(as_json: bool, write: Path | None, quiet: bool, verbose: bool) -> None:
    """Show how well the recognisers behind `rate` read what they have not seen.

    Nothing is measured: the figures are those that each model's fit took and left in it. A model's card names the
    command.
    """
    from affectgen.evaluate.recognisers import run

    Talk(quiet, verbose)
    if write is not None:
        check_document(write)
    report = run()
    table = report.to_table()
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else table)
    if write is not None:
        write_block(write, "recognisers", table)


def _show(params: dict[str, Any], name: str, measure: Callable[[str, int, Callable[[str], None]], Report]) -> None:
    """Measure, or take what was saved; print the table, and write it where it is wanted. Nothing is measured whose
    table could not be written."""
    beside = [_report(path, "--beside", name) for path in params["beside"]]
    talk = Talk(params["quiet"], params["verbose"])
    if params["write"] is not None:
        check_document(params["write"])
    if params["saved"] is not None:
        _check_saved(click.get_current_context(), params)
        report = _report(params["saved"], "--saved", name)
    else:
        use_threads(choose_threads())
        device = pick_device(params["device"])
        jobs = params["jobs"] if params["jobs"] is not None else (cores() if device == "cpu" else 1)
        report = measure(device, jobs, talk.say)
    table = report.to_table(beside)
    click.echo(json.dumps(report.to_json(), indent=2) if params["as_json"] else table)
    if params["write"] is not None:
        write_block(params["write"], f"{name}-{report.name}", table)


def _check_saved(ctx: click.Context, params: dict[str, Any]) -> None:
    """UsageError for options of measuring beside --saved."""
    needless = [one for one in params if one not in SHOWING and origin(ctx, one) == "option"]
    if needless:
        names = " and ".join(given(ctx, *needless))
        raise UsageError(f"{names} came with --saved, which measures nothing.", f"Leave {names} out.")


def _report(source: Path | bytes, option: str, name: str) -> Report:
    """A report made earlier. AffectgenError where it is none, or that of another generator."""
    from affectgen.evaluate.figures import Report

    text = source if isinstance(source, bytes) else source.read_bytes()
    hint = f"Make one: affectgen evaluate {name} --json > report.json"
    try:
        report = Report.from_json(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise AffectgenError(f"{option} got something that is no report of evaluate: {error}.", hint) from error
    if report.title != TITLES[name]:
        raise AffectgenError(f"{option} got a report of {report.title}; one of {TITLES[name]} was expected.", hint)
    return report
