"""`affectgen emogen`: compose by attributes; measure the attributes of files; print what an emotion asks for."""

from __future__ import annotations

from typing import Any

import click

from affectgen.cli.attributes import attributes, emotion_map
from affectgen.cli.composing import compose, compose_options
from affectgen.cli.emogen_train import train
from affectgen.cli.settings import affect_setting, given, origin
from affectgen.emogen.options import GUIDANCE, MAPPINGS, EmogenOptions
from affectgen.errors import UsageError
from affectgen.manifest import Setting

CHECKPOINT_VARIABLE = "AFFECTGEN_EMOGEN_CHECKPOINT"


@click.group()
def emogen() -> None:
    """Compose by musical attributes, and measure them (EmoGen)."""


emogen.add_command(attributes)
emogen.add_command(emotion_map, "map")
emogen.add_command(train)


@emogen.command()
@click.option(
    "--mapping",
    type=click.Choice(MAPPINGS),
    default=EmogenOptions.mapping,
    show_default=True,
    help="How the affect becomes attributes: all clips near the point, or one clip a quadrant as published.",
)
@click.option("--set", "set_", multiple=True, metavar="NAME=VALUE", help="An attribute: +1.5 sd, or 90 in its unit.")
@click.option("--free", "free", multiple=True, metavar="NAME", help="An attribute, or group, left to the model.")
@compose_options(
    EmogenOptions, f"How hard the attributes pull; 1 is the model as it learnt. [default: {GUIDANCE:g}]",
    CHECKPOINT_VARIABLE, "a piece has not the length asked",
)  # fmt: skip
@click.pass_context
def generate(ctx: click.Context, /, **params: Any) -> None:
    """Compose a piece with the attributes that an emotion has in real music, and write it as MIDI.

    \b
    affectgen emogen generate -a happy -o happy.mid
    affectgen emogen generate -a "sad>calm>happy" --bars 32 -o path.mid
    affectgen emogen generate -a calm --set note_density=+1.5 --free velocity -o busy.mid
    affectgen emogen generate --set tempo=90 --set key_mode=-1 -o minor.mid
    affectgen emogen generate -a tense --count 8 -o out/
    """
    guidance = params["guidance"] if params["guidance"] is not None else GUIDANCE
    resolved = {
        "set": Setting(tuple(params["set_"]), origin(ctx, "set_")),
        "free": Setting(tuple(params["free"]), origin(ctx, "free")),
        "guidance": Setting(guidance, origin(ctx, "guidance")),
    }
    if given(ctx, "mapping") and affect_setting(ctx).value is None:
        raise UsageError("--mapping came without an affect.", "Give one with -a, or leave --mapping out.")
    compose(ctx, "emogen generate", needless_affect=("source", "continue_from", "set_"), more=resolved)
