"""`affectgen speech align`: when each word and phone of a transcript is spoken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from affectgen.cli.settings import exclude
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import InputFile
from affectgen.errors import UsageError
from affectgen.output import STDOUT, Outputs, check_output, write_stdout
from affectgen.progress import heard_by

FORMATS = ("json", "textgrid", "srt")


@click.command()
@click.argument("source", type=InputFile(), metavar="AUDIO|-")
@click.option("--text", metavar="TEXT", help="What is said in it.")
@click.option("--text-file", type=InputFile(), metavar="PATH|-", help="A file of UTF-8 with what is said in it.")
@click.option("-o", "--output", default=STDOUT, show_default=True, metavar="PATH|-",
              help="The file to write: .json, .TextGrid or .srt; - is standard output.")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="[default: by the name of the file, else json]")
@click.option("--no-check", is_flag=True, help="Align it even where the text is not what is heard.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@talk_options
@click.pass_context
def align(ctx: click.Context, /, **params: Any) -> None:  # fmt: skip
    """Find when each word and phone of a transcript is spoken in a recording of any length, in English.

    A transcript that is not what is heard is refused, with the place from which on it does not fit.

    \b
    affectgen speech align in.wav --text "She had your dark suit."
    affectgen speech align talk.mp3 --text-file talk.txt -o talk.srt
    affectgen speech align in.wav --text-file in.txt -o in.TextGrid      # for Praat
    sox in.wav -t flac - | affectgen speech align - --text "Hello." | jq .words
    """
    talk = Talk(params["quiet"], params["verbose"])
    exclude(ctx, "text", "text_file")
    output = None if params["output"] == STDOUT else Path(params["output"])
    if output is not None:
        check_output(output, params["force"])
    text, kind = _text(params), _kind(params["kind"], output)
    from affectgen.speech.aligning.align import Aligner, AlignSettings
    from affectgen.speech.aligning.align_files import written

    with heard_by(talk.bar()):
        found = Aligner(AlignSettings(check=not params["no_check"])).align_file(params["source"], text)
    data = written(found, kind, text).encode()
    if output is None:
        write_stdout(data)
        return
    with Outputs(params["force"]) as outputs:
        outputs.add(output, data)
    talk.say(f"wrote {output}: {len(found.words)} words in {found.seconds:.1f} s")


def _text(params: dict[str, Any]) -> str:
    """The transcript. UsageError where none was given."""
    if params["text"] is not None:
        return str(params["text"])
    source = params["text_file"]
    if source is None:
        raise UsageError("No transcript was given.", "Say what is spoken: --text TEXT, or --text-file PATH.")
    from affectgen.recognize.items import text_of

    return text_of(source if isinstance(source, bytes) else source.read_bytes())


def _kind(given: str | None, output: Path | None) -> str:
    """The format: what was asked for, else what the file's name says. UsageError where that says nothing."""
    if given is not None:
        return given
    if output is None:
        return "json"
    from affectgen.speech.aligning.align_files import format_of

    found = format_of(output)
    if found is None:
        hint = "Use .json, .TextGrid or .srt, or --format."
        raise UsageError(f"-o {output} has no ending that names a format.", hint)
    return found
