"""`affectgen medicine`: plan a session on the iso principle, and render it."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.options import (
    Command,
    InputFile,
    Number,
    Talk,
    all_of,
    checkpoint_option,
    origin,
    output_options,
    seed_option,
    seed_setting,
    talk_options,
)
from affectgen.cli.pieces import Order, check_picture, make, print_json, single_target
from affectgen.cli.render import player_options, sound_format, sound_options, sound_settings
from affectgen.device import cores
from affectgen.errors import UsageError
from affectgen.manifest import Setting
from affectgen.medicine.options import DYNAMICS, ROUTES, PlanOptions
from affectgen.output import Outputs, check_output

if TYPE_CHECKING:
    from affectgen.medicine.plan import Plan

CHECKPOINT_VARIABLE = "AFFECTGEN_MEDICINE_CHECKPOINT"
COMPOSERS = ("emogen", "muser")
PLANNED = tuple(field.name for field in fields(PlanOptions))
MEASURED = "Music for relief between sessions with a therapist; it is no treatment. Keep the volume low."


@click.group()
def medicine() -> None:
    """Sessions that lead from one emotion to another, clip by clip (iso principle)."""


def plan_options(command: Command) -> Command:
    """What makes a plan."""
    return all_of(
        command,
        click.option("--from", "start", metavar="AFFECT", help="Where the listener is."),
        click.option("--to", "goal", metavar="AFFECT", help="Where the listener wants to be."),
        click.option("--path", metavar="PATH", help='Another shape instead: "anxious>sad>calm".'),
        click.option("--minutes", type=Number(0.5, 240), default=PlanOptions.minutes, show_default=True,
                     help="Length of the session."),
        click.option("--clip", type=Number(5, 120), default=PlanOptions.clip, show_default=True,
                     help="Seconds of a clip, at most."),
        click.option("--overlap", type=Number(0, 10), default=PlanOptions.overlap, show_default=True,
                     help="Seconds of the crossfade between clips."),
        click.option("--dwell", type=Number(0, 0.99), default=PlanOptions.dwell, show_default=True,
                     help="Share of the session that stays at the goal."),
        click.option("--match", type=Number(0, 0.99), default=PlanOptions.match, show_default=True,
                     help="Share of the session that stays at the start."),
        click.option("--bound", type=Number(0.001), default=PlanOptions.bound, show_default=True,
                     help="Longest step from one clip to the next."),
        click.option("--route", type=click.Choice(ROUTES), default=PlanOptions.route, show_default=True,
                     help="Straight through the plane, or around neutral."),
        click.option("--dynamics", type=click.Choice(DYNAMICS), default=PlanOptions.dynamics, show_default=True,
                     help="Inertia of the state: exponential smoothing, or momentum."),
        click.option("--inertia", type=Number(0.001, 0.5), default=PlanOptions.inertia, show_default=True,
                     help="Time constant of the dynamics, as a share of the session."),
        click.option("--style", default=PlanOptions.style, show_default=True, help="Words that end every prompt."),
    )  # fmt: skip


@medicine.command()
@plan_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also write the plan as JSON, to be edited.")
@click.option("--plot", type=click.Path(path_type=Path), help="Also draw it (.png, .svg, .pdf).")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(output: Path | None, plot: Path | None, force: bool, as_json: bool, **params: Any) -> None:
    """Plan a session: what each clip shall carry, and when.

    \b
    affectgen medicine plan --from anxious --to calm --minutes 15
    affectgen medicine plan --path "anxious>sad>calm" --minutes 10 --plot plan.png -o plan.json
    """
    from affectgen.medicine.plan import make_plan

    check_picture(plot)
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


@medicine.command()
@click.argument("plan_file", type=InputFile(), required=False, metavar="[PLAN.json|-]")
@plan_options
@click.option("--composer", type=click.Choice(COMPOSERS), default="emogen", show_default=True, help="What composes.")
@click.option("--best-of", type=click.IntRange(1, 64), default=4, show_default=True, help="Candidates for a clip.")
@click.option("--tries", type=click.IntRange(1, 64), default=2, show_default=True,
              help="Make a clip anew, so often at most, while the guide hears it far from its target.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes. [default: all processors]")
@player_options
@sound_options
@click.option("--cue", type=click.Path(path_type=Path), help="Also a cue sheet (.cue) or a table (.csv) of the clips.")
@seed_option
@output_options
@checkpoint_option(CHECKPOINT_VARIABLE)
@talk_options
@click.pass_context
def render(ctx: click.Context, /, plan_file: Path | bytes | None, **params: Any) -> None:  # fmt: skip
    """Render a session: clips composed along the path, joined into one sound file.

    Music for relief between sessions with a therapist; it is no treatment. Finished clips are kept in OUTPUT.clips
    until the session is written: after an interrupt the same command goes on from them.

    \b
    affectgen medicine render --from anxious --to calm --minutes 15 --seed 1 -o session.wav
    affectgen medicine render plan.json --reverb chamber -o session.mp3 --cue session.cue
    """
    talk = Talk(params["quiet"], params["verbose"])
    target = single_target(params)
    settings = _settings(ctx, plan_file, talk)
    if params["cue"] is not None:
        if params["cue"].suffix.lower() not in (".cue", ".csv"):
            raise UsageError(f"--cue {params['cue']} has no ending that names a cue sheet.", "Use .cue or .csv.")
        check_output(params["cue"], params["force"])
    made = make(ctx, "medicine render", [Order(settings, target)], talk)
    if params["cue"] is not None:
        from affectgen.medicine.sheet import cue_sheet

        name = target.piece.name if target.piece is not None else "session"
        with Outputs(params["force"]) as outputs:
            outputs.add(params["cue"], cue_sheet(made[0].manifest.details, name, params["cue"].suffix.lower()))
    talk.say(MEASURED)
    if params["as_json"]:
        print_json("medicine render", made)


def _settings(ctx: click.Context, plan_file: Path | bytes | None, talk: Talk) -> dict[str, Setting]:
    """The fields of MedicineOptions."""
    params = ctx.params
    clash = [name for name in PLANNED if origin(ctx, name) == "option"]
    if plan_file is not None and clash:
        raise UsageError(f"A plan file came with --{clash[0]}.", "The plan says it all: edit it.")
    settings = {name: Setting(params[name], origin(ctx, name)) for name in (*PLANNED, "best_of", "tries")}
    if plan_file is None:
        PlanOptions(**{name: params[name] for name in PLANNED})  # checks the values before anything is loaded
    jobs = params["jobs"] if params["jobs"] is not None else cores()
    output = params["output"]
    folder = None if output == "-" else str(Path(output).with_name(Path(output).name + ".clips"))
    return {
        **settings, **sound_settings(ctx, sound_format(ctx, False)), "plan": Setting(plan_file, "option"),
        "seed": seed_setting(ctx, talk), "composer": Setting(f"{params['composer']} generate", origin(ctx, "composer")),
        "jobs": Setting(jobs, origin(ctx, "jobs")), "clips": Setting(folder, "default"),
    }  # fmt: skip
