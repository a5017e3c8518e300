"""`affectgen rate`: the emotion that files and texts carry, as the recognisers read it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.pieces import check_picture
from affectgen.cli.settings import exclude
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import Number, read_stdin, readable
from affectgen.errors import AffectgenError, PartlyFailed, UsageError
from affectgen.output import STDOUT, Outputs, check_output

if TYPE_CHECKING:
    from affectgen.recognize.items import Item
    from affectgen.recognize.rate import Rated, RateSettings
    from affectgen.recognize.reading import Reading

KINDS = ("auto", "midi", "music", "speech", "text")
SHOWN_TEXT = 40  # letters of a text that name it
COLUMNS = (
    "file", "kind", "start", "end", "valence", "arousal", "quadrant", "words", "uncertainty", "valence_low",
    "valence_high", "arousal_low", "arousal_high", "q1", "q2", "q3", "q4",
)  # fmt: skip


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE...]")
@click.option("--text", "texts", multiple=True, metavar="TEXT|-", help="A text to rate; - reads standard input.")
@click.option(
    "--as", "kind", type=click.Choice(KINDS), default="auto", show_default=True,
    help="What the files are; sound is told as music or speech by how it moves.",
)
@click.option("--window", type=Number(1), help="Also a curve: the emotion in windows of so many seconds.")
@click.option(
    "--plot", type=click.Path(path_type=Path),
    help="Draw the curve under the sound or the notes (.png, .svg, .pdf); needs --window.",
)
@click.option("--force", is_flag=True, help="Replace the picture if it exists.")
@click.option(
    "--speaker-baseline", "baseline", type=click.Path(path_type=Path), metavar="AUDIO",
    help="The speaker's voice when neutral: speech is read relative to it.",
)
@click.option("--jobs", type=click.IntRange(1), help="Processes. [default: all processors, for many files]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of objects.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: one row a file, or a window.")
@talk_options
@click.pass_context
def rate(ctx: click.Context, /, **params: Any) -> None:  # fmt: skip
    """Measure the emotion of MIDI, music, speech and text: valence and arousal (each -1 to 1), nearest words, quadrant.

    - reads standard input, whatever it is; a folder stands for all MIDI, audio and text files in it. The number after
    +- is half the 80 % interval: so far off may the labels of one item in five lie, and farther. Files that cannot be
    rated are named on standard error; the exit code is then 3, or 1 when none could be rated.

    \b
    affectgen rate happy.mid interview.wav
    affectgen rate --text "What a lovely morning!"
    affectgen rate recordings/ --csv > ratings.csv
    affectgen rate film.flac --window 5 --plot curve.png
    affectgen muser generate -a sad -o - | affectgen rate -
    """
    talk = Talk(params["quiet"], params["verbose"])
    exclude(ctx, "as_json", "as_csv")
    items, settings = _items(ctx), _settings(params)
    _check_plot(params, len(items))
    rated, failed = [], 0
    for done, one in enumerate(_rated(items, settings, params["jobs"]), start=1):
        talk.progress(done, len(items))
        if one.error:
            failed += 1
            click.echo(f"Error: {one.error}", err=True)
            continue
        rated.append(one)
        if not params["as_json"]:
            click.echo(_csv(one, len(rated) == 1) if params["as_csv"] else _lines(one), nl=False)
    if params["as_json"]:
        click.echo(json.dumps([one.to_json() for one in rated], indent=2))
    if params["plot"] is not None and rated:
        _draw(rated[0], items[0], params)
    if failed:
        kind = PartlyFailed if rated else AffectgenError
        what = "item" if len(items) == 1 else "items"
        raise kind(f"{failed} of {len(items)} {what} could not be rated.", "Each is named above.")


def _items(ctx: click.Context) -> list[Item]:
    """What to rate, in the order given: files and folders, then texts."""
    from affectgen.recognize.items import Item, find_items

    files, texts = ctx.params["files"], ctx.params["texts"]
    if not files and not texts:
        raise UsageError("Nothing was given to rate.", "Name files or folders, - for standard input, or --text.")
    items: list[Item] = []
    for name in files:
        items += [Item("-", read_stdin(ctx))] if name == STDOUT else find_items([name])
    for text in texts:
        words = _decoded(read_stdin(ctx)) if text == STDOUT else text
        short = " ".join(words.split())
        items.append(Item(short if len(short) <= SHOWN_TEXT else short[: SHOWN_TEXT - 3] + "...", words))
    return items


def _decoded(data: bytes) -> str:
    """Standard input as text."""
    from affectgen.recognize.items import text_of

    return text_of(data)


def _settings(params: dict[str, Any]) -> RateSettings:
    from affectgen.recognize.rate import RateSettings

    baseline = params["baseline"]
    if baseline is not None:
        readable(baseline)
        if params["kind"] not in ("auto", "speech"):
            raise UsageError(f"--speaker-baseline came with --as {params['kind']}.", "It is for speech.")
    return RateSettings(params["kind"], params["window"], baseline)


def _check_plot(params: dict[str, Any], count: int) -> None:
    """UsageError where --plot has nothing to draw; AffectgenError where the picture cannot be written."""
    if params["plot"] is None:
        return
    if params["window"] is None:
        raise UsageError("--plot came without --window.", "Add --window 5: the curve is drawn over time.")
    if count != 1:
        raise UsageError(f"--plot came with {count} inputs; it draws one curve.", "Give one file.")
    check_picture(params["plot"])
    check_output(params["plot"], params["force"])


def _rated(items: list[Item], settings: RateSettings, jobs: int | None) -> Iterator[Rated]:
    from affectgen.recognize.rate import rate_items

    return rate_items(items, settings, jobs)


def _draw(one: Rated, item: Item, params: dict[str, Any]) -> None:
    """The picture of one item: its curve, under the spectrogram of sound or the piano roll of MIDI."""
    from affectgen.report.sound import draw_rated

    home = params["plot"]
    with Outputs(params["force"]) as outputs:
        outputs.add(home, draw_rated(one, item.source, home.suffix[1:].lower()))


def _lines(one: Rated) -> str:
    """One item's measurement for a person, and its curve below."""
    lines = [f"{one.name}: {one.kind}, {_told(one.reading)}"]
    for window in one.curve:
        told = "nothing to read" if window.reading is None else _told(window.reading)
        lines.append(f"  {window.start:7.1f} - {window.end:.1f} s: {told}")
    return "\n".join(lines) + "\n"


