"""`affectgen speech convert`: a whole recording with another emotion."""

from __future__ import annotations

from typing import Any

import click

from affectgen.batch.order import Order
from affectgen.cli.options import affect_options
from affectgen.cli.pieces import make, print_json, single_target
from affectgen.cli.settings import affect_setting, origin, settings_of
from affectgen.cli.speech_files import file_options, format_setting
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import InputFile, Number
from affectgen.errors import UsageError
from affectgen.manifest import Setting
from affectgen.speech.converting.convert import METHODS, MOST_TRIES
from affectgen.speech.converting.convert_options import STRONGEST, ConvertOptions


@click.command()
@click.argument("source", type=InputFile(), metavar="FILE|-")
@affect_options
@click.option("--strength", type=Number(0, STRONGEST), default=1.0, show_default=True, envvar="AFFECTGEN_STRENGTH",
              help="How much of it; 0 is an exact copy.")  # fmt: skip
@click.option("--method", type=click.Choice(METHODS), default=METHODS[0], show_default=True,
              help="As voices with this emotion do, as a predictor has learned, or by MARY's rules.")  # fmt: skip
@click.option("--tries", type=click.IntRange(1, MOST_TRIES), default=ConvertOptions.tries, show_default=True,
              help="Grades, from gentle to strong: the first heard as the emotion is kept.")  # fmt: skip
@click.option("--baseline", type=InputFile(), metavar="AUDIO|-",
              help="The speaker's neutral voice. [default: FILE is neutral itself]")  # fmt: skip
@click.option("--index", type=InputFile(), metavar="PATH", envvar="AFFECTGEN_VOICES",
              help="A database of voices. [default: the package's own]")  # fmt: skip
@click.option("--engine", metavar="NAME", help="An installed converter instead of the one built in.")
@file_options
@talk_options
@click.pass_context
def convert(ctx: click.Context, /, **params: Any) -> None:
    """Give a whole recording another emotion.

    FILE is whatever libsndfile reads, of one voice; - is standard input. Words and speaker stay; pitch, pace, pauses
    and the colour of the voice change. Rate, channels, bits and tags stay, and a comment in the tags says that it was
    edited. Edit voices only with the speaker's permission.

    \b
    affectgen speech convert in.wav -a sad -o sad.wav
    affectgen speech convert in.flac -a angry --strength 0.6 --baseline neutral.wav -o angrier.flac
    affectgen speech convert in.wav -a 0.5,0.3 --index voices.db -o out.wav
    affectgen speech convert in.wav -a sad --engine mine -o out.wav
    cat in.wav | affectgen speech convert - -a happy -o - | affectgen rate -
    """
    talk = Talk(params["quiet"], params["verbose"])
    affect = affect_setting(ctx)
    if affect.value is None:
        raise UsageError("No emotion was given.", "Say which: -a sad")
    resolved = {"affect": affect, "format": format_setting(ctx), "index": _index_setting(ctx)}
    settings = settings_of(ctx, ConvertOptions, resolved)
    made = make(ctx, "speech convert", [Order(settings, single_target({**params, "plot": None}))], talk)
    if params["as_json"]:
        print_json("speech convert", made)


def _index_setting(ctx: click.Context) -> Setting:
    """The database of voices. One that the environment names for all conversions is left out where none is read."""
    found = Setting(ctx.params["index"], origin(ctx, "index"))
    read = ctx.params["method"] == METHODS[0] and ctx.params["engine"] is None
    return found if read or found.origin != "environment" else Setting(None, "default")
