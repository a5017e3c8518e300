"""`affectgen verify`: whether pieces are what their manifests say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import Number
from affectgen.errors import AffectgenError, PartlyFailed
from affectgen.output import standard_output

if TYPE_CHECKING:
    from affectgen.batch.checks.verify_files import Finding


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--tolerance", type=Number(0, 3), default=0.05, show_default=True,
              help="How far the emotion may lie from the recorded one, as a distance in the plane.")  # fmt: skip
@click.option("--no-measure", is_flag=True, help="Do not measure the emotion again; faster.")
@click.option("--ignore-orphans", is_flag=True, help="Say nothing of files in a folder that no manifest describes.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes. [default: all processors, for many files]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one object a line.")
@talk_options
def verify(paths: tuple[Path, ...], **params: Any) -> None:
    """Check pieces against their manifests: that each is there, has the recorded bytes, can be read to its end, and
    carries the emotion recorded, by the recogniser that the manifest names.

    PATH is a folder, with all folders in it, a manifest, or a piece with its manifest beside it. In folders, pieces
    without a manifest, manifests without a piece, what killed commands left, and what a batch did not do are told, too.
    A line for each file goes to standard output. Exit code 3 when some are not as recorded, 1 when none is.

    \b
    affectgen verify out/
    affectgen verify happy.mid.json --tolerance 0.01
    affectgen verify out/ --no-measure --json | jq -r 'select(.state != "ok").file'
    """
    from affectgen.batch.checks.verify import VerifySettings
    from affectgen.batch.checks.verify import verify as verified

    talk = Talk(params["quiet"], params["verbose"])
    settings = VerifySettings(params["tolerance"], not params["no_measure"])
    total, findings = verified(paths, settings, params["jobs"], not params["ignore_orphans"])
    counted: Counter[str] = Counter()
    good = bad = 0
    for done, one in enumerate(findings, start=1):
        counted[one.state] += 1
        good, bad = good + one.good, bad + one.bad
        talk.status(f"{done} of {max(done, total)}")
        with standard_output():
            click.echo(json.dumps(one.to_json()) if params["as_json"] else _line(one))
    talk.clear()
    talk.say(_summary(counted))
    if bad or not good:
        kind = PartlyFailed if good else AffectgenError
        what = f"{bad} of {sum(counted.values())} are not as recorded." if bad else "Nothing could be verified."
        raise kind(what, "Each is named above; affectgen replay makes a piece again.")


def _line(one: Finding) -> str:
    """One file for a person."""
    told = "; ".join(part for part in (one.text, *one.notes) if part)
    line = f"{one.state:<11}{one.path}" + (f": {told}" if told else "")
    return line.encode("utf-8", "backslashreplace").decode()  # a file's name need not be UTF-8


def _summary(counted: Counter[str]) -> str:
    """How many there are of each kind, the good ones first."""
    from affectgen.batch.checks.verify_files import State

    parts = [f"{counted[state]} {state}" for state in State if counted[state]]
    return f"{sum(counted.values())} files: {', '.join(parts)}" if parts else "no file"
