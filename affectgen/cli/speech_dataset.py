"""`affectgen speech dataset`: an evaluation set out of transcribed speech."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from affectgen.cli.settings import origin
from affectgen.cli.talk import Talk, talk_options
from affectgen.errors import UsageError
from affectgen.task import LARGEST_SEED


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@click.option("--shares", metavar="A,B,C", default="0.6,0.2,0.2", show_default=True,
              help="Of speakers, and of sentences, in training, validation and test.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True, help="Of what is drawn.")
@click.option("--link", is_flag=True, help="Link recordings to where they lie instead of copying them.")
@click.option("--synthesise", is_flag=True,
              help="Have a synthesiser say every new text in its emotion; again, and only what is missing is made.")
@click.option("--tts", envvar="AFFECTGEN_TTS", metavar="'CMD {text} {out}'",
              help="What says the texts, with --synthesise. [default: espeak-ng or flite, where installed]")
@click.option("--force", is_flag=True, help="Replace a set that is there.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON on standard output.")
@talk_options
def dataset(
    folder: Path, output: Path, shares: str, seed: int, link: bool, synthesise: bool, tts: str | None, force: bool,
    as_json: bool, **params: Any,
) -> None:  # fmt: skip
    """Make a set to measure emotion in edited speech, from transcribed English speech in DIR.

    Each item is a recording and its text with one word changed, so that the text has another emotion: anger, fear,
    happiness, neutral, sadness. No speaker and no sentence is in two of train, valid and test. DIR holds manifest.csv
    (file, text, and speaker, emotion where known), or recordings with a .txt or .lab beside each
    (docs/speech_dataset.md).

    \b
    affectgen speech dataset recordings/ -o set/
    affectgen speech dataset crema_d/ -o set/ --link --seed 3 --json | jq .items
    affectgen speech dataset recordings/ -o set/ --synthesise
    """
    from affectgen.speech.dataset.dataset_make import made_set, numbers_of
    from affectgen.speech.dataset.dataset_spoken import voice_for

    try:
        numbers = numbers_of(shares)
    except ValueError as error:
        raise UsageError(f"--shares got {shares!r}.", "Give three numbers: 0.6,0.2,0.2") from error
    if tts is not None and not synthesise and origin(click.get_current_context(), "tts") == "option":
        raise UsageError("--tts came without --synthesise.", "Give both to have the texts spoken.")
    talk = Talk(params["quiet"], params["verbose"])
    voice = voice_for(tts) if synthesise else None
    about = made_set(folder, output, numbers, seed, link, force, talk.say, voice)
    talk.say(f"wrote {output}")
    if as_json:
        click.echo(json.dumps(about, indent=2, ensure_ascii=False))
