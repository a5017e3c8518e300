"""`affectgen medicine`: plan a session on the iso principle, and render it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.medicine_options import check_shape, plan_options
from affectgen.cli.medicine_render import render
from affectgen.cli.medicine_train import train
from affectgen.cli.pieces import check_picture
from affectgen.medicine.options import PlanOptions
from affectgen.output import STDOUT, Outputs, check_output

if TYPE_CHECKING:
    from affectgen.medicine.plan import Plan

@click.group()
def medicine() -> None:
    """Sessions that lead from one emotion to another, clip by clip (iso principle)."""


@medicine.command()
@plan_options
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH|-",
              help="Also write the plan as JSON, to be edited; - prints it.")
@click.option("--plot", type=click.Path(path_type=Path), help="Also draw it (.png, .svg, .pdf).")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.pass_context
def plan(
    ctx: click.Context, /, output: Path | None, plot: Path | None, force: bool, as_json: bool, **params: Any
) -> None:  # fmt: skip
    """Plan a session: what each clip shall carry, and when.

    \b
    affectgen medicine plan --from anxious --to calm --minutes 15
    affectgen medicine plan --path "anxious>sad>calm" --minutes 10 --plot plan.png -o plan.json
    """
    from affectgen.medicine.plan import make_plan

    check_picture(plot)
    check_shape(ctx)
    if output is not None and str(output) == STDOUT:
        output, as_json = None, True
    for path in (output, plot):
        if path is not None:
            check_output(path, force)
    made = make_plan(PlanOptions(**params))
    text = json.dumps(made.to_json(), indent=1, ensure_ascii=False) + "\n"
    with Outputs(force) as outputs:
        if output is not None:
            outputs.add(output, text.encode())
        if plot is not None:
            from affectgen.report.session import draw_plan

            outputs.add(plot, draw_plan(made, kind=plot.suffix[1:].lower()))
    click.echo(text if as_json else _table(made), nl=False)


def _table(plan: Plan) -> str:
    """The plan for a person."""
    lines = [f"{'clip':>4} {'time':>7} {'valence':>8} {'arousal':>8}  {'word':14} prompt"]
    for clip in plan.clips:
        time = f"{int(clip.start // 60)}:{clip.start % 60:04.1f}"
        point = f"{clip.affect.valence:+8.2f} {clip.affect.arousal:+8.2f}"
        lines.append(f"{clip.number:4} {time:>7} {point}  {clip.word:14} {clip.prompt}")
    each = f"{len(plan.clips)} clips of {plan.clip_seconds:.1f} s, {plan.overlap:g} s shared"
    return "\n".join([*lines, f"{plan.seconds / 60:.2f} minutes: {each}"]) + "\n"


medicine.add_command(render)
medicine.add_command(train)
