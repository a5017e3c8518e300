"""`affectgen render`: MIDI and recordings to finished sound files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from affectgen.batch.order import Order
from affectgen.cli.options import Command, all_of, output_options
from affectgen.cli.pieces import folder_targets, is_folder, make, print_json, single_target
from affectgen.cli.settings import given, origin
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import InputFile, Number, readable
from affectgen.errors import AffectgenError, PartlyFailed, UsageError
from affectgen.manifest import Setting
from affectgen.output import STDOUT, check_outputs, standard_output

FORMATS = ("wav", "flac", "ogg", "opus", "mp3")
OFF = "off"


class Loudness(click.ParamType["float | None"]):
    """A loudness in LUFS, or `off`."""

    name = "lufs|off"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """The number, None for off."""
        return None if value is None or value == OFF else Number(-70, -5).convert(value, param, ctx)


class Source(InputFile):
    """A file to render, there or not: of several, one that cannot be read must not keep the others from being done."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | bytes:
        """The path as it is, or the bytes of standard input and of other pipes, such as the shell's <(...)."""
        if not isinstance(value, str) or value == STDOUT:
            return super().convert(value, param, ctx)
        path = Path(value)
        return path.read_bytes() if path.is_fifo() else path


def sound_options(command: Command) -> Command:
    """What a sound file is like: format, level, room, tags."""
    return all_of(
        command,
        click.option("--format", "format_", type=click.Choice(FORMATS), help="[default: by -o's ending; wav for -]"),
        click.option("--bits", type=click.Choice(("16", "24", "float")), help="Of WAV and FLAC. [default: 16]"),
        click.option("--rate", type=click.Choice(("44100", "48000")), help="A second. [default: 44100; Opus 48000]"),
        click.option("--quality", type=click.Choice(("low", "normal", "high")), default="normal", show_default=True,
                     help="Of OGG, Opus and MP3."),
        click.option("--loudness", type=Loudness(), default="-16", show_default=True, envvar="AFFECTGEN_LOUDNESS",
                     help="Integrated loudness, LUFS (ITU-R BS.1770); off leaves it as it is."),
        click.option("--ceiling", type=Number(-20, 0), default=-1.0, show_default=True,
                     help="True peak that nothing passes, dBTP."),
        click.option("--reverb", type=click.Choice(("none", "room", "chamber", "hall")), default="none",
                     show_default=True, help="A room around the sound."),
        click.option("--title", default="", help="A tag of the file."),
        click.option("--artist", default="", help="A tag of the file."),
        click.option("--comment", default="", help="A tag of the file."),
    )  # fmt: skip


def player_options(command: Command) -> Command:
    """What plays MIDI."""
    return all_of(
        command,
        click.option("--renderer", type=click.Choice(("auto", "fluidsynth", "piano")), default="auto",
                     show_default=True, envvar="AFFECTGEN_RENDERER",
                     help="auto: FluidSynth where it is installed, else the built-in piano."),
        click.option("--soundfont", metavar="PATH", envvar="AFFECTGEN_SOUNDFONT",
                     help="For FluidSynth. [default: one of the system's]"),
    )  # fmt: skip


def _join_options(command: Command) -> Command:
    return all_of(
        command,
        click.option("--join", type=Number(0, 60), metavar="SECONDS",
                     help="Make one file of several, neighbours crossfaded for so long (0: end to start)."),
        click.option("--curve", type=click.Choice(("equal-power", "linear")), default="equal-power", show_default=True,
                     help="Of the crossfade: equal-power for different music, linear for the same."),
    )  # fmt: skip


