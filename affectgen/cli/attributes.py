"""`affectgen emogen attributes` and `affectgen emogen map`: attributes of files, and what an emotion asks for."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.options import affect_options, checkpoint_option
from affectgen.cli.settings import affect_setting, exclude
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import read_stdin
from affectgen.errors import AffectgenError, PartlyFailed, UsageError
from affectgen.output import STDOUT

if TYPE_CHECKING:
    from affectgen.emogen.measure import Measured

Row = dict[str, Any]


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, one row a file.")
@click.option("--jobs", type=click.IntRange(1), help="Processes. [default: all processors, for many files]")
@talk_options
@click.pass_context
def attributes(
    ctx: click.Context, /, files: tuple[str, ...], as_json: bool, as_csv: bool, jobs: int | None, quiet: bool,
    verbose: bool,
) -> None:  # fmt: skip
    """Measure the musical attributes of MIDI files; - reads standard input.

    The core attributes are in the units that `emogen generate --set` takes; then come EmoGen's hundred. Files that
    cannot be read are named on standard error; the exit code is then 3, or 1 when none could be read.

    \b
    affectgen emogen attributes song.mid
    affectgen emogen attributes clips/*.mid --csv > attributes.csv
    """
    talk = Talk(quiet, verbose)
    exclude(ctx, "as_json", "as_csv")
    measured, failed = [], []
    for done, one in enumerate(_measure(ctx, files, jobs), start=1):
        talk.progress(done, len(files))
        if one.error:
            failed.append({"file": one.name, "error": one.error})
            click.echo(f"Error: {one.error}", err=True)
            continue
        measured.append(one)
        if not as_json:
            click.echo(_csv(one, len(measured) == 1) if as_csv else _table(one, len(files) > 1), nl=False)
    if as_json:
        rows = [{"file": one.name, "attributes": one.values} for one in measured]
        click.echo(json.dumps({"files": rows, "failed": failed}, indent=2))
    if failed:
        kind = PartlyFailed if measured else AffectgenError
        raise kind(f"{len(failed)} of {len(files)} files could not be measured.", "Each is named above.")


def _measure(ctx: click.Context, files: tuple[str, ...], jobs: int | None) -> Any:
    """The files in turn; standard input alone."""
    from affectgen.emogen.measure import Measured, measure_files, measure_piece

    if STDOUT not in files:
        return measure_files(files, jobs)
    if len(files) > 1:
        raise UsageError("'-' came with other files.", "Give standard input alone, or files.")
    return iter([Measured(STDOUT, measure_piece(read_stdin(ctx)))])


def _csv(one: Measured, first: bool) -> str:
    """A file's row, after the names if it is the first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if first:
        writer.writerow(["file", *one.values])
    writer.writerow([one.name, *("" if value is None else f"{value:.6g}" for value in one.values.values())])
    return text.getvalue()


def _table(one: Measured, named: bool) -> str:
    """A file's attributes for a person."""
    from affectgen.score.attributes.core import CORE

    units = {core.name: core.unit for core in CORE}
    lines = [one.name] if named else []
    for name, value in one.values.items():
        shown = "-" if value is None else f"{value:.4g}"
        lines.append(f"{name:64}{shown:>10} {units.get(name, '')}".rstrip())
    return "\n".join(lines) + "\n"


@click.command()
@affect_options
@click.option("--all", "everything", is_flag=True, help="EmoGen's hundred too, not the core attributes alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@checkpoint_option("AFFECTGEN_EMOGEN_CHECKPOINT")
@talk_options
@click.pass_context
def emotion_map(ctx: click.Context, /, everything: bool, as_json: bool, **params: Any) -> None:
    """Print the attributes that music of an emotion has, with their spread in real pieces near it.

    Mean and spread are in standard deviations over real pieces, the value beside them in the attribute's own unit;
    `open` stands where attributes vary near the emotion as much as anywhere, and are left to the model. A piece asks
    for values drawn from these, with less spread and somewhat farther out, as docs/emogen.md says. One point is
    read, no path.

    \b
    affectgen emogen map -a calm
    affectgen emogen map --valence -0.5 --arousal 0.9 --json
    """
    Talk(params["quiet"], params["verbose"])
    affect = affect_setting(ctx).value
    if affect is None:
        raise UsageError("No affect was given.", "Use -a happy, or --valence with --arousal.")
    point, rows = _tendencies(affect, params["checkpoint"], everything)
    if as_json:
        click.echo(json.dumps({"affect": point, "attributes": rows}, indent=2))
        return
    click.echo(f"{'attribute':64}{'value':>10}{'mean sd':>9}{'spread':>8}")
    for row in rows:
        value = "-" if row["value"] is None else f"{row['value']:.4g}"
        mark = "  open" if row["open"] else ""
        click.echo(f"{row['name']:64}{value:>10}{row['mean_sd']:>+9.2f}{row['spread_sd']:>8.2f}{mark}")


def _tendencies(affect: str, checkpoint: str | None, everything: bool) -> tuple[Row, list[Row]]:
    """The point, and a row for each attribute that is computed."""
    import numpy as np

    from affectgen.affect import AffectPath, parse_affect
    from affectgen.emogen.checkpoint import load_emogen, map_of
    from affectgen.emogen.vector import FIRST_EMOGEN, NAMES

    point = parse_affect(affect)
    if isinstance(point, AffectPath):
        raise UsageError("A path was given; one point was expected.", "Ask for each of its points by itself.")
    scale = load_emogen(checkpoint).scale
    scaled = map_of(checkpoint).on(scale)
    found = scaled.at(point)
    natural = scale.to_natural(np.where(scaled.missing, np.nan, found.mean)[None])[0]
    rows: list[Row] = []
    for place, name in enumerate(NAMES[: None if everything else FIRST_EMOGEN]):
        if not scaled.missing[place]:
            rows.append({
                "name": name, "value": float(f"{natural[place]:.4g}"), "mean_sd": round(float(found.mean[place]), 4),
                "spread_sd": round(float(found.spread[place]), 4), "open": bool(found.open[place]),
            })  # fmt: skip
    return point.to_json(), rows