def _told(reading: Reading | None) -> str:
    """A reading in one line."""
    if reading is None:
        return "nothing to read"
    half = [(high - low) / 2 for low, high in zip(reading.low, reading.high, strict=True)]
    words = ", ".join(reading.affect.nearest_words(3))
    share = max(reading.quadrants)
    valence = f"valence {reading.affect.valence:+.2f} +- {half[0]:.2f}"
    arousal = f"arousal {reading.affect.arousal:+.2f} +- {half[1]:.2f}"
    return f"{valence}, {arousal}, {reading.quadrant} ({share:.0%}): {words}"


def _csv(one: Rated, first: bool) -> str:
    """An item's row, or those of its windows, after the names of the columns if it is the first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if first:
        writer.writerow(COLUMNS)
    if not one.curve:
        writer.writerow([one.name, one.kind, "", "", *_cells(one.reading)])
    for window in one.curve:
        writer.writerow([one.name, one.kind, f"{window.start:g}", f"{window.end:g}", *_cells(window.reading)])
    return text.getvalue()


def _cells(reading: Reading | None) -> list[str]:
    """A reading's columns, empty where nothing was read."""
    if reading is None:
        return [""] * (len(COLUMNS) - 4)
    ends = [reading.low[0], reading.high[0], reading.low[1], reading.high[1]]
    words = " ".join(word.replace(" ", "_") for word in reading.affect.nearest_words(3))
    numbers = [reading.affect.valence, reading.affect.arousal]
    rest = [reading.uncertainty, *ends, *reading.quadrants]
    return [*(f"{value:.4f}" for value in numbers), reading.quadrant, words, *(f"{value:.4f}" for value in rest)]