@click.command()
@click.argument("files", nargs=-1, required=True, type=Source(), metavar="FILE|-...")
@_join_options
@player_options
@sound_options
@click.option("--measure", is_flag=True, help="Read the emotion of the sound, too.")
@click.option("--stream", is_flag=True, help="With -o -: WAV as it is made, at its own level, of unknown length.")
@output_options
@talk_options
@click.pass_context
def render(ctx: click.Context, /, files: tuple[Path | bytes, ...], **params: Any) -> None:
    """Turn MIDI into sound; level, join and convert sound.

    FILEs are MIDI or whatever libsndfile reads; - is standard input. Several FILEs become several files in the folder
    -o, or one with --join. The built-in piano needs nothing but this package; FluidSynth plays all instruments.

    \b
    affectgen render happy.mid -o happy.flac
    affectgen render path.mid -o path.mp3 --reverb hall --loudness -14 --title "From sad to happy"
    affectgen render *.mid -o out/ --format ogg
    affectgen render a.mid b.mid take.wav --join 2.5 -o session.wav
    affectgen emogen generate -a calm -o - | affectgen render - -o - --format wav | sox - out.mp3
    """
    talk = Talk(params["quiet"], params["verbose"])
    if params["stream"]:
        _stream(ctx, files, talk)
        return
    orders = _orders(ctx, files)
    check_outputs([path for order in orders for path in order.target.files()], force=params["force"])
    made, failed = [], 0
    for done, order in enumerate(orders, start=1):
        try:
            _check_readable(order.settings["sources"].value)
            made += make(ctx, "render", [order], talk)
        except UsageError:
            raise
        except AffectgenError as error:
            if len(orders) == 1:
                raise
            failed += 1
            hint = f"\nHint: {error.hint}" if error.hint else ""
            click.echo(f"Error: {_named(order, error)}{hint}", err=True)
        talk.progress(done, len(orders))
    if params["as_json"]:
        print_json("render", made)
    if failed:
        kind = PartlyFailed if made else AffectgenError
        raise kind(f"{failed} of {len(orders)} files could not be rendered.", "Each is named above.")


def _named(order: Order, error: AffectgenError) -> str:
    """What went wrong, with the source's name."""
    source = order.settings["sources"].value[0]
    name = str(source) if isinstance(source, Path) else "standard input"
    return error.message if name in error.message else f"{name}: {error.message}"


def _orders(ctx: click.Context, files: tuple[Path | bytes, ...]) -> list[Order]:
    """One file to make for each source, or one for all."""
    params = ctx.params
    if params["join"] is None and origin(ctx, "curve") == "option":
        raise UsageError("--curve came without --join, and nothing is crossfaded.", "Leave it out, or add --join 2.")
    several = len(files) > 1 and params["join"] is None
    if not several:
        _check_readable(files)
    if len(files) == 1 and params["join"] is not None:
        raise UsageError("--join came with one file.", "Name several.")
    if several and params["output"] == STDOUT:
        raise UsageError(f"{len(files)} files came, and -o - is one stream.", "Add --join, or give a folder: -o out/")
    folder = is_folder(params["output"]) or several
    suffix = f".{params['format_'] if params['format_'] is not None else 'wav'}"
    settings = render_settings(ctx, sound_format(ctx, folder), files)
    if not folder:
        return [Order({**settings, "sources": Setting(files, "option")}, single_target(params))]
    groups = [files] if params["join"] is not None else [(file,) for file in files]
    names = [f"{group[0].stem if isinstance(group[0], Path) else 'stdin'}{suffix}" for group in groups]
    again = sorted({name for name in names if names.count(name) > 1})
    if again:
        text = f"Two FILEs would both become {again[0]} in {params['output']}."
        raise UsageError(text, "Render them to folders of their own, or --join them.")
    targets = folder_targets(params, names, "Several FILEs make several files")
    pairs = zip(groups, targets, strict=True)
    return [Order({**settings, "sources": Setting(group, "option")}, target) for group, target in pairs]


def _check_readable(files: tuple[Path | bytes, ...]) -> None:
    """AffectgenError where one of the files is a folder, or cannot be read."""
    for file in files:
        if isinstance(file, Path) and file.is_dir():
            raise AffectgenError(f"{file} is a folder, and a file was expected.", f"Name its files: {file}/*.mid")
        if isinstance(file, Path):
            readable(file)


def _plays(files: tuple[Path | bytes, ...]) -> bool:
    """Whether MIDI is among the files; one that cannot be read is told about when its turn comes."""
    from affectgen.render.sound import is_midi

    for file in files:
        with suppress(AffectgenError):
            if is_midi(file):
                return True
    return False


def sound_format(ctx: click.Context, folder: bool) -> Setting:
    """The format: of --format, else of the output's ending."""
    from affectgen.audio.formats import format_of

    named, output = ctx.params["format_"], ctx.params["output"]
    if named is not None:
        _check_ending(named, output, folder)
        return Setting(named, origin(ctx, "format_"))
    if folder or output == STDOUT:
        return Setting("wav", "default")
    return Setting(format_of(Path(output)).name, "option")


