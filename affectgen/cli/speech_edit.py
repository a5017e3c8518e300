"""`affectgen speech edit`: change the words of a recording by changing its transcript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from affectgen.cli.options import (
    Command,
    InputFile,
    Talk,
    all_of,
    origin,
    seed_option,
    seed_setting,
    settings_of,
    talk_options,
)
from affectgen.cli.pieces import Order, make, print_json, single_target
from affectgen.cli.render import FORMATS, sound_format
from affectgen.errors import AffectgenError, UsageError
from affectgen.manifest import Setting
from affectgen.speech.edit_options import AUTO, EditOptions


def _text_options(command: Command) -> Command:
    """What is said, and what is to be said."""
    return all_of(
        command,
        click.option("--text", help="What is said in FILE, word for word."),
        click.option("--text-file", type=InputFile(), metavar="PATH|-", help="The same, from a file."),
        click.option("--to", help="What is to be said instead: all of it, changed or not."),
        click.option("--to-file", type=InputFile(), metavar="PATH|-", help="The same, from a file."),
    )


def _file_options(command: Command) -> Command:
    """Where the result goes and what kind of file it is."""
    return all_of(
        command,
        click.option("-o", "--output", required=True, metavar="PATH|-", help="The file to write, or - (stdout)."),
        click.option("--format", "format_", type=click.Choice(FORMATS), help="[default: by -o's ending; wav for -]"),
        click.option("--quality", type=click.Choice(("low", "normal", "high")), default="normal", show_default=True,
                     help="Of OGG, Opus and MP3."),
        click.option("--force", is_flag=True, help="Replace files that exist."),
        click.option("--manifest", type=click.Path(path_type=Path), help="Its place. [default: OUTPUT.json]"),
        click.option("--no-manifest", is_flag=True, help="Write no manifest."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output."),
    )  # fmt: skip


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
@_file_options
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
    kind = sound_format(ctx, folder=False)
    if origin(ctx, "quality") == "option" and not _lossy(kind.value):
        raise UsageError(f"--quality came with {kind.value}, which loses nothing.", "Leave it out.")
    resolved = {
        "text": _text(ctx, "text", "text_file", "what is said"),
        "to": _text(ctx, "to", "to_file", "what is to be said"),
        "format": Setting(kind.value, kind.origin), "seed": seed_setting(ctx, talk),
    }  # fmt: skip
    settings = settings_of(ctx, EditOptions, resolved)
    made = make(ctx, "speech edit", [Order(settings, single_target({**params, "plot": None}))], talk)
    if params["as_json"]:
        print_json("speech edit", made)


def _text(ctx: click.Context, literal: str, file: str, what: str) -> Setting:
    """The text given as a literal or in a file; one of the two."""
    text, source = ctx.params[literal], ctx.params[file]
    names = f"--{literal}", f"--{literal}-file"
    if (text is None) == (source is None):
        if text is None:
            raise UsageError(f"Neither {names[0]} nor {names[1]} says {what}.", f"Give one: {names[0]} '...'")
        raise UsageError(f"{names[0]} and {names[1]} exclude each other.", "Give one of them.")
    if source is None:
        return Setting(text, origin(ctx, literal))
    data = source.read_bytes() if isinstance(source, Path) else source
    name = str(source) if isinstance(source, Path) else "standard input"
    try:
        return Setting(data.decode("utf-8-sig").strip(), "option")
    except UnicodeDecodeError as error:
        raise AffectgenError(f"{name} is no text in UTF-8.", "Write the transcript in UTF-8.") from error


def _lossy(name: str) -> bool:
    from affectgen.audio.formats import format_named

    return format_named(name).lossy
