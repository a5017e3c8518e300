"""`affectgen speech index`: databases of voices, to learn emotion from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.options import Command, affect_options, all_of
from affectgen.cli.settings import affect_setting, exclude, given
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import InputFile
from affectgen.errors import AffectgenError, PartlyFailed, UsageError

if TYPE_CHECKING:
    from affectgen.speech.index.build import Filled
    from affectgen.speech.index.listing import Listed
    from affectgen.speech.index.query import Asked, Hit

MOST = 1000  # clips that are printed at once


@click.group()
def index() -> None:
    """Databases of voices: how recordings sound in each emotion, without the recordings themselves.

    One comes with the package; `convert` and `correct` use it, or the one that --index names.
    """


def _filling_options(command: Command) -> Command:
    return all_of(
        command,
        click.option("--licence", default="", metavar="TEXT", help="Of the recordings whose list does not say."),
        click.option("--language", default="", metavar="CODE", help="Of those, such as en."),
        click.option("--jobs", type=click.IntRange(1), help="Processes. [default: all processors, for many files]"),
        click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON on standard output."),
        talk_options,
    )


@index.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The index; one there grows.")
@_filling_options
@click.pass_context
def build(ctx: click.Context, /, folder: Path, output: Path, **params: Any) -> None:
    """Make an index of the recordings in DIR, or go on with one.

    Who speaks how stands in DIR/manifest.csv: columns file, speaker, and where known emotion (a label, a word, or a
    point such as 0.5,-0.2), text, sex, language, licence. Without one, each subfolder is a speaker, and the emotion is
    what the speech guide hears. CREMA-D and EMO-DB are known by their own lists. Give each speaker some neutral
    recordings: what an emotion does to a voice is told beside them.

    Recordings that are in the index already are passed over, so that it can be built in several goes.

    \b
    affectgen speech index build recordings/ -o voices.db
    affectgen speech index build recordings/ -o voices.db --licence CC-BY-4.0 --language en
    """
    from affectgen.speech.index.listing import listed

    talk = Talk(params["quiet"], params["verbose"])
    _check_place(output, new=True)
    _fill(output, listed(folder, params["licence"], params["language"]), params, talk)


@index.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE|DIR...")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The index, which grows.")
@click.option("--speaker", metavar="NAME", help="Who speaks in the FILEs. [default: the name of their folder]")
@click.option("--emotion", metavar="TEXT", help="In the FILEs: a word or a point. [default: as the guide hears it]")
@click.option("--text", default="", help="What is said in the FILEs.")
@click.option("--sex", type=click.Choice(("f", "m")), help="Of the speaker in the FILEs.")
@_filling_options
@click.pass_context
def add(ctx: click.Context, /, sources: tuple[Path, ...], output: Path, **params: Any) -> None:
    """Add recordings to an index.

    \b
    affectgen speech index add angry1.wav angry2.wav --speaker anna --emotion angry -o voices.db
    affectgen speech index add more_recordings/ -o voices.db
    """
    from affectgen.speech.index.listing import listed

    talk = Talk(params["quiet"], params["verbose"])
    _check_place(output, new=False)
    files = [path for path in sources if not path.is_dir()]
    said = given(ctx, "speaker", "emotion", "text", "sex")
    if said and not files:
        raise UsageError(f"{said[0]} came without a FILE to which it belongs.", "Use a manifest.csv in the folder.")
    recordings: list[Listed] = []
    for path in sources:
        recordings += listed(path, params["licence"], params["language"]) if path.is_dir() else [_single(path, params)]
    _fill(output, recordings, params, talk)


@index.command()
@click.option("--index", "place", type=click.Path(path_type=Path), help="The index. [default: the package's own]")
@click.option("--text", metavar="TEXT", help="Voices that feel like these words.")
@affect_options
@click.option("--like", type=InputFile(), metavar="AUDIO|-", help="Voices that feel like this recording.")
@click.option("-k", "--count", type=click.IntRange(1, MOST), default=10, show_default=True, help="How many.")
@click.option("--speaker-not", "without", multiple=True, metavar="NAME", help="Not of this speaker; may be repeated.")
@click.option("--licence", "licences", multiple=True, metavar="TEXT", help="Of this licence only; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def query(ctx: click.Context, /, place: Path | None, **params: Any) -> None:
    """Look up the voices that are most alike in emotion.

    Each with its likeness, what its emotion does to the voice beside the speaker's neutral one, and where it is from.

    \b
    affectgen speech index query --text "I can't believe it, we won!"
    affectgen speech index query -a sad -k 5 --speaker-not crema_d/1001
    affectgen speech index query --like take.wav --index voices.db --json
    """
    from affectgen.speech.index.query import looked_up
    from affectgen.speech.index.voices import load_voices

    asked = _asked(ctx)
    hits = looked_up(load_voices(place), asked, params["count"])
    if params["as_json"]:
        click.echo(json.dumps({"voices": [hit.to_json() for hit in hits]}, indent=2, ensure_ascii=False))
        return
    for hit in hits:
        click.echo(_line(hit))
    if not hits:
        click.echo("No voice was found.", err=True)


def _asked(ctx: click.Context) -> Asked:
    """What is looked for. UsageError unless it is one thing."""
    from affectgen.speech.index.query import Asked
    from affectgen.speech.target import target_of

    params = ctx.params
    points = [name for name in ("affect", "valence") if given(ctx, name)]
    exclude(ctx, "text", "like", *points[:1])
    if not given(ctx, "text", "like", "affect", "valence", "arousal"):
        raise UsageError("Nothing was asked for.", "Give --text, --affect or --like.")
    affect = affect_setting(ctx).value if params["text"] is None and params["like"] is None else None
    target = None if affect is None else target_of(affect)
    return Asked(params["text"], target, params["like"], params["without"], params["licences"])


def _line(hit: Hit) -> str:
    """A clip for a person."""
    label = hit.label if hit.label else "-"
    point = f"{hit.point[0]:+.2f},{hit.point[1]:+.2f}"
    shift = hit.shift if hit.shift else "the speaker's neutral voice is not known"
    return f"{hit.likeness:.3f}  {label:<9} {point}  {hit.speaker}  {hit.name}\n       {shift}"


def _single(path: Path, params: dict[str, Any]) -> Listed:
    """A FILE as the options describe it."""
    from affectgen.audio.files import audio_info
    from affectgen.speech.index.listing import Listed, feeling_of

    audio_info(path)  # what was named by hand must be there and be audio
    feeling = feeling_of(params["emotion"], "as it was given") if params["emotion"] is not None else None
    speaker = params["speaker"] if params["speaker"] is not None else path.resolve().parent.name
    sex = params["sex"] if params["sex"] is not None else ""
    return Listed(path, path.name, speaker, sex, params["text"], params["language"], params["licence"], feeling)


def _check_place(output: Path, new: bool) -> None:
    """AffectgenError where an index cannot be there, before anything is read."""
    from affectgen.output import check_output

    check_output(output, force=True)
    if not new and not output.is_file():
        raise AffectgenError(f"There is no index {output}.", f"Make it: affectgen speech index build DIR -o {output}")


def _fill(output: Path, recordings: list[Listed], params: dict[str, Any], talk: Talk) -> None:
    """Add recordings and say what came of it."""
    from affectgen.speech.index.build import fill

    filled = fill(output, recordings, params["jobs"], say=talk.progress)
    for name, why in filled.refused:
        click.echo(f"Left out: {name}: {why}", err=True)
    talk.say(f"{output}: {filled.new} added, {filled.known + filled.doubled} there already")
    if params["as_json"]:
        click.echo(json.dumps(_told(output, filled), indent=2, ensure_ascii=False))
    if filled.refused:
        kind = PartlyFailed if len(filled.refused) < len(recordings) else AffectgenError
        text = f"{len(filled.refused)} of {len(recordings)} recordings could not be read."
        raise kind(text, "Each is named above.")


def _told(output: Path, filled: Filled) -> dict[str, Any]:
    """What was done, as plain values."""
    refused = [{"file": name, "why": why} for name, why in filled.refused]
    return {"index": str(output), "added": filled.new, "known": filled.known, "doubled": filled.doubled,
            "left_out": refused}  # fmt: skip
