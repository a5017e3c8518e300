"""`affectgen speech edit`: change the words of a recording by changing its transcript."""

from __future__ import annotations

from typing import Any

import click

from affectgen.batch.order import Order
from affectgen.cli.options import Command, all_of, seed_option
from affectgen.cli.pieces import make, print_json, single_target
from affectgen.cli.settings import seed_setting, settings_of
from affectgen.cli.speech_files import file_options, format_setting, text_setting
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import InputFile
from affectgen.speech.editing.edit_options import AUTO, EditOptions


def _text_options(command: Command) -> Command:
    """What is said, and what is to be said."""
    return all_of(
        command,
        click.option("--text", help="What is said in FILE, word for word."),
        click.option("--text-file", type=InputFile(), metavar="PATH|-", help="The same, from a file."),
        click.option("--to", help="What is to be said instead: all of it, changed or not."),
        click.option("--to-file", type=InputFile(), metavar="PATH|-", help="The same, from a file."),
    )


@click.command()
@click.argument("source", type=InputFile(), metavar="FILE|-")
@_text_options
@click.option("-a", "--affect", default=AUTO, show_default=True, metavar="auto|keep|TEXT",
              help="Of the new words: auto, the new text's, where it is another than the old one's; keep, the "
                   "recording's; or a word (happy, happy:0.5) or point (0.5,0.3).")  # fmt: skip
@click.option("--tts", envvar="AFFECTGEN_TTS", metavar="'CMD {text} {out}'",
              help="A command that says {text} into the WAV file {out}. [default: espeak-ng or flite where installed, "
                   "else the package espeakng-loader]")  # fmt: skip
@click.option("--engine", envvar="AFFECTGEN_SPEECH_ENGINE", metavar="NAME", help="An installed editor instead of the "
              "one built in.")  # fmt: skip
@file_options
@seed_option
@talk_options
@click.pass_context
def edit(ctx: click.Context, /, **params: Any) -> None:
    """Change the words of a recording.

    FILE is whatever libsndfile reads, of one voice that speaks English; - is standard input. The words in which the two
    texts differ are taken out, put in or replaced, new ones in the speaker's own voice. Everything else stays the same
    to the bit; rate, channels, bits and tags stay, and a comment in the tags says that it was edited. Edit voices only
    with the speaker's permission.

    \b
    affectgen speech edit in.wav --text "See you on Monday." --to "See you on Friday." -o out.wav
    affectgen speech edit in.flac --text-file old.txt --to-file new.txt --affect keep -o out.flac
    affectgen speech edit in.wav --text "It is fine." --to "It is awful." -a sad -o out.wav
    affectgen speech edit in.wav --text "Hello." --to "Hello, Ann." --tts 'my-tts {text} -o {out}' -o out.wav
    cat in.wav | affectgen speech edit - --text-file old.txt --to-file new.txt -o - | play -
    """
    talk = Talk(params["quiet"], params["verbose"])
    resolved = {
        "text": text_setting(ctx, "text", "what is said"), "to": text_setting(ctx, "to", "what is to be said"),
        "format": format_setting(ctx), "seed": seed_setting(ctx, talk),
    }  # fmt: skip
    settings = settings_of(ctx, EditOptions, resolved)
    made = make(ctx, "speech edit", [Order(settings, single_target({**params, "plot": None}))], talk)
    if params["as_json"]:
        print_json("speech edit", made)
