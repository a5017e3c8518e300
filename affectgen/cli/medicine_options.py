"""What the commands of `affectgen medicine` have in common: the options that make a plan, and those of MusicGen."""

from __future__ import annotations

from pathlib import Path

import click

from affectgen.cli.options import Command, all_of
from affectgen.cli.settings import given
from affectgen.cli.values import Number
from affectgen.errors import UsageError
from affectgen.medicine.options import (
    BACKENDS,
    DYNAMICS,
    PRECISIONS,
    ROUTES,
    TRANSITIONS,
    DrawOptions,
    PlanOptions,
)


def plan_options(command: Command) -> Command:
    """What makes a plan."""
    return all_of(
        command,
        click.option("--from", "start", metavar="AFFECT", help="Where the listener is."),
        click.option("--to", "goal", metavar="AFFECT", help="Where the listener wants to be."),
        click.option("--path", metavar="AFFECT", help='Another shape instead: "anxious>sad>calm".'),
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


def check_shape(ctx: click.Context) -> None:
    """UsageError where a path came with what shapes the iso principle's."""
    shaping = given(ctx, "bound", "dwell", "match", "route")
    if ctx.params["path"] is not None and shaping:
        raise UsageError(f"--path came with {shaping[0]}.", "A path says it all; --dynamics may smooth it.")


def musicgen_options(command: Command) -> Command:
    """What the engine with MusicGen takes."""
    return all_of(
        command,
        click.option("--model", metavar="NAME|PATH", help="MusicGen's weights. [default: $AFFECTGEN_MUSICGEN, or the "
                     "cache]"),
        click.option("--backend", type=click.Choice(BACKENDS), default=DrawOptions.backend, show_default=True,
                     help="What runs MusicGen."),
        click.option("--precision", type=click.Choice(PRECISIONS), default=DrawOptions.precision, show_default=True,
                     help="Of the arithmetic with transformers; auto: what is fast."),
        click.option("--adapter", type=click.Path(path_type=Path), envvar="AFFECTGEN_MUSICGEN_ADAPTER",
                     help="LoRA weights of `affectgen medicine train`."),
        click.option("--batch", type=click.IntRange(1, 256), default=DrawOptions.batch, show_default=True,
                     help="Clips drawn at once; halved when memory runs out."),
        click.option("--transition", type=click.Choice(TRANSITIONS), default=DrawOptions.transition,
                     show_default=True, help="Crossfade clips, or let each go on from the last (one at a time)."),
        click.option("--guidance", type=Number(1, 20), default=DrawOptions.guidance, show_default=True,
                     help="How far beyond what the model would write unasked."),
        click.option("--temperature", type=Number(0, 10), default=DrawOptions.temperature, show_default=True,
                     help="Of drawing; 0 takes the likeliest."),
        click.option("--top-k", type=click.IntRange(0), default=DrawOptions.top_k, show_default=True,
                     help="Codes to draw among, 0 for all."),
    )  # fmt: skip
