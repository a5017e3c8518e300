"""`affectgen speech correct`: let the emotion of edited words follow the text, or the recording around them."""

from __future__ import annotations

from typing import Any

import click

from affectgen.batch.order import Order
from affectgen.cli.pieces import make, print_json, single_target
from affectgen.cli.settings import origin, settings_of
from affectgen.cli.speech_files import file_options, format_setting, text_setting
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import InputFile, Number
from affectgen.manifest import Setting
from affectgen.speech.correcting.correct_options import AUTO, SHARE, STRONGEST, CorrectOptions


@click.command()
@click.argument("source", type=InputFile(), metavar="FILE|-")
@click.option("--text", help="What is said in FILE, word for word.")
@click.option("--text-file", type=InputFile(), metavar="PATH|-", help="The same, from a file.")
@click.option("--before", help="What was said before the edit: the words that differ are corrected.")
@click.option("--before-file", type=InputFile(), metavar="PATH|-", help="The same, from a file.")
@click.option("--span", "spans", multiple=True, metavar="START:END",
              help="Seconds to correct; may be given again. [default: those of --before, else words that do not fit]")
@click.option("--whole", is_flag=True, help="Correct all of FILE: it gets the emotion of the text, or of --affect.")
@click.option("-a", "--affect", default=AUTO, show_default=True, metavar="auto|keep|TEXT",
              help="auto: what the text calls for, else as keep; keep: what the words around have; or a word (happy, "
                   "happy:0.5) or point (0.5,0.3).")
@click.option("--strength", type=Number(0, STRONGEST), default=1.0, show_default=True, envvar="AFFECTGEN_STRENGTH",
              help="How much of the correction; 0 is an exact copy.")
@click.option("--share", type=Number(0, 1), default=SHARE, show_default=True,
              help="How much of it is the emotion's; the rest follows the words around.")
@click.option("--baseline", type=InputFile(), metavar="AUDIO|-",
              help="The speaker's neutral voice. [default: what is corrected is neutral itself]")
@click.option("--index", type=InputFile(), metavar="PATH", envvar="AFFECTGEN_VOICES",
              help="A database of voices. [default: the package's own]")
@file_options
@talk_options
@click.pass_context
def correct(ctx: click.Context, /, **params: Any) -> None:  # fmt: skip
    """Let the emotion of edited words follow the text, or the recording around them.

    FILE is a recording of one voice that speaks English, edited by any editor; - is standard input. The words that
    --before or --span name get the pitch, pace, level and colour of the words around them, or half of that and half of
    what voices with the asked emotion do. Without either, words are looked for whose pitch or level does not fit
    their neighbours; where none is found, the sound stays as it is. Everything else stays the same to the
    bit; rate, channels, bits and tags stay, and a comment in the tags says that it was edited. Edit voices only with
    the speaker's permission.

    \b
    affectgen speech correct edited.wav --text "What a torn map!" --before "What a nice map!" -o out.wav
    affectgen speech correct edited.wav --text-file new.txt --span 1.2:2.4 --affect keep -o out.wav
    affectgen speech correct edited.wav --text "What a torn map!" -o out.wav
    affectgen speech correct edited.flac --text "It is lost." --span 0.4:0.9 -a sad -o out.flac
    cat edited.wav | affectgen speech correct - --text "I won!" -a happy --whole -o - | play -
    """
    talk = Talk(params["quiet"], params["verbose"])
    resolved = {
        "text": text_setting(ctx, "text", "what is said"), "format": format_setting(ctx),
        "before": text_setting(ctx, "before", "what was said", needed=False),
        "spans": Setting(tuple(params["spans"]), origin(ctx, "spans")),
    }  # fmt: skip
    settings = settings_of(ctx, CorrectOptions, resolved)
    made = make(ctx, "speech correct", [Order(settings, single_target({**params, "plot": None}))], talk)
    if params["as_json"]:
        print_json("speech correct", made)