def _check_ending(named: str, output: str, folder: bool) -> None:
    """UsageError where the output's ending says that it is another format's: few programs would play such a file."""
    from affectgen.audio.formats import FORMATS as KNOWN
    from affectgen.audio.formats import format_named

    suffix, kind = Path(output).suffix.lower(), format_named(named)
    others = [one for one in KNOWN if suffix in one.suffixes and one.container != kind.container]
    if others and not folder and output != STDOUT:
        text = f"-o {output} is a name of {others[0].name}, and --format says {named}."
        raise UsageError(text, "Change one of them.")


def render_settings(ctx: click.Context, kind: Setting, files: tuple[Path | bytes, ...]) -> dict[str, Setting]:
    """The fields of RenderOptions but the sources, from the command's options."""
    settings = {name: Setting(ctx.params[name], origin(ctx, name)) for name in ("curve", "measure")}
    join = ctx.params["join"]
    settings["overlap"] = Setting(0.0 if join is None else join, origin(ctx, "join"))
    return {**settings, **sound_settings(ctx, kind, lambda: _plays(files))}


def sound_settings(ctx: click.Context, kind: Setting, plays: Callable[[], bool] = lambda: True) -> dict[str, Setting]:
    """The fields of SoundOptions from `sound_options` and `player_options`; what plays MIDI is settled here, so that a
    manifest says what did. plays: whether there is MIDI to play."""
    from affectgen.audio.formats import format_named
    from affectgen.render.sound import choose_player

    if origin(ctx, "quality") == "option" and not format_named(kind.value).lossy:
        raise UsageError(f"--quality came with {kind.value}, which loses nothing.", "Leave it out, or give --bits.")
    names = ("quality", "loudness", "ceiling", "reverb", "title", "artist", "comment", "bits")
    settings = {name: Setting(ctx.params[name], origin(ctx, name)) for name in names}
    rate = ctx.params["rate"]
    settings["rate"] = Setting(None if rate is None else int(rate), origin(ctx, "rate"))
    renderer, font = _player(ctx)
    origins = {name: origin(ctx, name) for name in ("renderer", "soundfont")}
    if "option" in origins.values() or plays():  # else nothing is played
        player = choose_player(renderer, font)
        renderer, font = player.name, None if player.font is None else str(player.font)
    else:
        font = None
    settings["renderer"] = Setting(renderer, origins["renderer"])
    return {**settings, "soundfont": Setting(font, origins["soundfont"]), "format": kind}


def _player(ctx: click.Context) -> tuple[str, str | None]:
    """The renderer and the soundfont as asked for. The piano has its own sound: it beats a soundfont of the
    environment, and a soundfont named as an option beats a piano of the environment."""
    renderer, font = ctx.params["renderer"], ctx.params["soundfont"]
    if renderer != "piano" or font is None:
        return renderer, font
    if origin(ctx, "soundfont") != "option":
        return renderer, None
    if origin(ctx, "renderer") == "option":
        raise UsageError("--soundfont came with --renderer piano, which has its own sound.", "Leave one of them out.")
    return "fluidsynth", font


def _stream(ctx: click.Context, files: tuple[Path | bytes, ...], talk: Talk) -> None:
    """Write WAV to standard output as it is made; the ceiling holds, the loudness is as it comes."""
    import sys

    from affectgen.audio.limiter import limited
    from affectgen.audio.wav import stream_wav
    from affectgen.render.options import RenderOptions
    from affectgen.render.sound import Heard, player_for, sound_of

    params = ctx.params
    if params["output"] != STDOUT:
        raise UsageError(f"--stream came with -o {params['output']}.", "It writes to standard output: -o -")
    fixed = ("plot", "manifest", "as_json", "measure", "loudness", "title", "artist", "comment", "quality")
    clash = [name for name in fixed if origin(ctx, name) == "option"]
    if clash or params["format_"] not in (None, "wav"):
        word = given(ctx, *clash)[0] if clash else f"--format {params['format_']}"
        raise UsageError(f"--stream and {word} exclude each other.", "A stream is WAV at its own level.")
    if len(files) > 1 and params["join"] is None:
        raise UsageError(f"{len(files)} files came, and a stream is one.", "Add --join.")
    _check_readable(files)
    settings = render_settings(ctx, Setting("wav", "default"), files)
    options = RenderOptions(files, **{**{name: setting.value for name, setting in settings.items()}, "loudness": None})
    encoding, heard = options.encoding, Heard()
    sound = limited(sound_of(options, player_for(options), heard, soon=True), encoding.rate, 0.0, options.ceiling)
    with standard_output():
        stream_wav(sys.stdout.buffer, sound, encoding.rate, 2, encoding.depth)
    for text in heard.warnings:
        talk.say(f"Warning: {text}")
