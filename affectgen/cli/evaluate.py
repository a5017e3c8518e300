"""`affectgen evaluate`: how well a generator meets what it is asked, as one table."""

from __future__ import annotations

import json
from pathlib import Path

import click

from affectgen.cli.options import Talk, model_options, seed_option, talk_options


@click.group()
def evaluate() -> None:
    """Measure how well a generator meets what it is asked."""


@evaluate.command()
@click.option("--clips", type=click.IntRange(1), default=60, show_default=True, help="Clips a quadrant.")
@click.option("--data", type=click.Path(path_type=Path), help="The folder with the real clips to compare with.")
@seed_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@model_options("AFFECTGEN_MUSER_CHECKPOINT")
@talk_options
def muser(
    clips: int,
    data: Path | None,
    seed: int | None,
    as_json: bool,
    checkpoint: str | None,
    device: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """Measure MusER with the judge, which never saw what the generator learnt from."""
    from affectgen.evaluate.muser import run

    talk = Talk(quiet, verbose)
    report = run(checkpoint=checkpoint, clips=clips, data=data, seed=seed, device=device, say=talk.say)
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else report.to_table())
