"""`affectgen rate`: the emotion that files carry, as the recogniser hears it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from affectgen.cli.options import Talk, read_stdin, talk_options
from affectgen.errors import AffectgenError, PartlyFailed
from affectgen.output import STDOUT


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@talk_options
@click.pass_context
def rate(ctx: click.Context, /, files: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> None:
    """Measure valence and arousal (each -1 to 1) and the quadrant of MIDI files; - reads standard input.

    Files that cannot be read are named on standard error; the exit code is then 3, or 1 when none could be read.
    """
    Talk(quiet, verbose)
    rated: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for name in files:
        try:
            rated.append(_rate(ctx, name))
        except AffectgenError as error:
            failed.append({"file": name, "error": error.message})
            if len(files) == 1 and not as_json:
                raise
            click.echo(f"Error: {error.message}", err=True)
        else:
            if not as_json:
                click.echo(_line(rated[-1]))
    if as_json:
        click.echo(json.dumps({"files": rated, "failed": failed}, indent=2))
    if failed:
        kind = PartlyFailed if rated else AffectgenError
        raise kind(f"{len(failed)} of {len(files)} files could not be rated.", "Each is named above.")


def _rate(ctx: click.Context, name: str) -> dict[str, Any]:
    """One file's measurement as JSON."""
    from affectgen.recognize.rate import rate_file

    rating = rate_file(read_stdin(ctx) if name == STDOUT else Path(name))
    return {
        "file": name,
        "valence": round(float(rating.valence), 4),
        "arousal": round(float(rating.arousal), 4),
        "quadrant": rating.quadrant,
        "probabilities": {key: round(float(value), 4) for key, value in rating.probabilities.items()},
    }


def _line(row: dict[str, Any]) -> str:
    """One file's measurement for a person."""
    sure = row["probabilities"].get(row["quadrant"])
    share = f" ({sure:.0%})" if sure is not None else ""
    return f"{row['file']}: valence {row['valence']:+.2f}, arousal {row['arousal']:+.2f}, {row['quadrant']}{share}"
