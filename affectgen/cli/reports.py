"""Reports of `affectgen evaluate`: their options, and where they go. The table goes to standard error, JSON to standard
output or a file, and the table into a Markdown page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.options import Command, all_of, model_options
from affectgen.cli.settings import given, origin
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import InputFile, Number
from affectgen.device import choose_threads, cores, pick_device, use_threads
from affectgen.errors import AffectgenError, UsageError
from affectgen.output import STDOUT, Outputs, check_outputs
from affectgen.report.blocks import check_document, write_block
from affectgen.task import LARGEST_SEED

if TYPE_CHECKING:
    from affectgen.evaluate.figures import Report

FOLDER = click.Path(path_type=Path)
TITLES = {"muser": "MusER", "emogen": "EmoGen", "medicine": "Medicine", "speech": "Speech"}  # of their reports
SHOWING = ("beside", "saved", "write", "output", "force", "as_json", "quiet", "verbose")  # need nothing measured
FIRST_SEED = 1000


def count_option(name: str, text: str, default: int, least: int = 1) -> Callable[[Command], Command]:
    """An option for how many of something are measured."""
    return click.option(f"--{name}", type=click.IntRange(least), default=default, show_default=True, help=text)


def result_options(command: Command) -> Command:
    """-o, --force, --json, --write, --quick."""
    return all_of(
        command,
        click.option("-o", "--output", default=STDOUT, metavar="PATH|-", show_default=True,
                     help="Where the report goes as JSON; - is standard output. The table goes to standard error."),
        click.option("--force", is_flag=True, help="Replace a report that exists."),
        click.option("--json", "as_json", is_flag=True, help="Print the JSON although -o names a file."),
        click.option("--write", type=FOLDER, help="Also put the table into this Markdown file."),
        click.option("--quick", is_flag=True, help="A few of everything: shows that all of it works, and no more."),
    )  # fmt: skip


def report_options(name: str) -> Callable[[Command], Command]:
    """--data, --seed, --guidance, --jobs, --beside, --saved of a generator's table; where it goes; the model's options;
    -q and -v."""

    def decorate(command: Command) -> Command:
        """Put the options on a command."""
        return all_of(
            command,
            click.option("--data", type=FOLDER, help="The folder with the real clips to compare with."),
            click.option(
                "--seed", type=click.IntRange(0, LARGEST_SEED), default=FIRST_SEED, show_default=True,
                help="The first seed; the others are counted up from it.",
            ),
            click.option("--guidance", type=Number(0, 20), help="How hard what is asked pulls. [default: as generate]"),
            click.option("--jobs", type=click.IntRange(1), help="Processes. [default: all processors; 1 on CUDA]"),
            click.option(
                "--beside", type=InputFile(), multiple=True,
                help="A report made earlier, of another checkpoint or other settings: its figures get a column. May be "
                "given several times.",
            ),
            saved_option, result_options, model_options(f"AFFECTGEN_{name.upper()}_CHECKPOINT"), talk_options,
        )  # fmt: skip

    return decorate


def counts(ctx: click.Context, names: Mapping[str, int], quick: Mapping[str, int]) -> dict[str, Any]:
    """The values of some options; with --quick, those of `quick` where nothing else was asked for."""
    few = ctx.params["quick"]
    return {
        name: quick[name] if few and name in quick and origin(ctx, name) == "default" else ctx.params[name]
        for name in names
    }


def show_generator(name: str, measure: Callable[[str, int, Callable[[str], None]], Report]) -> None:
    """Measure by (device, jobs, say), or take what was saved, and show it beside others. Nothing is measured that could
    not be shown."""
    ctx = click.get_current_context()
    params = ctx.params
    check_places(params)
    beside = [read_report(path, "--beside", name) for path in params["beside"]]
    talk = Talk(params["quiet"], params["verbose"])
    report = saved_report(name)
    if report is None:
        use_threads(choose_threads())
        device = pick_device(params["device"])
        jobs = params["jobs"] if params["jobs"] is not None else (cores() if device == "cpu" else 1)
        report = measure(device, jobs, talk.say)
    show(params, f"{name}-{report.name}", report, beside, talk)


def saved_option(command: Command) -> Command:
    """--saved."""
    told = "Show this report made earlier, instead of measuring."
    return click.option("--saved", type=InputFile(), help=told)(command)


def saved_report(name: str) -> Report | None:
    """What --saved names, None where it is not given. UsageError for options of measuring beside it."""
    ctx = click.get_current_context()
    if ctx.params["saved"] is None:
        return None
    _check_saved(ctx)
    return read_report(ctx.params["saved"], "--saved", name)


def check_places(params: Mapping[str, Any]) -> None:
    """AffectgenError where the report or the table could not be written, UsageError for few figures in a document."""
    if params["output"] != STDOUT:
        check_outputs([Path(params["output"])], params["force"])
    if params["write"] is not None:
        if params["quick"]:
            raise UsageError("--write came with --quick, whose figures are of too few.", "Leave one of them out.")
        check_document(params["write"])


def show(params: Mapping[str, Any], block: str, report: Report, beside: list[Report], talk: Talk) -> None:
    """The table to standard error and, as this block, into --write; the JSON to standard output or -o."""
    table = report.to_table(beside)
    talk.say(table)
    held = json.dumps(report.to_json(), indent=2) + "\n"
    if params["output"] != STDOUT:
        with Outputs(params["force"]) as outputs:
            outputs.add(Path(params["output"]), held.encode())
        talk.say(f"wrote {params['output']}")
    if params["output"] == STDOUT or params["as_json"]:
        click.echo(held, nl=False)
    if params["write"] is not None:
        write_block(params["write"], block, table)


def _check_saved(ctx: click.Context) -> None:
    """UsageError for options of measuring beside --saved."""
    needless = [one for one in ctx.params if one not in SHOWING and origin(ctx, one) == "option"]
    if needless:
        names = " and ".join(given(ctx, *needless))
        raise UsageError(f"{names} came with --saved, which measures nothing.", f"Leave {names} out.")


def read_report(source: Path | bytes, option: str, name: str) -> Report:
    """A report made earlier. AffectgenError where it is none, or that of another generator."""
    from affectgen.evaluate.figures import Report

    text = source if isinstance(source, bytes) else source.read_bytes()
    hint = f"Make one: affectgen evaluate {name} -o report.json"
    try:
        report = Report.from_json(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise AffectgenError(f"{option} got something that is no report of evaluate: {error}.", hint) from error
    if report.title != TITLES[name]:
        raise AffectgenError(f"{option} got a report of {report.title}; one of {TITLES[name]} was expected.", hint)
    return report
