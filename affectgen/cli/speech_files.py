"""The options that the commands which change a recording share: its text, and the file that comes of it."""

from __future__ import annotations

from pathlib import Path

import click

from affectgen.cli.options import Command, all_of
from affectgen.cli.preset_option import preset_option
from affectgen.cli.render import FORMATS, sound_format
from affectgen.cli.settings import origin
from affectgen.errors import AffectgenError, UsageError
from affectgen.manifest import Setting


def file_options(command: Command) -> Command:
    """Where the result goes and what kind of file it is."""
    return all_of(
        command,
        preset_option,
        click.option("-o", "--output", required=True, metavar="PATH|-", help="The file to write, or - (stdout)."),
        click.option("--format", "format_", type=click.Choice(FORMATS), help="[default: by -o's ending; wav for -]"),
        click.option("--quality", type=click.Choice(("low", "normal", "high")), default="normal", show_default=True,
                     help="Of OGG, Opus and MP3."),
        click.option("--force", is_flag=True, help="Replace files that exist."),
        click.option("--manifest", type=click.Path(path_type=Path), help="Its place. [default: OUTPUT.json]"),
        click.option("--no-manifest", is_flag=True, help="Write no manifest."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output."),
    )  # fmt: skip


def format_setting(ctx: click.Context) -> Setting:
    """The format of the result. UsageError where a quality came for one that loses nothing."""
    from affectgen.audio.formats import format_named

    kind = sound_format(ctx, folder=False)
    if origin(ctx, "quality") == "option" and not format_named(kind.value).lossy:
        raise UsageError(f"--quality came with {kind.value}, which loses nothing.", "Leave it out.")
    return Setting(kind.value, kind.origin)


def text_setting(ctx: click.Context, literal: str, what: str, needed: bool = True) -> Setting:
    """The text of the option `literal` or of the file of `literal`_file, one of the two; None where none came and none
    is needed. what: it says, for a person."""
    text, source = ctx.params[literal], ctx.params[f"{literal}_file"]
    names = f"--{literal}", f"--{literal}-file"
    if text is not None and source is not None:
        raise UsageError(f"{names[0]} and {names[1]} exclude each other.", "Give one of them.")
    if source is None:
        if text is None and needed:
            raise UsageError(f"Neither {names[0]} nor {names[1]} says {what}.", f"Give one: {names[0]} '...'")
        return Setting(text, origin(ctx, literal))
    data = source.read_bytes() if isinstance(source, Path) else source
    name = str(source) if isinstance(source, Path) else "standard input"
    try:
        return Setting(data.decode("utf-8-sig").strip(), "option")
    except UnicodeDecodeError as error:
        raise AffectgenError(f"{name} is no text in UTF-8.", "Write the transcript in UTF-8.") from error
