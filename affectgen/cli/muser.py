"""`affectgen muser`: compose, transfer elements, pass a piece through the latents; explore and train are added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from affectgen.batch.order import Order
from affectgen.cli.composing import NAMES, compose, compose_options, finish, temperature_option
from affectgen.cli.options import audio_option, model_options, output_options, seed_option
from affectgen.cli.pieces import single_target
from affectgen.cli.settings import seed_setting, settings_of
from affectgen.cli.study import CHECKPOINT_VARIABLE, explore
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.train import train
from affectgen.cli.values import InputFile, Words
from affectgen.manifest import Setting
from affectgen.muser.options import PATH_GUIDANCE, POINT_GUIDANCE, GenerateOptions, TransferOptions
from affectgen.task import find_task


@click.group()
def muser() -> None:
    """Compose piano music for an emotion (MusER)."""


muser.add_command(explore)
muser.add_command(train)


@muser.command()
@compose_options(
    GenerateOptions,
    f"How hard the affect pulls; 1 is the model as it learnt. "
    f"[default: {POINT_GUIDANCE:g}, along a path {PATH_GUIDANCE:g}]",
    CHECKPOINT_VARIABLE,
    "a piece is not good enough",
)
@click.pass_context
def generate(ctx: click.Context, /, **params: Any) -> None:
    """Compose a piece that carries an emotion, and write it as MIDI.

    \b
    affectgen muser generate -a happy -o happy.mid
    affectgen muser generate --valence 0.7 --arousal 0.5 --seed 3 -o bright.mid
    affectgen muser generate -a "sad>calm>happy" --bars 32 -o path.mid
    affectgen muser generate -a tense --count 8 -o out/
    affectgen muser generate -a calm --continue start.mid -o longer.mid
    affectgen muser generate -a sad --source song.mid --keep pitch -o sadder.mid
    affectgen muser generate -a happy -o - | fluidsynth ...
    """
    compose(ctx, "muser generate", needless_affect=("source", "continue_from"))


@muser.command()
@click.option("--source", type=InputFile(), required=True, help="The piece worked on.")
@click.option("--donor", type=InputFile(), required=True, help="The piece that lends its elements.")
@click.option("--elements", type=Words(), required=True, help=f"What is borrowed, with commas between: {NAMES}.")
@temperature_option(TransferOptions.temperature)
@seed_option
@output_options
@audio_option
@model_options(CHECKPOINT_VARIABLE)
@talk_options
@click.pass_context
def transfer(ctx: click.Context, /, **params: Any) -> None:
    """Give a piece some musical elements of another; the affect stays fixed, so the elements alone do the work.

    \b
    affectgen muser transfer --source a.mid --donor b.mid --elements velocity,duration -o out.mid
    """
    talk = Talk(params["quiet"], params["verbose"])
    settings = settings_of(ctx, find_task("muser transfer").options, {"seed": seed_setting(ctx, talk)})
    finish(ctx, "muser transfer", [Order(settings, single_target(params))], talk)


@muser.command()
@click.argument("source", type=InputFile())
@output_options
@audio_option
@model_options(CHECKPOINT_VARIABLE)
@talk_options
@click.pass_context
def reconstruct(ctx: click.Context, /, source: Path | bytes, **params: Any) -> None:
    """Pass a piece through the latents and back, and print how many notes survive.

    \b
    affectgen muser reconstruct in.mid -o out.mid
    """
    talk = Talk(params["quiet"], params["verbose"])
    settings = settings_of(ctx, find_task("muser reconstruct").options, {"source": Setting(source, "option")})
    finish(ctx, "muser reconstruct", [Order(settings, single_target(params))], talk)
