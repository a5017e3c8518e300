"""`affectgen evaluate speech`: the table of alignment, editing, conversion and correction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from affectgen.cli.reports import (
    FIRST_SEED,
    FOLDER,
    check_places,
    count_option,
    counts,
    result_options,
    saved_option,
    saved_report,
    show,
)
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import Words
from affectgen.device import choose_threads, cores, use_threads
from affectgen.errors import UsageError
from affectgen.task import LARGEST_SEED

# the defaults of affectgen.evaluate.speech.Settings (a test compares): importing that class imports the judge
SPEECH_DEFAULTS = {"sources": 5, "words": 40, "splices": 60}
QUICK_SPEECH = {"sources": 1, "words": 4, "splices": 4}
PARTS = ("align", "edit", "convert", "correct")


@click.command()
@click.option("--data", type=FOLDER, help="The folder that holds crema_d/, emo_db/ and ljspeech/.")
@click.option("--only", type=Words(), help=f"Which parts, with commas between: {', '.join(PARTS)}. [default: all]")
@count_option("sources", "Neutral recordings of each speaker to convert.", SPEECH_DEFAULTS["sources"])
@count_option("words", "Words to rebuild, and as many to replace.", SPEECH_DEFAULTS["words"])
@count_option("splices", "Inconsistent edits to correct.", SPEECH_DEFAULTS["splices"])
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=FIRST_SEED, show_default=True, help="The first.")
@click.option("--jobs", type=click.IntRange(1), help="Processes. [default: all processors]")
@saved_option
@result_options
@talk_options
@click.pass_context
def speech(ctx: click.Context, /, data: Path | None, only: tuple[str, ...] | None, **params: Any) -> None:
    """Measure alignment, edits, emotion and speaker on voices that nothing was fitted on.

    Natural speech and MARY's rules stand beside. A part that cannot be measured here is in the table, without figures.

    \b
    affectgen evaluate speech --data ../shared/data -o docs/runs/speech.json --write docs/results.md
    affectgen evaluate speech --data ../shared/data --only convert --quick | jq '.figures[].name'
    """
    check_places(params)
    talk = Talk(params["quiet"], params["verbose"])
    saved = saved_report("speech")
    if saved is not None:
        show(params, "speech", saved, [], talk)
        return
    if data is None:
        raise UsageError("evaluate speech came without recordings to measure on.", "Add --data FOLDER.")
    parts = PARTS if only is None else only
    if unknown := [part for part in parts if part not in PARTS]:
        raise UsageError(f"--only names {unknown[0]!r}.", f"Name some of: {', '.join(PARTS)}.")
    from affectgen.evaluate.speech import Settings, run

    use_threads(choose_threads())
    found = counts(ctx, SPEECH_DEFAULTS, QUICK_SPEECH)
    settings = Settings(**found, parts=tuple(parts), seed=params["seed"], quick=params["quick"])
    jobs = params["jobs"] if params["jobs"] is not None else cores()
    show(params, "speech", run(data, settings, jobs, talk.say), [], talk)
