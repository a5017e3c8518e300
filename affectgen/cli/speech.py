"""`affectgen speech`: edit a recording by its text, correct its emotion, and what belongs to it."""

from __future__ import annotations

import click

from affectgen.cli.lazy import LazyGroup

COMMANDS: dict[str, tuple[str, str]] = {
    "align": ("affectgen.cli.speech_align:align", "When each word and phone is spoken."),
    "edit": ("affectgen.cli.speech_edit:edit", "Change the words of a recording."),
    "correct": ("affectgen.cli.speech_correct:correct", "Let the emotion of an edited recording follow its text."),
    "convert": ("affectgen.cli.speech_convert:convert", "Give a whole recording another emotion."),
    "index": ("affectgen.cli.speech_index:index", "Databases of voices to learn emotion from."),
    "dataset": ("affectgen.cli.speech_dataset:dataset", "Make an evaluation set from transcribed speech."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def speech() -> None:
    """Edit speech by its text, and let its emotion follow.

    Edit voices only with the speaker's permission: what these commands write says in its metadata that it was edited.
    """
