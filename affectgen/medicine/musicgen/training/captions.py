"""In which words a piece is learned: its own caption and tags, and what `prompt_for` says of its emotion.

Sessions ask in the words of `affectgen.medicine.plan.prompt_for`, so pieces are learned under the same ones. Varied
captions leave words out and change the order of tags, so that neither the emotion's words nor its numbers alone say
everything: some pieces must be told apart by the affect that stands beside the words.
"""

from __future__ import annotations

import random

from affectgen.medicine.musicgen.training.table import Track
from affectgen.medicine.plan import prompt_for

VARIANTS = 4  # captions of a piece; text states are computed once for each
KEPT = 0.7  # chance of a tag, and of all words of the emotion, to be said
PLAIN = "music"  # where nothing is left to say


def caption_of(track: Track, style: str) -> str:
    """All that is known: own caption, tags, the emotion's words, style."""
    words = "" if track.affect is None else prompt_for(track.affect, "")
    return _joined([track.caption, *track.tags, words, style])


def varied_caption(track: Track, style: str, seed: int, epoch: int) -> str:
    """One of VARIANTS captions of a track, by seed and epoch: tags in another order, some left out, and the emotion's
    words only sometimes."""
    drawn = random.Random(f"{seed} {track.name} {epoch % VARIANTS}")
    tags = [tag for tag in track.tags if drawn.random() < KEPT]
    drawn.shuffle(tags)
    said = track.affect is not None and drawn.random() < KEPT
    words = prompt_for(track.affect, "") if said and track.affect is not None else ""
    return _joined([track.caption, *tags, words, style])


def _joined(parts: list[str]) -> str:
    """Parts with commas between them, each once."""
    return ", ".join(dict.fromkeys(part for part in parts if part)) or PLAIN
